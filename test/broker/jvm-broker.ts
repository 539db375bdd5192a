import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brokerReady } from './ready.ts';
import type { TestBroker } from './test-broker.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const CLUSTER_ID = 'MilenaTestCluster00001';
// Code compiled once by the quick compiler starts sooner and takes less of the tests' two cores.
export const QUICK_START = ['-XX:TieredStopAtLevel=1', '-Xshare:auto'];

/** Where Java is: `JAVA_HOME`, else the PATH. */
export function javaCommand(): string {
  const home = process.env.JAVA_HOME;
  return home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
}

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
  /** Its settings, data and logs. */
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
    this.#signal('STOP');
  }

  async thaw(): Promise<void> {
    this.#signal('CONT');
  }

  async stop(): Promise<void> {
    await this.#end('KILL');
    process.removeListener('exit', this.#removeFolder);
    this.#removeFolder();
  }

  #signal(name: string): void {
    if (this.pid !== undefined) this.#running?.guard.stdin?.write(`${name}\n`);
  }

  async #end(signal: 'TERM' | 'KILL'): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#signal(signal);
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

  async #format(classPath: string): Promise<void> {
    const settings = join(this.folder, 'server.properties');
    const storageTool = [
      'kafka.tools.StorageTool',
      'format',
      '--cluster-id',
      CLUSTER_ID,
      '--config',
      settings,
    ];
    await run(javaCommand(), [
      '-Xmx128m',
      ...QUICK_START,
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
      ...(this.#options.production === true ? [] : QUICK_START),
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

/** Class path of Kafka's jars; Maven is asked only the first time. @param version another than that of kafka/pom.xml */
export async function kafkaClassPath(version?: string): Promise<string> {
  const args = version === undefined ? [] : [...(mayFetch ? [] : ['--offline']), version];
  const { stdout } = await run(join(root, 'scripts/kafka-classpath.sh'), args, { maxBuffer: 1 << 22 });
  return stdout.trim();
}

/** Some 45 MB for each version: only when somebody wants that. */
const mayFetch = process.env.MILENA_TEST_KAFKA_VERSIONS === 'fetch';

/** Whether tests can run that version of Kafka. */
export async function hasVersion(version: string): Promise<boolean> {
  return (
    (await javaUsable()) &&
    kafkaClassPath(version).then(
      () => true,
      () => false,
    )
  );
}

let usable: Promise<boolean> | undefined;

/** Whether there is Java and, by Maven now or earlier, Kafka's jars. */
export function javaUsable(): Promise<boolean> {
  usable ??= run(javaCommand(), ['-version'], { timeout: 20_000 })
    .then(() => kafkaClassPath())
    .then(
      () => true,
      () => false,
    );
  return usable;
}
