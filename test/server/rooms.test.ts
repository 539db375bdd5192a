/* What is said in rooms, on its way through a server. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EngineError } from '../../src/core/errors.ts';
import { encodeFrame } from '../../src/protocol/frame.ts';
import { encodeCbor } from '../../src/protocol/v2/cbor-writer.ts';
import type { RequestOf } from '../../src/protocol/v2/requests.ts';
import { newUuid } from '../../src/util/uuid.ts';
import { eventually, numbered } from '../contracts/cluster.ts';
import { FaultyStore } from '../storage/faulty-store.ts';
import { type House, openHouse, PASSWORD } from './house.ts';
import { hex, type RawClient2 } from './raw-client2.ts';

const ROOM = '#ops';
const HELLO = { type: 'hello', client: 'test', features: ['rooms'] } as const;

/** Somebody whose client can rooms. */
async function roomy(house: House, name: string): Promise<RawClient2> {
  const client = await house.connect2();
  await client.expect('welcome', HELLO);
  await client.create(name, PASSWORD);
  return client;
}

async function again(house: House, name: string): Promise<RawClient2> {
  const client = await house.connect2();
  await client.expect('welcome', HELLO);
  await client.login(name, { password: PASSWORD, takeover: true });
  return client;
}

/** A room and people who are in it, the first one its owner. */
async function inRoom(house: House, ...names: string[]): Promise<RawClient2[]> {
  const clients: RawClient2[] = [];
  for (const name of names) {
    const client = await roomy(house, name);
    if (clients.length === 0) await client.expect('room-created', { type: 'room-create', room: ROOM });
    else await client.expect('joined', { type: 'join', room: ROOM });
    clients.push(client);
  }
  return clients;
}

function only<Value>(list: readonly Value[], at = 0): Value {
  const value = list[at];
  if (value === undefined) throw new Error('there are fewer');
  return value;
}

/** Acknowledges what somebody has of the room as it is now. */
function ack(client: RawClient2, ...acks: Pick<RequestOf<'ack'>, 'upTo' | 'ranges'>[]): void {
  const roomIncarnation = client.messages.findLast(({ room }) => room === ROOM)?.roomIncarnation;
  client.write(...acks.map((each) => ({ type: 'ack', room: ROOM, roomIncarnation, ...each }) as const));
}

/** What somebody has of the room. */
const heard = (client: RawClient2) =>
  client.messages.filter(({ room }) => room === ROOM).map(({ body }) => body);

describe('a message to a room', () => {
  it('comes to everybody in it, also to who sent it, as the same bytes', async () => {
    const house = await openHouse();
    const clients = await inRoom(house, 'anna', 'bert', 'carl');
    const [anna, bert] = clients as [RawClient2, RawClient2];
    const raw = clients.map((client) => {
      const chunks: Buffer[] = [];
      client.socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      return chunks;
    });
    const id = randomBytes(16);
    const sent = await bert.send(ROOM, 'hello', id);
    expect(sent.recipientLoggedIn).toBe(false);
    for (const client of clients) await eventually(() => expect(heard(client)).toEqual(['hello']));
    for (const { messages } of clients) {
      expect(messages).toEqual([
        expect.objectContaining({ room: ROOM, seq: 0, from: 'bert', verified: true, body: 'hello' }),
      ]);
      expect(hex(only(messages).id ?? id)).toBe(hex(id));
    }
    const [first, , third] = raw.map((chunks) => Buffer.concat(chunks));
    expect(first?.length).toBeGreaterThan(50);
    expect(third).toEqual(first);
    expect(anna.messages).toHaveLength(1);
  });

  it('is for members alone, and is confirmed once it is stored', async () => {
    const house = await openHouse();
    const [anna] = (await inRoom(house, 'anna')) as [RawClient2];
    const carl = await roomy(house, 'carl');
    const send = { type: 'send', id: randomBytes(16), to: ROOM, body: 'x' } as const;
    expect(await carl.refusal(send)).toBe('NOT_A_MEMBER');
    expect(await carl.refusal({ ...send, to: '#nowhere' })).toBe('NO_SUCH_ROOM');
    const plain = await house.person2('dora');
    // Without rooms there is no word for a bad name of one.
    for (const to of [ROOM, '#', '#a b'])
      expect(await plain.refusal(encodeFrame(2, 0x70, encodeCbor({ ...send, to })))).toBe('INVALID_USERNAME');
    house.cluster.setAvailable(false);
    expect(await anna.refusal(send)).toBe('UNAVAILABLE');
    house.cluster.setAvailable(true);
    const first = await anna.expect('sent', send);
    expect(await anna.expect('sent', send)).toEqual(first);
    await eventually(() => expect(heard(anna)).toEqual(['x']));
    expect(await anna.refusal({ ...send, to: 'dora' })).toBe('BAD_REQUEST');
  });

  it('is nothing to a client that has announced no rooms', async () => {
    const house = await openHouse();
    const [anna] = (await inRoom(house, 'anna')) as [RawClient2];
    const plain = await house.person2('dora');
    const { features } = await plain.expect('welcome', { type: 'hello', client: 'test', features: ['x'] });
    expect(features).not.toContain('rooms');
    await plain.expect('joined', { type: 'join', room: ROOM });
    await anna.send(ROOM, 'hello');
    await anna.send('dora', 'you');
    await eventually(() => expect(plain.bodies()).toEqual(['you']));
    plain.ack(10);
    await plain.inStep();
    // It waits until a client comes that can.
    const dora = await again(house, 'dora');
    await eventually(() => expect(heard(dora)).toEqual(['hello']));
  });

  it('waits for who is away, and comes again until it is acknowledged', async () => {
    const house = await openHouse();
    const [anna, bert] = (await inRoom(house, 'anna', 'bert')) as [RawClient2, RawClient2];
    bert.cut();
    for (const body of numbered('m', 4)) await anna.send(ROOM, body);
    let back = await again(house, 'bert');
    await eventually(() => expect(heard(back)).toEqual(numbered('m', 4)));
    ack(back, { upTo: 1 }, { ranges: [[3, 3]] });
    await back.inStep();
    back = await again(house, 'bert');
    await eventually(() => expect(heard(back)).toEqual(['m 2']));
    back.write({ type: 'ack', room: '#nowhere', roomIncarnation: newUuid(), upTo: 1 });
    const failure = await back.reply();
    expect(failure).toMatchObject({ type: 'failure', code: 'NOT_A_MEMBER', request: 0x90 });
  });

  it('waits while as many are not acknowledged as the window is wide', async () => {
    const house = await openHouse({ limits: { window: 3 } });
    const [anna, bert] = (await inRoom(house, 'anna', 'bert')) as [RawClient2, RawClient2];
    for (const body of numbered('m', 8)) {
      await anna.send(ROOM, body);
      await eventually(() => expect(heard(anna).at(-1)).toBe(body));
      ack(anna, { upTo: 10 });
    }
    expect(heard(bert)).toEqual(numbered('m', 3));
    // The inbox has a window of its own.
    await anna.send('bert', 'beside');
    await eventually(() => expect(bert.bodies()).toContain('beside'));
    ack(bert, { upTo: 1 });
    await eventually(() => expect(heard(bert)).toEqual(numbered('m', 5)));
    ack(bert, { upTo: 10 });
    await eventually(() => expect(heard(bert)).toEqual(numbered('m', 8)));
  });
});

describe('who comes and goes', () => {
  it('gets what is said while they are in it, and nothing else', async () => {
    const house = await openHouse();
    const [anna] = (await inRoom(house, 'anna')) as [RawClient2];
    await anna.send(ROOM, 'before');
    const bert = await roomy(house, 'bert');
    await bert.expect('joined', { type: 'join', room: ROOM });
    await anna.send(ROOM, 'within');
    await eventually(() => expect(heard(bert)).toEqual(['within']));
    await anna.expect('kicked', { type: 'kick', room: ROOM, name: 'bert' });
    await anna.send(ROOM, 'after');
    await eventually(() => expect(heard(anna)).toEqual(['before', 'within', 'after']));
    expect(await bert.refusal({ type: 'send', id: randomBytes(16), to: ROOM, body: 'x' })).toBe(
      'NOT_A_MEMBER',
    );
    await bert.expect('joined', { type: 'join', room: ROOM });
    await anna.send(ROOM, 'again');
    await eventually(() => expect(heard(bert)).toEqual(['within', 'again']));
    await bert.expect('left', { type: 'leave', room: ROOM });
    await anna.send(ROOM, 'gone');
    await eventually(() => expect(heard(anna)).toContain('gone'));
    expect(heard(bert)).toEqual(['within', 'again']);
  });

  it('gets as many from before as the room allows', async () => {
    const house = await openHouse();
    const anna = await roomy(house, 'anna');
    await anna.expect('room-created', { type: 'room-create', room: ROOM, history: 2 });
    for (const body of numbered('m', 5)) await anna.send(ROOM, body);
    for (const [name, back, expected] of [
      ['bert', 1, ['m 4']],
      ['carl', 1_000, ['m 3', 'm 4']],
    ] as const) {
      const client = await roomy(house, name);
      await client.expect('joined', { type: 'join', room: ROOM, back });
      await eventually(() => expect(heard(client)).toEqual(expected));
    }
  });

  it('hears of a room that they come into or leave by another login', async () => {
    const house = await openHouse();
    const [anna] = (await inRoom(house, 'anna')) as [RawClient2];
    const bert = await roomy(house, 'bert');
    const script = await house.login2('bert', { password: PASSWORD, deliver: 'none' });
    await script.expect('joined', { type: 'join', room: ROOM });
    await anna.send(ROOM, 'hello');
    await eventually(() => expect(heard(bert)).toEqual(['hello']));
    await script.expect('left', { type: 'leave', room: ROOM });
    await anna.send(ROOM, 'bye');
    await eventually(() => expect(heard(anna)).toEqual(['hello', 'bye']));
    expect(heard(bert)).toEqual(['hello']);
  });

  it('gets what is said in a room that their server hears of later than of their place in it', async () => {
    const house = await openHouse();
    const [anna] = (await inRoom(house, 'anna')) as [RawClient2];
    const bert = await roomy(house, 'bert');
    const room = only([...house.cluster.rooms.values()]);
    const { incarnation } = house.engine.accounts.get('bert') ?? { incarnation: newUuid() };
    const lives = { room, person: { name: 'bert', incarnation } };
    house.cluster.rooms.delete(ROOM);
    await house.engine.rooms.members.put({ ...lives, role: 'member', since: 0, at: 1 });
    await bert.inStep();
    house.cluster.putRoom(room);
    await anna.send(ROOM, 'hello');
    await eventually(() => expect(heard(bert)).toEqual(['hello']));
  });

  it('gets nothing of a room that has taken the name of one they were in', async () => {
    const house = await openHouse();
    const [anna, bert] = (await inRoom(house, 'anna', 'bert')) as [RawClient2, RawClient2];
    await anna.send(ROOM, 'old');
    await eventually(() => expect(heard(bert)).toEqual(['old']));
    await anna.expect('room-deleted', { type: 'room-delete', room: ROOM, force: true });
    await anna.expect('room-created', { type: 'room-create', room: ROOM });
    await anna.send(ROOM, 'new');
    await eventually(() => expect(heard(anna)).toEqual(['old', 'new']));
    expect(heard(bert)).toEqual(['old']);
    expect(bert.isOver).toBe(false);
  });
});

describe('an acknowledgement', () => {
  it('of a room that was deleted is none of the one that has its name', async () => {
    const house = await openHouse();
    const [anna, bert] = (await inRoom(house, 'anna', 'bert')) as [RawClient2, RawClient2];
    await anna.send(ROOM, 'old');
    await eventually(() => expect(heard(bert)).toEqual(['old']));
    await anna.expect('room-deleted', { type: 'room-delete', room: ROOM, force: true });
    const { incarnation } = await anna.expect('room-created', { type: 'room-create', room: ROOM });
    await bert.expect('joined', { type: 'join', room: ROOM });
    await anna.send(ROOM, 'new');
    await eventually(() => expect(heard(bert)).toEqual(['old', 'new']));
    const [old, now] = bert.messages.map(({ roomIncarnation }) => roomIncarnation);
    expect(now).toEqual(incarnation);
    bert.write({ type: 'ack', room: ROOM, roomIncarnation: old, upTo: 0 });
    expect(await bert.reply()).toMatchObject({ type: 'failure', code: 'NOT_A_MEMBER', request: 0x90 });
    expect(await anna.expect('holders-told', { type: 'holders', room: ROOM, seq: 0 })).toMatchObject({
      having: 0,
    });
    const back = await again(house, 'bert');
    await eventually(() => expect(heard(back)).toEqual(['new']));
  });

  it('of a room says of which life', async () => {
    const house = await openHouse();
    const [anna] = (await inRoom(house, 'anna')) as [RawClient2];
    for (const said of [{ room: ROOM }, { roomIncarnation: newUuid() }]) {
      anna.write(encodeFrame(2, 0x90, encodeCbor({ ...said, upTo: 0 })));
      expect(await anna.reply()).toMatchObject({ type: 'failure', code: 'BAD_REQUEST', request: 0x90 });
    }
  });
});

describe('a room', () => {
  it('says how many messages expired before somebody received them', async () => {
    const house = await openHouse();
    const [anna, bert] = (await inRoom(house, 'anna', 'bert')) as [RawClient2, RawClient2];
    bert.cut();
    for (const body of numbered('m', 5)) await anna.send(ROOM, body);
    const room = house.engine.rooms.get(ROOM);
    if (room === undefined) throw new Error('there is no such room');
    const log = house.cluster.demandRoom(room).log;
    log.retentionMs = 0;
    await eventually(() => expect(log.bounds).toEqual({ start: 5, end: 5 }));
    log.retentionMs = 60_000;
    await anna.send(ROOM, 'later');
    // Whoever has gone before it came hears of it again.
    for (const acknowledges of [false, true]) {
      const back = await again(house, 'bert');
      await eventually(() => expect(heard(back)).toEqual(['later']));
      expect(back.gaps).toEqual([{ type: 'gap', room: ROOM, messages: 5 }]);
      if (acknowledges) ack(back, { upTo: 5 });
      await back.inStep();
      back.cut();
    }
    await anna.send(ROOM, 'last');
    const last = await again(house, 'bert');
    await eventually(() => expect(heard(last)).toEqual(['last']));
    expect(last.gaps).toEqual([]);
  });

  it('is looked through no more often for a refusal than for a change', async () => {
    const house = await openHouse();
    const [anna] = (await inRoom(house, 'anna', 'bert')) as [RawClient2, RawClient2];
    const codes = new Set<string>();
    for (let tries = 0; tries < 200; tries++)
      codes.add(await anna.refusal({ type: 'room-delete', room: ROOM }));
    expect(codes).toEqual(new Set(['HAS_MEMBERS', 'RATE_LIMITED']));
  });

  it('tells who has a message', async () => {
    const house = await openHouse();
    const [anna, bert, carl] = (await inRoom(house, 'anna', 'bert', 'carl')) as [
      ...[RawClient2, RawClient2, RawClient2],
    ];
    await anna.send(ROOM, 'hello');
    for (const client of [bert, carl]) await eventually(() => expect(heard(client)).toEqual(['hello']));
    const ask = { type: 'holders', room: ROOM, seq: 0 } as const;
    expect(await anna.expect('holders-told', ask)).toEqual({
      ...{ type: 'holders-told', members: 3, having: 0, missing: ['anna', 'bert', 'carl'] },
    });
    ack(bert, { upTo: 0 });
    await bert.inStep();
    const dora = await roomy(house, 'dora');
    await dora.expect('joined', { type: 'join', room: ROOM });
    expect(await anna.expect('holders-told', ask)).toMatchObject({
      members: 3,
      having: 1,
      missing: ['anna', 'carl'],
    });
    expect(await dora.refusal(ask)).toBe('NOT_A_MEMBER');
  });

  it('says that a message which is not there is nobody’s', async () => {
    const house = await openHouse();
    const [anna] = (await inRoom(house, 'anna')) as [RawClient2];
    await anna.send(ROOM, 'hello');
    expect(await anna.expect('holders-told', { type: 'holders', room: ROOM, seq: 1 })).toEqual({
      ...{ type: 'holders-told', members: 0, having: 0, missing: [] },
    });
  });

  it('that shows a topic counts a record as theirs who were in it by then', async () => {
    const house = await openHouse();
    const { rooms, accounts } = house.engine;
    const anna = await roomy(house, 'anna');
    const bert = await roomy(house, 'bert');
    const settings = { policy: 'open', description: '', retentionMs: 60_000, history: 0 } as const;
    const [owner, later] = [accounts.get('anna'), accounts.get('bert')];
    if (owner === undefined || later === undefined) throw new Error('there are no such accounts');
    const window = { topic: 'orders', where: null, as: null };
    const room = await rooms.update(await rooms.create({ name: ROOM, owner, ...settings }), { window });
    for (const [person, at] of [
      [owner, 1_000],
      [later, 3_000],
    ] as const)
      await rooms.members.put({ room, person, role: 'member', since: 0, at });
    const lies = { key: null, value: null, keyBytes: 0, valueBytes: 0, headers: [] };
    const record = vi.spyOn(rooms.windows, 'record').mockResolvedValue({ timestamp: 2_000, ...lies });
    onTestFinished(() => record.mockRestore());
    const ask = { type: 'holders', room: ROOM, seq: 1_025 } as const;
    expect(await anna.expect('holders-told', ask)).toMatchObject({ members: 1, missing: ['anna'] });
    expect(record).toHaveBeenLastCalledWith(window, { partition: 1, offset: 1 });
    expect(await bert.refusal(ask)).toBe('NOT_A_MEMBER');
    record.mockResolvedValue(null);
    expect(await bert.expect('holders-told', ask)).toMatchObject({ members: 0 });
  });

  it('that nobody is in is removed once it is empty', async () => {
    const house = await openHouse({ limits: { roomSweepMs: 20 } });
    const [anna] = (await inRoom(house, 'anna')) as [RawClient2];
    await anna.send(ROOM, 'kept');
    await anna.expect('left', { type: 'leave', room: ROOM });
    const room = house.engine.rooms.get(ROOM);
    if (room === undefined) throw new Error('there is no such room');
    // Another one that somebody is in, and one that is empty: rounds have gone by when that is gone.
    await anna.expect('room-created', { type: 'room-create', room: '#mine' });
    const stranger = { name: 'nobody', incarnation: newUuid() };
    const settings = { description: '', retentionMs: 60_000, history: 0 };
    await house.engine.rooms.create({ name: '#empty', owner: stranger, policy: 'open', ...settings });
    await eventually(() => expect(house.engine.rooms.get('#empty')).toBeUndefined());
    expect(house.engine.rooms.get(ROOM)).toBeDefined();
    house.cluster.demandRoom(room).log.retentionMs = 0;
    await eventually(() => expect(house.engine.rooms.get(ROOM)).toBeUndefined());
    expect(house.engine.rooms.get('#mine')).toBeDefined();
  });

  it('is the same through two servers', async () => {
    const cluster = new FaultyStore();
    const [one, two] = [await openHouse({ cluster }), await openHouse({ cluster })];
    const [anna] = (await inRoom(one, 'anna')) as [RawClient2];
    const bert = await roomy(two, 'bert');
    await bert.expect('joined', { type: 'join', room: ROOM });
    await anna.send(ROOM, 'from one');
    await bert.send(ROOM, 'from two');
    for (const client of [anna, bert])
      await eventually(() => expect(heard(client)).toEqual(['from one', 'from two']));
  });
});

it('looks at slow topics hold up nobody who retrieves messages', async () => {
  const house = await openHouse();
  const { windows } = house.engine.rooms;
  const { promise: answer, resolve } = Promise.withResolvers<never>();
  const preview = vi.spyOn(windows, 'preview').mockReturnValue(answer);
  onTestFinished(() => preview.mockRestore());
  const slow = [await roomy(house, 'anna'), await roomy(house, 'bert'), await roomy(house, 'carl')];
  for (const client of slow) client.write({ type: 'preview', topic: 'orders' });
  await eventually(() => expect(preview).toHaveBeenCalledTimes(2));
  const dora = await roomy(house, 'dora');
  await dora.expect('retrieved', { type: 'retrieve' });
  resolve(Promise.reject(new EngineError('UNAVAILABLE', 'told so')) as never);
  for (const client of slow) expect(await client.reply()).toMatchObject({ code: 'UNAVAILABLE' });
});
