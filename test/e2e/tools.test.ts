/** spawn_producer.sh, spawn_consumer.sh and test_producer.sh as a person runs them, against real Kafka. */
import { randomBytes } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { encodeContent } from '../../src/storage/kafka/wire/record-batch.ts';
import { testBrokers } from '../broker/brokers.ts';
import { freePort } from '../broker/ports.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import { makeTopics } from '../broker/topics.ts';
import { CODECS, packedBatch, records, zeros } from '../kafka/packed.ts';
import { appendPatiently } from '../kafka/raw-append.ts';
import { FULL, share, sized } from '../size.ts';
import { peakOf } from './peak.ts';
import { ROOT, RunningScript, runScript, stateFolder } from './script.ts';

const suffix = randomBytes(4).toString('hex');
const prefix = `it${suffix}.inbox.`;
const state = stateFolder();
const kafka = new Kafka({ brokers: testBrokers(), logLevel: logLevel.NOTHING });
const admin = kafka.admin();
const settings = {
  MILENA_KAFKA_BROKERS: testBrokers().join(','),
  MILENA_INBOX_PREFIX: prefix,
  MILENA_STATE_DIR: state.path,
};

beforeAll(() => admin.connect());
afterAll(async () => {
  await admin.disconnect();
  state.remove();
});

/** What an independent consumer finds on a topic, once there are `count` messages. */
async function witness(
  topic: string,
  count: number,
): Promise<{ key: string | null; value: string | null; offset: string }[]> {
  const consumer = kafka.consumer({
    groupId: `witness-${randomBytes(4).toString('hex')}`,
    maxWaitTimeInMs: 100, // its end waits for the fetch that is under way
  });
  const found: { key: string | null; value: string | null; offset: string }[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          const text = (bytes: Buffer | null): string | null => bytes?.toString() ?? null;
          found.push({ key: text(message.key), value: text(message.value), offset: message.offset });
          if (found.length === count) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return found;
}

describe('spawn_producer.sh', () => {
  it('creates a missing topic and stores each line', async () => {
    const topic = `lines-${suffix}`;
    const input = 'one\r\n\n  \nzwei ü\nlast without an end';
    const done = await runScript('spawn_producer.sh', [topic, '--key', 'build'], { settings, input });
    expect(done).toMatchObject({ code: 0, stdout: '' });
    expect(done.stderr).toContain(`Created topic ${topic}.`);
    expect(done.stderr).toContain(`3 messages stored on ${topic}.`);
    const stored = await witness(topic, 3);
    expect(stored.map(({ key, value }) => `${key}: ${value}`)).toEqual([
      'build: one',
      'build: zwei ü',
      'build: last without an end',
    ]);
  });

  it('stores a large input whole and in order', async () => {
    const topic = `large-${suffix}`;
    const lines = Array.from({ length: sized(5_000, 20_000) }, (_, index) => `line ${index}`);
    const done = await runScript('spawn_producer.sh', [topic], { settings, input: lines.join('\n') });
    expect(done.code).toBe(0);
    expect((await witness(topic, lines.length)).map(({ value }) => value)).toEqual(lines);
  });

  it('fails when Kafka refuses a line, and says how many it stored before', async () => {
    const topic = `small-${suffix}`;
    await makeTopics(admin, [{ topic, configEntries: [{ name: 'max.message.bytes', value: '1000' }] }]);
    const running = new RunningScript('spawn_producer.sh', [topic], settings, ROOT);
    running.child.stdin?.write('fits\n');
    await expect
      .poll(async () => (await admin.fetchTopicOffsets(topic))[0]?.high, { timeout: 30_000 })
      .toBe('1');
    running.child.stdin?.end(`${'x'.repeat(5000)}\n`);
    expect(await running.exited).toBe(1);
    expect(running.stderr).toContain('Stored before that: 1.');
    expect(running.stderr).toContain(`Writing to ${topic} failed`);
    expect((await admin.fetchTopicOffsets(topic))[0]?.high).toBe('1');
  });

  it("never writes to the system's own topics", async () => {
    for (const topic of ['milena.accounts', '__consumer_offsets'].slice(0, sized(1, 2))) {
      const done = await runScript('spawn_producer.sh', [topic], { settings, input: 'x\n' });
      expect(done.code).toBe(64);
    }
  });
});

describe('spawn_consumer.sh', () => {
  it('shows a topic from its beginning, follows it, and leaves without a trace', async () => {
    const topic = `follow-${suffix}`;
    const groups = async (): Promise<string[]> =>
      (await admin.listGroups()).groups
        .map((group) => group.groupId)
        .filter((id) => id.startsWith('milena.tools.'));
    await makeTopics(admin, [{ topic }]);
    const producer = kafka.producer(STORED_ONCE);
    await producer.connect();
    onTestFinished(() => producer.disconnect());
    await producer.send({ topic, messages: [{ value: 'first' }] });
    const reader = new RunningScript('spawn_consumer.sh', [topic], settings, ROOT);
    await reader.printed(/^first$/m);
    expect(await groups()).toEqual([]);
    await producer.send({ topic, messages: [{ value: 'second' }] });
    await reader.printed(/^second$/m);
    reader.child.kill('SIGINT');
    expect(await reader.exited).toBe(0);
    expect(reader.stdout).toBe('first\nsecond\n');
  });

  it('shows what is packed in any codec, in all partitions, and steps over what is a bomb', async () => {
    const topic = `packed-${suffix}`;
    await makeTopics(admin, [{ topic, numPartitions: 3 }]);
    const raw = new Cluster({ bootstrap: testBrokers(), clientId: 'packed' });
    await raw.connect();
    const write = (bytes: Buffer) => appendPatiently(raw, topic, bytes);
    for (const codec of CODECS) {
      const bodies = [`${codec} one`, `${codec} two`];
      const contents = bodies.map((body) =>
        encodeContent({ key: 'k', value: Buffer.from(body), headers: [] }),
      );
      await write(packedBatch(records(contents), 2, codec));
      const isLarge = FULL && codec !== 'snappy';
      await write(packedBatch(zeros((isLarge ? 100 : 18) * 2 ** 20), 1, codec));
    }
    await raw.close();
    const producer = kafka.producer(STORED_ONCE);
    await producer.connect();
    await producer.send({ topic, messages: [{ partition: 2, value: 'elsewhere' }] });
    await producer.disconnect();
    const reader = new RunningScript('spawn_consumer.sh', [topic], settings, ROOT);
    await reader.printed(/^zstd two$/m);
    await reader.printed(/^elsewhere$/m);
    const peak = peakOf(reader.child.pid ?? -1);
    reader.child.kill('SIGINT');
    expect(await reader.exited).toBe(0);
    const lines = reader.stdout.split('\n').filter((line) => line !== '' && line !== 'elsewhere');
    expect(lines).toEqual(CODECS.flatMap((codec) => [`${codec} one`, `${codec} two`]));
    expect(reader.stderr).toMatch(/Left out: a batch before \[0:3\].*more than 16777216 bytes/);
    expect(peak).toBeLessThan(250);
  });

  it('shows key, headers, time and place on demand, and nothing raw that a terminal would obey', async () => {
    const topic = `raw-${suffix}`;
    const producer = kafka.producer(STORED_ONCE);
    await makeTopics(admin, [{ topic }]);
    await producer.connect();
    await producer.send({
      topic,
      messages: [
        { key: 'k\x1b[31m', value: 'a\nb\x1b]0;title\x07\u009b2J\u202e', headers: { 'ce_id\r': 'h\x08' } },
        { key: null, value: null },
      ],
    });
    await producer.disconnect();
    const reader = new RunningScript(
      'spawn_consumer.sh',
      [topic, '--key', '--headers', '--time', '--offset'],
      settings,
      ROOT,
    );
    await reader.printed(/\[0:1\]/);
    reader.child.kill('SIGTERM');
    expect(await reader.exited).toBe(0);
    const [first, second] = reader.stdout.split('\n');
    expect(first).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z \[0:0\] /);
    expect(first).toContain(String.raw`k\x1b[31m | a\nb\x1b]0;title\x07\x9b2J\u202e | ce_id\r=h\x08`);
    expect(second).toContain('[0:1] (null) | (null)');
    expect(reader.stdout).toMatch(/^[\P{Cc}\n]*$/u);
  });
});

describe('inboxes', () => {
  it.each(share(['spawn_consumer.sh', 'spawn_producer.sh'], 2, 0))(
    '%s never makes one for a user who does not exist',
    async (script) => {
      const done = await runScript(script, [`${prefix}nobody`], { settings, input: 'x\n' });
      expect(done.code).toBe(67);
      expect(done.stderr).toContain('There is no user "nobody"');
      expect(await admin.listTopics()).not.toContain(`${prefix}nobody`);
    },
  );

  it.each(share(['spawn_consumer.sh', 'spawn_producer.sh'], 2, 1))(
    '%s offers the inbox for a bare name',
    async (script) => {
      const name = `alice${suffix}`;
      await makeTopics(admin, [{ topic: `${prefix}${name}` }]);
      const done = await runScript(script, [name.toUpperCase()], { settings, input: 'x\n' });
      expect(done.code).toBe(67);
      expect(done.stderr).toContain(`./${script} ${prefix}${name}`);
      expect(await admin.listTopics()).not.toContain(name.toUpperCase());
    },
  );
});

describe('test_producer.sh', () => {
  it('has put its message on topic test when it exits with 0', async () => {
    const done = await runScript('test_producer.sh', [], { settings });
    expect(done.code).toBe(0);
    const said = /stored "(.+)" on topic test, partition 0, offset (\d+)/.exec(done.stdout);
    const offset = said?.[2] ?? 'none';
    const stored = await witness('test', Number(offset) + 1);
    expect(stored.find((message) => message.offset === offset)?.value).toBe(said?.[1]);
  });

  it.each(share(['test_producer.sh', 'spawn_producer.sh', 'spawn_consumer.sh'], 3, 2))(
    '%s says what to do when Kafka is down',
    async (script) => {
      const nowhere = `127.0.0.1:${await freePort()}`;
      const done = await runScript(script, script === 'test_producer.sh' ? [] : ['some-topic'], {
        settings: { ...settings, MILENA_KAFKA_BROKERS: nowhere },
        input: 'x\n',
      });
      expect(done.code).toBe(69);
      expect(done.stderr).toContain(`No Kafka answers at ${nowhere}`);
      expect(done.stderr).toContain('./start_kafka.sh');
    },
  );
});
