import { expect, it } from 'vitest';
import type { InboxMessage, OffsetRange } from '../../src/core/inboxes.ts';
import { FrameDecoder } from '../../src/protocol/frame.ts';
import { decodeServerFrame } from '../../src/protocol/v1/replies.ts';
import { version1 } from '../../src/server/adapters/version1.ts';
import { InboxDelivery, type Outlet } from '../../src/server/session/delivery.ts';
import { appendAll, eventually, numbered, observe, uniqueName } from '../contracts/cluster.ts';
import { FaultyStore } from '../storage/faulty-store.ts';

const at = (offset: number): InboxMessage => ({
  offset,
  id: null,
  from: { kind: 'external', name: '' },
  body: Buffer.from(`n ${offset}`),
  contentType: null,
  acceptedAt: 0,
});
const offsets = (messages: InboxMessage[]) => messages.map(({ offset }) => offset);

/** A delivery to a connection that takes everything at once, from an inbox of nobody's. */
async function open() {
  const cluster = new FaultyStore();
  const engine = cluster.open();
  const owner = await engine.accounts.create({ name: 'anna' });
  const { inbox, pushed } = await observe(engine, owner);
  const outlet: { written: string[]; full: boolean } = { written: [], full: false };
  const flushed: OffsetRange[] = [];
  const connection: Outlet = {
    get isFull() {
      return outlet.full;
    },
    write: (frame, done) => {
      const decoder = new FrameDecoder({ maxPayload: 1_000 });
      decoder.push(frame);
      const next = decoder.next();
      const value = next && decodeServerFrame(next);
      if (value?.type === 'message') outlet.written.push(value.body);
      done?.();
    },
  };
  const delivery = new InboxDelivery(inbox, connection, {
    version: version1,
    window: 10,
    flushed: (range) => flushed.push(range),
  });
  return { engine, owner, pushed, outlet, flushed, delivery };
}

it('pushes, and tells what went out', async () => {
  const { delivery, outlet, flushed } = await open();
  delivery.push(at(4));
  delivery.push(at(6));
  expect(outlet.written).toEqual(['n 4', 'n 6']);
  expect(flushed).toEqual([
    { first: 4, last: 4 },
    { first: 6, last: 6 },
  ]);
});

it('retrieves what was not pushed, on both sides of what was', async () => {
  const { delivery, flushed } = await open();
  delivery.retrievedFlushed([]);
  delivery.push(at(5));
  delivery.push(at(7));
  const left = delivery.retrieve([0, 2, 3, 5, 7, 8, 9].map(at));
  expect(offsets(left)).toEqual([0, 2, 3, 8, 9]);
  delivery.retrievedFlushed(left);
  // And nothing in between, which nobody was given.
  expect(flushed.slice(2)).toEqual([
    { first: 0, last: 0 },
    { first: 2, last: 3 },
    { first: 8, last: 9 },
  ]);
});

it('does not push what a retrieve took along meanwhile', async () => {
  const { delivery, outlet } = await open();
  delivery.push(at(5));
  delivery.retrieve([at(6), at(7)]);
  for (const offset of [6, 7, 8]) delivery.push(at(offset));
  expect(outlet.written).toEqual(['n 5', 'n 8']);
  expect(offsets(delivery.retrieve([6, 7, 8, 9].map(at)))).toEqual([9]);
});

it('pushes what comes later than its place says, also where later ones were retrieved or pushed', async () => {
  const { delivery, outlet } = await open();
  delivery.push(at(5));
  delivery.retrieve([at(8), at(9)]);
  for (const offset of [4, 6, 9, 7]) delivery.push(at(offset));
  expect(outlet.written).toEqual(['n 5', 'n 4', 'n 6', 'n 7']);
  delivery.counted({ first: 0, last: 8 });
  for (const offset of [8, 9]) delivery.push(at(offset));
  expect(outlet.written.slice(4)).toEqual(['n 8']);
});

it('lets the inbox rest while the connection is full, and while stopped', async () => {
  const { engine, owner, pushed, outlet, delivery } = await open();
  const send = (count: number) => appendAll(engine, owner, owner, numbered('m', count));
  const settled = async (count: number) => {
    await send(1);
    const { inbox } = await observe(engine, await engine.accounts.create({ name: uniqueName('probe') }));
    await inbox.undelivered();
    expect(pushed).toHaveLength(count);
  };
  outlet.full = true;
  delivery.balance();
  await send(3);
  await settled(0);
  outlet.full = false;
  delivery.balance();
  await eventually(() => expect(pushed).toHaveLength(4));

  delivery.stop();
  delivery.balance();
  await settled(4);
  outlet.full = true;
  delivery.restart();
  await settled(4);
  outlet.full = false;
  delivery.balance();
  await eventually(() => expect(pushed).toHaveLength(6));
});
