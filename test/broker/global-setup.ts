import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { startBroker } from './broker.ts';
import type {} from './brokers.ts';
import { dockerUsable, startContainerBroker } from './container-broker.ts';
import { javaCommand } from './jvm-broker.ts';
import { brokerReady } from './ready.ts';

const run = promisify(execFile);

interface RunningBroker {
  readonly brokers: string;
  readonly kind: string;
  stop(): Promise<void>;
}

/**
 * The broker that all tests of one run share, always a real Kafka. In this order: the address in
 * MILENA_TEST_KAFKA_BROKERS; a container, where a Docker engine has or gets the image; a JVM process.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const began = Date.now();
  const broker = await chooseBroker();
  console.log(`Kafka for the tests: ${broker.kind} at ${broker.brokers}, up in ${Date.now() - began} ms`);
  project.provide('brokers', broker.brokers);
  return () => broker.stop();
}

async function chooseBroker(): Promise<RunningBroker> {
  const given = process.env.MILENA_TEST_KAFKA_BROKERS;
  if (given !== undefined && given.trim() !== '') {
    const brokers = given.split(',').map((address) => address.trim());
    for (const address of brokers) await brokerReady(address, { timeoutMs: 20_000 });
    return { brokers: brokers.join(','), kind: 'given by MILENA_TEST_KAFKA_BROKERS', stop: async () => {} };
  }
  const docker = await dockerUsable();
  if (docker.usable) return { ...(await startContainerBroker()), kind: 'a container' };
  if (!(await javaWorks())) {
    throw new Error(
      `The tests need a Kafka broker: ${docker.reason}, and there is no Java. Start Docker, or install ` +
        'Java 17 or later with Maven, or set MILENA_TEST_KAFKA_BROKERS=host:port.',
    );
  }
  const broker = await startBroker({ heap: '768m' });
  return { brokers: broker.brokers, kind: `a JVM process (${docker.reason})`, stop: () => broker.stop() };
}

async function javaWorks(): Promise<boolean> {
  try {
    await run(javaCommand(), ['-version'], { timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}
