import type { FailedRequest } from '../../protocol/v2/replies.ts';
import type { Version } from '../adapters/version.ts';
import type { AnyCommand, AnyRequest } from '../commands/command.ts';
import type { Connection } from '../net/connection.ts';
import type { ActiveSession } from './active-session.ts';

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
  readonly #connection: Pick<Connection, 'write'>;
  readonly #entries: Entry[] = [];
  /** Places that are taken and not written. */
  waiting = 0;

  constructor(connection: Pick<Connection, 'write'>) {
    this.#connection = connection;
  }

  /** Takes the next place. */
  reserve(): ReplySlot {
    const entries = this.#entries;
    const entry: Entry = { state: 'waiting', frame: null, flushed: undefined };
    this.waiting = entries.push(entry);
    return {
      fill: (frame, flushed) => {
        entry.state = 'ready';
        entry.frame = frame;
        entry.flushed = flushed;
        for (let head = entries[0]; head?.state === 'ready'; head = entries[0]) {
          entries.shift();
          this.waiting = entries.length;
          if (head.frame !== null) this.#connection.write(head.frame, head.flushed);
        }
      },
    };
  }
}

/** A request, who asks, what carries it out, and the place of its reply. */
export interface PendingRequest {
  /** Null while nobody is logged in. */
  readonly active: ActiveSession | null;
  readonly request: AnyRequest;
  readonly command: AnyCommand;
  readonly version: Version;
  readonly asked: FailedRequest;
  readonly slot: ReplySlot;
}
