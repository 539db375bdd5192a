/* Several who change who is in a room at the same moment. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ROOM_BOUNDS } from '../../src/core/rooms.ts';
import { FaultyStore } from '../storage/faulty-store.ts';
import { type House, openHouse, PASSWORD } from './house.ts';
import type { RawClient2 } from './raw-client2.ts';

const ROOM = '#ops';
const HELLO = { type: 'hello', client: 'test', features: ['rooms'] } as const;

async function roomy(house: House, name: string): Promise<RawClient2> {
  const client = await house.connect2();
  await client.expect('welcome', HELLO);
  await client.create(name, PASSWORD);
  return client;
}

/** Two servers on one store, whose changes of memberships take a turn before they count, each by what is there then. */
async function slowHouses(): Promise<[House, House]> {
  const cluster = new FaultyStore();
  const houses = [await openHouse({ cluster }), await openHouse({ cluster })] as [House, House];
  for (const { engine } of houses) {
    const { members } = engine.rooms;
    const change = members.change.bind(members);
    members.change = async (...args) => {
      await cluster.roundTrip();
      return change(...args);
    };
  }
  return houses;
}

/** Bounds that a test can reach. */
function small(bounds: Partial<Record<keyof typeof ROOM_BOUNDS, number>>): void {
  const before = { ...ROOM_BOUNDS };
  Object.assign(ROOM_BOUNDS, bounds);
  onTestFinished(() => void Object.assign(ROOM_BOUNDS, before));
}

describe('at the same moment', () => {
  it('who joins is in, whoever invites them', async () => {
    const [one, two] = await slowHouses();
    const anna = await roomy(one, 'anna');
    const bert = await roomy(two, 'bert');
    for (let round = 0; round < 5; round++) {
      const room = `${ROOM}${round}`;
      await anna.expect('room-created', { type: 'room-create', room });
      const answers = [
        bert.expect('joined', { type: 'join', room }),
        anna.expect('invited', { type: 'invite', room, name: 'bert' }),
      ] as const;
      expect((await answers[round % 2 === 0 ? 0 : 1]).room).toBe(room);
      const [{ role }] = await Promise.all(answers);
      expect(role).toBe('member');
      expect(await anna.expect('members-listed', { type: 'members', room })).toMatchObject({
        members: ['anna', 'bert'],
      });
    }
  });

  it('whose invitation is taken back is not in afterwards, whatever they were told', async () => {
    const [one, two] = await slowHouses();
    const anna = await roomy(one, 'anna');
    const bert = await roomy(two, 'bert');
    await anna.expect('room-created', { type: 'room-create', room: ROOM, policy: 'invited' });
    for (let round = 0; round < 5; round++) {
      await anna.expect('invited', { type: 'invite', room: ROOM, name: 'bert' });
      const [joining] = await Promise.all([
        bert.ask({ type: 'join', room: ROOM }),
        anna.expect('kicked', { type: 'kick', room: ROOM, name: 'bert' }),
      ]);
      if (joining.type === 'failure') expect(joining.code).toBe('NOT_INVITED');
      else expect(joining).toMatchObject({ type: 'joined' });
      const { members } = await anna.expect('members-listed', { type: 'members', room: ROOM });
      expect(members).toEqual(['anna']);
    }
  });

  it('nobody is in a room that was deleted meanwhile', async () => {
    const [one, two] = await slowHouses();
    const anna = await roomy(one, 'anna');
    const bert = await roomy(two, 'bert');
    await anna.expect('room-created', { type: 'room-create', room: ROOM });
    const joining = bert.ask({ type: 'join', room: ROOM });
    await anna.expect('room-deleted', { type: 'room-delete', room: ROOM, force: true });
    expect(await joining).toMatchObject({ type: 'failure', code: 'NO_SUCH_ROOM' });
    expect([...one.cluster.members.keys()]).toEqual([]);
  });

  it('a room is not that of somebody who leaves while it is given to them', async () => {
    const [one, two] = await slowHouses();
    const anna = await roomy(one, 'anna');
    const bert = await roomy(two, 'bert');
    await anna.expect('room-created', { type: 'room-create', room: ROOM, policy: 'invited' });
    for (const order of ['given', 'left'] as const) {
      await anna.expect('invited', { type: 'invite', room: ROOM, name: 'bert' });
      await bert.expect('joined', { type: 'join', room: ROOM });
      const give = () => anna.ask({ type: 'room-set', room: ROOM, owner: 'bert' });
      const leave = () => bert.ask({ type: 'leave', room: ROOM });
      const [first, second] = order === 'given' ? [give, leave] : [leave, give];
      await Promise.all([first(), second()]);
      expect(one.engine.rooms.get(ROOM)?.owner.name).toBe('anna');
      expect(await bert.refusal({ type: 'join', room: ROOM })).toBe('NOT_INVITED');
    }
  });

  it('no more come in than there is room for, and who is refused is not in', async () => {
    small({ peopleInRoom: 3 });
    const [one, two] = await slowHouses();
    const anna = await roomy(one, 'anna');
    await anna.expect('room-created', { type: 'room-create', room: ROOM });
    const people = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((name, at) => roomy(at % 2 === 0 ? one : two, name)),
    );
    const answers = await Promise.all(people.map((client) => client.ask({ type: 'join', room: ROOM })));
    const { members } = await anna.expect('members-listed', { type: 'members', room: ROOM });
    const joined = answers.filter(({ type }) => type === 'joined');
    expect(members).toHaveLength(1 + joined.length);
    expect(members.length).toBeLessThanOrEqual(3);
    for (const answer of answers) if (answer.type === 'failure') expect(answer.code).toBe('ROOM_FULL');
  });

  it('nobody is in more rooms than may be', async () => {
    small({ roomsOfPerson: 2 });
    const [one, two] = await slowHouses();
    const owners = await Promise.all(['a', 'b', 'c', 'd'].map((name) => roomy(one, name)));
    for (const [at, owner] of owners.entries())
      await owner.expect('room-created', { type: 'room-create', room: `${ROOM}${at}` });
    const bert = await roomy(two, 'bert');
    const scripts = await Promise.all(
      owners.map((_, at) =>
        (at % 2 === 0 ? one : two).login2('bert', { password: PASSWORD, deliver: 'none' }),
      ),
    );
    await Promise.all(scripts.map((script, at) => script.ask({ type: 'join', room: `${ROOM}${at}` })));
    const { rooms } = await bert.expect('rooms-listed', { type: 'rooms', mine: true });
    expect(rooms.length).toBeLessThanOrEqual(2);
  });
});

it('who is invited has a place also where the room is full', async () => {
  small({ peopleInRoom: 2 });
  const house = await openHouse();
  const [anna, bert, carl] = [
    await roomy(house, 'anna'),
    await roomy(house, 'bert'),
    await roomy(house, 'carl'),
  ];
  await anna.expect('room-created', { type: 'room-create', room: ROOM });
  await anna.expect('invited', { type: 'invite', room: ROOM, name: 'bert' });
  expect(await carl.refusal({ type: 'join', room: ROOM })).toBe('ROOM_FULL');
  expect(await bert.expect('joined', { type: 'join', room: ROOM })).toMatchObject({ members: 2 });
});

describe('a room whose owner is gone without a word', () => {
  it('is that of who has been in it for longest, who is looked for once', async () => {
    const house = await openHouse();
    const [anna, bert, carl] = [
      await roomy(house, 'anna'),
      await roomy(house, 'bert'),
      await roomy(house, 'carl'),
    ];
    await anna.expect('room-created', { type: 'room-create', room: ROOM });
    for (const client of [bert, carl]) await client.expect('joined', { type: 'join', room: ROOM });
    const account = house.engine.accounts.get('anna');
    if (account === undefined) throw new Error('there is no such account');
    await house.engine.accounts.remove(account);
    const inRoom = vi.spyOn(house.engine.rooms.members, 'inRoom');
    for (let ask = 0; ask < 5; ask++)
      expect(await carl.expect('joined', { type: 'join', room: ROOM })).toMatchObject({ owner: 'bert' });
    expect(inRoom.mock.calls.length).toBeLessThanOrEqual(1);
    await bert.expect('left', { type: 'leave', room: ROOM });
    expect(await carl.expect('joined', { type: 'join', room: ROOM })).toMatchObject({ owner: 'carl' });
  });

  it('is another one’s when the owner’s account is deleted', async () => {
    const house = await openHouse();
    const [anna, bert] = [await roomy(house, 'anna'), await roomy(house, 'bert')];
    await anna.expect('room-created', { type: 'room-create', room: ROOM });
    await bert.expect('joined', { type: 'join', room: ROOM });
    await anna.expect('deleted', { type: 'delete', password: PASSWORD });
    expect(house.engine.rooms.get(ROOM)?.owner.name).toBe('bert');
  });
});
