import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startBroker, startCluster } from '../../test/broker/broker.ts';
import { JvmBroker } from '../../test/broker/jvm-broker.ts';
import { freePort } from '../../test/broker/ports.ts';
import { brokerReady } from '../../test/broker/ready.ts';
import { MANY_ACCOUNTS } from '../bench-run.ts';
import type { Address } from './client.ts';
import { pause } from './clock.ts';
import { pidListeningOn } from './proc.ts';

const HOST = '127.0.0.1';
/** As ./start_frontend.sh has them. */
const NODE_FLAGS = ['--max-semi-space-size=8', '--no-allocation-site-pretenuring', '--expose-gc'];
const START_MS = 60_000;

export interface StageOptions {
  /** An existing Kafka, `host:port` joined by commas; null starts one. */
  readonly kafka: string | null;
  /** Brokers to start. */
  readonly brokers: number;
  /** Limit of their Java heap. */
  readonly heap: string;
  /** Further settings of frontends: environment variables. */
  readonly settings: Readonly<Record<string, string>>;
  /** Further arguments of Node for frontends. */
  readonly nodeFlags: readonly string[];
}

export interface Frontend {
  readonly address: Address;
  readonly pid: number;
  /** Asks it to end in order and waits; kills it after 30 s. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** What is measured: brokers and frontends, each a process of its own. */
export class Stage {
  readonly kafka: string;
  readonly #options: StageOptions;
  readonly #folder: string;
  readonly #brokers: readonly JvmBroker[];
  readonly #frontends = new Set<Frontend>();
  readonly #stopKafka: () => Promise<void>;

  private constructor(
    options: StageOptions,
    kafka: string,
    folder: string,
    brokers: readonly JvmBroker[],
    stopKafka: () => Promise<void>,
  ) {
    this.#options = options;
    this.kafka = kafka;
    this.#folder = folder;
    this.#brokers = brokers;
    this.#stopKafka = stopKafka;
  }

  static async open(options: StageOptions): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'milena-load-'));
    if (options.kafka !== null) {
      for (const address of options.kafka.split(',')) await brokerReady(address, { timeoutMs: 20_000 });
      return new Stage(options, options.kafka, folder, [], async () => {});
    }
    const how = { heap: options.heap, production: true };
    if (options.brokers > 1) {
      const cluster = await startCluster(options.brokers, how);
      return new Stage(options, cluster.brokers, folder, cluster.nodes, () => cluster.stop());
    }
    const broker = await startBroker(how);
    const brokers = broker instanceof JvmBroker ? [broker] : [];
    return new Stage(options, broker.brokers, folder, brokers, () => broker.stop());
  }

  /** Process ids of the brokers, where those run on this machine. */
  get brokerPids(): number[] {
    if (this.#brokers.length > 0) return this.#brokers.map((broker) => broker.pid ?? 0);
    return this.brokerPorts.flatMap((port) => pidListeningOn(port) ?? []);
  }

  /** Whose keys the frontends sign with. */
  get clusterKeyFile(): string {
    return join(this.#folder, 'cluster.key');
  }

  get brokerPorts(): number[] {
    return this.kafka.split(',').map((address) => Number(address.slice(address.lastIndexOf(':') + 1)));
  }

  /** Restarts the broker with what it has stored. @returns false where it is not ours */
  async restartBroker(): Promise<boolean> {
    for (const broker of this.#brokers) {
      await broker.halt();
      await broker.start();
    }
    return this.#brokers.length > 0;
  }

  /** A frontend that listens. @param port of its predecessor; otherwise a free one */
  async startFrontend(
    options: { port?: number; settings?: Readonly<Record<string, string>> } = {},
  ): Promise<Frontend> {
    const port = options.port ?? (await freePort());
    const logFile = join(this.#folder, `frontend-${port}.log`);
    const log = openSync(logFile, 'a');
    const began = readFileSync(logFile).length;
    const child = spawn(
      process.execPath,
      [...NODE_FLAGS, ...this.#options.nodeFlags, 'dist/bin/frontend.js'],
      {
        env: {
          ...process.env,
          NODE_ENV: 'production',
          MALLOC_ARENA_MAX: '1',
          NODE_OPTIONS: '--disable-warning=TimeoutNegativeWarning',
          MILENA_HOST: HOST,
          MILENA_PORT: String(port),
          MILENA_KAFKA_BROKERS: this.kafka,
          MILENA_CLUSTER_KEY_FILE: this.clusterKeyFile,
          ...(this.#options.brokers >= 3 && { MILENA_REPLICATION_FACTOR: '3' }),
          ...MANY_ACCOUNTS,
          ...this.#options.settings,
          ...options.settings,
        },
        stdio: ['ignore', log, log],
      },
    );
    const logged = () => readFileSync(logFile).subarray(began).toString();
    for (const deadline = Date.now() + START_MS; !logged().includes('"listening"'); await pause(20)) {
      if (child.exitCode !== null || Date.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`the frontend did not start:\n${logged().slice(-2_000)}`);
      }
    }
    const frontend = new RunningFrontend(child, { host: HOST, port });
    this.#frontends.add(frontend);
    child.once('exit', () => this.#frontends.delete(frontend));
    return frontend;
  }

  async close(): Promise<void> {
    // A profiler writes down what it found when its process ends in order.
    const inOrder = this.#options.nodeFlags.length > 0;
    await Promise.all([...this.#frontends].map((one) => (inOrder ? one.stop() : one.kill())));
    await this.#stopKafka();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

class RunningFrontend implements Frontend {
  readonly address: Address;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(child: ChildProcess, address: Address) {
    this.address = address;
    this.pid = child.pid ?? 0;
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('exit', () => resolve()));
    // Not to outlive a coordinator that ends in a hurry.
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    void this.#ended.then(() => process.off('exit', kill));
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await Promise.race([this.#ended, pause(30_000)]);
    await this.kill();
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.#ended;
  }
}

/** A certificate for 127.0.0.1 that signs itself, made by openssl; as settings of a frontend. */
export async function makeCertificate(folder: string): Promise<Record<string, string>> {
  const [cert, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
  ]);
  return { MILENA_TLS_CERT: cert, MILENA_TLS_KEY: key };
}
