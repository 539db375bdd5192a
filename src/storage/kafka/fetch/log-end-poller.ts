import type { Logger } from 'pino';
import { now } from '../wire/retry.ts';

/** A topic that is followed by a session that rests. */
export interface Watched {
  readonly follower: { readonly topic: string };
  /** Everything below is known. */
  readonly position: number;
}

/** A fetch session, as far as it matters while it rests. */
export interface RestingSession {
  readonly node: number;
  /** Number of its members. */
  readonly size: number;
  members(): readonly Watched[];
  /** Ends its rest; nothing when it does not rest. */
  wake(): void;
}

/** Where topics end now, or why that is not known. Never asks about more than some dozens. */
export type AskEnds = (node: number, topics: readonly string[]) => Promise<Map<string, number | Error>>;

/** Every inbox of a session that rests is looked at this often, where there are few. */
const LEAST_INTERVAL_MS = 100;
/** Inboxes looked at in a second, over all: each costs the broker some 7 µs and us as much. A fetch costs five times that. */
const POLLS_PER_SECOND = 3_000;
const TICK_MS = 20;
/** Inboxes of one request, so that nobody waits long behind it. */
const INBOXES_AT_ONCE = 64;
/** An end beyond what is known may be that of our own append, whose answer is still on its way: so long it may take. */
const OWN_APPEND_MS = 50;

/**
 * Looks at where the inboxes end whose fetch sessions rest: under load nearly everything is handed over in memory, and
 * asking for ends is the cheapest way to find out that somebody else has written, too. That one is then fetched at once.
 */
export class LogEndPoller {
  readonly #ask: AskEnds;
  readonly #log: Logger;
  /** With the time of the last look; the one that waits longest first. */
  readonly #resting = new Map<RestingSession, number>();
  /** Inboxes of them all, as of the last tick. */
  #inboxes = 0;
  #timer: NodeJS.Timeout | null = null;
  /** Brokers that are being asked: one that hangs holds up nobody but its own. */
  readonly #asking = new Set<number>();

  constructor(ask: AskEnds, log: Logger) {
    this.#ask = ask;
    this.#log = log;
  }

  /** A session begins to rest. */
  add(session: RestingSession): void {
    this.#resting.set(session, now());
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  /** Its rest is over. */
  remove(session: RestingSession): void {
    this.#resting.delete(session);
    if (this.#resting.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #tick(): void {
    this.#inboxes = 0;
    for (const { size } of this.#resting.keys()) this.#inboxes += size;
    for (let due = this.#due(); due.length > 0; due = this.#due()) void this.#poll(due);
  }

  /** Sessions at one broker that is not being asked, which were not looked at for long enough. */
  #due(): RestingSession[] {
    const before = now() - Math.max(LEAST_INTERVAL_MS, (1_000 * this.#inboxes) / POLLS_PER_SECOND);
    const due: RestingSession[] = [];
    let inboxes = 0;
    for (const [session, lookedAt] of this.#resting) {
      if (lookedAt > before || inboxes >= INBOXES_AT_ONCE) break;
      if (this.#asking.has(session.node) || session.node !== (due[0] ?? session).node) continue;
      due.push(session);
      inboxes += session.size;
    }
    return due;
  }

  async #poll(sessions: readonly RestingSession[]): Promise<void> {
    const node = sessions[0]?.node ?? -1;
    this.#asking.add(node);
    for (const session of sessions) {
      this.#resting.delete(session);
      this.#resting.set(session, now());
    }
    try {
      const topics = sessions.flatMap((session) => session.members().map(({ follower }) => follower.topic));
      const ends = topics.length > 0 ? await this.#ask(node, topics) : new Map<string, number>();
      for (const session of sessions) if (this.#resting.has(session)) wakeIfBehind(session, ends);
    } catch (error) {
      // Each rest ends by itself, too.
      this.#log.debug({ err: error }, 'ends not known');
    } finally {
      this.#asking.delete(node);
    }
  }
}

function wakeIfBehind(session: RestingSession, ends: ReadonlyMap<string, number | Error>): void {
  const behind: { member: Watched; end: number }[] = [];
  for (const member of session.members()) {
    const end = ends.get(member.follower.topic);
    // What is wrong with it is found out by a fetch.
    if (typeof end !== 'number') {
      session.wake();
      return;
    }
    if (end > member.position) behind.push({ member, end });
  }
  if (behind.length === 0) return;
  setTimeout(() => {
    if (behind.some(({ member, end }) => end > member.position)) session.wake();
  }, OWN_APPEND_MS);
}
