/* Messages in rooms, by the section about rooms and the rows of its frames. */
import { expect } from 'vitest';
import { openHouse } from '../server/house.ts';
import { type Client, eventually, newId, newName, PASSWORD } from './client.ts';
import { type Fields, frame2 } from './frames.ts';
import { holds } from './sentences.ts';
import { open } from './servers.ts';

type House = Awaited<ReturnType<typeof openHouse>>;
interface Roomy {
  readonly name: string;
  readonly client: Client;
}

/** Somebody whose client has announced rooms. */
async function roomy(house: House, more: Fields = {}): Promise<Roomy> {
  const client = await open(house.frontend);
  await client.get(0x80, { client: 'by the document', features: ['rooms'] });
  const name = newName();
  await client.get(0x10, { username: name, password: PASSWORD, ...more });
  return { name, client };
}

async function comeBack(house: House, { name }: Roomy): Promise<Client> {
  const client = await open(house.frontend);
  await client.get(0x80, { client: 'by the document', features: ['rooms'] });
  await client.get(0x20, { username: name, password: PASSWORD, takeover: true });
  return client;
}

/** A room and two who are in it. */
async function room(limits = {}) {
  const house = await openHouse({ limits });
  const [anna, bert] = [await roomy(house), await roomy(house)];
  const name = `#${newName('r')}`;
  await anna.client.get(0x14, { room: name });
  await bert.client.get(0x44, { room: name });
  return { house, anna, bert, name };
}

const acknowledge = (client: Client, fields: Fields) => {
  const { room, roomIncarnation } =
    client.pushed(0x72).findLast((message) => message.room !== undefined) ?? {};
  client.write(frame2(0x90, { room, roomIncarnation, ...fields }));
};

const said = (client: Client) =>
  client
    .pushed(0x72)
    .filter((fields) => fields.room !== undefined)
    .map(({ body }) => body);

holds(
  [
    'A room is one log: what is said in it everybody has in one order, by one `seq`.',
    'Only who is in a room sends to it, with `#` and all in `to`: confirmed, repeated and refused as a message to a person.',
    'It comes back to who sent it as to everybody else.',
    '| | `room?` | room | where it was said, and what its `seq` counts in; absent: in the inbox |',
  ],
  async () => {
    const { house, anna, bert, name } = await room();
    const id = newId();
    const sent = await anna.client.get(0x70, { id, to: name, body: 'one' });
    expect(sent).toMatchObject({ recipientLoggedIn: false });
    expect(await anna.client.get(0x70, { id, to: name, body: 'one' })).toEqual(sent);
    await bert.client.send(name.toUpperCase(), 'two');
    await anna.client.send(bert.name, 'beside');
    for (const { client } of [anna, bert])
      await eventually(() => expect(said(client)).toEqual(['one', 'two']));
    const pushed = (client: Client) => client.pushed(0x72).filter((fields) => fields.room === name);
    expect(pushed(anna.client)).toEqual(pushed(bert.client));
    const [first, second] = pushed(bert.client);
    expect(first).toMatchObject({ from: anna.name, verified: true, id: new Uint8Array(id) });
    expect(Number(second?.seq)).toBeGreaterThan(Number(first?.seq));
    const [beside] = bert.client.pushed(0x72).filter(({ body }) => body === 'beside');
    expect(beside).not.toHaveProperty('room');
    const carl = await roomy(house);
    expect(await carl.client.refusal(0x70, { id: newId(), to: name, body: 'x' })).toBe('NOT_A_MEMBER');
    expect(await carl.client.refusal(0x70, { id: newId(), to: '#no-such', body: 'x' })).toBe('NO_SUCH_ROOM');
    expect(await carl.client.refusal(0x70, { id: newId(), to: '#', body: 'x' })).toBe('INVALID_USERNAME');
    const { fates } = await anna.client.get(0xe0, { receipts: [sent.receipt] });
    expect(fates).toEqual(['unknown']);
  },
);

holds(
  [
    '`rooms` and `windows` are named to who has announced them in that very hello.',
    'what else it can: `devices`, `rooms`, `windows`; others mean nothing yet |',
    'A client announces `rooms` in its hello before it logs in.',
    'To a login without it nothing is pushed of rooms, and a send to one gets INVALID_USERNAME;',
    "what is said in its person's rooms waits for a login that has announced them.",
  ],
  async () => {
    const { house, anna, bert, name } = await room();
    const plain = await open(house.frontend);
    const without = await plain.get(0x80, { client: 'plain' });
    expect(without.features).not.toContain('rooms');
    expect((await plain.get(0x80, { client: 'x', features: ['rooms'] })).features).toContain('rooms');
    expect((await plain.get(0x80, { client: 'x', features: ['other'] })).features).toEqual(without.features);
    await plain.get(0x20, { username: bert.name, password: PASSWORD, takeover: true });
    expect(await plain.refusal(0x70, { id: newId(), to: name, body: 'x' })).toBe('INVALID_USERNAME');
    await anna.client.send(name, 'waits');
    await anna.client.send(bert.name, 'comes');
    await eventually(() => expect(plain.bodies()).toEqual(['comes']));
    const back = await comeBack(house, bert);
    await eventually(() => expect(said(back)).toEqual(['waits']));
  },
);

holds(
  [
    'Messages of a room are pushed from the login on, the oldest first that was not acknowledged, and at most `window` that are not in each room.',
    'They are acknowledged with the `room` and its `roomIncarnation`, come again as those of the inbox do, and neither wait for retrieve nor are counted by `undelivered`.',
    "| | `room?` | room | whose messages these are; absent: the inbox's |",
    '| | `roomIncarnation?` | bytes 16 | exactly with `room`: the one that the messages have |',
    '| | `roomIncarnation?` | bytes 16 | exactly with `room`: in which life of it, since another one counts anew |',
  ],
  async () => {
    const { house, anna, bert, name } = await room({ window: 3 });
    bert.client.socket.destroy();
    for (const body of ['0', '1', '2', '3', '4']) {
      await anna.client.send(name, body);
      acknowledge(anna.client, { upTo: 100 });
    }
    const client = await open(house.frontend);
    await client.get(0x80, { client: 'x', features: ['rooms'] });
    const login = await client.get(0x20, { username: bert.name, password: PASSWORD, takeover: true });
    expect(login.undelivered).toBe(0);
    await eventually(() => expect(said(client)).toEqual(['0', '1', '2']));
    expect(await client.get(0x60)).toMatchObject({ messages: [] });
    const [, one] = client.pushed(0x72);
    acknowledge(client, { ranges: [[one?.seq, one?.seq]] });
    await eventually(() => expect(said(client)).toEqual(['0', '1', '2', '3']));
    const back = await comeBack(house, bert);
    await eventually(() => expect(said(back)).toEqual(['0', '2', '3']));
    acknowledge(back, { room: '#other', upTo: 1 });
    const failure = await back.reply();
    expect(failure).toMatchObject({ opcode: 0x22, fields: { code: 'NOT_A_MEMBER', request: 0x90 } });
    back.write(frame2(0x90, { room: name, upTo: 1 }));
    expect(await back.reply()).toMatchObject({ fields: { code: 'BAD_REQUEST', request: 0x90 } });
    // The place in another life of the room.
    const [first] = back.pushed(0x72);
    expect(first?.roomIncarnation).toHaveLength(16);
    acknowledge(back, { roomIncarnation: newId(), upTo: 100 });
    expect(await back.reply()).toMatchObject({ fields: { code: 'NOT_A_MEMBER', request: 0x90 } });
    await eventually(async () => expect(said(await comeBack(house, bert))).toEqual(['0', '2', '3']));
  },
);

holds(
  [
    'Who comes into a room gets what is said from then on.',
    'Who leaves it or is put out gets nothing that is said after; what was on its way at that moment may still arrive.',
  ],
  async () => {
    const { house, anna, bert, name } = await room();
    await anna.client.send(name, 'first');
    const carl = await roomy(house);
    await carl.client.get(0x44, { room: name });
    await anna.client.send(name, 'second');
    await eventually(() => expect(said(carl.client)).toEqual(['second']));
    await eventually(() => expect(said(bert.client)).toEqual(['first', 'second']));
    await bert.client.get(0x54, { room: name });
    await anna.client.get(0x74, { room: name, name: carl.name });
    await anna.client.send(name, 'third');
    await eventually(() => expect(said(anna.client)).toContain('third'));
    for (const { client } of [bert, carl]) await client.inStep();
    expect(said(bert.client)).toEqual(['first', 'second']);
    expect(said(carl.client)).toEqual(['second']);
  },
);

holds(
  [
    'What was not kept until it was received is said by a gap, and again at each login until a message behind it is acknowledged.',
    '| 0x62 gap | `room` | room | |',
    '| | `messages` | int | that were not kept until one received them |',
    'A room that nobody is in is removed when nothing is left in it.',
  ],
  async () => {
    const { house, anna, bert, name } = await room({ roomSweepMs: 20 });
    const found = house.engine.rooms.get(name);
    if (found === undefined) throw new Error('there is no such room');
    const { log } = house.cluster.demandRoom(found);
    bert.client.socket.destroy();
    for (const body of ['0', '1', '2']) await anna.client.send(name, body);
    log.retentionMs = 0;
    await eventually(() => expect(log.bounds.start).toBe(3));
    const back = await comeBack(house, bert);
    await eventually(() => expect(back.pushed(0x62)).toEqual([{ room: name, messages: 3 }]));
    await back.get(0x54, { room: name });
    await anna.client.get(0x54, { room: name });
    await eventually(async () =>
      expect(await anna.client.get(0x84, { pattern: name })).toEqual({ rooms: [], more: false }),
    );
  },
);

holds(
  [
    '| 0xa4 holders | `room` | room | one that one is in |',
    '| | `seq` | int | of a message there: who has it |',
    '| 0xa5 holders-told | `members` | int | of those who are in the room: whose message it is; 0: there is none of that `seq` |',
    '| | `having` | int | how many of them have acknowledged it |',
    '| | `missing` | ≤ 100 × name | who of them has not, in byte order |',
  ],
  async () => {
    const { house, anna, bert, name } = await room();
    await anna.client.send(name, 'hello');
    await eventually(() => expect(said(bert.client)).toEqual(['hello']));
    const seq = bert.client.pushed(0x72)[0]?.seq;
    const both = [anna.name, bert.name].sort();
    expect(await anna.client.get(0xa4, { room: name, seq })).toEqual({
      members: 2,
      having: 0,
      missing: both,
    });
    expect(await anna.client.get(0xa4, { room: name, seq: Number(seq) + 1 })).toEqual({
      ...{ members: 0, having: 0, missing: [] },
    });
    acknowledge(bert.client, { upTo: seq });
    await bert.client.inStep();
    const carl = await roomy(house);
    expect(await carl.client.refusal(0xa4, { room: name, seq })).toBe('NOT_A_MEMBER');
    await carl.client.get(0x44, { room: name });
    expect(await carl.client.refusal(0xa4, { room: name, seq })).toBe('NOT_A_MEMBER');
    expect(await anna.client.get(0xa4, { room: name, seq })).toEqual({
      ...{ members: 2, having: 1, missing: [anna.name] },
    });
    for (const wrong of [-1, 1.5, '1'])
      expect(await anna.client.refusal(0xa4, { room: name, seq: wrong })).toBe('BAD_REQUEST');
  },
);
