import type { FailedRequest } from '../../protocol/v2/replies.ts';
import type { Version } from '../adapters/version.ts';
import type { AnyCommand, AnyRequest } from '../commands/command.ts';

/** The place of one reply in the order of the requests. */
export interface ReplySlot {
  /** Gives the reply; null where the request has none. `flushed` is called once the network took it. */
  fill(frame: Buffer | null, flushed?: () => void): void;
}

interface Entry {
  state: 'waiting' | 'ready';
  frame: Buffer | null;
  flushed: (() => void) | undefined;
}

/**
 * Puts replies into the order of their requests, however they come in. What is answered at once (a ping, an ack) waits for
 * the sends before it, so its session takes no more requests while too many wait.
 */
export class ReplyQueue {
  readonly #write: (frame: Buffer, flushed?: () => void) => void;
  readonly #entries: Entry[] = [];

  constructor(write: (frame: Buffer, flushed?: () => void) => void) {
    this.#write = write;
  }

  /** Places that are taken and not written. */
  get waiting(): number {
    return this.#entries.length;
  }

  /** Takes the next place. */
  reserve(): ReplySlot {
    const entry: Entry = { state: 'waiting', frame: null, flushed: undefined };
    this.#entries.push(entry);
    return {
      fill: (frame, flushed) => {
        entry.state = 'ready';
        entry.frame = frame;
        entry.flushed = flushed;
        this.#writeReady();
      },
    };
  }

  #writeReady(): void {
    for (let head = this.#entries[0]; head?.state === 'ready'; head = this.#entries[0]) {
      this.#entries.shift();
      if (head.frame !== null) this.#write(head.frame, head.flushed);
    }
  }
}

/** A request, what carries it out, and the place of its reply. */
export interface PendingRequest {
  readonly request: AnyRequest;
  readonly command: AnyCommand;
  readonly version: Version;
  readonly asked: FailedRequest;
  readonly slot: ReplySlot;
}
