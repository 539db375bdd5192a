/* Sessions over a connection in memory: no socket, no port, and every byte where the test wants it. */
import { expect, it } from 'vitest';
import { FrameDecoder } from '../../src/protocol/frame.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import type { ServerFrame } from '../../src/protocol/v2/replies.ts';
import type { Request } from '../../src/protocol/v2/requests.ts';
import { appendAll, eventually, numbered } from '../contracts/cluster.ts';
import { type House, openHouse, PASSWORD } from './house.ts';
import { MemoryTransport } from './memory-transport.ts';

/** The far end of a connection to the house, as frames of version 2. */
function connect(house: House) {
  const [near, far] = MemoryTransport.pair();
  const frames: ServerFrame[] = [];
  const heard: string[] = [];
  const decoder = new FrameDecoder({ maxPayload: 2 * 1024 * 1024, versions: [1, 2] });
  far.listen({
    received: (bytes) => {
      decoder.push(bytes);
      for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
        if (frame.version === v2.version) frames.push(v2.decodeServerFrame(frame));
        else heard.push(`version ${frame.version}: ${frame.payload}`);
      }
    },
    ended: () => heard.push('ended'),
    closed: () => heard.push('closed'),
  });
  house.frontend.welcome(near);
  const say = (request: Request) => far.write(v2.encodeRequest(request));
  const next = async <Type extends ServerFrame['type']>(type: Type) => {
    await eventually(() => expect(frames.map((frame) => frame.type)).toContain(type));
    const at = frames.findIndex((frame) => frame.type === type);
    return frames.splice(at, 1)[0] as Extract<ServerFrame, { type: Type }>;
  };
  return { far, frames, heard, say, next };
}

async function person(house: House, username: string) {
  const client = connect(house);
  client.say({ type: 'create', username, password: PASSWORD });
  await client.next('created');
  return client;
}

it('makes accounts, sends, pushes and tells of delivery', async () => {
  const house = await openHouse();
  const [anna, bert] = [await person(house, 'anna'), await person(house, 'bert')];
  anna.say({ type: 'send', id: Buffer.alloc(16, 7), to: 'bert', body: 'hi' });
  expect(await anna.next('sent')).toMatchObject({ recipientLoggedIn: true });
  const message = await bert.next('message');
  expect(message).toMatchObject({ verified: true, from: 'anna', body: 'hi' });
  bert.say({ type: 'ack', upTo: message.seq });
  expect(await anna.next('delivered')).toMatchObject({ ids: [new Uint8Array(16).fill(7)] });
});

it('takes requests that come byte by byte', async () => {
  const house = await openHouse();
  const client = connect(house);
  for (const byte of v2.encodeRequest({ type: 'hello', client: 'bytes' })) client.far.write(Buffer.of(byte));
  expect(await client.next('welcome')).toMatchObject({ versions: [1, 2] });
});

it('answers what came before the other end has ended, and closes then', async () => {
  const house = await openHouse();
  const anna = await person(house, 'anna');
  const release = house.cluster.holdAppends();
  anna.say({ type: 'send', id: Buffer.alloc(16, 1), to: 'anna', body: 'last words' });
  anna.far.end();
  await eventually(() => expect(house.cluster.waitingAppends).toBe(1));
  expect(anna.heard).toEqual([]);
  release();
  await anna.next('sent');
  await eventually(() => expect(anna.heard).toEqual(['closed']));
  await eventually(() => expect(house.frontend.sessionCount).toBe(0));
});

it('rests while nobody reads, and goes on when somebody does', async () => {
  const house = await openHouse({ limits: { unsentBytes: 10_000, window: 1_000 } });
  const anna = await person(house, 'anna');
  const account = house.engine.accounts.get('anna');
  if (account === undefined) throw new Error('just made');
  anna.far.pause();
  await appendAll(house.engine, account, account, numbered('x'.repeat(1_000), 100));
  await eventually(() => expect(house.engine.inboxes.pausedCount).toBe(1));
  // One message over the bound at most, and what went out in the same turn: nothing is hidden by a kernel here.
  expect(house.engine.inboxes.pushedCount('anna')).toBeLessThan(15);
  anna.far.resume();
  await eventually(() => expect(anna.frames.filter(({ type }) => type === 'message')).toHaveLength(100));
  expect(house.engine.inboxes.pausedCount).toBe(0);
});

it('closes a connection that takes nothing for too long, without a word', async () => {
  const house = await openHouse({ limits: { unsentBytes: 1_000, stalledWriteMs: 50 } });
  const anna = await person(house, 'anna');
  const account = house.engine.accounts.get('anna');
  if (account === undefined) throw new Error('just made');
  anna.far.pause();
  await appendAll(house.engine, account, account, numbered('x'.repeat(1_000), 10));
  await eventually(() => expect(anna.heard).toEqual(['closed']));
  await eventually(() => expect(house.frontend.sessionCount).toBe(0));
});

it('has no place for more than there are, says so, and ends', async () => {
  const house = await openHouse({ maxConnections: 1 });
  await person(house, 'anna');
  const refused = connect(house);
  refused.far.end();
  await eventually(() => expect(refused.heard.at(-1)).toBe('closed'));
  expect(refused.heard[0]).toMatch(/^version 1: The server has as many connections as it can take/);
});

it('says goodbye when the server shuts down, and takes nobody any more', async () => {
  const house = await openHouse();
  const anna = await person(house, 'anna');
  const drained = house.frontend.drain();
  expect(await anna.next('goodbye')).toMatchObject({ code: 'SHUTTING_DOWN' });
  expect(await drained).toBe(0);
  const late = connect(house);
  await eventually(() => expect(late.heard).toEqual(['closed']));
});
