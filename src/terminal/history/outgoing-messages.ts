import type { EntryState, Unsettled } from '../../client/index.ts';
import type { Statements } from './database.ts';
import { MESSAGE, messageOf, timeOf, type UnsettledRow, unsettledOf } from './rows.ts';
import type { StoredMessage } from './types.ts';

/** Unsettled messages: as many as an outbox follows; more unanswered ones only if several processes sent. */
const MAX_UNANSWERED = 1_000;
const MAX_FOLLOWED = 2_000;

/** Why a message never went out whose account was deleted, or made anew. */
const FORSAKEN = 'the account that wrote it is gone';

/** What becomes of messages comes in this order; what comes late does not go back. */
const RANK: Readonly<Record<EntryState['kind'], number>> = {
  'on-its-way': 0,
  waiting: 0,
  refused: 1,
  unsure: 1,
  stored: 2,
  delivered: 3,
  undeliverable: 3,
};

/** What became of the messages that the account has sent, and which process sends those that have no answer. */
export class OutgoingMessages {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  byMessageId(messageId: string): StoredMessage | null {
    return messageOf(this.#statements.get(`${MESSAGE} WHERE m.message_id = ?`).get(messageId));
  }

  /**
   * The message as it is now, which is as it was if more is known already; null if it is not here.
   * @param at when it was stored, which is when it was sent from then on; null: as it was
   */
  setFate(
    messageId: string,
    fate: EntryState,
    receipt: Uint8Array | null,
    mayBeStored: boolean,
    at: number | null,
  ): StoredMessage | null {
    const message = this.byMessageId(messageId);
    if (message === null || message.fate === null) return message;
    if (RANK[fate.kind] < RANK[message.fate.kind]) return message;
    const reason = fate.kind === 'refused' ? fate.reason : null;
    const toAsk = fate.kind === 'stored' ? receipt : null;
    const sentAt = timeOf(at) ?? message.at;
    this.#statements
      .get('UPDATE messages SET fate = ?, reason = ?, receipt = ?, may_be_stored = ?, at = ? WHERE id = ?')
      .run(fate.kind, reason, toAsk, mayBeStored ? 1 : 0, sentAt, message.id);
    return { ...message, fate, at: sentAt };
  }

  /** It has come back: one's own in a room have a place there, too. */
  lies(messageId: string, seq: number): void {
    this.#statements.get('UPDATE messages SET seq = ? WHERE message_id = ?').run(seq, messageId);
  }

  /** What another life of the account, or nobody knows which, has sent is followed no longer. */
  forsake(life: string): void {
    this.#statements
      .get(
        `UPDATE messages SET fate = iif(may_be_stored, 'unsure', 'refused'), reason = iif(may_be_stored, NULL, ?)
       WHERE fate IN ('on-its-way', 'waiting') AND life IS NOT ?`,
      )
      .run(FORSAKEN, life);
    this.#statements
      .get('UPDATE messages SET receipt = NULL WHERE receipt IS NOT NULL AND life IS NOT ?')
      .run(life);
  }

  /**
   * Takes an unanswered message for this process alone.
   * @param until milliseconds since the epoch
   * @returns false if another process has it, or it is answered
   */
  carry(messageId: string, until: number): boolean {
    const { changes } = this.#statements
      .get(
        `UPDATE messages SET carried_until = ?
       WHERE message_id = ? AND fate IN ('on-its-way', 'waiting') AND carried_until <= ?`,
      )
      .run(until, messageId, Date.now());
    return changes > 0;
  }

  /** Whoever comes next may send it, if it is not answered. */
  letGo(messageId: string): void {
    this.#statements.get('UPDATE messages SET carried_until = 0 WHERE message_id = ?').run(messageId);
  }

  /** The oldest unanswered messages that no process carries, then the newest stored ones whose delivery is not known; each oldest first. */
  unsettled(life: string): Unsettled[] {
    const unanswered = this.#statements
      .get(
        `${MESSAGE} WHERE m.fate IN ('on-its-way', 'waiting') AND m.life = ? AND m.carried_until <= ?
       ORDER BY m.id LIMIT ?`,
      )
      .all(life, Date.now(), MAX_UNANSWERED);
    const followed = this.#statements
      .get(`${MESSAGE} WHERE m.receipt IS NOT NULL AND m.life = ? ORDER BY m.id DESC LIMIT ?`)
      .all(life, MAX_FOLLOWED);
    return [...unanswered, ...followed.reverse()].map((row) => unsettledOf(row as unknown as UnsettledRow));
  }
}
