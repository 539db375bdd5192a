import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import { EngineError } from '../../src/core/errors.ts';
import { type Membership, type NewRoom, ownerOf, type Room } from '../../src/core/rooms.ts';
import { eventually, type MakeCluster, type TestCluster, uniqueName } from './cluster.ts';

/** Every sentence of the `Rooms` and `Members` interfaces, for any implementation of them. */
export function roomsContract(name: string, makeCluster: MakeCluster): void {
  describe(`rooms: ${name}`, () => {
    let cluster: TestCluster;
    beforeAll(async () => {
      cluster = await makeCluster();
    });
    afterAll(async () => {
      await cluster.close();
    });

    const person = (stem: string) => cluster.here.accounts.create({ name: uniqueName(stem) });
    const wanted = (owner: Account, room = `#${uniqueName('r')}`): NewRoom => ({
      ...{ name: room, owner: livesOf(owner), policy: 'open', description: 'about Ümläute ☂' },
      ...{ retentionMs: 3_600_000, history: 10 },
    });
    /** A room and its owner, who is not in it: that is the server's to note. */
    const made = async (stem = 'anna'): Promise<{ owner: Account; room: Room }> => {
      const owner = await person(stem);
      return { owner, room: await cluster.here.rooms.create(wanted(owner)) };
    };
    const member = (room: Room, who: Account, more: Partial<Membership> = {}): Membership => ({
      ...{ room: livesOf(room), person: livesOf(who), role: 'member', since: 3, at: Date.now() },
      ...more,
    });

    it('makes a room that the own table shows at once, and every table in the end', async () => {
      const owner = await person('anna');
      const asked = wanted(owner);
      const before = cluster.here.rooms.size;
      const room = await cluster.here.rooms.create(asked);
      expect(room).toMatchObject(asked);
      expect(room.incarnation).toHaveLength(16);
      expect(cluster.here.rooms.get(room.name)).toEqual(room);
      // Others may make some meanwhile.
      expect(cluster.here.rooms.size).toBeGreaterThan(before);
      expect(await cluster.elsewhere.rooms.find(room.name)).toEqual(room);
      expect(cluster.elsewhere.rooms.get(room.name)).toEqual(room);
      expect(await cluster.here.rooms.bounds(room)).toEqual({ start: 0, end: 0 });
    });

    it('finds none under a name that none has', async () => {
      expect(cluster.here.rooms.get('#nowhere')).toBeUndefined();
      expect(await cluster.here.rooms.find('#nowhere')).toBeUndefined();
    });

    it('lets exactly one of two creators win who race', async () => {
      const owner = await person('racer');
      for (const others of [cluster.here, cluster.elsewhere]) {
        const asked = wanted(owner);
        const attempts = await Promise.allSettled([
          cluster.here.rooms.create(asked),
          others.rooms.create(asked),
        ]);
        const winners = attempts.filter((attempt) => attempt.status === 'fulfilled');
        expect(winners).toHaveLength(1);
        for (const attempt of attempts)
          if (attempt.status === 'rejected') expect(['ROOM_TAKEN', 'BUSY']).toContain(codeOf(attempt.reason));
        expect(await cluster.elsewhere.rooms.find(asked.name)).toEqual(winners[0]?.value);
        expect(await failureOf(cluster.elsewhere.rooms.create(asked))).toBe('ROOM_TAKEN');
      }
    });

    it('changes what is given and leaves the rest', async () => {
      const { owner, room } = await made();
      const other = await person('other');
      const changed = await cluster.here.rooms.update(room, { policy: 'invited', owner: livesOf(other) });
      expect(changed).toEqual({ ...room, policy: 'invited', owner: livesOf(other) });
      await cluster.elsewhere.rooms.update(room, { description: '', retentionMs: 60_000, history: 0 });
      await eventually(() =>
        expect(cluster.here.rooms.get(room.name)).toEqual({
          ...changed,
          ...{ description: '', retentionMs: 60_000, history: 0 },
        }),
      );
      expect(owner.name).not.toBe(other.name);
    });

    it('removes a room with its memberships, and its name may be taken again as another life', async () => {
      const { owner, room } = await made();
      const { rooms } = cluster.here;
      const guest = await person('guest');
      await rooms.members.put(member(room, owner));
      await rooms.members.put(member(room, guest, { role: 'invited' }));
      await rooms.remove(room);
      expect(rooms.get(room.name)).toBeUndefined();
      expect(await failureOf(rooms.remove(room))).toBe('NO_SUCH_ROOM');
      expect(await failureOf(cluster.elsewhere.rooms.update(room, { history: 1 }))).toBe('NO_SUCH_ROOM');
      const again = await cluster.elsewhere.rooms.create(wanted(owner, room.name));
      expect(again.incarnation).not.toEqual(room.incarnation);
      expect(again.topicId).not.toBe(room.topicId);
      expect(await rooms.find(room.name)).toEqual(again);
      for (const who of [owner, guest]) expect(await rooms.members.find(again, who)).toBeUndefined();
      expect(rooms.members.inRoom(again, 'member')).toEqual([]);
      // Who came in while it was being removed.
      await rooms.members.put(member(room, guest));
      expect(await rooms.members.find(again, guest)).toBeUndefined();
      expect(rooms.members.ofPerson(guest, 'member')).toEqual([]);
      expect(await failureOf(rooms.remove(room))).toBe('NO_SUCH_ROOM');
      expect(await rooms.find(room.name)).toEqual(again);
    });

    it('lists rooms by pattern, in order and in pages', async () => {
      const owner = await person('lister');
      const stem = uniqueName('l');
      const names = ['-x', '0', 'a', 'ab', 'b'].map((suffix) => `#${stem}${suffix}`);
      for (const room of names.toReversed()) await cluster.here.rooms.create(wanted(owner, room));
      const listed = (pattern: string, options?: { after?: string; limit?: number }) =>
        cluster.here.rooms.list(stem + pattern, options);
      expect(await listed('*')).toEqual(names);
      expect(await listed('?')).toEqual([names[1], names[2], names[4]]);
      expect(await listed('*', { after: `#${stem}0`, limit: 2 })).toEqual([names[2], names[3]]);
      expect(await listed('zzz')).toEqual([]);
    });

    it('keeps who is in a room, here and elsewhere, and what was written last counts', async () => {
      const { owner, room } = await made();
      const { members } = cluster.here.rooms;
      expect(await members.find(room, owner)).toBeUndefined();
      for (const role of ['invited', 'member'] as const) {
        const written = member(room, owner, { role, since: role === 'member' ? 7 : 0 });
        await members.put(written);
        expect(members.get(room, owner)).toEqual(written);
        expect(members.inRoom(room, role)).toEqual([written]);
        expect(members.ofPerson(owner, role)).toEqual([written]);
        expect([members.countIn(room, role), members.countOf(owner, role)]).toEqual([1, 1]);
        await eventually(() => expect(cluster.elsewhere.rooms.members.get(room, owner)).toEqual(written));
      }
      expect(members.inRoom(room, 'invited')).toEqual([]);
      expect(members.countOf(owner, 'invited')).toBe(0);
      await cluster.elsewhere.rooms.members.remove({ room, person: owner });
      await eventually(() => expect(members.get(room, owner)).toBeUndefined());
      expect([members.countIn(room, 'member'), members.countOf(owner, 'member')]).toEqual([0, 0]);
      await members.remove({ room, person: owner });
    });

    it('finds through another frontend what was just written', async () => {
      const { owner, room } = await made();
      for (let round = 0; round < 3; round++) {
        await cluster.here.rooms.members.remove({ room, person: owner });
        const written = member(room, owner, { since: round });
        await cluster.here.rooms.members.put(written);
        const found = await cluster.elsewhere.rooms.members.find(room, owner);
        if (round === 0) expect(found).toEqual(written);
        await eventually(() => expect(cluster.elsewhere.rooms.members.get(room, owner)).toEqual(written));
      }
    });

    it('knows no membership of another life of the person', async () => {
      const { room } = await made();
      const { accounts, rooms } = cluster.here;
      const first = await person('reborn');
      await rooms.members.put(member(room, first));
      await accounts.remove(first);
      expect(rooms.members.inRoom(room, 'member')).toEqual([]);
      const second = await accounts.create({ name: first.name });
      expect(await rooms.members.find(room, second)).toBeUndefined();
      expect(rooms.members.inRoom(room, 'member')).toEqual([]);
      expect(rooms.members.ofPerson(second, 'member')).toEqual([]);
      // The end of the one before is not the other's.
      const written = member(room, second);
      await rooms.members.put(written);
      await rooms.members.remove({ room, person: first });
      expect(rooms.members.get(room, second)).toEqual(written);
    });

    it('has each of several changes at once decided by what the others have left', async () => {
      const { room } = await made();
      const guest = await person('guest');
      const lives = livesOf(guest);
      const [here, elsewhere] = [cluster.here.rooms.members, cluster.elsewhere.rooms.members];
      const refused = new EngineError('BUSY', 'not invited');
      for (let round = 0; round < 6; round++) {
        const [one, two] = round % 2 === 0 ? [here, elsewhere] : [elsewhere, here];
        // Who joins an open room is a member, whoever invites them at that moment.
        await Promise.all([
          one.change(room, lives, (current) => current ?? member(room, guest, { role: 'invited', since: 0 })),
          two.change(room, lives, () => member(room, guest)),
        ]);
        for (const members of [one, two])
          await eventually(() => expect(members.get(room, guest)?.role).toBe('member'));
        // Whose invitation is taken back does not stay, whether they came in before that or not.
        const invited = member(room, guest, { role: 'invited', since: 0 });
        await one.put(invited);
        await eventually(() => expect(two.get(room, guest)).toEqual(invited));
        await Promise.all([
          one.remove({ room, person: lives }),
          two
            .change(room, lives, (current) => {
              if (current === undefined) throw refused;
              return member(room, guest);
            })
            .catch((error: unknown) => expect(error).toBe(refused)),
        ]);
        for (const members of [one, two])
          await eventually(() => expect(members.get(room, guest)).toBeUndefined());
        expect([one.countIn(room, 'member'), two.countOf(lives, 'member')]).toEqual([0, 0]);
      }
    });

    it('keeps many apart that are written at once', async () => {
      const { room } = await made();
      const people = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(person));
      await Promise.all(
        people.map((who, i) =>
          (i % 2 === 0 ? cluster.here : cluster.elsewhere).rooms.members.put(member(room, who, { at: i })),
        ),
      );
      await eventually(() => {
        const there = cluster.here.rooms.members.inRoom(room, 'member');
        expect(there.map(({ person: { name: who } }) => who).sort()).toEqual(
          people.map(({ name: who }) => who).sort(),
        );
        expect(ownerOf(room, there)?.name).toBe(people[0]?.name);
      });
    });
  });
}

function livesOf({ name, incarnation }: Pick<Account, 'name' | 'incarnation'>) {
  return { name, incarnation };
}

function codeOf(error: unknown): string {
  expect(error).toBeInstanceOf(EngineError);
  return error instanceof EngineError ? error.code : '';
}

function failureOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'nothing failed', codeOf);
}
