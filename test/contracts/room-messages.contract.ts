import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import { EngineError } from '../../src/core/errors.ts';
import type { Inbox, InboxMessage } from '../../src/core/inboxes.ts';
import type { FollowedRoom, Room } from '../../src/core/rooms.ts';
import {
  eventually,
  type MakeCluster,
  message,
  numbered,
  observe,
  type TestCluster,
  type TestEngine,
  textOf,
  uniqueName,
} from './cluster.ts';

/** Somebody who follows a room, and writes down what comes. */
interface Follower {
  readonly inbox: Inbox;
  readonly followed: FollowedRoom;
  readonly messages: InboxMessage[];
  readonly gaps: number[];
  bodies(): string[];
}

/** Messages in rooms: what `Rooms.append`, `Rooms.having` and `Inbox.follow` promise, for any implementation. */
export function roomMessagesContract(name: string, makeCluster: MakeCluster): void {
  describe(`messages in rooms: ${name}`, () => {
    let cluster: TestCluster;
    beforeAll(async () => {
      cluster = await makeCluster();
    });
    afterAll(async () => {
      await cluster.close();
    });

    const person = (stem: string) => cluster.here.accounts.create({ name: uniqueName(stem) });
    const makeRoom = async (owner: Account): Promise<Room> =>
      cluster.here.rooms.create({
        owner: { name: owner.name, incarnation: owner.incarnation },
        ...{ name: `#${uniqueName('r')}`, policy: 'open', description: '' },
        ...{ retentionMs: 86_400_000, history: 0 },
      });
    const say = async (engine: TestEngine, room: Room, from: Account, bodies: readonly string[]) => {
      const accepted = await Promise.all(
        bodies.map((body) => engine.rooms.append(room, message(from, body))),
      );
      return accepted.map(({ offset }) => offset);
    };
    const follow = async (engine: TestEngine, owner: Account, room: Room, since = 0): Promise<Follower> => {
      const { inbox } = await observe(engine, owner, { takeover: true });
      onTestFinished(() => inbox.close());
      const messages: InboxMessage[] = [];
      const gaps: number[] = [];
      const followed = await inbox.follow(room, since, {
        onMessage: (arrived) => messages.push({ ...arrived, body: new Uint8Array(arrived.body) }),
        onGap: (lost) => gaps.push(lost),
      });
      return { inbox, followed, messages, gaps, bodies: () => messages.map(textOf) };
    };

    it('come to everybody who follows, here and elsewhere, in one order and once', async () => {
      const [anna, bert, carl] = [await person('anna'), await person('bert'), await person('carl')];
      const room = await makeRoom(anna);
      const followers = [
        await follow(cluster.here, anna, room),
        await follow(cluster.here, bert, room),
        await follow(cluster.elsewhere, carl, room),
      ];
      await Promise.all([
        say(cluster.here, room, anna, numbered('a', 20)),
        say(cluster.elsewhere, room, carl, numbered('c', 20)),
      ]);
      for (const { bodies } of followers) await eventually(() => expect(bodies()).toHaveLength(40));
      const [first, ...others] = followers.map(({ messages }) =>
        messages.map(({ offset, id, from, body }) => ({ offset, id, from, body })),
      );
      for (const other of others) expect(other).toEqual(first);
      expect(followers[0]?.bodies().filter((body) => body.startsWith('a'))).toEqual(numbered('a', 20));
      expect(followers[1]?.bodies().filter((body) => body.startsWith('c'))).toEqual(numbered('c', 20));
      expect(followers[0]?.messages.every(({ from }) => from.kind === 'user')).toBe(true);
      const offsets = followers[0]?.messages.map(({ offset }) => offset) ?? [];
      expect(offsets).toEqual(offsets.toSorted((one, other) => one - other));
    });

    it('come from where somebody was, and what was not acknowledged comes again', async () => {
      const [anna, bert] = [await person('anna'), await person('bert')];
      const room = await makeRoom(anna);
      const offsets = await say(cluster.here, room, anna, numbered('m', 10));
      const first = await follow(cluster.here, bert, room);
      await eventually(() => expect(first.bodies()).toEqual(numbered('m', 10)));
      first.followed.acknowledge(0, offsets[3] ?? 0);
      first.followed.acknowledge(offsets[6] ?? 0, offsets[6] ?? 0);
      await first.inbox.close();
      await say(cluster.elsewhere, room, anna, ['later']);
      const second = await follow(cluster.elsewhere, bert, room);
      const left = ['m 4', 'm 5', 'm 7', 'm 8', 'm 9', 'later'];
      await eventually(() => expect(second.bodies()).toEqual(left));
      expect([first.gaps, second.gaps]).toEqual([[], []]);
      expect(await cluster.here.rooms.having(room, offsets[6] ?? 0, [bert, anna])).toEqual([true, false]);
      expect(await cluster.here.rooms.having(room, offsets[5] ?? 0, [bert, anna])).toEqual([false, false]);
    });

    it('begin where somebody came in, also where they were in it before', async () => {
      const [anna, bert] = [await person('anna'), await person('bert')];
      const room = await makeRoom(anna);
      await say(cluster.here, room, anna, numbered('before', 3));
      const first = await follow(cluster.here, bert, room, 2);
      await eventually(() => expect(first.bodies()).toEqual(['before 2']));
      first.followed.acknowledge(0, 2);
      first.followed.leave();
      await first.inbox.close();
      const away = await say(cluster.here, room, anna, numbered('away', 3));
      const { end } = await cluster.here.rooms.bounds(room);
      expect(end).toBe((away.at(-1) ?? 0) + 1);
      const second = await follow(cluster.here, bert, room, end);
      await say(cluster.here, room, anna, ['back']);
      await eventually(() => expect(second.bodies()).toEqual(['back']));
    });

    it('rest while they are paused, and go on behind the last one', async () => {
      const [anna, bert] = [await person('anna'), await person('bert')];
      const room = await makeRoom(anna);
      const { followed, bodies } = await follow(cluster.here, bert, room);
      await say(cluster.here, room, anna, ['first']);
      await eventually(() => expect(bodies()).toEqual(['first']));
      followed.pause();
      await say(cluster.here, room, anna, numbered('paused', 5));
      const other = await follow(cluster.here, anna, room);
      await eventually(() => expect(other.bodies()).toHaveLength(6));
      expect(bodies()).toEqual(['first']);
      followed.resume();
      await eventually(() => expect(bodies()).toEqual(['first', ...numbered('paused', 5)]));
    });

    it('do not come any more once somebody has left', async () => {
      const [anna, bert] = [await person('anna'), await person('bert')];
      const room = await makeRoom(anna);
      const left = await follow(cluster.here, bert, room);
      const stays = await follow(cluster.here, anna, room);
      left.followed.leave();
      await say(cluster.here, room, anna, numbered('after', 3));
      await eventually(() => expect(stays.bodies()).toHaveLength(3));
      expect(left.bodies()).toEqual([]);
    });

    it('are for this life of a room alone', async () => {
      const [anna, bert] = [await person('anna'), await person('bert')];
      const room = await makeRoom(anna);
      await say(cluster.here, room, anna, numbered('old', 5));
      const first = await follow(cluster.here, bert, room);
      await eventually(() => expect(first.bodies()).toHaveLength(5));
      first.followed.acknowledge(0, 4);
      await first.inbox.close();
      await cluster.here.rooms.remove(room);
      const { name: known, owner, policy, description, retentionMs, history } = room;
      const again = await cluster.here.rooms.create({
        ...{ name: known, owner, policy, description, retentionMs, history },
      });
      const failure = await cluster.here.rooms.append(room, message(anna, 'lost')).catch((error) => error);
      expect(failure).toBeInstanceOf(EngineError);
      expect(failure.code).toBe('NO_SUCH_ROOM');
      await say(cluster.here, again, anna, ['new']);
      const second = await follow(cluster.here, bert, again);
      await eventually(() => expect(second.bodies()).toEqual(['new']));
    });

    it('wait for who is lost with the inbox, and go to who has it next', async () => {
      const [anna, bert] = [await person('anna'), await person('bert')];
      const room = await makeRoom(anna);
      const first = await follow(cluster.here, bert, room);
      const second = await follow(cluster.elsewhere, bert, room);
      await say(cluster.here, room, anna, numbered('m', 3));
      await eventually(() => expect(second.bodies()).toEqual(numbered('m', 3)));
      await eventually(async () => {
        await expect(first.inbox.confirm()).rejects.toBeInstanceOf(EngineError);
      });
    });
  });
}
