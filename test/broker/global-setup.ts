import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { POOL } from './borrow.ts';
import { startBroker, startContainerBroker } from './broker.ts';
import type {} from './brokers.ts';
import { dockerUsable } from './container-broker.ts';
import { archiveClasses, classArchive, javaUsable, kafkaClassPath } from './java.ts';
import { JvmBroker } from './jvm-broker.ts';
import { BrokerPool } from './pool.ts';
import { brokerReady, coordinatorsReady } from './ready.ts';
import type { TestBroker } from './test-broker.ts';

/** For the projects of one run: the process that started the broker, and where that is. */
const STARTED = 'MILENA_TEST_BROKERS_STARTED';

interface RunningBroker {
  readonly brokers: string;
  readonly kind: string;
  stop(): Promise<void>;
}

/**
 * The broker that all tests of one run share, whichever project needs it first, always a real Kafka. In this order: the
 * address in MILENA_TEST_KAFKA_BROKERS; a container, where a Docker engine has or gets the image; a JVM process.
 * MILENA_KAFKA=docker or jvm allows only one.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [owner, started] = process.env[STARTED]?.split(' ') ?? [];
  if (started !== undefined && owner === String(process.pid)) {
    project.provide('brokers', started);
    return async () => {};
  }
  const began = Date.now();
  await knowJava();
  const broker = await chooseBroker();
  await coordinatorsReady(broker.brokers.split(','));
  const pool = new BrokerPool();
  process.env[POOL] = await pool.listen();
  console.log(`Kafka for the tests: ${broker.kind} at ${broker.brokers}, up in ${Date.now() - began} ms`);
  process.env[STARTED] = `${process.pid} ${broker.brokers}`;
  project.provide('brokers', broker.brokers);
  return async () => {
    await Promise.all([pool.close(), broker.stop()]);
  };
}

/** What every worker would else find out by itself, and keep by its environment. */
async function knowJava(): Promise<void> {
  if (process.env.MILENA_KAFKA === 'docker' || !(await javaUsable())) return;
  process.env.MILENA_TEST_CLASS_PATH = await kafkaClassPath();
  process.env.MILENA_TEST_ARCHIVE = await classArchive();
}

/** A broker whose data folder, as it was when new, and whose classes those of single tests begin with. */
async function startModel(): Promise<TestBroker> {
  const archive = process.env.MILENA_TEST_ARCHIVE ?? '';
  const archives = !existsSync(archive);
  const broker = await startBroker({ heap: '768m', archives });
  if (!(broker instanceof JvmBroker)) return broker;
  process.env.MILENA_TEST_BROKER_MODEL = join(broker.folder, 'data');
  if (archives && broker.pid !== undefined) await archiveClasses(broker.pid, archive);
  return broker;
}

async function chooseBroker(): Promise<RunningBroker> {
  const given = process.env.MILENA_TEST_KAFKA_BROKERS;
  if (given !== undefined && given.trim() !== '') {
    const brokers = given.split(',').map((address) => address.trim());
    for (const address of brokers) await brokerReady(address, { timeoutMs: 20_000 });
    return { brokers: brokers.join(','), kind: 'given by MILENA_TEST_KAFKA_BROKERS', stop: async () => {} };
  }
  const forced = process.env.MILENA_KAFKA ?? '';
  const docker =
    forced === 'jvm' ? ({ usable: false, reason: 'MILENA_KAFKA=jvm' } as const) : await dockerUsable();
  if (docker.usable) return running(await startContainerBroker({ heap: '768m' }), 'a container');
  if (forced === 'docker') throw new Error(`MILENA_KAFKA=docker, but ${docker.reason}.`);
  if (!(await javaUsable())) {
    throw new Error(
      `The tests need a Kafka broker: ${docker.reason}, and Java with Maven is not there either. Start Docker, ` +
        'or install Java 17 or later with Maven, or set MILENA_TEST_KAFKA_BROKERS=host:port.',
    );
  }
  return running(await startModel(), `a JVM process (${docker.reason})`);
}

function running(broker: TestBroker, kind: string): RunningBroker {
  return { brokers: broker.brokers, kind, stop: () => broker.stop() };
}
