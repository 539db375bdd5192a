/** What spawn_consumer.sh runs: a topic from its first message on, one line each, until Ctrl+C. */
import { parseArgs } from 'node:util';
import { Cluster } from '../storage/kafka/wire/cluster.ts';
import { kafkaSecurity } from '../storage/kafka/wire/kafka-security.ts';
import { eachHeader, type RawRecord } from '../storage/kafka/wire/log-batch.ts';
import { RareWarning } from '../storage/kafka/wire/trouble.ts';
import { printable, printableBytes } from '../util/printable.ts';
import { runTool, TOOL_EXIT, ToolError } from './exit.ts';
import { kafkaFailure, toolConfig } from './kafka.ts';
import { printLine } from './lines.ts';
import { prepareTopic } from './topic.ts';
import { TopicReader } from './topic-reader.ts';

const USAGE = 'usage: spawn_consumer.sh TOPIC [--key] [--headers] [--time] [--offset]';

interface Show {
  readonly key: boolean;
  readonly headers: boolean;
  readonly time: boolean;
  readonly offset: boolean;
}

function readArguments(): { topic: string; show: Show } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        key: { type: 'boolean', default: false },
        headers: { type: 'boolean', default: false },
        time: { type: 'boolean', default: false },
        offset: { type: 'boolean', default: false },
      },
    });
    const [topic] = positionals;
    if (topic === undefined || positionals.length > 1) throw new Error('exactly one topic is needed');
    return { topic, show: values };
  } catch (error) {
    throw new ToolError(
      TOOL_EXIT.USAGE,
      `${error instanceof Error ? error.message : String(error)}\n${USAGE}`,
    );
  }
}

/** `key | value | name=value …`, with the time and `[partition:offset]` in front, as asked for. */
function lineOf(partition: number, record: RawRecord, show: Show): string {
  const parts: string[] = [];
  if (show.time) parts.push(timeOf(record));
  if (show.offset) parts.push(`[${partition}:${record.offset}]`);
  if (show.key) parts.push(`${printableBytes(record.key)} |`);
  parts.push(printableBytes(record.value));
  const headers = show.headers ? headersOf(record.headers) : '';
  if (headers !== '') parts.push(`| ${headers}`);
  return parts.join(' ');
}

/** A producer may give any number as its time. */
function timeOf({ timestamp }: RawRecord): string {
  const time = new Date(timestamp);
  return Number.isNaN(time.getTime()) ? `(time ${timestamp})` : time.toISOString();
}

function headersOf(headers: Buffer): string {
  const shown: string[] = [];
  eachHeader(headers, (nameAt, nameEnd, valueAt, valueEnd) => {
    const name = printable(headers.toString('utf8', nameAt, nameEnd));
    shown.push(`${name}=${printableBytes(headers.subarray(valueAt, valueEnd))}`);
  });
  return shown.join(' ');
}

async function main(): Promise<number> {
  const { topic, show } = readArguments();
  const config = toolConfig();
  await prepareTopic(config, topic, { writing: false, script: './spawn_consumer.sh' });

  const cluster = new Cluster({
    ...{ bootstrap: config.brokers, clientId: 'milena-tools', security: kafkaSecurity(config) },
  });
  const ended = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ended.abort());
  const leftOut = new RareWarning(({ partition, nextOffset, reason, untold }) => {
    const others = untold === undefined ? '' : ` (and ${untold} others)`;
    console.error(`Left out: a batch before [${partition}:${nextOffset}]${others}: ${reason}.`);
  });
  // No consumer group: it sees everything, disturbs nobody, and leaves nothing behind.
  const reader = new TopicReader({
    ...{ cluster, topic, signal: ended.signal },
    onRecords: async (partition, records) => {
      for (const record of records) {
        if (ended.signal.aborted) return;
        await printLine(lineOf(partition, record, show));
      }
    },
    onLeftOut: (batch) => leftOut.note({ ...batch }),
  });
  try {
    console.error(`Reading topic ${topic} from its first message on. Ctrl+C ends.`);
    await reader.run();
  } catch (error) {
    throw kafkaFailure(config, `Reading topic ${topic}`, error, { operation: 'Read', topic });
  } finally {
    await cluster.close();
  }
  return 0;
}

await runTool(main);
