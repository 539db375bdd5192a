/** Large answers come in one after the other; small ones, and what is over, keep nobody waiting. Over real sockets. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { FetchIntake } from '../../src/storage/kafka/fetch/fetch-intake.ts';
import { eventually } from '../contracts/cluster.ts';

const MIB = 1024 * 1024;
const opened: { destroy(): void }[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

/** Both ends of a connection. */
async function pair(): Promise<[near: Socket, far: Socket]> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  opened.push(near, far);
  far.on('error', () => {});
  near.on('error', () => {});
  return [near, far];
}

/** An answer as a broker sends it: its size, then so many bytes. */
function answer(bytes: number): Buffer {
  const frame = Buffer.alloc(4 + bytes);
  frame.writeInt32BE(bytes);
  return frame;
}

/** A connection behind a gate that has taken so many bytes. */
async function gated(intake: FetchIntake) {
  const [near, far] = await pair();
  const gate = intake.gate(near);
  const taken = { bytes: 0 };
  near.on('data', (chunk: Buffer) => {
    taken.bytes += chunk.length;
  });
  return { near, far, gate, taken };
}

it('lets in no more large answers than there is room for, all of them in the end, and small ones at once', async () => {
  const intake = new FetchIntake(8 * MIB);
  const large = await Promise.all(Array.from({ length: 20 }, () => gated(intake)));
  const small = await gated(intake);
  for (const { far } of large) far.write(answer(2 * MIB));
  let most = 0;
  const left = new Set(large);
  await eventually(() => expect(intake.bytes).toBeGreaterThan(4 * MIB));
  // Whoever has come as far as its first bytes waits for room.
  await eventually(() => expect(large.every(({ taken }) => taken.bytes > 0)).toBe(true));
  small.far.write(answer(1_000));
  await eventually(() => expect(small.taken.bytes).toBe(1_004));
  small.gate.done();
  await eventually(() => {
    most = Math.max(most, intake.bytes);
    const waiting = [...left].filter(({ taken }) => taken.bytes < 2 * MIB);
    expect(waiting.reduce((sum, { taken }) => sum + taken.bytes, 0)).toBeLessThan(8 * MIB + 20 * 128 * 1024);
    for (const one of left) {
      if (one.taken.bytes < 2 * MIB + 4) continue;
      one.gate.done();
      left.delete(one);
    }
    expect(left.size).toBe(0);
  });
  expect(most).toBeLessThanOrEqual(8 * MIB);
  expect(intake.bytes).toBe(0);
});

it('lets in one that is larger than all there is room for, when it is alone', async () => {
  const intake = new FetchIntake(MIB);
  const one = await gated(intake);
  one.far.write(answer(3 * MIB));
  await eventually(() => expect(one.taken.bytes).toBe(3 * MIB + 4));
  one.gate.done();
  expect(intake.bytes).toBe(0);
});

it('keeps no room for a connection that has ended, whether it was in or waited', async () => {
  const intake = new FetchIntake(2 * MIB);
  const [first, second, third] = [await gated(intake), await gated(intake), await gated(intake)];
  for (const { far, taken } of [first, second, third]) {
    far.write(answer(2 * MIB - 4));
    await eventually(() => expect(taken.bytes).toBeGreaterThan(0));
  }
  second.gate.close();
  second.near.destroy();
  expect(third.taken.bytes).toBeLessThan(MIB);
  first.gate.close();
  first.near.destroy();
  await eventually(() => expect(third.taken.bytes).toBe(2 * MIB));
  third.gate.done();
  expect(intake.bytes).toBe(0);
});
