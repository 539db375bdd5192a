import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { javaCommand, kafkaClassPath, quickStart } from './java.ts';
import { brokerReady } from './ready.ts';
import type { TestBroker } from './test-broker.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const CLUSTER_ID = 'MilenaTestCluster00001';

/** A broker with nothing to do does nothing: twice a second it else writes down that nothing has happened. */
const QUIET = { 'metadata.max.idle.interval.ms': '0' };

export interface JvmBrokerOptions {
  readonly nodeId: number;
  readonly port: number;
  readonly controllerPort: number;
  /** `controller.quorum.voters` of the cluster: `id@host:port` of every node, joined by commas. */
  readonly voters: string;
  /** Brokers in the cluster: the first `start` waits until this one knows them all, later ones until it takes part. */
  readonly nodes: number;
  /** Further or other settings than those of kafka/server.properties. */
  readonly properties: Readonly<Record<string, string>>;
  /** Heap limit, as in `-Xmx`. */
  readonly heap: string;
  /** One more listener for clients, `NAME://host:port`; what it demands is in the properties. */
  readonly listener?: string;
  /** Where it says that this one is reached, if that is elsewhere. */
  readonly advertised?: string;
  /** Run as in production: with the compiler that starts slowly and makes fast code. */
  readonly production?: boolean;
  /** Another version of Kafka than that of kafka/pom.xml. */
  readonly version?: string;
  /** Remembers which classes it loads: see `archiveClasses`. */
  readonly archives?: boolean;
}

interface Running {
  readonly guard: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<void>;
  hasExited: boolean;
}

/** A Kafka node as a JVM process on 127.0.0.1 with a data folder of its own. It dies with the process that made it. */
export class JvmBroker implements TestBroker {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly brokers: string;
  readonly #options: JvmBrokerOptions;
  readonly folder: string;
  readonly #removeFolder: () => void;
  #formatted = false;
  #running: Running | undefined;

  constructor(options: JvmBrokerOptions) {
    this.#options = options;
    this.port = options.port;
    this.brokers = `${this.host}:${options.port}`;
    this.folder = mkdtempSync(join(tmpdir(), 'milena-broker-'));
    this.#removeFolder = () => rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
    process.once('exit', this.#removeFolder);
    this.#writeSettings();
  }

  /** Process id of the JVM, or undefined while it does not run. */
  get pid(): number | undefined {
    return this.#running?.hasExited === false ? this.#running.pid : undefined;
  }

  async log(): Promise<string> {
    return ['console.log', 'kafka.log']
      .map((name) => {
        try {
          return readFileSync(join(this.folder, name), 'utf8');
        } catch {
          return '';
        }
      })
      .join('');
  }

  async start(): Promise<void> {
    if (this.pid !== undefined) return;
    const classPath = await kafkaClassPath(this.#options.version);
    // Later others may be down.
    const nodes = this.#formatted ? 1 : this.#options.nodes;
    if (!this.#formatted) {
      await this.#format(classPath);
      this.#formatted = true;
    }
    const running = await this.#spawn(classPath);
    this.#running = running;
    try {
      const gaveUp = (): string | undefined => (running.hasExited ? 'it ended while starting' : undefined);
      await brokerReady(this.brokers, { nodes, self: true, gaveUp });
    } catch (error) {
      const lines = (await this.log()).split('\n').slice(-25);
      throw new Error(`the broker does not answer:\n${lines.join('\n')}`, { cause: error });
    }
  }

  async halt(): Promise<void> {
    await this.#end('TERM');
  }

  async kill(): Promise<void> {
    await this.#end('KILL');
  }

  async freeze(): Promise<void> {
    // Not by the guard: when this returns it is done.
    if (this.pid !== undefined) process.kill(this.pid, 'SIGSTOP');
  }

  async thaw(): Promise<void> {
    if (this.pid !== undefined) process.kill(this.pid, 'SIGCONT');
  }

  async stop(): Promise<void> {
    await this.#end('KILL');
    process.removeListener('exit', this.#removeFolder);
    this.#removeFolder();
  }

  async #end(signal: 'TERM' | 'KILL'): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    if (!running.hasExited) running.guard.stdin?.write(`${signal}\n`);
    await running.exited;
    this.#running = undefined;
  }

  #writeSettings(): void {
    const {
      nodeId,
      port,
      controllerPort,
      voters,
      properties,
      listener,
      advertised = listener,
    } = this.#options;
    const more = listener === undefined ? '' : `,${listener}`;
    const told = advertised === undefined ? '' : `,${advertised}`;
    const file = join(this.folder, 'server.properties');
    const own: Record<string, string> = {
      'node.id': String(nodeId),
      'controller.quorum.voters': voters,
      listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}${more}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}${told}`,
      'log.dirs': join(this.folder, 'data'),
      ...QUIET,
      ...properties,
    };
    // Of a name that is there twice Java's Properties take the later one.
    writeFileSync(file, readFileSync(join(root, 'kafka/server.properties')));
    appendFileSync(
      file,
      `\n${Object.entries(own)
        .map(([name, value]) => `${name}=${value}\n`)
        .join('')}`,
    );
  }

  /** As the first broker of the run was, where that is known: half of the work of a start is another JVM for that. */
  async #format(classPath: string): Promise<void> {
    const model = this.#options.version === undefined ? process.env.MILENA_TEST_BROKER_MODEL : undefined;
    if (model !== undefined) {
      const data = join(this.folder, 'data');
      mkdirSync(data);
      copyFileSync(join(model, 'bootstrap.checkpoint'), join(data, 'bootstrap.checkpoint'));
      const meta = {
        'node.id': this.#options.nodeId,
        'directory.id': randomBytes(16).toString('base64url'),
        version: 1,
        'cluster.id': CLUSTER_ID,
      };
      const lines = Object.entries(meta).map(([name, value]) => `${name}=${value}\n`);
      writeFileSync(join(data, 'meta.properties'), lines.join(''));
      return;
    }
    const settings = join(this.folder, 'server.properties');
    const storageTool = [
      'kafka.tools.StorageTool',
      'format',
      '--cluster-id',
      CLUSTER_ID,
      '--config',
      settings,
    ];
    await promisify(execFile)(javaCommand(), [
      '-Xmx128m',
      ...quickStart(),
      ...this.#logging(),
      '-cp',
      classPath,
      ...storageTool,
    ]);
  }

  #logging(): string[] {
    return [
      `-Dlog4j2.configurationFile=${join(root, 'kafka/log4j2.properties')}`,
      `-Dmilena.kafka.log=${join(this.folder, 'kafka.log')}`,
    ];
  }

  async #spawn(classPath: string): Promise<Running> {
    const java = [
      javaCommand(),
      `@${join(root, 'kafka/jvm.options')}`,
      `-Xmx${this.#options.heap}`,
      ...(this.#options.production === true ? [] : quickStart()),
      ...(this.#options.archives === true ? ['-XX:+RecordDynamicDumpInfo'] : []),
      ...this.#logging(),
      '-cp',
      classPath,
      'kafka.Kafka',
      join(this.folder, 'server.properties'),
    ];
    // A session of its own: Ctrl+C at the test run's terminal must reach the broker only through the guard.
    const guard = spawn(join(root, 'test/broker/guard.sh'), [this.folder, ...java], {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    });
    guard.stdin.on('error', () => {}); // the guard may end while a signal name is under way to it
    const exited = new Promise<void>((resolve) => guard.once('exit', () => resolve()));
    const lines = createInterface({ input: guard.stdout });
    const pid = await new Promise<number>((resolve, reject) => {
      lines.once('line', (line) => resolve(Number(line.replace('pid ', ''))));
      guard.once('error', reject);
      guard.once('exit', () => reject(new Error('the guard of the broker ended at once')));
    });
    const running: Running = { guard, pid, exited, hasExited: false };
    void exited.then(() => {
      running.hasExited = true;
    });
    return running;
  }
}
