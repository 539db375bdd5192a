import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { StartedTestContainer } from 'testcontainers';
import { brokerReady } from './ready.ts';

const run = promisify(execFile);
const IMAGE = process.env.MILENA_KAFKA_IMAGE || 'apache/kafka:4.3.1';
const SETTINGS = fileURLToPath(new URL('../../kafka/server.properties', import.meta.url));

/**
 * Whether a Docker engine answers and has the image of Kafka, or can pull it now. The answer in words when not.
 */
export async function dockerUsable(): Promise<{ usable: true } | { usable: false; reason: string }> {
  try {
    await run('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 10_000 });
  } catch {
    return { usable: false, reason: 'no Docker engine answers' };
  }
  try {
    await run('docker', ['image', 'inspect', IMAGE], { timeout: 10_000, maxBuffer: 1 << 22 });
    return { usable: true };
  } catch {
    // not here yet
  }
  try {
    await run('docker', ['pull', '--quiet', IMAGE], { timeout: 180_000 });
    return { usable: true };
  } catch {
    return { usable: false, reason: `Docker cannot pull ${IMAGE}` };
  }
}

/** The broker of a test run in a container, with the settings of kafka/server.properties. */
export async function startContainerBroker(): Promise<{ brokers: string; stop(): Promise<void> }> {
  // Loaded only here: it is large, and needless where no engine is.
  const { GenericContainer, Wait } = await import('testcontainers');
  // The advertised address has the mapped port, which is known only once the container runs: it starts, waits for a
  // file with the address, then runs the image's own entry point.
  const untilAddressed =
    'echo waiting; until [ -f /tmp/address ]; do sleep 0.1; done; . /tmp/address; exec /etc/kafka/docker/run';
  const container: StartedTestContainer = await new GenericContainer(IMAGE)
    .withExposedPorts(9092)
    .withCopyFilesToContainer([
      { source: SETTINGS, target: '/mnt/shared/config/server.properties', mode: 0o644 },
    ])
    .withEnvironment({
      CLUSTER_ID: 'MilenaTestCluster00001',
      KAFKA_NODE_ID: '1',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,BROKER://:9094,CONTROLLER://:9093',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_INTER_BROKER_LISTENER_NAME: 'BROKER',
      KAFKA_LOG_DIRS: '/var/lib/kafka/data',
      KAFKA_HEAP_OPTS: '-Xmx512m',
      KAFKA_LOG4J_ROOT_LOGLEVEL: 'WARN',
    })
    .withCommand(['sh', '-c', untilAddressed])
    .withWaitStrategy(Wait.forLogMessage('waiting'))
    .start();
  const brokers = `${container.getHost()}:${container.getMappedPort(9092)}`;
  try {
    const address = `export KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://${brokers},BROKER://localhost:9094\n`;
    await container.copyContentToContainer([{ content: address, target: '/tmp/address' }]);
    await brokerReady(brokers);
  } catch (error) {
    await container.stop();
    throw error;
  }
  return {
    brokers,
    stop: async () => {
      await container.stop();
    },
  };
}
