import type { Logger } from 'pino';
import type { Room, Rooms } from '../core/rooms.ts';
import { uuidKey } from '../util/uuid.ts';

const PAGE = 200;

/**
 * Removes rooms that nobody is in any more, once their retention has emptied them. One that was found so twice: it may just be made.
 */
export class RoomSweep {
  readonly #rooms: Rooms;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  /** Lives of those that were found so in the last round. */
  #found: ReadonlySet<string> = new Set();
  #isSweeping = false;
  #isClosed = false;

  /** @param everyMs between two rounds */
  constructor(rooms: Rooms, log: Logger, everyMs: number) {
    this.#rooms = rooms;
    this.#log = log;
    this.#timer = setInterval(() => void this.#sweep(), everyMs);
    this.#timer.unref();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  async #sweep(): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    const found = new Set<string>();
    for (let after: string | undefined; !this.#isClosed; ) {
      const names = await this.#rooms.list('', { limit: PAGE, ...(after !== undefined && { after }) });
      after = names.at(-1);
      if (after === undefined) break;
      for (const name of names) {
        const room = this.#rooms.get(name);
        if (room !== undefined && this.#rooms.members.countIn(room, 'member') === 0)
          await this.#remove(room, found);
      }
    }
    this.#found = found;
    this.#isSweeping = false;
  }

  /** Never rejects. */
  async #remove(room: Room, found: Set<string>): Promise<void> {
    try {
      const { start, end } = await this.#rooms.bounds(room);
      if (start < end) return;
      const key = uuidKey(room.incarnation);
      found.add(key);
      if (!this.#found.has(key)) return;
      await this.#rooms.remove(room);
      this.#log.info({ room: room.name }, 'a room that nobody is in was removed');
    } catch (error) {
      // Another frontend was quicker, or Kafka is away: the next round looks again.
      this.#log.debug({ err: error, room: room.name }, 'a room that nobody is in was not removed');
    }
  }
}
