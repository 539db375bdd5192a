import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { javaCommand, kafkaClassPath, quickStart } from './java.ts';

/** Kafka's own command line tools, by the names of their scripts. */
const TOOLS = {
  topics: 'org.apache.kafka.tools.TopicCommand',
  configs: 'kafka.admin.ConfigCommand',
  'consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'reassign-partitions': 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  'console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'console-share-consumer': 'org.apache.kafka.tools.consumer.ConsoleShareConsumer',
} as const;

/**
 * Runs one of them, as an operator does.
 * @returns what it printed, errors included
 * @throws Error where it failed
 */
export async function kafkaTool(
  brokers: string,
  tool: keyof typeof TOOLS,
  args: readonly string[],
): Promise<string> {
  const java = ['-Xmx128m', ...quickStart(), '-Dlog4j2.level=ERROR', '-cp', await kafkaClassPath()];
  const { stdout, stderr } = await promisify(execFile)(javaCommand(), [
    ...java,
    ...[TOOLS[tool], '--bootstrap-server', brokers],
    ...args,
  ]);
  return stdout + stderr;
}
