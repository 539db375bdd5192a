import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { readConfig } from '../../src/config/config.ts';
import { PLAIN_TEXT } from '../../src/core/inboxes.ts';
import { ROOM_RETENTION, type Room } from '../../src/core/rooms.ts';
import type { Storage } from '../../src/core/storage.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { nowUs } from './clock.ts';
import type { Stage } from './stage.ts';
import type { RoomsOfUsers } from './tasks.ts';
import { bodyOf } from './wire.ts';

/** Under way at once. */
const ROOMS_AT_ONCE = 32;
const PEOPLE_AT_ONCE = 500;
const MESSAGES_AT_ONCE = 500;

/** Makes rooms with people and messages in them through the storage, as a frontend does, but without a request for each. */
export class RoomFiller {
  readonly #storage: Storage;
  readonly #rooms: Room[] = [];

  private constructor(storage: Storage) {
    this.#storage = storage;
  }

  static async open(stage: Stage): Promise<RoomFiller> {
    const config = readConfig({
      MILENA_KAFKA_BROKERS: stage.kafka,
      MILENA_CLUSTER_KEY_FILE: stage.clusterKeyFile,
    });
    return new RoomFiller(await openKafkaStorage(config, pino({ level: 'warn' }, pino.destination(2))));
  }

  /** Puts users 0 to `users` - 1 into their rooms, which are made. @param prefix of the usernames */
  async fill({ prefix: roomPrefix, people }: RoomsOfUsers, prefix: string, users: number): Promise<void> {
    const { accounts, rooms } = this.#storage;
    const { usual: retentionMs } = ROOM_RETENTION;
    await each(Math.ceil(users / people), ROOMS_AT_ONCE, async (index) => {
      const owner = await this.#account(`${prefix}${index * people}`);
      const name = `#${roomPrefix}${index}`;
      const left = await rooms.find(name);
      if (left !== undefined) await rooms.remove(left);
      this.#rooms[index] = await rooms.create({
        ...{ name, owner, policy: 'open', description: '', retentionMs, history: 0 },
      });
    });
    await each(users, PEOPLE_AT_ONCE, async (index) => {
      const room = this.#rooms[Math.floor(index / people)];
      const person = await accounts.find(`${prefix}${index}`);
      if (room === undefined || person === undefined) throw new Error(`there is no ${prefix}${index}`);
      await rooms.members.put({ room, person, role: 'member', since: 0, at: Date.now() });
    });
  }

  /** Appends so many messages to the first room. */
  async say(count: number, run: number, bodyBytes: number): Promise<void> {
    const [room] = this.#rooms;
    if (room === undefined) throw new Error('there is no room');
    const from = await this.#account(room.owner.name);
    await each(count, MESSAGES_AT_ONCE, async () => {
      const body = Buffer.from(bodyOf(run, nowUs(), bodyBytes));
      await this.#storage.rooms.append(room, {
        ...{ id: randomBytes(16), from, body, contentType: PLAIN_TEXT },
      });
    });
  }

  /** Removes the rooms and all memberships in them, so that the next ones are measured as the first. */
  async close(): Promise<void> {
    const made = this.#rooms.splice(0);
    await each(made.length, ROOMS_AT_ONCE, async (index) => {
      const room = made[index];
      if (room !== undefined) await this.#storage.rooms.remove(room);
    });
    await this.#storage.close();
  }

  async #account(name: string) {
    const account = await this.#storage.accounts.find(name);
    if (account === undefined) throw new Error(`there is no ${name}`);
    return account;
  }
}

/** Runs the action for 0 to `count` - 1, at most so many at once. */
async function each(count: number, atOnce: number, action: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) await action(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
