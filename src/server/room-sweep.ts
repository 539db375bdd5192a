import { setImmediate as turnEnd } from 'node:timers/promises';
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

  /** Never rejects. */
  async #sweep(): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    const found = new Set<string>();
    try {
      await this.#lookAtAll(found);
    } catch (error) {
      this.#log.debug({ err: error }, 'rooms were not looked through');
    }
    this.#found = found;
    this.#isSweeping = false;
  }

  async #lookAtAll(found: Set<string>): Promise<void> {
    for (let after: string | undefined; !this.#isClosed; ) {
      const names = await this.#rooms.list('', { limit: PAGE, ...(after !== undefined && { after }) });
      after = names.at(-1);
      if (after === undefined) break;
      for (const name of names) {
        const room = this.#rooms.get(name);
        if (room !== undefined && this.#isNobodyIn(room)) await this.#remove(room, found);
      }
      // Others have their turn.
      await turnEnd();
    }
  }

  #isNobodyIn(room: Room): boolean {
    return this.#rooms.members.countIn(room, 'member') === 0;
  }

  /** Never rejects. */
  async #remove(room: Room, found: Set<string>): Promise<void> {
    try {
      const { start, end } = await this.#rooms.bounds(room);
      if (start < end) return;
      const key = uuidKey(room.incarnation);
      found.add(key);
      if (!this.#found.has(key)) return;
      // As of now: somebody may have come in, through whichever server.
      await this.#rooms.members.find(room, room.owner);
      if (!this.#isNobodyIn(room)) return;
      await this.#rooms.remove(room);
      this.#log.info({ room: room.name }, 'a room that nobody is in was removed');
    } catch (error) {
      // Another frontend was quicker, or Kafka is away: the next round looks again.
      this.#log.debug({ err: error, room: room.name }, 'a room that nobody is in was not removed');
    }
  }
}
