import type { Identity } from '../../client/identity.ts';
import type { Entry } from '../../client/outbox.ts';
import type { MessageStore, Unsettled } from '../../client/store.ts';
import type { Message } from '../../protocol/v2/replies.ts';
import type { Histories } from '../history/histories.ts';
import { peerOf } from '../history/peers.ts';
import { sanitiseLine } from '../sanitise.ts';
import type { Settings } from '../settings.ts';
import type { Context } from './context.ts';

type Fate = Pick<Entry, 'id' | 'state' | 'receipt'> & Partial<Pick<Entry, 'mayBeStored'>>;

/** The local history as commands keep it, or nothing at all where the settings forbid it. */
export class Journal implements MessageStore {
  readonly #histories: Histories | null;

  private constructor(histories: Histories | null) {
    this.#histories = histories;
  }

  static async open(
    { directory, server, others }: Settings,
    { say }: Pick<Context, 'say'>,
  ): Promise<Journal> {
    // Without a place on disk it would remember less than the client does by itself.
    if (directory === null) return new Journal(null);
    const { Histories } = await import('../history/histories.ts');
    return new Journal(
      new Histories({ directory, server, others, onProblem: (text) => say(sanitiseLine(text)) }),
    );
  }

  /** Whether what is noted outlives this process. */
  get isKept(): boolean {
    return (this.#histories?.current?.file ?? null) !== null;
  }

  begin(identity: Pick<Identity, 'name' | 'incarnation'>): void {
    this.#histories?.begin(identity);
  }

  commit(): void {
    this.#histories?.commit();
  }

  hasSeen(key: string): boolean {
    return this.#histories?.hasSeen(key) ?? false;
  }

  unsettled(): readonly Unsettled[] {
    return this.#histories?.unsettled() ?? [];
  }

  /** A message was printed: durable when this returns. */
  received(message: Message, key: string): void {
    const history = this.#histories?.current;
    history?.received({ peer: peerOf(message), at: message.sentAt, body: message.body, key });
    history?.commit();
  }

  /** A message goes out now, and is this command's for so long: durable when this returns. */
  goesOut(messageId: string, to: string, body: string, forMs: number): void {
    const fate = { kind: 'on-its-way' } as const;
    const at = Date.now();
    this.#histories?.current?.sent({ messageId, to, at, body, fate, carriedUntil: at + Math.ceil(forMs) });
  }

  /** Takes an earlier message for this command alone; false if another one is at it. */
  carry(messageId: string, forMs: number): boolean {
    return this.#histories?.current?.carry(messageId, Date.now() + forMs) ?? true;
  }

  /** Whoever comes next may send it, if it has no answer. */
  letGo(messageId: string): void {
    this.#histories?.current?.letGo(messageId);
  }

  /** What became of a message that went out. */
  fate({ id, state, receipt, mayBeStored }: Fate): void {
    this.#histories?.current?.fate(id, state, receipt, mayBeStored);
  }

  /** Idempotent. */
  close(): void {
    this.#histories?.close();
  }
}
