import { pino } from 'pino';
import { expect, it } from 'vitest';
import { PLAIN_TEXT } from '../../src/core/inboxes.ts';
import { version2 } from '../../src/server/adapters/version2.ts';
import { LIMITS } from '../../src/server/limits.ts';
import { RoomDeliveries } from '../../src/server/session/room-deliveries.ts';
import { openMemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { Semaphore } from '../../src/util/semaphore.ts';
import { newUuid } from '../../src/util/uuid.ts';
import { eventually } from '../contracts/cluster.ts';

const ROOMS = 20;
const MESSAGES = 10;
const BODY = Buffer.alloc(30_000, 'x');

/** A connection whose other end reads only when it is told to. */
class Outlet {
  bytes = 0;
  messages = 0;

  get isFull(): boolean {
    return this.bytes >= LIMITS.unsentBytes;
  }

  write(frame: Buffer): void {
    this.bytes += frame.length;
    this.messages += 1;
  }
}

it('a reader of many rooms that reads nothing is pushed no more than fits, and later the rest of each room', async () => {
  const storage = openMemoryStorage();
  const { accounts, inboxes, rooms } = storage;
  const owner = await accounts.create({ name: 'anna' });
  const settings = { description: '', retentionMs: 60_000, history: 0 };
  for (let at = 0; at < ROOMS; at++) {
    const room = await rooms.create({ name: `#r${at}`, owner, policy: 'open', ...settings });
    await rooms.members.put({ room, person: owner, role: 'member', since: 0, at });
    for (let count = 0; count < MESSAGES; count++)
      await rooms.append(room, { id: newUuid(), from: owner, body: BODY, contentType: PLAIN_TEXT });
  }
  const inbox = await inboxes.open(owner, { deliver: 'all', onMessage() {}, onLost() {} });
  const connection = new Outlet();
  const deliveries = new RoomDeliveries({
    ...{ inbox, connection, version: version2, windows: false },
    services: { rooms, roomEntrance: new Semaphore(8), limits: LIMITS, log: pino({ level: 'silent' }) },
    inTurn: (act) => act(),
  });
  deliveries.begin();
  await eventually(() => expect(connection.isFull).toBe(true));
  let most = 0;
  for (let pushed = connection.messages; pushed < ROOMS * MESSAGES; pushed = connection.messages) {
    // What would come all the same has come by then.
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    most = Math.max(most, connection.bytes);
    connection.bytes = 0;
    deliveries.balance();
    await eventually(() => expect(connection.messages).toBeGreaterThan(pushed));
  }
  expect(most).toBeLessThan(LIMITS.unsentBytes + 2 * BODY.length);
  deliveries.end();
  await inbox.close();
});
