/* Rooms by the library and the commands, over a real Kafka: what is said comes once to everybody, and what somebody has not received is lag. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Admin } from 'kafkajs';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { connect, type Milena, type ReceivedMessage } from '../../src/client/index.ts';
import { witness } from '../kafka/cluster.ts';
import { CommandHere } from '../terminal/cli/command-here.ts';
import { messageShape, previewShape, rawShape, shaped } from '../terminal/cli/shapes.ts';
import { PASSWORD } from './client-terminal.ts';
import { type FrontendHere, openFrontendHere } from './frontend-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'milena-rooms-'));
let frontend: FrontendHere;
let admin: Admin;

beforeAll(async () => {
  admin = witness().admin();
  await admin.connect();
  frontend = await openFrontendHere({ MILENA_FOLLOW_TOPICS: 'orders.*' });
});
afterAll(async () => {
  await frontend?.remove();
  await admin?.disconnect();
  rmSync(folder, { recursive: true, force: true });
});

const at = () => `${frontend.address.host}:${frontend.address.port}`;

async function person(user: string, create = false): Promise<Milena> {
  const me = await connect({ server: at(), user, password: PASSWORD, create, rooms: true });
  onTestFinished(() => me.close());
  return me;
}

function milena(user: string, ...args: string[]): CommandHere {
  return new CommandHere(args, {
    MILENA_SERVER: at(),
    MILENA_USER: user,
    MILENA_PASSWORD: PASSWORD,
    MILENA_DATA_DIR: join(folder, user),
  });
}

async function take(me: Milena, count: number): Promise<ReceivedMessage[]> {
  const taken: ReceivedMessage[] = [];
  for await (const message of me.messages()) {
    message.ack();
    if (taken.push(message) === count) break;
  }
  return taken;
}

/** What Kafka has of somebody's group and they have not received, by topic. */
async function lagOf(user: string): Promise<Record<string, number>> {
  const lag: Record<string, number> = {};
  for (const { topic, partitions } of await admin.fetchOffsets({ groupId: `milena.inbox.${user}` })) {
    const [log] = await admin.fetchTopicOffsets(topic);
    lag[topic] = Number(log?.offset) - Number(partitions[0]?.offset);
  }
  return lag;
}

test('what is said in a room comes once to everybody, and is lag until then', async () => {
  const tail = randomBytes(4).toString('hex');
  const [anna, bert, room] = [`anna-${tail}`, `bert-${tail}`, `#ops-${tail}`];
  const her = await person(anna, true);
  await her.rooms.create(room, { history: 10 });
  const him = await person(bert, true);
  await him.rooms.join(room);
  await her.send(room, 'one');
  expect((await take(him, 1)).map(({ body }) => body)).toEqual(['one']);
  await him.logout();
  for (const body of ['two', 'three']) expect((await milena(anna, 'send', room, body).done()).code).toBe(0);
  await her.send(bert, 'for you alone');
  const [inbox, log] = [`milena.inbox.${bert}`, `milena.room.${room.slice(1)}`];
  await vi.waitFor(async () => expect(await lagOf(bert)).toEqual({ [inbox]: 1, [log]: 2 }), {
    timeout: 60_000,
  });
  expect(await her.rooms.holders(room, 2)).toEqual({ members: 2, having: 0, missing: [anna, bert] });
  const listening = milena(bert, 'listen', '--json');
  await listening.printed(/three/);
  await listening.printed(/alone/);
  await vi.waitFor(async () => expect(await lagOf(bert)).toEqual({ [inbox]: 0, [log]: 0 }), {
    timeout: 60_000,
  });
  expect(await listening.kill('SIGTERM')).toBe(143);
  const printed = shaped(messageShape, listening.stdout);
  expect(printed.filter((message) => message.room === room).map(({ seq, body }) => [seq, body])).toEqual([
    [1, 'two'],
    [2, 'three'],
  ]);
  expect(printed).toHaveLength(3);
  expect((await take(her, 3)).map(({ body }) => body)).toEqual(['one', 'two', 'three']);
});

test('a room that shows a topic is tried, made, listened to and looked into', async () => {
  const tail = randomBytes(4).toString('hex');
  const [anna, room, topic] = [`anna-${tail}`, `#dlq-${tail}`, `orders.${tail}`];
  await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true });
  const producer = witness().producer();
  await producer.connect();
  onTestFinished(() => producer.disconnect());
  const write = (partition: number, ...values: string[]) =>
    producer.send({ topic, messages: values.map((value) => ({ value, partition, key: 'k' })) });
  await write(1, '{"total":1}', '{"total":1000}');
  const her = await person(anna, true);
  await her.logout();
  const how = ['--topic', topic, '--where', 'value.total > 100', '--as', 'over: {{ value.total }}'];
  const tried = await milena(anna, 'room', 'create', room, ...how, '--preview', '20', '--json').done();
  expect(shaped(previewShape, tried.stdout)).toEqual([
    {
      type: 'record',
      topic,
      partition: 1,
      offset: 1,
      at: expect.any(String),
      text: 'over: 1000',
      note: null,
    },
    { type: 'summary', looked: 2, shown: 1, leftOut: 1, paused: null },
  ]);
  const wrong = await milena(
    anna,
    'room',
    'create',
    room,
    '--topic',
    topic,
    '--where',
    'value.total = 1',
  ).done();
  expect([wrong.code, wrong.stderr]).toEqual([64, expect.stringContaining('line 1, column 13')]);
  expect((await milena(anna, 'room', 'create', room, ...how).done()).code).toBe(0);
  await write(0, '{"total":5}', '{"total":500}');
  await write(1, '{"sum":7}');
  const listening = milena(anna, 'listen');
  await listening.printed(/500/);
  await listening.printed(/sum/);
  // What was left out is delivered as well: of both partitions nothing is left.
  await vi.waitFor(
    async () => {
      const [found] = await admin.fetchOffsets({ groupId: `milena.inbox.${anna}`, topics: [topic] });
      const offsets = found?.partitions.map(({ partition, offset }) => [partition, offset]);
      expect(offsets?.sort()).toEqual([
        [0, '2'],
        [1, '3'],
      ]);
    },
    { timeout: 60_000 },
  );
  expect(await listening.kill('SIGTERM')).toBe(143);
  const lines = listening.stdout
    .trim()
    .split('\n')
    .map((line) => line.replace(/^\S+ /, ''));
  expect(lines.sort()).toEqual([
    `${room} ext ${topic}/0/1: over: 500`,
    expect.stringMatching(`^${room} ext ${topic}/1/2: k: {"sum":7}  \\(filter: .*total\\)$`),
  ]);
  const raw = await milena(anna, 'room', 'raw', room, '1', '2').done();
  expect(raw.stdout).toMatch(/^1\/2 \S+Z\nkey: k\nvalue: {"sum":7}\n$/);
  const told = await milena(anna, 'room', 'raw', room, '1', '2', '--json').done();
  expect(shaped(rawShape, told.stdout)).toMatchObject([{ key: 'k', value: '{"sum":7}', valueBytes: 9 }]);
  expect((await milena(anna, 'room', 'raw', room, '1', '9').done()).code).toBe(67);
  expect((await milena(anna, 'send', room, 'no').done()).code).toBe(77);
});
