/* Rooms as they lie in Kafka, and what others write there. */
import kafkajs, { type Admin, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import type { Membership, Room } from '../../src/core/rooms.ts';
import { newUuid, uuidText } from '../../src/util/uuid.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import {
  eventually,
  message,
  numbered,
  observe,
  type TestCluster,
  textOf,
  uniqueName,
} from '../contracts/cluster.ts';
import { kafkaCluster, witness } from './cluster.ts';
import { deleteRecordsBelow } from './delete-records.ts';

const { ConfigResourceTypes } = kafkajs;

describe('rooms in Kafka', () => {
  let cluster: TestCluster;
  let admin: Admin;
  let producer: Producer;
  beforeAll(async () => {
    cluster = await kafkaCluster();
    admin = witness().admin();
    producer = witness().producer(STORED_ONCE);
    await Promise.all([admin.connect(), producer.connect()]);
  });
  afterAll(async () => {
    await Promise.all([admin?.disconnect(), producer?.disconnect()]);
    await cluster?.close();
  });

  const person = (stem: string) => cluster.here.accounts.create({ name: uniqueName(stem) });
  const make = async (owner: Account, name = `#${uniqueName('r')}`, retentionMs = 3_600_000): Promise<Room> =>
    cluster.here.rooms.create({
      ...{ name, owner: { name: owner.name, incarnation: owner.incarnation }, policy: 'invited' },
      ...{ description: '', retentionMs, history: 0 },
    });
  const topicOf = ({ name }: Pick<Room, 'name'>) => `milena.room.${name.slice(1)}`;
  const settingsOf = async (topic: string) => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    });
    const entries = resources[0]?.configEntries ?? [];
    return new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
  };

  it('have a topic that keeps messages as long as they say', async () => {
    const room = await make(await person('anna'));
    const settings = await settingsOf(topicOf(room));
    expect(settings.get('retention.ms')).toBe('3600000');
    expect(settings.get('cleanup.policy')).toBe('delete');
    expect(settings.get('message.timestamp.type')).toBe('LogAppendTime');
    await cluster.elsewhere.rooms.update(room, { retentionMs: 60_000 });
    // Brokers hear of a change some ms after it was made.
    await eventually(async () => expect((await settingsOf(topicOf(room))).get('retention.ms')).toBe('60000'));
    await cluster.here.rooms.remove(room);
    await eventually(async () => expect(await admin.listTopics()).not.toContain(topicOf(room)));
  });

  it('begin empty, whatever others have put under their name', async () => {
    const name = `#${uniqueName('r')}`;
    await admin.createTopics({
      topics: [{ topic: topicOf({ name }), numPartitions: 1 }],
      waitForLeaders: false,
    });
    await eventually(() => producer.send({ topic: topicOf({ name }), messages: [{ value: 'before' }] }));
    const room = await make(await person('anna'), name);
    expect(await cluster.here.rooms.bounds(room)).toEqual({ start: 0, end: 0 });
  });

  it('are neither made nor changed nor entered by who merely writes to their topics', async () => {
    const [anna, eve] = [await person('anna'), await person('eve')];
    const room = await make(anna);
    const owner = { name: eve.name, incarnation: uuidText(eve.incarnation) };
    const forged = {
      ...{ incarnation: uuidText(newUuid()), topicId: room.topicId, owner, policy: 'open', description: '' },
      ...{ retentionMs: 60_000, history: 0, createdAt: Date.now() },
    };
    const made = uniqueName('r');
    const changed = { ...forged, incarnation: uuidText(room.incarnation) };
    await producer.send({
      topic: 'milena.rooms',
      messages: [
        { key: made, value: JSON.stringify(forged) },
        { key: room.name.slice(1), value: JSON.stringify(changed) },
        { key: room.name.slice(1), value: null },
        { key: 'not a name', value: JSON.stringify(forged) },
        { key: uniqueName('r'), value: 'no JSON' },
      ],
    });
    const lives = { roomLife: uuidText(room.incarnation), life: uuidText(eve.incarnation) };
    await producer.send({
      topic: 'milena.members',
      messages: [
        {
          key: `${room.name.slice(1)}/${eve.name}`,
          value: JSON.stringify({ ...lives, role: 'member', since: 0, at: 1 }),
        },
      ],
    });
    for (const { rooms } of [cluster.here, cluster.elsewhere]) {
      expect(await rooms.find(`#${made}`)).toBeUndefined();
      expect(await rooms.find(room.name)).toEqual(room);
      expect(await rooms.members.find(room, eve)).toBeUndefined();
    }
    // The true record is written again, and a change goes on from there.
    const after = await cluster.elsewhere.rooms.update(room, { description: 'still mine' });
    expect(after).toEqual({ ...room, description: 'still mine' });
    await eventually(() => expect(cluster.here.rooms.get(room.name)).toEqual(after));
  });

  describe('are followed', () => {
    const follow = async (owner: Account, room: Room, since = 0) => {
      const { inbox } = await observe(cluster.here, owner, { takeover: true });
      onTestFinished(() => inbox.close());
      const bodies: string[] = [];
      const gaps: number[] = [];
      const followed = await inbox.follow(room, since, {
        onMessage: (arrived) => bodies.push(textOf(arrived)),
        onGap: (lost) => gaps.push(lost),
      });
      return { inbox, followed, bodies, gaps };
    };
    const say = async (room: Room, from: Account, count: number) => {
      for (const body of numbered('m', count))
        await cluster.elsewhere.rooms.append(room, message(from, body));
    };
    it('by positions in the group that a person has anyway: the lag there is what they have not received', async () => {
      const [anna, bert] = [await person('anna'), await person('bert')];
      const room = await make(anna);
      await say(room, anna, 5);
      const { followed, bodies } = await follow(bert, room);
      await eventually(() => expect(bodies).toHaveLength(5));
      followed.acknowledge(0, 2);
      await eventually(async () => {
        const groupId = `milena.inbox.${bert.name}`;
        const found = await admin.fetchOffsets({ groupId, topics: [topicOf(room), groupId] });
        const offsets = found.map(({ topic, partitions }) => [topic, partitions[0]?.offset]);
        expect(new Map(offsets as [string, string][])).toEqual(
          new Map([
            [topicOf(room), '3'],
            [groupId, '0'],
          ]),
        );
      });
    });

    it('from behind what was deleted before they had it, which is told', async () => {
      const [anna, bert] = [await person('anna'), await person('bert')];
      const room = await make(anna);
      await say(room, anna, 5);
      await deleteRecordsBelow(topicOf(room), 3);
      const { bodies, gaps } = await follow(bert, room, 1);
      await eventually(() => expect(bodies).toEqual(['m 3', 'm 4']));
      expect(gaps).toEqual([2]);
    });

    it('from what comes next, where the log was cut in front of what is theirs', async () => {
      const [anna, bert] = [await person('anna'), await person('bert')];
      const room = await make(anna);
      await say(room, anna, 3);
      const { bodies } = await follow(bert, room, 5);
      await cluster.here.rooms.append(room, message(anna, 'later'));
      await eventually(() => expect(bodies).toEqual(['later']));
    });

    it('on, where that happens while they rest', async () => {
      const [anna, bert] = [await person('anna'), await person('bert')];
      const room = await make(anna);
      const { followed, bodies, gaps } = await follow(bert, room);
      followed.pause();
      await say(room, anna, 5);
      await deleteRecordsBelow(topicOf(room), 3);
      followed.resume();
      await eventually(() => expect(bodies).toEqual(['m 3', 'm 4']));
      expect(gaps).toEqual([3]);
      await cluster.here.rooms.append(room, message(anna, 'later'));
      await eventually(() => expect(bodies).toEqual(['m 3', 'm 4', 'later']));
    });

    it('with what others write there, which is nobody’s word', async () => {
      const [anna, bert] = [await person('anna'), await person('bert')];
      const room = await make(anna);
      const { inbox } = await observe(cluster.here, bert);
      onTestFinished(() => inbox.close());
      const senders: unknown[] = [];
      await inbox.follow(room, 0, { onMessage: ({ from }) => senders.push(from.kind), onGap: () => {} });
      const value = 'from outside';
      await producer.send({ topic: topicOf(room), messages: [{ key: anna.name, value }] });
      await cluster.here.rooms.append(room, message(anna, 'mine'));
      await eventually(() => expect(senders).toEqual(['external', 'user']));
    });
  });

  it('are all there for a frontend that starts', async () => {
    const [anna, bert] = [await person('anna'), await person('bert')];
    const room = await make(anna);
    const membership: Membership = {
      room: { name: room.name, incarnation: room.incarnation },
      person: { name: bert.name, incarnation: bert.incarnation },
      role: 'member',
      ...{ since: 5, at: Date.now() },
    };
    await cluster.here.rooms.members.put(membership);
    const later = await kafkaCluster();
    expect(later.here.rooms.get(room.name)).toEqual(room);
    expect(later.here.rooms.members.get(room, bert)).toEqual(membership);
    expect(later.here.rooms.members.inRoom(room, 'member')).toEqual([membership]);
    await later.close();
  });
});
