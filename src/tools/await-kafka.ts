/**
 * Waits until a broker answers in Kafka's own protocol, which an open port does not promise.
 *   node await-kafka.js HOST:PORT [SECONDS [PID]]
 * Gives up, with exit code 69, when the seconds are over or the process PID is gone.
 */
import { setTimeout as wait } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { runTool, TOOL_EXIT, ToolError } from './exit.ts';

function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function answers(address: string): Promise<boolean> {
  const kafka = new kafkajs.Kafka({
    brokers: [address],
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 2_000,
    requestTimeout: 5_000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    // A broker that is starting answers too, but does not know itself as part of the cluster yet.
    return (await admin.describeCluster()).brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

async function main(): Promise<number> {
  const [address, seconds = '60', pid] = process.argv.slice(2);
  if (address === undefined)
    throw new ToolError(TOOL_EXIT.USAGE, 'usage: await-kafka HOST:PORT [SECONDS [PID]]');
  const deadline = performance.now() + Number(seconds) * 1000;
  while (!(await answers(address))) {
    if (performance.now() > deadline)
      throw new ToolError(TOOL_EXIT.UNAVAILABLE, `No Kafka answers at ${address} after ${seconds} s.`);
    if (pid !== undefined && !processLives(Number(pid)))
      throw new ToolError(TOOL_EXIT.UNAVAILABLE, `Kafka (process ${pid}) ended.`);
    await wait(100);
  }
  return 0;
}

await runTool(main);
