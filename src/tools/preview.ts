/** What scripts/preview.sh runs: what a filter and a template make of the newest records of a topic. */
import { parseArgs } from 'node:util';
import { BadExpression } from '../storage/kafka/follow/bad-expression.ts';
import { previewOf, type TopicPreview } from '../storage/kafka/follow/preview.ts';
import { type RecordLine, RecordLines } from '../storage/kafka/follow/record-lines.ts';
import { Cluster } from '../storage/kafka/wire/cluster.ts';
import { kafkaSecurity } from '../storage/kafka/wire/kafka-security.ts';
import { now } from '../storage/kafka/wire/retry.ts';
import { isoTime, jsonLine } from '../terminal/sanitise.ts';
import { printable } from '../util/printable.ts';
import { runTool, TOOL_EXIT, ToolError } from './exit.ts';
import { kafkaFailure, toolConfig } from './kafka.ts';
import { printLine } from './lines.ts';
import { prepareTopic } from './topic.ts';

const USAGE = "usage: scripts/preview.sh TOPIC [--where 'FILTER'] [--as 'TEMPLATE'] [--last COUNT] [--json]";
const MAX_LAST = 1_000;
/** So long Kafka may be away, for each partition. */
const PATIENCE_MS = 30_000;
/** Of an expression so much is shown on either side of where it is wrong, in characters. */
const AROUND = 60;

interface Wish {
  readonly topic: string;
  readonly where: string | null;
  readonly as: string | null;
  readonly last: number;
  readonly json: boolean;
}

function readArguments(): Wish {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        where: { type: 'string' },
        as: { type: 'string' },
        last: { type: 'string', default: '20' },
        json: { type: 'boolean', default: false },
      },
    });
    const [topic] = positionals;
    if (topic === undefined || positionals.length > 1) throw new Error('exactly one topic is needed');
    const last = /^\d{1,4}$/.test(values.last) ? Number(values.last) : 0;
    if (last < 1 || last > MAX_LAST) throw new Error(`--last is a number from 1 to ${MAX_LAST}`);
    return { topic, where: values.where ?? null, as: values.as ?? null, last, json: values.json };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ToolError(TOOL_EXIT.USAGE, `${message}\n${USAGE}`);
  }
}

/** Where it points to what is wrong. */
function badExpression({ where, as }: Wish, error: BadExpression): ToolError {
  const [option, text] = error.code === 'BAD_FILTER' ? ['--where', where ?? ''] : ['--as', as ?? ''];
  const place = `${option}, line ${error.line}, column ${error.column}`;
  return new ToolError(TOOL_EXIT.USAGE, `${place}: ${printable(error.message)}\n${pointing(text, error)}`);
}

/** The line that is wrong, and a mark under the place. */
function pointing(text: string, { line, column }: BadExpression): string {
  const whole = text.split(/\r\n|\r|\n/)[line - 1] ?? '';
  const from = Math.max(0, column - 1 - AROUND);
  const before = printable(whole.slice(from, column - 1));
  return `  ${before}${printable(whole.slice(column - 1, column - 1 + AROUND))}\n  ${' '.repeat(before.length)}^`;
}

/** @throws ToolError */
async function previewed(wish: Wish): Promise<TopicPreview> {
  const { topic, last } = wish;
  // Kafka is not asked for what cannot be read.
  await RecordLines.open(wish).catch((error: unknown) => {
    throw error instanceof BadExpression ? badExpression(wish, error) : error;
  });
  const config = toolConfig();
  await prepareTopic(config, topic, { writing: false, script: 'scripts/preview.sh', mustExist: true });
  const cluster = new Cluster({
    ...{ bootstrap: config.brokers, clientId: 'milena-tools', security: kafkaSecurity(config) },
  });
  try {
    return await previewOf(cluster, wish, last, {
      deadline: () => now() + PATIENCE_MS,
      onLeftOut: ({ partition, nextOffset, reason }) =>
        console.error(`Cannot be read: a batch before ${topic}/${partition}/${nextOffset}: ${reason}.`),
    });
  } catch (error) {
    throw kafkaFailure(config, `Reading topic ${topic}`, error, { operation: 'Read', topic });
  } finally {
    await cluster.close();
  }
}

async function printRecord({ topic, json }: Wish, line: RecordLine): Promise<void> {
  const { partition, offset, timestamp, text, note } = line;
  const at = isoTime(timestamp);
  if (json) await printLine(jsonLine({ type: 'record', topic, partition, offset, at, text, note }));
  else {
    const why = note === null ? '' : `  (${printable(note)})`;
    await printLine(
      `${topic}/${partition}/${offset} ${at ?? `(time ${timestamp})`} ${printable(text)}${why}`,
    );
  }
}

async function main(): Promise<number> {
  const wish = readArguments();
  const { lines, looked, leftOut, open, isCut, paused } = await previewed(wish);
  for (const line of lines) await printRecord(wish, line);
  const failed = lines.filter(({ note }) => note !== null).length;
  const shown = lines.length - failed;
  if (wish.json) await printLine(jsonLine({ type: 'summary', looked, shown, leftOut, failed, open, paused }));
  console.error(
    `${looked} ${looked === 1 ? 'record' : 'records'}: ${shown} shown, ${leftOut} left out, ${failed} failed.`,
  );
  if (open > 0) console.error(`${open} more wait for the end of their transactions.`);
  if (isCut) console.error('Fewer than asked for: more do not fit into 64 MiB.');
  if (paused === null) return 0;
  console.error(`A room would be paused here. ${paused}.`);
  return TOOL_EXIT.FAILED;
}

await runTool(main);
