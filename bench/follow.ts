/**
 * What it costs to look through a topic for what a filter wants.
 *
 *     npm run bench:follow -- [--records 1000000] [--kafka] [--out FILE]
 *
 * One filter after the other looks at as many records, one in 10,000 of which it wants: JSON of some 250 bytes. With --kafka they
 * lie in a topic of three partitions, and are fetched for the last one: a broker of its own, unless MILENA_KAFKA_BROKERS names one.
 * Beside it a timer of a millisecond measures how long the event loop was held at once.
 */
import { ok } from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { type Expressions, RecordLines } from '../src/storage/kafka/follow/record-lines.ts';
import { Cluster } from '../src/storage/kafka/wire/cluster.ts';
import type { RawRecord } from '../src/storage/kafka/wire/log-batch.ts';
import { TopicReader } from '../src/tools/topic-reader.ts';
import { startBroker } from '../test/broker/broker.ts';
import { machine, progress, round } from './bench-run.ts';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    kafka: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const RECORDS = Number(values.records);
/** One of so many is wanted. */
const ONE_IN = 10_000;
ok(RECORDS > 0 && RECORDS % ONE_IN === 0, `--records is a multiple of ${ONE_IN}`);
/** Records that a fetch brings at most. */
const FETCHED = 4_096;
/** Lines of a room that are shown at once. */
const MOST = 10;

const LEVEL = 'value.level == "error"';
const FILTERS: Readonly<Record<string, Expressions>> = {
  'a field': { where: LEVEL, as: null },
  'the key': { where: 'key == "service-0"', as: null },
  'a pattern': { where: 'value.message.matches("(?i)out of (memory|disk)")', as: null },
  'a list': { where: 'value.tags.exists(t, t.startsWith("team-orders"))', as: null },
  'a header': { where: '"trace" in headers && headers.trace == "on"', as: null },
  'with a template': { where: LEVEL, as: '{{ value.service }}: {{ value.message | truncate: 80 }}' },
};

function jsonOf(index: number): string {
  const isWanted = index % ONE_IN === 0;
  return JSON.stringify({
    id: index,
    level: isWanted ? 'error' : 'info',
    service: `service-${index % 40}`,
    message: isWanted ? 'out of memory in worker 7' : `request ${index} was served in ${index % 90} ms`,
    tags: ['eu-west', isWanted ? 'team-orders' : 'team-payments', 'blue'],
    user: { id: index % 5_000, country: 'ch' },
    total: index / 100,
  });
}

/** As they come out of a fetch. */
function recordsFrom(first: number, count: number): RawRecord[] {
  return Array.from({ length: count }, (_, at) => {
    const index = first + at;
    const isWanted = index % ONE_IN === 0;
    return {
      ...{ offset: index, leaderEpoch: 0, timestamp: 1_780_000_000_000 + index, hasAppendTime: false },
      key: Buffer.from(isWanted ? 'service-0' : `service-${1 + (index % 39)}`),
      value: Buffer.from(jsonOf(index)),
      headers: isWanted ? Buffer.from('\x02\x0atrace\x04on') : Buffer.of(0),
      transactionOf: null,
    };
  });
}

/** @param feed calls with all the records, in pieces */
async function measure(
  name: string,
  expressions: Expressions,
  feed: (look: (partition: number, records: readonly RawRecord[]) => Promise<void>) => Promise<void>,
): Promise<void> {
  const room = await RecordLines.open(expressions);
  const run = { looked: 0, lines: 0 };
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let tallied = 0;
  const began = performance.now();
  const cpu = process.cpuUsage();
  delay.enable();
  await feed(async (partition, records) => {
    let left = MOST;
    const looked = await room.look(partition, records, () => left-- > 0);
    run.looked += looked.count;
    run.lines += looked.lines.length;
    tallied += looked.leftOut + looked.untold + looked.lines.length;
    if (room.paused !== null) throw new Error(room.paused);
  });
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);
  const ms = performance.now() - began;
  if (tallied !== RECORDS || run.lines !== RECORDS / ONE_IN) {
    throw new Error(`${name}: ${run.lines} lines of ${tallied} records`);
  }
  const result = {
    ...{ bench: 'follow', at: new Date().toISOString(), filter: name, ...expressions },
    ...{ records: run.looked, lines: run.lines, kafka: values.kafka },
    recordsPerSecond: Math.round((run.looked * 1_000) / ms),
    cpuMicrosecondsEach: round((user + system) / run.looked),
    // Less the timer's own millisecond.
    heldMs: { p50: held(delay.percentile(50)), p99: held(delay.percentile(99)), max: held(delay.max) },
    machine: machine(),
  };
  const line = JSON.stringify(result);
  process.stdout.write(`${line}\n`);
  if (values.out !== undefined) appendFileSync(values.out, `${line}\n`);
}

function held(nanoseconds: number): number {
  return round(Math.max(0, nanoseconds / 1e6 - 1));
}

async function fromMemory(): Promise<void> {
  // Made once, and few enough for a cache: what is measured is looking at them.
  const pieces: RawRecord[][] = [];
  for (let first = 0; first < ONE_IN; first += FETCHED) {
    pieces.push(recordsFrom(first, Math.min(FETCHED, ONE_IN - first)));
  }
  for (const [name, expressions] of Object.entries(FILTERS)) {
    progress(name);
    await measure(name, expressions, async (look) => {
      for (let round = 0; round < RECORDS / ONE_IN; round++) {
        for (const records of pieces) await look(0, records);
      }
    });
  }
}

const TOPIC = 'bench-follow';
const PARTITIONS = 3;

async function fromKafka(brokers: string): Promise<void> {
  progress(`writing ${RECORDS} records`);
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const topic = `${TOPIC}-${Date.now()}`;
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS, replicationFactor: 1 }] });
  const producer = kafka.producer();
  await producer.connect();
  for (let first = 0; first < RECORDS; first += 2_000) {
    const records = recordsFrom(first, Math.min(2_000, RECORDS - first));
    const messages = records.map(({ offset, key, value }) => ({
      ...{ partition: offset % PARTITIONS, key, value },
      headers: offset % ONE_IN === 0 ? { trace: 'on' } : {},
    }));
    await producer.send({ topic, messages });
  }
  await producer.disconnect();
  for (const [name, expressions] of Object.entries(FILTERS)) {
    progress(name);
    const cluster = new Cluster({ bootstrap: brokers.split(','), clientId: 'bench' });
    await measure(name, expressions, async (look) => {
      const all = new AbortController();
      let read = 0;
      const reader = new TopicReader({
        ...{ cluster, topic, signal: all.signal },
        onRecords: async (partition, records) => {
          await look(partition, records);
          read += records.length;
          if (read >= RECORDS) all.abort();
        },
        onLeftOut: ({ reason }) => {
          throw new Error(reason);
        },
      });
      await reader.run();
    });
    await cluster.close();
  }
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
}

if (!values.kafka) await fromMemory();
else {
  const named = process.env.MILENA_KAFKA_BROKERS?.trim();
  const broker = named ? null : await startBroker({ heap: '768m', production: true, properties: {} });
  try {
    await fromKafka(named || (broker?.brokers ?? ''));
  } finally {
    await broker?.stop();
  }
}
