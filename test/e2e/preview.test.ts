/** scripts/preview.sh as a person runs it, against real Kafka. */
import { randomBytes } from 'node:crypto';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { encodeContent } from '../../src/storage/kafka/wire/record-batch.ts';
import { testBrokers } from '../broker/brokers.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import { makeTopics } from '../broker/topics.ts';
import { CODECS, packedBatch, records, zeros } from '../kafka/packed.ts';
import { appendPatiently } from '../kafka/raw-append.ts';
import { built } from './running-frontend.ts';
import { type Finished, runScript, stateFolder } from './script.ts';

const suffix = randomBytes(4).toString('hex');
const state = stateFolder();
const kafka = new Kafka({ brokers: testBrokers(), logLevel: logLevel.NOTHING });
const admin = kafka.admin();
const producer = kafka.producer(STORED_ONCE);
const settings = { MILENA_KAFKA_BROKERS: testBrokers().join(','), MILENA_STATE_DIR: state.path };

beforeAll(async () => {
  await built();
  await admin.connect();
  await producer.connect();
});
afterAll(async () => {
  await producer.disconnect();
  await admin.disconnect();
  state.remove();
});

const preview = (...args: string[]): Promise<Finished> => runScript('scripts/preview.sh', args, { settings });

async function topicOf(name: string, numPartitions = 1): Promise<string> {
  const topic = `${name}-${suffix}`;
  await makeTopics(admin, [{ topic, numPartitions }]);
  return topic;
}

/** The lines without their times. */
function linesOf({ stdout }: Finished): string[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ \d{4}-\d\d-\d\dT[\d:.]+Z /, ' '));
}

describe('scripts/preview.sh', () => {
  it('shows the newest records of all partitions, with their places', async () => {
    const topic = await topicOf('orders', 3);
    // Of the last minute: what is older than a topic's retention goes.
    const began = Date.now() - 60_000;
    const at = (second: number): string => String(began + 1_000 * second);
    await producer.send({
      topic,
      messages: [
        { partition: 0, timestamp: at(1), key: 'k', value: '{"level":"info"}' },
        {
          partition: 2,
          timestamp: at(3),
          value: '{ "level": "error",\n "id": 7 }',
          headers: { trace: 'on' },
        },
        { partition: 0, timestamp: at(4), value: 'plain \x1b[31m text' },
        { partition: 1, timestamp: at(2), value: Buffer.of(0xff, 0x00) },
        { partition: 1, timestamp: at(5), key: 'gone', value: null },
      ],
    });
    const all = await preview(topic);
    expect(all).toMatchObject({ code: 0, stderr: '5 records: 5 shown, 0 left out, 0 failed.\n' });
    expect(linesOf(all)).toEqual([
      `${topic}/0/0 k: {"level":"info"}`,
      `${topic}/1/0 (2 bytes) ff 00`,
      `${topic}/2/0 { "level": "error", "id": 7 }`,
      String.raw`${topic}/0/1 plain \x1b[31m text`,
      `${topic}/1/1 gone: (null)`,
    ]);
    expect(all.stdout).toContain(`${topic}/2/0 ${new Date(began + 3_000).toISOString()} `);
    expect(linesOf(await preview(topic, '--last', '2'))).toEqual([
      String.raw`${topic}/0/1 plain \x1b[31m text`,
      `${topic}/1/1 gone: (null)`,
    ]);
    const wanted = await preview(
      topic,
      ...['--where', 'partition > 0 && (type(value) != map || value.level == "error")'],
      ...['--as', '{{ value.level }} {{ headers.trace }}{{ key }}'],
    );
    expect(wanted).toMatchObject({ code: 0, stderr: '5 records: 3 shown, 2 left out, 0 failed.\n' });
    expect(linesOf(wanted)).toEqual([`${topic}/1/0 `, `${topic}/2/0 error on`, `${topic}/1/1 gone`]);
  });

  it('says why a record could not be judged, as text and as JSON', async () => {
    const topic = await topicOf('failing');
    await producer.send({
      topic,
      messages: [{ value: '{"total":7}' }, { value: '{"sum":7}' }, { value: '{"total":1}' }],
    });
    const asText = await preview(topic, '--where', 'value.total > 5');
    expect(asText.code).toBe(0);
    expect(linesOf(asText)[0]).toBe(`${topic}/0/0 {"total":7}`);
    expect(linesOf(asText)[1]).toMatch(/\/0\/1 \{"sum":7\} {2}\(filter: .*total.*\)$/);
    expect(asText.stderr).toBe('3 records: 1 shown, 1 left out, 1 failed.\n');
    const asJson = await preview(topic, '--where', 'value.total > 5', '--as', '{{value.total}}\n', '--json');
    const objects = asJson.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(objects).toEqual([
      {
        ...{ type: 'record', topic, partition: 0, offset: 0, text: '7', note: null },
        at: expect.any(String),
      },
      {
        ...{ type: 'record', topic, partition: 0, offset: 1, text: '{"sum":7}' },
        ...{ note: expect.stringContaining('total'), at: expect.any(String) },
      },
      { type: 'summary', looked: 3, shown: 1, leftOut: 1, failed: 1, open: 0, paused: null },
    ]);
  });

  it('points to what is wrong with an expression, before it asks Kafka', async () => {
    const where = await preview('no-such-topic', '--where', 'value.a == 1 &&\n  value.level = "x"');
    expect(where).toMatchObject({ code: 64, stdout: '' });
    expect(where.stderr).toBe(
      '--where, line 2, column 15: "=" does not belong here: did you mean ==?\n' +
        '    value.level = "x"\n' +
        '                ^\n',
    );
    const as = await preview('no-such-topic', '--as', 'x {{ valu.level }}');
    expect(as).toMatchObject({ code: 64, stdout: '' });
    expect(as.stderr).toMatch(
      /^--as, line 1, column 6: there is no name valu: .*\n {2}x \{\{ valu\.level \}\}\n {7}\^\n$/,
    );
  });

  it('does not make a topic that is missing', async () => {
    const done = await preview(`missing-${suffix}`);
    expect(done).toMatchObject({ code: 69, stderr: `There is no topic "missing-${suffix}".\n` });
    expect(await admin.listTopics()).not.toContain(`missing-${suffix}`);
  });

  it.each([['--last', '0'], ['--last', '1001'], ['--last', 'many'], ['--nonsense'], ['another-topic']])(
    'ends with 64 for %s %s',
    async (...args) => {
      expect(await preview('some-topic', ...args)).toMatchObject({ code: 64, stdout: '' });
    },
  );

  it('reads every codec, steps over a bomb, and leaves out what was aborted', async () => {
    const topic = await topicOf('packed');
    const raw = new Cluster({ bootstrap: testBrokers(), clientId: 'packed' });
    await raw.connect();
    const write = (bytes: Buffer) => appendPatiently(raw, topic, bytes);
    for (const codec of CODECS) {
      const contents = [encodeContent({ key: null, value: Buffer.from(`"${codec}"`), headers: [] })];
      await write(packedBatch(records(contents), 1, codec));
    }
    await write(packedBatch(zeros(100 * 2 ** 20), 1, 'gzip'));
    await raw.close();
    const retry = { retries: 60, initialRetryTime: 50, maxRetryTime: 500 };
    const transactional = kafka.producer({
      ...{ transactionalId: `tx-${suffix}`, maxInFlightRequests: 1, idempotent: true, retry },
      // One of them is left open while programs are started, which takes its time on a busy machine.
      transactionTimeout: 300_000,
    });
    await transactional.connect();
    for (const [value, end] of [
      ['committed', 'commit'],
      ['aborted', 'abort'],
      ['open', null],
    ] as const) {
      const transaction = await transactional.transaction();
      await transaction.send({ topic, messages: [{ value }], compression: CompressionTypes.GZIP });
      if (end !== null) await transaction[end]();
      else {
        const done = await preview(topic);
        expect(linesOf(done).map((line) => line.split(' ').slice(1).join(' '))).toEqual([
          ...CODECS.map((codec) => `"${codec}"`),
          'committed',
        ]);
        expect(done.stderr).toMatch(/^Cannot be read: a batch before .*\/0\/5: .*16777216 bytes.*\.$/m);
        expect(done.stderr).toMatch(/^5 records: 5 shown, 0 left out, 0 failed\.$/m);
        expect(done.stderr).toMatch(/^1 more wait for the end of their transactions\.$/m);
        // Fewer than there are: what was aborted does not count.
        expect(linesOf(await preview(topic, '--last', '2'))).toHaveLength(2);
        await transaction.abort();
      }
    }
    await transactional.disconnect();
  });

  it('finds what lies far behind much that was aborted', async () => {
    const topic = await topicOf('behind');
    await producer.send({ topic, messages: [{ value: 'far behind' }] });
    const retry = { retries: 60, initialRetryTime: 50, maxRetryTime: 500 };
    const transactional = kafka.producer({
      ...{ transactionalId: `txb-${suffix}`, maxInFlightRequests: 1, idempotent: true, retry },
    });
    await transactional.connect();
    for (let times = 0; times < 3; times++) {
      const transaction = await transactional.transaction();
      const messages = Array.from({ length: 500 }, (_, n) => ({ value: `aborted ${n}` }));
      await transaction.send({ topic, messages });
      await transaction.abort();
    }
    await transactional.disconnect();
    const done = await preview(topic, '--last', '1');
    expect(linesOf(done)).toEqual([`${topic}/0/0 far behind`]);
  });

  it('says that a room would be paused, and where', async () => {
    const topic = await topicOf('dear');
    const value = JSON.stringify(Array.from({ length: 30_000 }, (_, n) => n));
    // A batch each: together they are more than a topic takes.
    for (let times = 0; times < 12; times++) await producer.send({ topic, messages: [{ value }] });
    const done = await preview(topic, '--where', 'value.exists(a, value.exists(b, a + b < 0.0))');
    expect(done.code).toBe(1);
    expect(done.stderr).toMatch(/A room would be paused here\. .* as at 0\/\d+/);
    expect(done.stdout).toContain('(it takes longer than 10 ms)');
  });
});
