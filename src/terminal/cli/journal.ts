import type { Entry, EntryState, Identity, Message, MessageStore } from '../../client/index.ts';
import type { Histories } from '../history/histories.ts';
import { incomingFrom } from '../history/types.ts';
import { sanitiseLine } from '../sanitise.ts';
import type { Settings } from '../settings.ts';
import type { Context } from './context.ts';

/** So many messages of earlier commands go out beside what the command itself asks: a connection takes 16 requests. */
const AT_ONCE = 8;
/** So long a message is this command's, unless it is answered before. */
const CARRIED_MS = 30_000;

/**
 * Which of the messages that wait in the outbox go with a command: `all` of them with one that stays, `some` with one that
 * leaves, or first those to the recipient of its own, since nothing may overtake them.
 */
export type Resent =
  | 'all'
  | 'some'
  /** `forMs`: how long the command's own message may take. */
  | { readonly to: string; readonly forMs: number };

/** The local history as commands keep it, or nothing at all where the settings forbid it. */
export class Journal implements MessageStore {
  readonly #histories: Histories | null;
  readonly #resent: Resent;
  /** The command's own message. */
  #own: string | null = null;
  /** Messages that no other command sends meanwhile. */
  readonly #carried = new Set<string>();
  #isClosed = false;

  private constructor(histories: Histories | null, resent: Resent) {
    this.#histories = histories;
    this.#resent = resent;
  }

  static async open(
    { directory, server, others, device }: Settings,
    { say }: Pick<Context, 'say'>,
    resent: Resent,
  ): Promise<Journal> {
    // Without a place on disk it would remember less than the client does by itself.
    if (directory === null) return new Journal(null, resent);
    const { Histories } = await import('../history/histories.ts');
    const onProblem = (text: string) => say(sanitiseLine(text));
    return new Journal(new Histories({ directory, server, others, device, onProblem }), resent);
  }

  /** Whether what is noted outlives this process. */
  get isKept(): boolean {
    return (this.#histories?.current?.file ?? null) !== null;
  }

  /** Opens what the login needs when it is answered: meanwhile the server has to look at it. */
  prepare(account: string): void {
    if (!this.#isClosed) this.#histories?.openKept(account);
  }

  begin(identity: Pick<Identity, 'name' | 'incarnation' | 'inbox'>): void {
    this.#histories?.begin(identity);
  }

  commit(): void {
    this.#histories?.commit();
  }

  hasSeen(key: string): boolean {
    return this.#histories?.hasSeen(key) ?? false;
  }

  unsettled(): readonly Entry[] {
    const all = this.#histories?.unsettled() ?? [];
    if (this.#resent === 'all') return all;
    if (this.#resent === 'some') return this.#taken(all, AT_ONCE);
    const { to } = this.#resent;
    return this.#taken(all.filter((entry) => entry.to === to));
  }

  /** Those that `unsettled` has left, as many as go at once. */
  others(): readonly Entry[] {
    return this.#taken(this.#histories?.unsettled() ?? [], AT_ONCE);
  }

  sent({ id: messageId, to, body, state, mayBeStored }: Entry): void {
    const at = Date.now();
    const forMs = typeof this.#resent === 'string' ? CARRIED_MS : this.#resent.forMs;
    const carriedUntil = at + Math.ceil(forMs);
    this.#histories?.current?.sent({ messageId, to, at, body, fate: state, mayBeStored, carriedUntil });
    this.#carried.add(messageId);
    this.#own = messageId;
  }

  changed({ id, state, receipt, mayBeStored }: Entry): void {
    // Taken back, and not refused by the server: what that means the command says itself.
    if (id === this.#own && state.kind === 'refused' && state.refusal === undefined) return;
    this.#histories?.current?.fate(id, state, receipt, mayBeStored);
  }

  /** What became of a message that surely is not stored. */
  concluded(id: string, state: EntryState): void {
    this.#histories?.current?.fate(id, state, null, false);
  }

  received(message: Message, key: string): void {
    const history = this.#histories?.current;
    history?.received(incomingFrom(message, key));
    history?.commit();
  }

  /** Idempotent. What has no answer is sent by whoever comes next. */
  close(): void {
    for (const id of this.#carried) this.#histories?.current?.letGo(id);
    this.#carried.clear();
    this.#isClosed = true;
    this.#histories?.close();
  }

  /** Unanswered ones, for this command alone: several of one account may be at it at the same time. */
  #taken(entries: readonly Entry[], most = Number.POSITIVE_INFINITY): Entry[] {
    const taken: Entry[] = [];
    const until = Date.now() + CARRIED_MS;
    for (const entry of entries) {
      if (taken.length >= most) break;
      if (entry.receipt !== null || this.#carried.has(entry.id)) continue;
      if (!(this.#histories?.current?.carry(entry.id, until) ?? true)) continue;
      this.#carried.add(entry.id);
      taken.push(entry);
    }
    return taken;
  }
}
