/* What the scripts of this folder have started here, as they note it. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Address, isPort, parseAddress, serverText } from '../client/index.ts';
import type { Environment } from './environment.ts';

const DEFAULT_SERVER = '127.0.0.1:8080';

/** Notes that are read; more of them than frontends on one machine. */
const MAX_NOTES = 100;

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface KafkaHere {
  readonly brokers: string;
  readonly kind: string;
  /** Where its frontends have their keys; it need not exist. */
  readonly keyFile: string;
}

/** Where `./start_kafka.sh` started Kafka last, or the brokers of `scripts/cluster.sh`; null if neither did. */
export function kafkaHere(environment: Environment): KafkaHere | null {
  const state = stateFolder(environment);
  const [kind = '', port = ''] = linesOf(join(state, 'kafka', 'kind'))[0]?.split(' ') ?? [];
  if (isPort(port)) return { brokers: `127.0.0.1:${port}`, kind, keyFile: keyFileHere(environment) };
  const ports = linesOf(join(state, 'cluster', 'nodes')).map((line) => line.split(' ')[1] ?? '');
  const brokers = ports.filter(isPort).map((broker) => `127.0.0.1:${broker}`);
  if (brokers.length === 0) return null;
  return { brokers: brokers.join(','), kind: 'cluster', keyFile: join(state, 'cluster', 'cluster.key') };
}

/** Where the frontends of this folder have their keys, as scripts/common.sh has it; it need not exist. */
export function keyFileHere(environment: Environment): string {
  const file = environment.MILENA_CLUSTER_KEY_FILE || join(stateFolder(environment), 'cluster.key');
  return resolve(ROOT, file);
}

/** The settings of this folder, for a check of who may read them; it need not exist. */
export const ENV_FILE = join(ROOT, '.env');

/** The frontends that run: `HOST:PORT`, and their Kafka where it is not the one of this folder. */
export function frontendsHere(environment: Environment): { server: string; brokers: string }[] {
  return running(environment).map(({ address, brokers }) => ({ server: serverText(address), brokers }));
}

/** Whether all frontends that run here, and there are some, keep everything in their own memory. */
export function isInMemoryHere(environment: Environment): boolean {
  const all = running(environment);
  return all.length > 0 && all.every(({ brokers }) => brokers === 'memory');
}

/**
 * The frontend that a client of this folder means if nobody names one: that at the default address, else the one that was
 * started last, as scripts/chosen.sh has it. Those of `scripts/cluster.sh` are asked for by their ports alone.
 */
export function frontendHere(environment: Environment): Address | null {
  const ofCluster = linesOf(join(stateFolder(environment), 'cluster', 'frontends'));
  const found = running(environment)
    .filter(({ address }) => !ofCluster.includes(String(address.port)))
    .sort((a, b) => b.since - a.since);
  const usual = found.find(({ address }) => serverText(address) === DEFAULT_SERVER);
  return (usual ?? found[0])?.address ?? null;
}

interface Running {
  readonly address: Address;
  /** Empty: that of this folder; `memory`: it has none. */
  readonly brokers: string;
  /** Milliseconds. */
  readonly since: number;
}

function running(environment: Environment): Running[] {
  const folder = join(stateFolder(environment), 'run');
  let notes: string[];
  try {
    notes = readdirSync(folder).filter((name) => /^frontend\.\d+$/.test(name));
  } catch {
    return [];
  }
  return notes.slice(0, MAX_NOTES).flatMap((name) => {
    const [marker = '', text = '', brokers = ''] = linesOf(join(folder, name));
    const address = addressOf(text);
    if (address === null || !runs(Number(name.split('.')[1]), marker)) return [];
    return [{ address, brokers, since: modified(join(folder, name)) }];
  });
}

/** As the scripts write it: an IPv6 address may stand without its brackets. */
function addressOf(text: string): Address | null {
  const [, host, port] = /^(.*):(\d+)$/.exec(text) ?? [];
  return parseAddress(text) ?? parseAddress(`[${host}]:${port}`) ?? null;
}

/** Of one that is gone by now: never. */
function modified(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** After a restart of the machine another program may have the number. */
function runs(pid: number, marker: string): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(marker);
  } catch {
    // Other systems have no such file.
    return true;
  }
}

/** Where the scripts of this folder keep everything; it need not exist. */
function stateFolder({ MILENA_STATE_DIR }: Environment): string {
  return resolve(ROOT, MILENA_STATE_DIR || '.milena');
}

/** No lines where there is no such file. */
function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}

/**
 * Notes that this process is a client of the checkout, as scripts/processes.sh reads it: `./stop_everything.sh` ends it
 * then, however it was started. Without a state folder that the scripts have marked nothing is noted. Never throws: a
 * client that cannot be noted runs all the same.
 */
export function noteRun(environment: Environment): void {
  const folder = stateFolder(environment);
  const run = join(folder, 'run');
  const note = join(run, `client.${process.pid}`);
  try {
    if (!existsSync(join(folder, '.milena-data'))) return;
    mkdirSync(run, { recursive: true, mode: 0o700 });
    // What is behind a link is somebody else's.
    if (!lstatSync(run).isDirectory()) return;
    // One that was killed may have had the number.
    rmSync(note, { force: true });
    writeFileSync(note, `${process.argv[1]}\n`, { flag: 'wx', mode: 0o600 });
  } catch {
    return;
  }
  process.on('exit', () => rmSync(note, { force: true }));
}
