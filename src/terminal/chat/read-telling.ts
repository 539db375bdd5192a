import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError, isUsername } from '../../client/index.ts';
import type { History } from '../history/history.ts';
import { type Peer, peerTo } from '../history/types.ts';

/** What is read within this time is told together. */
const DELAY_MS = 1_000;
/** So many conversations are told of at once, and no others sooner than that: a server takes 32 in two seconds. */
const AT_ONCE = 30;
const PAUSE_MS = 2_500;
/** Who leaves waits no longer for it. */
const PATIENCE_MS = 300;
const HASH_CHARACTERS = 32;

/** What has to be known of the server: whether it can be told, and how. */
interface MarksPort {
  readonly takesMarks: boolean;
  /** @throws ClientError */
  markRead(conversation: string, upTo: number): Promise<void>;
}

/** Tells the account's other devices what is read on this one, also what was read without a connection or by an earlier process. */
export class ReadTelling {
  readonly #port: () => MarksPort;
  #history: History | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isTelling = false;
  #hasEnded = false;

  constructor(port: () => MarksPort) {
    this.#port = port;
  }

  /** What is read in this history is told from now on, and none of another. */
  of(history: History): void {
    if (this.#history !== null) this.#history.onRead = () => undefined;
    this.#history = history;
    history.onRead = () => this.soon();
  }

  soon(delayMs = DELAY_MS): void {
    if (!this.#hasEnded) this.#timer ??= setTimeout(() => void this.tell(), delayMs);
  }

  /** Tells it now; what cannot be told waits for the next time. Never throws. */
  async tell(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const history = this.#history;
    if (history === null || this.#isTelling || this.#hasEnded || !this.#port().takesMarks) return;
    this.#isTelling = true;
    try {
      const untold = history.untold(AT_ONCE);
      for (const one of untold) {
        if (one.seq >= 0) await this.#port().markRead(labelOf(one.peer), one.seq);
        if (this.#hasEnded) return;
        history.told(one);
      }
      if (untold.length > 0) this.soon(PAUSE_MS);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
    } finally {
      this.#isTelling = false;
    }
  }

  /** Tells what is left, as far as that takes no time; the rest is told after the next start. */
  async end(): Promise<void> {
    await Promise.race([this.tell(), sleep(PATIENCE_MS, undefined, { ref: false })]);
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }
}

/** What all of an account's devices call a conversation. A program may call itself anything, at any length. */
function labelOf({ kind, name }: Peer): string {
  return kind === 'external' ? `ext:${hashOf(name)}` : name;
}

/** The conversation that a device calls so; null: none that is here. */
export function peerCalled(label: string, history: History): Peer | null {
  if (label.startsWith('#') || isUsername(label)) return peerTo(label);
  const externals = history.conversations().filter(({ peer }) => peer.kind === 'external');
  return externals.find(({ peer }) => labelOf(peer) === label)?.peer ?? null;
}

function hashOf(name: string): string {
  const { hash } = process.getBuiltinModule('node:crypto');
  return hash('sha256', name, 'hex').slice(0, HASH_CHARACTERS);
}
