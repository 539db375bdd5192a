/** What test_producer.sh runs: one test message on the topic `test`. */
import { runTool, TOOL_EXIT, ToolError } from './exit.ts';
import { toolConfig } from './kafka.ts';
import { prepareTopic } from './topic.ts';
import { openWriter } from './writer.ts';

const TOPIC = 'test';

async function main(): Promise<number> {
  if (process.argv.length > 2) throw new ToolError(TOOL_EXIT.USAGE, 'usage: test_producer.sh (no arguments)');
  const config = toolConfig();
  await prepareTopic(config, TOPIC, { writing: true, script: './spawn_producer.sh' });
  const writer = await openWriter(config, TOPIC);
  try {
    const text = `Test message of ${new Date().toISOString()}`;
    const { partition, offset } = await writer.write(null, [text]);
    console.log(`Kafka has stored "${text}" on topic ${TOPIC}, partition ${partition}, offset ${offset}.`);
    console.log(`See it:  ./spawn_consumer.sh ${TOPIC}`);
  } finally {
    await writer.close();
  }
  return 0;
}

await runTool(main);
