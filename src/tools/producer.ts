/** What spawn_producer.sh runs: lines of standard input become messages of a topic. */
import { parseArgs } from 'node:util';
import { runTool, TOOL_EXIT, ToolError } from './exit.ts';
import { toolConfig } from './kafka.ts';
import { LineTooLong, lineBatches, MAX_LINE } from './lines.ts';
import { prepareTopic } from './topic.ts';
import { openWriter } from './writer.ts';

const USAGE = 'usage: spawn_producer.sh TOPIC [--key KEY]';

function readArguments(): { topic: string; key: string | null } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { key: { type: 'string' } },
    });
    const [topic] = positionals;
    if (topic === undefined || positionals.length > 1) throw new Error('exactly one topic is needed');
    return { topic, key: values.key ?? null };
  } catch (error) {
    throw new ToolError(
      TOOL_EXIT.USAGE,
      `${error instanceof Error ? error.message : String(error)}\n${USAGE}`,
    );
  }
}

async function main(): Promise<number> {
  const { topic, key } = readArguments();
  const config = toolConfig();
  await prepareTopic(config, topic, { writing: true, script: './spawn_producer.sh' });
  const writer = await openWriter(config, topic);

  const atTerminal = process.stdin.isTTY === true;
  const prompt = (): void => {
    if (atTerminal) process.stderr.write('> ');
  };
  if (atTerminal) console.error(`Each line becomes a message on ${topic}. Ctrl+D ends.`);
  // Ctrl+C between two lines: what was sent has been acknowledged, so leave in good order.
  process.once('SIGINT', () => process.stdin.destroy());
  process.once('SIGTERM', () => process.stdin.destroy());

  let stored = 0;
  try {
    prompt();
    for await (const lines of untilDestroyed(lineBatches(process.stdin))) {
      // An empty message is none.
      const values = lines.filter((line) => line.trim() !== '');
      if (values.length > 0) {
        await writer.write(key, values);
        stored += values.length;
      }
      prompt();
    }
  } catch (error) {
    if (stored > 0) console.error(`Stored before that: ${stored}.`);
    if (error instanceof LineTooLong)
      throw new ToolError(TOOL_EXIT.FAILED, `A line has more than ${MAX_LINE} characters: ended there.`);
    throw error;
  } finally {
    await writer.close();
  }
  console.error(
    `${atTerminal ? '\n' : ''}${stored} ${stored === 1 ? 'message' : 'messages'} stored on ${topic}.`,
  );
  return 0;
}

/** Ends quietly when the stream behind it is destroyed, which is how Ctrl+C ends the reading. */
async function* untilDestroyed<Item>(source: AsyncIterable<Item>): AsyncGenerator<Item> {
  try {
    yield* source;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

await runTool(main);
