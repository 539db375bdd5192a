/* Rooms in the library: as a server has them that does what a test says, and as ours has them. */
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type ClientEvent,
  type ConnectOptions,
  connect as connectTo,
  MemoryMessageStore,
  type Milena,
  type ReceivedMessage,
} from '../../src/client/index.ts';
import type { ServerFrame } from '../../src/protocol/v2/replies.ts';
import type { Request } from '../../src/protocol/v2/requests.ts';
import { type House, openHouse, PASSWORD } from '../server/house.ts';
import { FULL, inFullSize } from '../size.ts';
import { FaultyStore } from '../storage/faulty-store.ts';
import {
  client,
  clientForEachTest,
  connectAs,
  events,
  fail,
  failure,
  makeClient,
  server,
  shown,
  statesOf,
  told,
  until,
} from './harness.ts';
import { agreeable, externalMessage, idOf, messageFrom, WELCOME } from './test-server.ts';

const ROOM = '#ops';

/** The same message, said in a room. */
function inRoom(frame: ServerFrame, room = ROOM, life = room): ServerFrame {
  return { ...frame, ...placeIn(room, life) } as ServerFrame;
}

/** What a message of a room and its acknowledgement say of that. */
function placeIn(room = ROOM, life = room) {
  return { room, roomIncarnation: idOf(life) };
}

/** A server that has rooms. */
function roomy(request: Request, peer: Parameters<typeof agreeable>[1]): ServerFrame | null {
  if (request.type === 'hello') return { ...WELCOME, features: request.features ?? [] } as ServerFrame;
  return agreeable(request, peer);
}

describe('with a server of a test', () => {
  clientForEachTest();

  /** A client that takes messages and shows none by itself. */
  async function quiet(): Promise<void> {
    server.behave = roomy;
    makeClient({ rooms: true }, () => undefined);
    client.start();
    await until(() => client.state.link.kind === 'online');
    await client.login('al', 'secret');
  }

  const show = (body: string) => {
    const event = told('message').find(({ message }) => message.body === body);
    if (event === undefined) throw new Error(`${body} did not come`);
    client.shown(event.inbox, event.message);
  };

  test('rooms are announced where they are wanted, and for a login that only sends', async () => {
    const hellos: Request[] = [];
    server.behave = (request, peer) => {
      if (request.type === 'hello') hellos.push(request);
      return roomy(request, peer);
    };
    for (const options of [
      {},
      { rooms: true },
      { deliver: 'none' },
      { deliver: 'none', rooms: false },
    ] as const) {
      await connectAs('al', options);
      await client.close();
    }
    const said = hellos.map((hello) => hello.type === 'hello' && hello.features);
    const both = ['rooms', 'windows'];
    expect(said).toEqual([undefined, both, both, undefined]);
  });

  test('the messages of each log are acknowledged in it', async () => {
    await quiet();
    server.peer.send(
      inRoom(messageFrom('bob', 0, 'a')),
      inRoom(messageFrom('bob', 1, 'b')),
      inRoom(messageFrom('bob', 0, 'c', 'other'), '#plans'),
      messageFrom('bob', 0, 'd', 'inbox'),
      messageFrom('bob', 1, 'e'),
    );
    await until(() => told('message').length === 5);
    for (const body of ['b', 'c', 'd']) show(body);
    await until(() => server.asked('ack').length === 3);
    expect(server.asked('ack')).toEqual([
      { type: 'ack', ...placeIn(), ranges: [[1, 1]] },
      { type: 'ack', ...placeIn('#plans'), upTo: 0 },
      { type: 'ack', upTo: 0 },
    ]);
  });

  test('records of a topic are acknowledged each for itself, since none waits for another', async () => {
    await quiet();
    const record = (seq: number, body: string) =>
      inRoom({
        ...(externalMessage('orders.dlq', seq, body) as ServerFrame & { type: 'message' }),
        ...{ partition: seq % 1_024, offset: Math.floor(seq / 1_024) },
      } as ServerFrame);
    server.peer.send(record(7_168, 'a'), record(5_121, 'b'), {
      ...{ type: 'notice', room: ROOM, text: '37 more', records: 37, partition: 0, offset: 8 },
    });
    await until(() => told('notice').length === 1);
    expect(told('notice')).toEqual([
      { type: 'notice', room: ROOM, text: '37 more', records: 37, partition: 0, offset: 8 },
    ]);
    show('a');
    await until(() => server.asked('ack').length === 1);
    show('b');
    await until(() => server.asked('ack').length === 2);
    expect(server.asked('ack')).toEqual([
      { type: 'ack', ...placeIn(), ranges: [[7_168, 7_168]] },
      { type: 'ack', ...placeIn(), ranges: [[5_121, 5_121]] },
    ]);
  });

  test('each comes once over connections, and what was shown is acknowledged again', async () => {
    server.behave = roomy;
    await connectAs('al', { rooms: true, ackDelayMs: 60_000 });
    const said = [inRoom(messageFrom('bob', 0, 'a')), inRoom(externalMessage('cron', 1, 'b'))];
    server.peer.send(...said);
    await until(() => shown.length === 2);
    server.peer.socket.destroy();
    await until(() => told('login-restored').length === 1);
    // The same place in a room that was made again meanwhile is another message.
    const other = { ...externalMessage('cron', 1, 'c'), sentAt: Date.now() + 5_000 } as ServerFrame;
    server.peer.send(...said, messageFrom('bob', 0, 'to him alone'), inRoom(other));
    await until(() => shown.length === 4);
    expect(shown).toEqual(['a', 'b', 'to him alone', 'c']);
    await client.close();
    const acks = server.asked('ack').filter(({ room }) => room === ROOM);
    expect(acks).toEqual([{ type: 'ack', ...placeIn(), upTo: 1 }]);
  });

  test('what was shown of a room that is no more is not acknowledged in the one that has its name', async () => {
    await quiet();
    server.peer.send(inRoom(messageFrom('bob', 0, 'old')));
    await until(() => told('message').length === 1);
    server.peer.send(
      inRoom(messageFrom('bob', 0, 'new', 'new'), ROOM, 'another life'),
      inRoom(messageFrom('bob', 1, 'newer', 'newer'), ROOM, 'another life'),
    );
    await until(() => told('message').length === 3);
    show('old');
    show('newer');
    await until(() => server.asked('ack').length === 1);
    expect(server.asked('ack')).toEqual([
      { type: 'ack', ...placeIn(ROOM, 'another life'), ranges: [[1, 1]] },
    ]);
  });

  test('a copy of what is not shown yet is acknowledged with it', async () => {
    await quiet();
    server.peer.send(
      inRoom(messageFrom('bob', 3, 'a', 'same')),
      inRoom(messageFrom('bob', 4, 'b')),
      inRoom(messageFrom('bob', 5, 'a', 'same')),
    );
    await until(() => told('message').length === 2);
    show('b');
    await until(() => server.asked('ack').length === 1);
    show('a');
    await until(() => server.asked('ack').length === 2);
    expect(server.asked('ack')).toEqual([
      { type: 'ack', ...placeIn(), ranges: [[4, 4]] },
      { type: 'ack', ...placeIn(), upTo: 5 },
    ]);
  });

  test('what one account was shown is new to the next', async () => {
    server.behave = roomy;
    await connectAs('al', { rooms: true });
    const said = inRoom(messageFrom('bob', 0, 'hello'));
    server.peer.send(said);
    await until(() => shown.length === 1);
    await client.logout();
    await client.login('eve', 'secret');
    server.peer.send(said);
    await until(() => shown.length === 2);
  });

  test('what was not kept is told', async () => {
    await quiet();
    server.peer.send({ type: 'gap', room: ROOM, messages: 5 });
    await until(() => told('gap').length === 1);
    expect(told('gap')).toEqual([{ type: 'gap', room: ROOM, messages: 5 }]);
  });

  test('after leaving nothing is acknowledged, and a late acknowledgement is no news', async () => {
    await quiet();
    server.behave = (request, peer) =>
      request.type === 'leave' ? { type: 'left', room: ROOM } : roomy(request, peer);
    server.peer.send(
      inRoom(messageFrom('bob', 0, 'a')),
      inRoom(messageFrom('bob', 0, 'b', 'other'), '#plans'),
    );
    await until(() => told('message').length === 2);
    await client.rooms.leave('#OPS');
    show('a');
    show('b');
    await until(() => server.asked('ack').length === 1);
    expect(server.asked('ack')).toEqual([{ type: 'ack', ...placeIn('#plans'), upTo: 0 }]);
    server.peer.send(
      { ...fail('NOT_A_MEMBER'), request: 0x90 } as ServerFrame,
      { ...fail('INTERNAL'), request: 0x90 } as ServerFrame,
    );
    await until(() => told('server-text').length === 1);
    expect(told('server-text')).toEqual([{ type: 'server-text', text: 'that was INTERNAL' }]);
  });

  test('a message to a room waits for the next connection, and has no fate beside being stored', async () => {
    let answers = false;
    server.behave = (request, peer) => (request.type === 'send' && !answers ? null : roomy(request, peer));
    const store = new MemoryMessageStore();
    await connectAs('al', { rooms: true, store });
    const [first, second] = [client.send('#Ops', 'one'), client.send(ROOM, 'two')];
    expect([first.to, second.to]).toEqual([ROOM, ROOM]);
    await until(() => server.asked('send').length === 1);
    answers = true;
    server.peer.socket.destroy();
    await until(() => statesOf(second.id).includes('stored'));
    expect(server.asked('send').map(({ to, body }) => [to, body])).toEqual([
      [ROOM, 'one'],
      [ROOM, 'one'],
      [ROOM, 'two'],
    ]);
    const stored = told('outgoing').filter(({ entry }) => entry.state.kind === 'stored');
    expect(stored.map(({ entry }) => entry.receipt)).toEqual([null, null]);
    expect(server.asked('receipts')).toEqual([]);
  });

  test('what waits for a room waits for a login that has rooms', async () => {
    let answers = false;
    server.behave = (request, peer) => (request.type === 'send' && !answers ? null : roomy(request, peer));
    const store = new MemoryMessageStore();
    const login = { server: `127.0.0.1:${server.port}`, user: 'al', password: 'x', store };
    const first = await connectTo({ ...login, rooms: true });
    const [toAll, toHim] = [first.send(ROOM, 'to all'), first.send('bob', 'to him')].map(failure);
    await until(() => server.asked('send').length === 2);
    await first.close();
    expect([(await toAll)?.nothingSent, (await toHim)?.nothingSent]).toEqual([false, false]);
    answers = true;
    server.requests.length = 0;
    const without = await connectTo(login);
    await until(() => server.asked('send').length === 1);
    await without.close();
    const again = await connectTo({ ...login, rooms: true });
    await until(() => server.asked('send').length === 2);
    await again.close();
    makeClient();
    expect(server.asked('send').map(({ body }) => body)).toEqual(['to him', 'to all']);
  });

  test('nothing goes to a room where there are none', async () => {
    await connectAs('al', { rooms: true });
    for (const work of [
      () => client.send(ROOM, 'x'),
      () => client.send('#', 'x'),
      () => client.send('# ops', 'x'),
    ]) {
      expect(work).toThrow(expect.objectContaining({ code: 'INVALID', nothingSent: true }));
    }
    expect((await failure(client.rooms.join('ops'))).code).toBe('INVALID');
    expect(server.asked('join')).toEqual([]);
  });

  test.each([
    ['an answer about another room', 'join', { ...roomInfo('#other'), type: 'joined' }],
    [
      'rooms out of order',
      'rooms',
      { type: 'rooms-listed', rooms: [roomInfo('#b'), roomInfo('#a')], more: true },
    ],
    ['members out of order', 'members', { type: 'members-listed', members: ['b', 'b'], more: true }],
  ] as const)('%s ends the connection', async (_, type, reply) => {
    server.behave = (request, peer) =>
      request.type === type ? (reply as ServerFrame) : roomy(request, peer);
    await connectAs('al', { rooms: true });
    const asking = {
      join: () => client.rooms.join(ROOM),
      rooms: () => client.rooms.list().next(),
      members: () => client.rooms.members(ROOM).next(),
    };
    expect((await failure(asking[type]())).code).toBe('DISCONNECTED');
  });

  test('a server that speaks of endless rooms is given up', async () => {
    await quiet();
    const frames = Array.from({ length: 1_001 }, (__, at) =>
      inRoom(messageFrom('bob', 0, `${at}`, `${at}`), `#r${at}`),
    );
    server.peer.send(...frames);
    await until(() => told('disconnected').length === 1);
    expect(told('disconnected')[0]?.reason).toMatch('messages of more than 1000 rooms');
    expect(told('message')).toHaveLength(1_000);
  });

  test.skipIf(!FULL)(inFullSize('more than anybody shows, over many rooms, is no server'), async () => {
    await quiet();
    const rooms = Array.from({ length: 110 }, (__, at) => `#r${at}`);
    for (const room of rooms) {
      const frames = Array.from({ length: 1_000 }, (__, at) =>
        inRoom(messageFrom('bob', at, 'x', `${room} ${at}`), room),
      );
      if (client.state.link.kind === 'online') server.peer.send(...frames);
      await new Promise(setImmediate);
    }
    await until(() => told('disconnected').length === 1);
    expect(told('disconnected')[0]?.reason).toMatch('more messages than may wait to be shown');
    expect(told('message')).toHaveLength(100_000);
  });

  test('rooms in which nothing waits may be as many as they like', async () => {
    server.behave = roomy;
    await connectAs('al', { rooms: true, ackDelayMs: 0 });
    for (let from = 0; from < 2_000; from += 500) {
      const rooms = Array.from({ length: 500 }, (__, at) => `#r${from + at}`);
      server.peer.send(...rooms.map((room) => inRoom(messageFrom('bob', 0, room, room), room)));
      await until(() => server.asked('ack').length === from + 500);
    }
    expect(events.filter(({ type }) => type === 'disconnected')).toEqual([]);
  });

  test('a list is asked for page after page, each when it is read', async () => {
    server.behave = (request, peer) => {
      if (request.type !== 'rooms') return roomy(request, peer);
      const isFirst = request.after === undefined;
      return {
        type: 'rooms-listed',
        rooms: isFirst ? [roomInfo('#a'), roomInfo('#b')] : [roomInfo('#c')],
        more: isFirst,
      };
    };
    await connectAs('al', { rooms: true });
    const names: string[] = [];
    for await (const { name } of client.rooms.list('*', { mine: true })) {
      names.push(`${name} ${server.asked('rooms').length}`);
    }
    expect(names).toEqual(['#a 1', '#b 1', '#c 2']);
    expect(server.asked('rooms').map(({ after, mine }) => [after, mine])).toEqual([
      [undefined, true],
      ['#b', true],
    ]);
  });

  test('a late answer is told', async () => {
    let answer = () => {};
    server.behave = (request, peer) => {
      if (request.type !== 'invite') return roomy(request, peer);
      answer = () => peer.send({ type: 'invited', room: ROOM });
      return null;
    };
    await connectAs('al', { rooms: true, requestTimeoutMs: 30 });
    expect((await failure(client.rooms.invite(ROOM, 'bob'))).code).toBe('TIMEOUT');
    answer();
    await until(() => told('late-reply').length === 1);
    expect(told('late-reply')[0]?.request).toMatchObject({ type: 'invite', room: ROOM, name: 'bob' });
  });

  test('of a program: what was acknowledged is not given by the next connection', async () => {
    server.behave = roomy;
    const store = new MemoryMessageStore();
    const options = { server: `127.0.0.1:${server.port}`, user: 'al', password: 'x', rooms: true, store };
    const first = await connectTo(options);
    const said = [inRoom(messageFrom('bob', 0, 'a')), inRoom(messageFrom('bob', 1, 'b'))];
    server.peer.send(...said);
    for await (const message of first.messages()) {
      message.ack();
      break;
    }
    await first.close();
    const second = await connectTo(options);
    onTestFinished(() => second.close());
    server.peer.send(...said);
    for await (const { room, body } of second.messages()) {
      expect([room, body]).toEqual([ROOM, 'b']);
      break;
    }
    makeClient();
  });
});

function roomInfo(room: string) {
  return {
    room,
    incarnation: idOf(room),
    policy: 'open' as const,
    description: '',
    retentionMs: 60_000,
    history: 0,
    members: 0,
  };
}

describe('with our server', () => {
  async function person(house: House, user: string, options: Partial<ConnectOptions> = {}): Promise<Milena> {
    const { port } = house.frontend.address;
    const me = await connectTo({
      server: `127.0.0.1:${port}`,
      user,
      password: PASSWORD,
      create: true,
      rooms: true,
      ...options,
    });
    onTestFinished(() => me.close());
    return me;
  }

  async function take(me: Milena, count: number): Promise<ReceivedMessage[]> {
    const taken: ReceivedMessage[] = [];
    for await (const message of me.messages()) {
      message.ack();
      if (taken.push(message) === count) break;
    }
    return taken;
  }

  const code = (promise: Promise<unknown>) => failure(promise).then(({ refusal }) => refusal?.code);

  async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
    const found: Item[] = [];
    for await (const item of items) found.push(item);
    return found;
  }

  test('a room is made, joined, talked in and left', async () => {
    const house = await openHouse();
    const [anna, bert] = [await person(house, 'anna'), await person(house, 'bert')];
    const made = await anna.rooms.create('#Ops', { description: 'on call', history: 5 });
    expect(made).toEqual({
      name: ROOM,
      incarnation: expect.stringMatching(/^[0-9a-f]{32}$/),
      policy: 'open',
      description: 'on call',
      retentionMs: 30 * 86_400_000,
      history: 5,
      members: 1,
      owner: 'anna',
      role: 'owner',
      since: 0,
      ...{ topic: null, where: null, as: null },
    });
    await anna.send(ROOM, 'before');
    expect(await bert.rooms.join(ROOM, { back: 10 })).toMatchObject({ members: 2, role: 'member', since: 0 });
    const sent = await bert.send(ROOM, 'hello');
    expect([sent.to, await sent.delivered]).toEqual([ROOM, 'unknown']);
    await bert.send('anna', 'for you alone');
    const heard = await take(bert, 2);
    expect(heard.map(({ room, seq, body }) => [room, seq, body])).toEqual([
      [ROOM, 0, 'before'],
      [ROOM, 1, 'hello'],
    ]);
    const annas = await take(anna, 3);
    expect(annas.filter(({ room }) => room === undefined).map(({ body }) => body)).toEqual(['for you alone']);
    await expect
      .poll(() => anna.rooms.holders(ROOM, 1), { timeout: 5_000 })
      .toEqual({ members: 2, having: 2, missing: [] });
    await bert.rooms.leave(ROOM);
    expect(await code(bert.send(ROOM, 'x'))).toBe('NOT_A_MEMBER');
    await anna.rooms.delete(ROOM);
    expect(await anna.rooms.find(ROOM)).toBeNull();
  });

  test('its owner says who is in it and whose it is', async () => {
    const house = await openHouse();
    const [anna, bert] = [await person(house, 'anna'), await person(house, 'bert')];
    await anna.rooms.create(ROOM, { policy: 'invited' });
    expect(await code(bert.rooms.join(ROOM))).toBe('NOT_INVITED');
    await anna.rooms.invite(ROOM, 'bert');
    expect(await all(anna.rooms.members(ROOM, { invited: true }))).toEqual(['bert']);
    await bert.rooms.join(ROOM);
    expect(await all(bert.rooms.members(ROOM))).toEqual(['anna', 'bert']);
    expect(await code(bert.rooms.set(ROOM, { description: 'mine' }))).toBe('NOT_OWNER');
    const changed = await anna.rooms.set(ROOM, { policy: 'open', retentionMs: 60_000 });
    expect(changed).toMatchObject({ policy: 'open', retentionMs: 60_000, history: 0 });
    expect(await code(anna.rooms.delete(ROOM))).toBe('HAS_MEMBERS');
    expect(await anna.rooms.makeOwner(ROOM, 'bert')).toMatchObject({ owner: 'bert', role: 'member' });
    await bert.rooms.kick(ROOM, 'anna');
    expect(await anna.rooms.find(ROOM)).toMatchObject({ role: null, since: null, members: 1 });
    await anna.rooms.join(ROOM);
    await bert.rooms.delete(ROOM, { force: true });
    expect(await code(bert.rooms.create('#'.padEnd(40, 'x')))).toBeUndefined();
  });

  test('a list is all pages, or those of the account', async () => {
    const house = await openHouse();
    const anna = await person(house, 'anna');
    const names = Array.from({ length: 15 }, (_, at) => `#room-${String(at).padStart(3, '0')}`);
    for (const name of names) await anna.rooms.create(name);
    const bert = await person(house, 'bert');
    await bert.rooms.create('#zoo');
    expect((await all(bert.rooms.list())).map(({ name }) => name)).toEqual([...names, '#zoo']);
    expect((await all(bert.rooms.list('#room-00*'))).length).toBe(10);
    expect((await all(bert.rooms.list('', { mine: true }))).map(({ name }) => name)).toEqual(['#zoo']);
    const signal = AbortSignal.abort();
    expect((await failure(bert.rooms.list('', { signal }).next())).code).toBe('ABORTED');
  });

  test('a login that only sends says something there, and one without rooms hears nothing', async () => {
    const house = await openHouse();
    const events: ClientEvent[] = [];
    const anna = await person(house, 'anna', { rooms: false, onEvent: (event) => void events.push(event) });
    await anna.rooms.create(ROOM);
    expect((await failure(anna.send(ROOM, 'x'))).code).toBe('INVALID');
    const script = await person(house, 'anna', { create: false, deliver: 'none', rooms: undefined });
    await script.send(ROOM, 'the build is broken');
    await script.send('anna', 'the same to you');
    expect((await take(anna, 1)).map(({ body }) => body)).toEqual(['the same to you']);
    await anna.logout();
    const again = await person(house, 'anna', { create: false });
    expect((await take(again, 1)).map(({ room, body }) => [room, body])).toEqual([
      [ROOM, 'the build is broken'],
    ]);
  });

  test('another server of the same Kafka goes on with it: all of it comes once, in its order', async () => {
    const cluster = new FaultyStore();
    const [north, south] = [await openHouse({ cluster }), await openHouse({ cluster })];
    const server = [north, south].map(({ frontend: { address } }) => `127.0.0.1:${address.port}`);
    const anna = await person(north, 'anna', { server });
    await anna.rooms.create(ROOM);
    const bert = await person(south, 'bert');
    await bert.rooms.join(ROOM);
    await bert.send(ROOM, '0');
    expect((await take(anna, 1)).map(({ body }) => body)).toEqual(['0']);
    const held = anna.messages();
    for (const body of ['1', '2']) await bert.send(ROOM, body);
    const first = await held.next();
    const [draining, sent] = [north.frontend.drain(), anna.send(ROOM, '3')];
    await bert.send(ROOM, '4');
    await Promise.all([draining, sent]);
    await anna.ready();
    first.value?.ack();
    const rest = await take(anna, 3);
    expect(rest.map(({ body }) => body).toSorted()).toEqual(['2', '3', '4']);
    expect(rest.map(({ seq }) => seq)).toEqual([2, 3, 4]);
    expect((await take(bert, 5)).map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4]);
    await expect.poll(() => bert.rooms.holders(ROOM, 4)).toMatchObject({ having: 2 });
    await expect.poll(() => bert.rooms.holders(ROOM, 1)).toMatchObject({ having: 2 });
  });
});
