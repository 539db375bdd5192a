import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { QUICK_START } from './java.ts';
import { brokerReady } from './ready.ts';
import type { TestBroker } from './test-broker.ts';

const run = promisify(execFile);
const IMAGE = process.env.MILENA_KAFKA_IMAGE || 'apache/kafka:4.3.1';
const SETTINGS = fileURLToPath(new URL('../../kafka/server.properties', import.meta.url));

/** Whether a Docker engine answers and has the image of Kafka, or can pull it now; if not, why. */
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

export interface ContainerBrokerOptions {
  /** Port on this machine; a free one, kept over restarts. */
  readonly port: number;
  /** Further or other settings than those of kafka/server.properties. */
  readonly properties: Readonly<Record<string, string>>;
  /** Heap limit, as in `-Xmx`. */
  readonly heap: string;
}

/** `max.message.bytes` as the image wants it: `KAFKA_MAX_MESSAGE_BYTES`. */
function variable(property: string): string {
  const name = property.replaceAll('_', '__').replaceAll('-', '___').replaceAll('.', '_').toUpperCase();
  return `KAFKA_${name}`;
}

/**
 * A Kafka node in a container, made by testcontainers, whose reaper removes it when the test process is gone. What
 * testcontainers does not offer (kill, start again, pause) is asked of Docker itself.
 */
export class ContainerBroker implements TestBroker {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly brokers: string;
  readonly folder = '';
  readonly #options: ContainerBrokerOptions;
  #id: string | undefined;
  #remove: () => Promise<unknown> = async () => {};

  constructor(options: ContainerBrokerOptions) {
    this.#options = options;
    this.port = options.port;
    this.brokers = `${this.host}:${options.port}`;
  }

  async start(): Promise<void> {
    if (this.#id === undefined) await this.#create();
    else await this.#docker('start');
    try {
      await brokerReady(this.brokers);
    } catch (error) {
      throw new Error(`the container of Kafka does not answer:\n${await this.log()}`, { cause: error });
    }
  }

  async halt(): Promise<void> {
    await this.#docker('stop', '--time', '60');
  }

  async kill(): Promise<void> {
    await this.#docker('kill');
  }

  async freeze(): Promise<void> {
    await this.#docker('pause');
  }

  async thaw(): Promise<void> {
    await this.#docker('unpause');
  }

  async stop(): Promise<void> {
    await this.#remove();
    this.#id = undefined;
  }

  async log(): Promise<string> {
    if (this.#id === undefined) return '';
    const { stdout, stderr } = await run('docker', ['logs', '--tail', '40', this.#id]);
    return stdout + stderr;
  }

  async #docker(command: string, ...options: string[]): Promise<void> {
    if (this.#id === undefined) throw new Error('the container was not started');
    await run('docker', [command, ...options, this.#id], { timeout: 90_000 });
  }

  async #create(): Promise<void> {
    // Loaded only here: it is large, and needless where no engine is.
    const { GenericContainer, Wait } = await import('testcontainers');
    const { port, properties, heap } = this.#options;
    const own = Object.entries(properties).map(([name, value]) => [variable(name), value] as const);
    const container = await new GenericContainer(IMAGE)
      .withExposedPorts({ container: 9092, host: port })
      .withCopyFilesToContainer([
        { source: SETTINGS, target: '/mnt/shared/config/server.properties', mode: 0o644 },
      ])
      .withEnvironment({
        CLUSTER_ID: 'MilenaTestCluster00001',
        KAFKA_NODE_ID: '1',
        KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
        KAFKA_LISTENERS: 'PLAINTEXT://:9092,BROKER://:9094,CONTROLLER://:9093',
        KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://${this.brokers},BROKER://localhost:9094`,
        KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
        KAFKA_INTER_BROKER_LISTENER_NAME: 'BROKER',
        KAFKA_LOG_DIRS: '/var/lib/kafka/data',
        KAFKA_HEAP_OPTS: `-Xmx${heap}`,
        KAFKA_JVM_PERFORMANCE_OPTS: QUICK_START.join(' '),
        ...Object.fromEntries(own),
      })
      // Only until it runs; whether it answers is asked of the broker itself.
      .withWaitStrategy(Wait.forLogMessage(/./))
      .start();
    this.#id = container.getId();
    this.#remove = () => container.stop();
  }
}
