/** What spawn_consumer.sh runs: a topic from its first message on, one line each, until Ctrl+C. */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { EachMessagePayload, IHeaders, KafkaMessage } from 'kafkajs';
import { EXIT, runTool, ToolError } from './exit.ts';
import { kafkaClient, kafkaFailure, toolConfig, withAdmin } from './kafka.ts';
import { printable, printableBytes } from './printable.ts';
import { prepareTopic } from './topic.ts';

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
    throw new ToolError(EXIT.USAGE, `${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

/** `key | value | name=value …`, with the time and `[partition:offset]` in front, as asked for. */
function lineOf(partition: number, message: KafkaMessage, show: Show): string {
  const parts: string[] = [];
  if (show.time) parts.push(new Date(Number(message.timestamp)).toISOString());
  if (show.offset) parts.push(`[${partition}:${message.offset}]`);
  if (show.key) parts.push(`${printableBytes(message.key)} |`);
  parts.push(printableBytes(message.value));
  const headers = show.headers ? headersOf(message.headers) : '';
  if (headers !== '') parts.push(`| ${headers}`);
  return parts.join(' ');
}

function headersOf(headers: IHeaders | undefined): string {
  return Object.entries(headers ?? {})
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => ({ name, one })))
    .map(({ name, one }) => `${printable(name)}=${printableBytes(one)}`)
    .join(' ');
}

/** Writes a line and waits while the reader of our output is slower than Kafka. */
async function print(line: string): Promise<void> {
  if (process.stdout.write(`${line}\n`)) return;
  await new Promise((resolve) => process.stdout.once('drain', resolve));
}

async function main(): Promise<number> {
  const { topic, show } = readArguments();
  const config = toolConfig();
  await prepareTopic(config, topic, { writing: false, script: './spawn_consumer.sh' });

  // A group of its own, without commits: it sees everything, disturbs nobody, and is removed at the end.
  const groupId = `milena.tools.consumer.${randomUUID()}`;
  const consumer = kafkaClient(config, { patient: true }).consumer({
    groupId,
    sessionTimeout: 10_000,
    // Leaving waits for the fetch that is under way: by default up to five seconds.
    maxWaitTimeInMs: 500,
  });
  const ended = new Promise<unknown>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => resolve(undefined));
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) resolve(payload.error);
    });
  });
  let failure: unknown;
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: ({ partition, message }: EachMessagePayload) => print(lineOf(partition, message, show)),
    });
    console.error(`Reading topic ${topic} from its first message on. Ctrl+C ends.`);
    failure = await ended;
  } catch (error) {
    failure = error;
  }
  await consumer.disconnect().catch(() => {});
  if (failure !== undefined) throw kafkaFailure(config, `Reading topic ${topic}`, failure);
  // Only tidiness: an empty group without commits is forgotten by Kafka itself.
  await withAdmin(config, 'Removing the group', (admin) => admin.deleteGroups([groupId])).catch(() => {});
  return 0;
}

await runTool(main);
