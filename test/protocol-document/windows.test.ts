/* Rooms that show topics, by the section about windows: on real Kafka, with what its own tools say of them. */
import { type Admin, Kafka, logLevel, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { testBrokers } from '../broker/brokers.ts';
import { type Client, eventually, newId, newName, PASSWORD } from './client.ts';
import { type Fields, frame2 } from './frames.ts';
import { holds } from './sentences.ts';
import { open, serversOnKafka, transactional } from './servers.ts';

const ALLOWED = newName('t');
const servers = serversOnKafka(2, { MILENA_FOLLOW_TOPICS: `${ALLOWED}.*`, MILENA_FOLLOW_RECORDS: '30' });

let admin: Admin;
let producer: Producer;
beforeAll(async () => {
  const kafka = new Kafka({ clientId: 'outside', brokers: testBrokers(), logLevel: logLevel.NOTHING });
  admin = kafka.admin();
  producer = kafka.producer();
  await Promise.all([admin.connect(), producer.connect()]);
});
afterAll(() => Promise.all([admin.disconnect(), producer.disconnect()]));

/** A topic that rooms may show. */
async function newTopic(numPartitions = 1): Promise<string> {
  const topic = `${ALLOWED}.${newName('x')}`;
  await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true });
  return topic;
}

async function write(topic: string, values: readonly string[], partition = 0): Promise<void> {
  await producer.send({ topic, messages: values.map((value) => ({ key: 'k', value, partition })) });
}

interface Somebody {
  readonly name: string;
  readonly client: Client;
}

const FEATURES = ['rooms', 'windows'];

async function connected(features: readonly string[] = FEATURES, server = servers[0]): Promise<Client> {
  const client = await open(server);
  const { features: said } = await client.get(0x80, { client: 'by the document', features });
  expect(said).toEqual(expect.arrayContaining([...features]));
  return client;
}

async function somebody(features = FEATURES): Promise<Somebody> {
  const [name, client] = [newName(), await connected(features)];
  await client.get(0x10, { username: name, password: PASSWORD });
  return { name, client };
}

async function comeBack({ name }: Somebody, features = FEATURES): Promise<Client> {
  const client = await connected(features, servers[1]);
  await client.get(0x20, { username: name, password: PASSWORD, takeover: true });
  return client;
}

const newRoom = () => `#${newName('r')}`;
const records = (client: Client) => client.pushed(0x72).filter(({ partition }) => partition !== undefined);
const bodies = (client: Client) => records(client).map(({ body }) => body);
const notices = (client: Client) => client.pushed(0x66).map(({ text }) => String(text));

async function acknowledge(client: Client, room: string, fields: readonly Fields[]): Promise<void> {
  const ranges = fields.map(({ seq }) => [seq, seq]);
  const [{ roomIncarnation } = {}] = fields;
  client.write(frame2(0x90, { room, roomIncarnation, ranges }));
  await client.inStep();
}

/** What Kafka's own tools say of somebody's group: the committed offset of each partition. */
async function committed({ name }: Somebody, topic: string): Promise<Record<number, string>> {
  const [found] = await admin.fetchOffsets({ groupId: `milena.inbox.${name}`, topics: [topic] });
  return Object.fromEntries((found?.partitions ?? []).map(({ partition, offset }) => [partition, offset]));
}

/** Resolves once the room shows what is written from now on. */
async function shows(client: Client, topic: string): Promise<void> {
  const before = records(client).length;
  await eventually(async () => {
    await write(topic, ['{"level":"error","n":"first"}']);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(records(client).length).toBeGreaterThan(before);
  });
}

describe('a window', () => {
  holds(
    [
      'A window is a room that shows the records of a topic which is in Kafka already, of all its partitions; nothing is copied, and nobody says anything in it: a send gets READ_ONLY.',
      '`where` is an expression of the Common Expression Language, `as` a template of the language Liquid ([follow.md](follow.md)).',
      "Each record is a message that is not `verified`: `external` is the topic, `body` the line, `sentAt` the record's time.",
      'Its `seq` is 1,024 × `offset` + `partition`: it rises along each partition and not over all, so acknowledge by `ranges`.',
      'Who comes in is shown what comes from then on.',
      'What the filter leaves out counts as acknowledged, and what was not acknowledged comes again.',
      '| 0x14 room-create | `topic?` | label 1–249 | the room is a window on this topic: see *Windows* |',
      '| | `since?` | int | of who is in it: the first `seq` that is for them; 0 of a window |',
      '| | `topic?` | text | exactly of a window |',
      '| | `partition?` | int | exactly of a record that a window shows, whose topic is `external` |',
      "| READ_ONLY | send, to a window | tell the person; don't repeat |",
    ],
    async () => {
      const topic = await newTopic(2);
      await write(topic, ['{"level":"error","n":"before"}']);
      const [anna, bert] = [await somebody(), await somebody()];
      const room = newRoom();
      const how = { topic, where: 'value.level == "error"', as: '{{ value.n }}' };
      expect(await anna.client.get(0x14, { room, ...how })).toMatchObject({ room, ...how, since: 0 });
      // Who is not logged in begins where they came in, too.
      const alone = await connected();
      await alone.get(0x20, { username: bert.name, password: PASSWORD, deliver: 'none' });
      bert.client.write(frame2(0x30));
      await bert.client.over();
      await alone.get(0x44, { room });
      expect(await alone.refusal(0x70, { id: newId(), to: room, body: 'no' })).toBe('READ_ONLY');
      await write(topic, ['{"level":"error","n":"one"}', '{"level":"info"}', '{"level":"error","n":"two"}']);
      await write(topic, ['{"level":"error","n":"three"}', '{"level":"info"}'], 1);
      await eventually(() => expect(bodies(anna.client).sort()).toEqual(['one', 'three', 'two']));
      const one = records(anna.client).find(({ body }) => body === 'one');
      expect(one).toMatchObject({
        room,
        external: topic,
        verified: false,
        partition: 0,
        offset: 1,
        seq: 1_024,
      });
      const three = records(anna.client).find(({ body }) => body === 'three');
      expect(three).toMatchObject({ partition: 1, offset: 0, seq: 1 });
      expect(Math.abs(Number(one?.sentAt) - Date.now())).toBeLessThan(600_000);
      await acknowledge(anna.client, room, [one ?? {}, three ?? {}]);
      // The other one of partition 0 is not acknowledged, and what was left out of partition 1 is.
      await eventually(async () => expect(await committed(anna, topic)).toEqual({ 0: '3', 1: '2' }));
      const back = await comeBack(anna);
      await eventually(() => expect(bodies(back)).toEqual(['two']));
      expect(records(back)[0]).toMatchObject({ seq: 3 * 1_024, offset: 3 });
      const late = await comeBack(bert);
      await eventually(() => expect(bodies(late).sort()).toEqual(['one', 'three', 'two']));
      expect(await back.get(0xa4, { room, seq: 1_024 })).toMatchObject({
        members: 2,
        having: 1,
        missing: [bert.name],
      });
    },
  );

  holds(
    [
      'Who is in it, who owns it and who may come in is as with any room.',
      'A client announces `windows` beside `rooms`.',
      'To a login without it nothing is pushed of windows; what they show waits for a login that has.',
      '`rooms` and `windows` are named to who has announced them in that very hello.',
      "The server's operator says which topics may be shown: all others get TOPIC_NOT_ALLOWED, as one that is not there or not readable does.",
      'Both are read when they are set: one that cannot be gets BAD_FILTER or BAD_TEMPLATE, with `line` and `column`.',
      'A window has no `retentionMs` and no `history` of its own: a request with either gets BAD_REQUEST, and so does one with `where` or `as` for another room.',
      '| 0x14 room-create, 0x24 room-set | `where?` | text 0–1,024 | of a window: which records it shows, a filter; an empty one: all |',
      '| | `as?` | text 0–4,096 | of a window: as what, a template; an empty one: key and value |',
      '| | `where?` | text | |',
      '| | `as?` | text | |',
      '| | `line?` | int | with BAD_FILTER and BAD_TEMPLATE: where in the text, from 1 on |',
      '| | `column?` | int | likewise, in UTF-16 units |',
      "| TOPIC_NOT_ALLOWED | room-create, room-set, raw, preview | tell the person; don't repeat |",
      '| BAD_FILTER | room-create, room-set, preview | show where: `line`, `column` |',
      '| BAD_TEMPLATE | room-create, room-set, preview | likewise |',
      '| | `note?` | text | why the filter or the template failed, so that `body` is the record as it is |',
    ],
    async () => {
      const topic = await newTopic();
      const [anna, old] = [await somebody(), await somebody(['rooms'])];
      const room = newRoom();
      for (const wrong of ['orders', 'milena.accounts', `${ALLOWED}.none`, 'x y'])
        expect(await anna.client.refusal(0x14, { room, topic: wrong })).toBe('TOPIC_NOT_ALLOWED');
      const failed = await anna.client.ask(0x14, { room, topic, where: 'value.n\n = 1' });
      expect(failed.fields).toMatchObject({ code: 'BAD_FILTER', line: 2, column: 2 });
      expect(await anna.client.refusal(0x14, { room, topic, as: '{{ value' })).toBe('BAD_TEMPLATE');
      for (const wrong of [
        { topic, history: 1 },
        { topic, retentionMs: 60_000 },
        { where: 'true' },
        { as: 'x' },
      ])
        expect(await anna.client.refusal(0x14, { room, ...wrong })).toBe('BAD_REQUEST');
      for (const wrong of [{ topic: '' }, { topic: 'x'.repeat(250) }, { topic, where: 'x'.repeat(1_025) }])
        expect(await anna.client.refusal(0x14, { room, ...wrong })).toBe('BAD_REQUEST');
      const made = await anna.client.get(0x14, { room, topic, where: 'value.n > 1', as: 'n' });
      expect(await old.client.get(0x44, { room })).toMatchObject({ topic, where: 'value.n > 1', as: 'n' });
      expect(await anna.client.refusal(0x24, { room, where: '(' })).toBe('BAD_FILTER');
      expect(await anna.client.refusal(0x24, { room, history: 5 })).toBe('BAD_REQUEST');
      expect(await old.client.refusal(0x24, { room, where: '' })).toBe('NOT_OWNER');
      expect(await anna.client.get(0x24, { room, as: '' })).toEqual({ ...made, members: 2, as: undefined });
      // A record that cannot be judged comes as it is.
      await write(topic, ['{"n":1}', '{"m":1}', '{"n":2}']);
      await eventually(() => expect(bodies(anna.client)).toEqual(['k: {"m":1}', 'k: {"n":2}']));
      expect(String(records(anna.client)[0]?.note)).toMatch(/^filter: .*n/);
      await anna.client.get(0x24, { room, where: '' });
      await shows(anna.client, topic);
      await write(topic, ['{"n":0}']);
      await eventually(() => expect(bodies(anna.client)).toContain('k: {"n":0}'));
      // What others write in transactions is there once it is committed.
      const others = await transactional();
      const aborted = await others.transaction();
      await aborted.send({ topic, messages: [{ key: 'k', value: 'aborted' }] });
      await aborted.abort();
      const committing = await others.transaction();
      await committing.send({ topic, messages: [{ key: 'k', value: 'committed' }] });
      await write(topic, ['behind']);
      await committing.commit();
      await others.disconnect();
      await eventually(() => expect(bodies(anna.client).slice(-2)).toEqual(['k: committed', 'k: behind']));
      expect(bodies(anna.client)).not.toContain('k: aborted');
      expect(records(old.client)).toEqual([]);
      const back = await comeBack(old);
      await eventually(() => expect(bodies(back)).toContain('k: {"n":0}'));
    },
  );

  holds(
    [
      'A window shows 10 records a second, unless the operator says otherwise, and of what is beyond it says by a notice how many there are and where the first one lies.',
      'Whoever was away longer is shown no records older than 24 hours, and the newest 100,000 of the topic at most; how many are left out for that is said by a notice, too.',
      '| 0x66 notice | `room` | room | a window |',
      '| | `text` | text | a line for a person |',
      '| | `records?` | int | of records that are not shown: how many |',
      '| | `partition?` | int | of the first of them; exactly when `records` |',
      '| | `offset?` | int | likewise |',
    ],
    async () => {
      const topic = await newTopic();
      const anna = await somebody();
      const room = newRoom();
      await anna.client.get(0x14, { room, topic });
      await eventually(async () => expect(await committed(anna, topic)).toEqual({ 0: '0' }));
      const flood = Array.from({ length: 100 }, (_, n) => `flood ${n}`);
      await write(topic, flood);
      await eventually(() => {
        const told = anna.client
          .pushed(0x66)
          .reduce((sum, { records: count }) => sum + Number(count ?? 0), 0);
        expect(records(anna.client).length + told).toBe(100);
      });
      expect(records(anna.client).length).toBeLessThan(60);
      const [first] = anna.client.pushed(0x66);
      expect(first).toMatchObject({ room, partition: 0, offset: 10 });
      expect(first?.text).toMatch(new RegExp(`^\\d+ more, from ${topic}/0/10 on: /raw to see them$`));
      await acknowledge(anna.client, room, records(anna.client));
      await eventually(async () => expect(await committed(anna, topic)).toEqual({ 0: '100' }));
      anna.client.write(frame2(0x30));
      await anna.client.over();
      // Away for long: two days in one record, and more of them than the operator of these servers lets be read.
      const at = Date.now();
      const spread = (n: number) => String(at - 40_000 + n * 1_000);
      const values = Array.from({ length: 40 }, (_, n) => ({
        value: `late ${n}`,
        partition: 0,
        timestamp: spread(n),
      }));
      await producer.send({ topic, messages: values });
      const old = { value: 'old', partition: 0, timestamp: String(at - 49 * 3_600_000) };
      await producer.send({ topic, messages: [old] });
      const back = await comeBack(anna);
      await eventually(() => expect(bodies(back)).toContain('late 39'));
      await eventually(() => expect(notices(back).length).toBeGreaterThanOrEqual(2));
      expect(bodies(back)).toEqual(Array.from({ length: 29 }, (_, n) => `late ${n + 11}`));
      expect(notices(back)).toEqual(
        expect.arrayContaining([
          `11 are not shown, from ${topic}/0/100 on: only the newest 30 of a topic are`,
          `1 older than 24 hours are not shown, from ${topic}/0/140 on`,
        ]),
      );
      await acknowledge(back, room, records(back));
      await eventually(async () => expect(await committed(anna, topic)).toEqual({ 0: '141' }));
    },
  );

  holds(
    'By a notice is said as well that the topic is gone, was made again, has other partitions or may not be read, and that the window is paused because its filter takes too long.',
    async () => {
      const topic = await newTopic();
      const anna = await somebody();
      const room = newRoom();
      await anna.client.get(0x14, { room, topic, as: '{{ value }}' });
      await shows(anna.client, topic);
      await admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] });
      // The one that there is knows of one partition for minutes.
      await producer.disconnect();
      producer = new Kafka({
        ...{ clientId: 'outside', brokers: testBrokers(), logLevel: logLevel.NOTHING },
      }).producer();
      await producer.connect();
      await eventually(() =>
        expect(notices(anna.client)).toEqual([`The topic ${topic} has 2 partitions now.`]),
      );
      await write(topic, ['second'], 1);
      await eventually(() => expect(bodies(anna.client)).toContain('second'));
      const dear = '[0,1,2,3,4,5,6,7,8,9].all(a, value.l.all(b, a < b + 100))';
      await anna.client.get(0x24, { room, where: dear, as: '' });
      const list = JSON.stringify({ l: Array.from({ length: 5_000 }, (_, n) => n) });
      await write(
        topic,
        Array.from({ length: 10 }, () => list),
      );
      await eventually(() =>
        expect(notices(anna.client).at(-1)).toMatch(/^Paused\. .* take more than 0\.25 ms/),
      );
      const count = notices(anna.client).length;
      await anna.client.get(0x24, { room, where: '' });
      await shows(anna.client, topic);
      await admin.deleteTopics({ topics: [topic] });
      await eventually(() =>
        expect(notices(anna.client).slice(count)).toEqual([`There is no topic ${topic} any more.`]),
      );
      await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
      await write(topic, ['anew']);
      await eventually(() => expect(bodies(anna.client)).toContain('k: anew'));
      expect(notices(anna.client).slice(count + 1)).toEqual([
        `The topic ${topic} was deleted and made again: its first records come next.`,
        `The topic ${topic} is read again.`,
      ]);
    },
  );

  holds(
    [
      '| 0xb4 raw | `room` | room | a window that one is in |',
      '| | `partition` | int | |',
      '| | `offset` | int | |',
      '| 0xb5 raw-told | `topic` | text | |',
      '| | `record?` | map | absent: none lies there |',
      'A raw record has `time` (time), `headers` (≤ 64 × map of `name`, text, and `value`, bytes ≤ 1,024), `key?` (bytes ≤ 1,024) and `value?` (bytes ≤ 262,144), either absent where the record has none; where they are cut, `keyBytes?` and `valueBytes?` (int) say how long they are.',
    ],
    async () => {
      const topic = await newTopic(2);
      const [anna, bert] = [await somebody(), await somebody()];
      const [room, plain] = [newRoom(), newRoom()];
      await anna.client.get(0x14, { room, topic });
      await anna.client.get(0x14, { room: plain });
      const timestamp = String(Date.now() - 1_000);
      const long = 'x'.repeat(300_000);
      await producer.send({
        topic,
        messages: [
          { partition: 1, key: null, value: null },
          { partition: 1, key: 'é', value: long, headers: { trace: 'on', big: long }, timestamp },
        ],
      });
      const raw = (offset: number, partition = 1) => anna.client.get(0xb4, { room, partition, offset });
      const { record } = (await raw(1)) as { record: Fields };
      expect(record).toMatchObject({ time: Number(timestamp), valueBytes: 300_000 });
      expect(record).not.toHaveProperty('keyBytes');
      expect(Buffer.from(record.key as Uint8Array).toString()).toBe('é');
      expect(record.value).toHaveLength(262_144);
      const headers = record.headers as { name: string; value: Uint8Array }[];
      expect(headers.map(({ name, value }) => [name, value.length])).toEqual([
        ['trace', 2],
        ['big', 1_024],
      ]);
      expect(await raw(0)).toEqual({ topic, record: { time: expect.any(Number), headers: [] } });
      for (const [offset, partition] of [
        [2, 1],
        [0, 0],
        [0, 7],
      ] as const)
        expect(await raw(offset, partition)).toEqual({ topic });
      expect(await bert.client.refusal(0xb4, { room, partition: 1, offset: 0 })).toBe('NOT_A_MEMBER');
      expect(await anna.client.refusal(0xb4, { room: plain, partition: 0, offset: 0 })).toBe('BAD_REQUEST');
    },
  );

  holds(
    [
      '| 0xf4 preview | `topic` | label 1–249 | what a window on it would show |',
      '| | `where?` | text 0–1,024 | |',
      '| | `as?` | text 0–4,096 | |',
      '| | `last?` | int 1–100 | so many of the newest records, of all partitions together; 20 unless it says otherwise |',
      '| 0xf5 previewed | `lines` | ≤ 100 × map | `partition`, `offset` (int), `time` (time), `text` (text), `note?` (text: why the filter or the template failed, so that this is the record as it is) |',
      '| | `looked` | int | records that were looked at |',
      '| | `leftOut` | int | those that the filter has left out |',
      '| | `paused?` | text | why a window would be paused there, before it had looked at all |',
    ],
    async () => {
      const topic = await newTopic(2);
      const { client } = await somebody();
      const numbers = Array.from({ length: 30 }, (_, n) => `{"n":${n}}`);
      for (const [n, value] of numbers.entries())
        await producer.send({ topic, messages: [{ value, partition: n % 2, timestamp: String(1_000 + n) }] });
      const where = 'value.n >= 28';
      const found = await client.get(0xf4, { topic, where, as: '{{ value.n }}' });
      expect(found).toMatchObject({ looked: 20, leftOut: 18 });
      expect(found).not.toHaveProperty('paused');
      expect(found.lines).toEqual([
        { partition: 0, offset: 14, time: 1_028, text: '28' },
        { partition: 1, offset: 14, time: 1_029, text: '29' },
      ]);
      const [failed] = (await client.get(0xf4, { topic, where: 'value.m == 1', last: 1 })).lines as Fields[];
      expect(failed).toMatchObject({ text: '{"n":29}', note: expect.stringMatching(/^filter: /) });
      expect(await client.refusal(0xf4, { topic: 'orders' })).toBe('TOPIC_NOT_ALLOWED');
      expect(await client.refusal(0xf4, { topic, where: '=' })).toBe('BAD_FILTER');
      expect(await client.refusal(0xf4, { topic, as: '{% x %}' })).toBe('BAD_TEMPLATE');
      for (const last of [0, 101]) expect(await client.refusal(0xf4, { topic, last })).toBe('BAD_REQUEST');
      await write(
        topic,
        Array.from({ length: 10 }, () => JSON.stringify({ l: numbers.map((_, n) => n) })),
      );
      const dear = '[0,1,2,3,4,5,6,7,8,9].map(a, value.l.map(b, [a, b])).size() > 100';
      const slow = await client.get(0xf4, {
        topic,
        where: `${dear} || ${dear.replace('100', '99')}`,
        last: 100,
      });
      expect(Number(slow.looked)).toBeGreaterThan(0);
    },
  );
});
