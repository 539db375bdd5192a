/* Rooms: their tables, and the section about them. */
import { expect } from 'vitest';
import { ROOM_BOUNDS } from '../../src/core/rooms.ts';
import { newUuid } from '../../src/util/uuid.ts';
import { type HouseOptions, openHouse } from '../server/house.ts';
import { type Client, eventually, newName, PASSWORD } from './client.ts';
import type { Fields } from './frames.ts';
import { holds } from './sentences.ts';
import { open, person } from './servers.ts';

/** A server on a storage in memory, and people who are logged in to it, by names of their own. */
async function people(count: number, limits: HouseOptions['limits'] = {}) {
  const house = await openHouse({
    limits: { newRoomsPerAccount: { burst: 1_000, perSecond: 1 }, ...limits },
  });
  const all = await Promise.all(Array.from({ length: count }, () => person(house.frontend)));
  return { house, all, clients: all.map(({ client }) => client), names: all.map(({ name }) => name) };
}

const newRoom = () => `#${newName('r')}`;
const DAY = 86_400_000;

function first<Value>(list: readonly Value[], at = 0): Value {
  const value = list[at];
  if (value === undefined) throw new Error('there are fewer');
  return value;
}

const roomsOf = async (client: Client, fields: Fields = {}) => {
  const { rooms } = await client.get(0x84, fields);
  return (rooms as Fields[]).map(({ room }) => room);
};

holds(
  [
    '*room* is a `#` and behind it what a username may be.',
    '| 0x14 room-create, 0x24 room-set | `room` | room | which one is made, or changed |',
    '| | `policy?` | `open` or `invited` | who may join: anybody, or whom the owner has invited; a new room is `open` unless it says otherwise |',
    '| | `retentionMs?` | int 60,000–315,360,000,000 | for how long messages are kept; 30 days unless it says otherwise |',
    '| | `history?` | int ≤ 1,000 | how many messages from before somebody who joins may have; 0 unless it says otherwise |',
    '| 0x15 room-created, 0x25 room-changed, 0x45 joined | `room` | room | |',
    '| | `policy` | `open` or `invited` | |',
    '| | `description` | text | |',
    '| | `retentionMs` | ms | |',
    '| | `history` | int | |',
    '| | `members` | int | how many are in it |',
    '| | `role?` | `owner`, `member` or `invited` | what one is to it oneself; absent: none of these |',
    '| | `since?` | int | of who is in it: the first `seq` that is for them; 0 of a window |',
    'Whoever makes a room is its owner and in it.',
    '| ROOM_TAKEN | room-create | ask for another name |',
    '| INVALID_ROOM | a text that is no room, but in a send | ask for another name |',
  ],
  async () => {
    const { clients, names } = await people(2);
    const [anna, bert] = [first(clients), first(clients, 1)];
    const room = newRoom();
    const made = await anna.get(0x14, { room: room.toUpperCase() });
    expect(made).toMatchObject({ room, policy: 'open', description: '', retentionMs: 30 * DAY, history: 0 });
    expect(made).toMatchObject({ members: 1, owner: names[0], role: 'owner', since: 0 });
    expect(made.incarnation).toHaveLength(16);
    expect(await bert.refusal(0x14, { room })).toBe('ROOM_TAKEN');
    for (const wrong of ['ops', '#', '#-x', '#o.p', `#${'x'.repeat(33)}`, '##x'])
      expect(await anna.refusal(0x14, { room: wrong })).toBe('INVALID_ROOM');
    for (const [key, values] of Object.entries({
      ...{ policy: ['closed'], description: ['x'.repeat(257), 'a\u001b[2J'], history: [-1, 1_001] },
      retentionMs: [59_999, 315_360_000_001],
    }))
      for (const value of values)
        expect(await anna.refusal(0x14, { room: newRoom(), [key]: value })).toBe('BAD_REQUEST');
    const said = { policy: 'invited', description: 'Ümläute', history: 1_000 };
    for (const retentionMs of [60_000, 315_360_000_000])
      expect(await anna.get(0x14, { room: newRoom(), retentionMs, ...said })).toMatchObject({
        ...said,
        retentionMs,
      });
    const [other] = (await bert.get(0x84, { pattern: room })).rooms as Fields[];
    expect(other).toEqual({ ...made, role: undefined, since: undefined });
  },
);

holds(
  [
    '| | `description?` | text 0–256 | without control characters |',
    '| 0x24 room-set | `owner?` | name | a member, whose room it is from then on |',
    '| | `owner?` | name | absent where nobody is in it |',
    'Only the owner changes it, invites, puts out and deletes: everybody else gets NOT_OWNER.',
    "| NOT_OWNER | what only a room's owner may do | tell the person; don't repeat |",
    "| NO_SUCH_ROOM | there is no room of that name, or it was deleted | tell the person; don't repeat |",
    '| NOT_A_MEMBER | what only who is in a room may do; or somebody else who is not in it | join first |',
  ],
  async () => {
    const { clients, names } = await people(3);
    const [anna, bert, carl] = [first(clients), first(clients, 1), first(clients, 2)];
    const room = newRoom();
    await anna.get(0x14, { room });
    await bert.get(0x44, { room });
    for (const client of [bert, carl])
      for (const [opcode, fields] of [
        [0x24, { description: 'x' }],
        [0x34, {}],
        [0x64, { name: names[2] }],
        [0x74, { name: names[1] }],
      ] as const)
        expect(await client.refusal(opcode, { room, ...fields })).toBe('NOT_OWNER');
    expect(await anna.get(0x24, { room, description: 'x', history: 5 })).toMatchObject({
      ...{ description: 'x', history: 5, policy: 'open', retentionMs: 30 * DAY },
    });
    expect(await anna.get(0x24, { room, description: '' })).toMatchObject({ description: '', history: 5 });
    expect(await anna.refusal(0x24, { room, owner: names[2] })).toBe('NOT_A_MEMBER');
    expect(await anna.get(0x24, { room, owner: names[1] })).toMatchObject({
      ...{ owner: names[1], role: 'member' },
    });
    expect(await anna.refusal(0x34, { room, force: true })).toBe('NOT_OWNER');
    await anna.get(0x54, { room });
    await bert.get(0x54, { room });
    const [left] = (await bert.get(0x84, { pattern: room })).rooms as Fields[];
    expect(left).toMatchObject({ room, members: 0 });
    expect([left?.owner, left?.role]).toEqual([undefined, undefined]);
    for (const [opcode, fields] of [
      [0x24, {}],
      [0x34, {}],
      [0x44, {}],
      [0x54, {}],
      [0x64, { name: names[0] }],
      [0x74, { name: names[0] }],
      [0x94, {}],
    ] as const)
      expect(await anna.refusal(opcode, { room: '#nowhere', ...fields })).toBe('NO_SUCH_ROOM');
  },
);

holds(
  [
    '| 0x34 room-delete | `room` | room | |',
    '| | `force?` | bool | even if others are in it |',
    "| 0x35 room-deleted, 0x55 left, 0x65 invited, 0x75 kicked | `room` | room | the request's |",
    '| | `incarnation` | bytes 16 | this life of the room; one that is deleted and made again has another one |',
    'Of a room that is deleted and made again nobody is a member who was one before, and an account that is made again is in no room.',
    '| HAS_MEMBERS | room-delete | ask the person, then `force` |',
  ],
  async () => {
    const { house, all, clients } = await people(2);
    const [anna, bert] = [first(clients), first(clients, 1)];
    const room = newRoom();
    const made = await anna.get(0x14, { room });
    await bert.get(0x44, { room });
    expect(await anna.refusal(0x34, { room })).toBe('HAS_MEMBERS');
    expect(await anna.get(0x34, { room, force: true })).toEqual({ room });
    expect(await roomsOf(bert, { mine: true })).toEqual([]);
    const again = await anna.get(0x14, { room });
    expect(again.incarnation).not.toEqual(made.incarnation);
    expect(again).toMatchObject({ members: 1 });
    expect(await bert.refusal(0x94, { room })).toBe('NOT_A_MEMBER');
    await bert.get(0x44, { room });
    await bert.get(0x40, { password: PASSWORD });
    const reborn = await person(house.frontend, first(all, 1).name);
    expect(await roomsOf(reborn.client, { mine: true })).toEqual([]);
    expect(await anna.get(0x94, { room })).toEqual({ members: [first(all).name], more: false });
    expect(await anna.get(0x34, { room })).toEqual({ room });
  },
);

holds(
  [
    '| 0x44 join | `room` | room | |',
    "| | `back?` | int ≤ 1,000 | messages from before, as many as the room's `history` at most |",
    '| 0x54 leave | `room` | room | to be in it no more, or not to take an invitation |',
    '| 0x64 invite | `room` | room | |',
    '| | `name` | name | who may join from now on |',
    '| 0x74 kick | `room` | room | |',
    '| | `name` | name | who is in it no more, or invited no more |',
    'An open room anybody may join, and who was put out of it, too.',
    'Who is in a room already, or invited, stays as they are when they join or are invited again.',
    '| NOT_INVITED | join | tell the person: its owner may invite them |',
  ],
  async () => {
    const { clients, names } = await people(3);
    const [anna, bert, carl] = [first(clients), first(clients, 1), first(clients, 2)];
    const [open, closed] = [newRoom(), newRoom()];
    await anna.get(0x14, { room: open });
    await anna.get(0x14, { room: closed, policy: 'invited' });
    const joined = await bert.get(0x44, { room: open, back: 1_000 });
    expect(joined).toMatchObject({ room: open, role: 'member', members: 2, since: 0, owner: names[0] });
    expect(await bert.get(0x44, { room: open })).toEqual(joined);
    expect(await anna.get(0x64, { room: open, name: names[1] })).toEqual({ room: open });
    expect(await bert.get(0x44, { room: open })).toEqual(joined);
    expect(await anna.get(0x74, { room: open, name: names[1] })).toEqual({ room: open });
    expect(await bert.refusal(0x94, { room: open })).toBe('NOT_A_MEMBER');
    expect(await anna.refusal(0x74, { room: open, name: names[1] })).toBe('NOT_A_MEMBER');
    expect(await bert.get(0x44, { room: open })).toMatchObject({ role: 'member' });

    expect(await bert.refusal(0x44, { room: closed })).toBe('NOT_INVITED');
    await anna.get(0x64, { room: closed, name: names[1] });
    await anna.get(0x64, { room: closed, name: names[1] });
    const [seen] = (await bert.get(0x84, { pattern: closed })).rooms as Fields[];
    expect(seen).toMatchObject({ role: 'invited', members: 1 });
    expect(seen?.since).toBeUndefined();
    expect(await bert.get(0x54, { room: closed })).toEqual({ room: closed });
    expect(await bert.refusal(0x44, { room: closed })).toBe('NOT_INVITED');
    await anna.get(0x64, { room: closed, name: names[1] });
    await anna.get(0x74, { room: closed, name: names[1] });
    expect(await bert.refusal(0x44, { room: closed })).toBe('NOT_INVITED');
    await anna.get(0x64, { room: closed, name: names[1] });
    expect(await bert.get(0x44, { room: closed })).toMatchObject({ role: 'member', members: 2 });
    expect(await carl.refusal(0x44, { room: closed })).toBe('NOT_INVITED');
    expect(await carl.refusal(0x54, { room: closed })).toBe('NOT_A_MEMBER');
    expect(await anna.refusal(0x64, { room: closed, name: 'nobody-at-all' })).toBe('NO_SUCH_USER');
    expect(await anna.refusal(0x74, { room: closed, name: names[0] })).toBe('BAD_REQUEST');
    await carl.get(0xf0, { name: names[0], blocked: true });
    expect(await anna.refusal(0x64, { room: closed, name: names[2] })).toBe('BLOCKED');
  },
);

holds(
  [
    'The room of an owner who leaves, or whose account is deleted, is that of who has been in it for longest.',
    "Whose room it was made may always come in, unless it is another's by now.",
  ],
  async () => {
    const { clients, names } = await people(4);
    const [anna, bert, carl, dora] = [
      first(clients),
      first(clients, 1),
      first(clients, 2),
      first(clients, 3),
    ];
    const room = newRoom();
    await anna.get(0x14, { room });
    for (const client of [bert, carl, dora]) {
      await client.get(0x44, { room });
      // By the clock of the one that writes: two in one millisecond have the order of their names.
      const until = Date.now() + 2;
      await eventually(() => expect(Date.now()).toBeGreaterThan(until));
    }
    await anna.get(0x54, { room });
    const owner = async (client: Client) =>
      ((await client.get(0x84, { pattern: room })).rooms as Fields[])[0]?.owner;
    expect(await owner(dora)).toBe(names[1]);
    await bert.get(0x24, { room, policy: 'invited' });
    expect(await anna.refusal(0x44, { room })).toBe('NOT_INVITED');
    await bert.get(0x40, { password: PASSWORD });
    expect(await owner(dora)).toBe(names[2]);
    await carl.get(0x24, { room, description: 'mine' });
    await dora.get(0x54, { room });
    await carl.get(0x54, { room });
    expect(await owner(dora)).toBeUndefined();
    expect(await dora.refusal(0x44, { room })).toBe('NOT_INVITED');
    const other = newRoom();
    await dora.get(0x14, { room: other, policy: 'invited' });
    await dora.get(0x54, { room: other });
    expect(await dora.get(0x44, { room: other })).toMatchObject({ role: 'owner' });
  },
);

holds(
  [
    '| 0x84 rooms | `pattern?` | text 0–64 | as in a list, with the `#` or without it; absent or empty: every room |',
    '| | `after?` | room | only rooms behind this one in byte order |',
    '| | `limit?` | int 1–100 | most rooms in the reply |',
    '| | `mine?` | bool | only rooms that one is in, or invited to |',
    '| 0x85 rooms-listed | `rooms` | ≤ 100 × map | maps with the fields of joined, in byte order of the rooms |',
    '| | `more` | bool | there are rooms behind the last one |',
  ],
  async () => {
    const { clients, names } = await people(2);
    const [anna, bert] = [first(clients), first(clients, 1)];
    const stem = newRoom();
    const all = ['-x', '0', 'a', 'ab'].map((suffix) => stem + suffix);
    for (const room of all.toReversed()) await anna.get(0x14, { room, policy: 'invited' });
    expect(await roomsOf(bert)).toEqual(expect.arrayContaining(all));
    expect(await roomsOf(bert, { pattern: '' })).toEqual(expect.arrayContaining(all));
    for (const pattern of [`${stem}*`, `${stem.slice(1)}*`])
      expect(await roomsOf(bert, { pattern })).toEqual(all);
    expect(await roomsOf(bert, { pattern: `${stem}A?` })).toEqual([all[3]]);
    const page = await bert.get(0x84, { pattern: `${stem}*`, after: all[0], limit: 2 });
    expect(page).toMatchObject({ rooms: [{ room: all[1] }, { room: all[2] }], more: true });
    expect((await bert.get(0x84, { pattern: `${stem}*`, after: all[2] })).more).toBe(false);
    for (const limit of [0, 101]) expect(await bert.refusal(0x84, { limit })).toBe('BAD_REQUEST');
    expect(await bert.refusal(0x84, { pattern: 'a b' })).toBe('BAD_REQUEST');
    expect(await roomsOf(bert, { mine: true })).toEqual([]);
    await anna.get(0x64, { room: all[2], name: names[1] });
    await anna.get(0x64, { room: all[0], name: names[1] });
    await bert.get(0x44, { room: all[2] });
    expect(await roomsOf(bert, { mine: true })).toEqual([all[0], all[2]]);
    expect(await roomsOf(bert, { mine: true, pattern: '*a' })).toEqual([all[2]]);
    expect(await bert.get(0x84, { mine: true, limit: 1 })).toMatchObject({ more: true });
    expect(await roomsOf(bert, { mine: true, after: all[0] })).toEqual([all[2]]);
  },
);

holds(
  [
    '| 0x94 members | `room` | room | one that one is in |',
    '| | `after?` | name | only names behind this one in byte order |',
    '| | `invited?` | bool | those who are invited instead of those who are in it |',
    '| 0x95 members-listed | `members` | ≤ 1,000 × name | in byte order |',
    'Who is in it may ask who else is.',
  ],
  async () => {
    const { clients, names } = await people(3);
    const [anna, bert, carl] = [first(clients), first(clients, 1), first(clients, 2)];
    const room = newRoom();
    await anna.get(0x14, { room });
    await bert.get(0x44, { room });
    await anna.get(0x64, { room, name: names[2] });
    expect(await carl.refusal(0x94, { room })).toBe('NOT_A_MEMBER');
    const there = names.slice(0, 2).sort();
    expect(await bert.get(0x94, { room })).toEqual({ members: there, more: false });
    expect(await bert.get(0x94, { room, limit: 1 })).toEqual({ members: [there[0]], more: true });
    expect(await bert.get(0x94, { room, after: there[0] })).toEqual({ members: [there[1]], more: false });
    expect(await bert.get(0x94, { room, invited: true })).toEqual({ members: [names[2]], more: false });
    for (const limit of [0, 1_001]) expect(await bert.refusal(0x94, { room, limit })).toBe('BAD_REQUEST');
  },
);

holds(
  [
    'A room takes 10,000 people, those who are invited among them, a person may be in 200 rooms and invited to as many more, and a server has 100,000.',
    '| ROOM_FULL | join, invite | tell the person |',
    '| TOO_MANY_ROOMS | room-create, join, invite: of the person, or of all | leave one first |',
  ],
  async () => {
    expect(ROOM_BOUNDS).toEqual({ peopleInRoom: 10_000, roomsOfPerson: 200, rooms: 100_000 });
    const { house, clients, names } = await people(3);
    const [anna, bert, carl] = [first(clients), first(clients, 1), first(clients, 2)];
    const { rooms } = house.engine;
    const room = newRoom();
    await anna.get(0x14, { room });
    const found = rooms.get(room);
    if (found === undefined) throw new Error('there is no such room');
    // Names alone: that there are accounts is looked at only where it has to be.
    for (let at = 1; at < ROOM_BOUNDS.peopleInRoom; at++) {
      const stranger = { name: `nobody-${at}`, incarnation: newUuid() };
      const role = at % 2 === 0 ? 'member' : 'invited';
      await rooms.members.put({ room: found, person: stranger, role, since: 0, at });
    }
    expect(await bert.refusal(0x44, { room })).toBe('ROOM_FULL');
    expect(await anna.refusal(0x64, { room, name: names[1] })).toBe('ROOM_FULL');

    for (let made = 0; made < ROOM_BOUNDS.roomsOfPerson; made++) await bert.get(0x14, { room: newRoom() });
    expect(await bert.refusal(0x14, { room: newRoom() })).toBe('TOO_MANY_ROOMS');
    const other = newRoom();
    await carl.get(0x14, { room: other });
    expect(await bert.refusal(0x44, { room: other })).toBe('TOO_MANY_ROOMS');
    const guest = house.engine.accounts.get(first(names, 0));
    if (guest === undefined) throw new Error('there is no such account');
    for (let at = 0; at < ROOM_BOUNDS.roomsOfPerson; at++) {
      const elsewhere = await rooms.create({ ...found, name: `#elsewhere-${at}` });
      await rooms.members.put({ room: elsewhere, person: guest, role: 'invited', since: 0, at });
    }
    expect(await carl.refusal(0x64, { room: other, name: names[0] })).toBe('TOO_MANY_ROOMS');
  },
);

holds('An account makes 20 rooms at once and then one a minute.', async () => {
  const house = await openHouse();
  const { client } = await person(house.frontend);
  for (let made = 0; made < 20; made++) await client.get(0x14, { room: newRoom() });
  const { fields } = await client.ask(0x14, { room: newRoom() });
  expect(fields).toMatchObject({ code: 'RATE_LIMITED' });
  expect(fields.retryAfterMs).toBeGreaterThan(50_000);
  expect(fields.retryAfterMs).toBeLessThanOrEqual(60_000);
  const stranger = await open(house.frontend);
  for (const opcode of [0x14, 0x24, 0x34, 0x44, 0x54, 0x84, 0x94])
    expect(await stranger.refusal(opcode, { room: '#x' })).toBe('NOT_LOGGED_IN');
});
