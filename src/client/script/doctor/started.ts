/* What the scripts of this folder have started here, as they note it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isPort, parseAddress, serverText } from '../../address.ts';
import type { Environment } from '../../settings.ts';

/** Notes that are read; more of them than frontends on one machine. */
const MAX_NOTES = 100;

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Where `./start_kafka.sh` started Kafka last, or the brokers of `scripts/cluster.sh`; null if neither did. */
export function kafkaHere(
  environment: Environment,
): { readonly brokers: string; readonly kind: string } | null {
  const state = stateFolder(environment);
  const [kind = '', port = ''] = linesOf(join(state, 'kafka', 'kind'))[0]?.split(' ') ?? [];
  if (isPort(port)) return { brokers: `127.0.0.1:${port}`, kind };
  const ports = linesOf(join(state, 'cluster', 'nodes')).map((line) => line.split(' ')[1] ?? '');
  const brokers = ports.filter(isPort).map((broker) => `127.0.0.1:${broker}`);
  return brokers.length === 0 ? null : { brokers: brokers.join(','), kind: 'cluster' };
}

/** The frontends that run, `HOST:PORT` each. */
export function frontendsHere(environment: Environment): string[] {
  const folder = join(stateFolder(environment), 'run');
  let notes: string[];
  try {
    notes = readdirSync(folder).filter((name) => /^frontend\.\d+$/.test(name));
  } catch {
    return [];
  }
  return notes.slice(0, MAX_NOTES).flatMap((name) => {
    const [marker = '', text = ''] = linesOf(join(folder, name));
    const address = addressOf(text);
    return address !== null && runs(Number(name.split('.')[1]), marker) ? [address] : [];
  });
}

/** As the scripts write it: an IPv6 address may stand without its brackets. */
function addressOf(text: string): string | null {
  const [, host, port] = /^(.*):(\d+)$/.exec(text) ?? [];
  const address = parseAddress(text) ?? parseAddress(`[${host}]:${port}`);
  return address === undefined ? null : serverText(address);
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

function stateFolder({ MILENA_STATE_DIR }: Environment): string {
  return resolve(MILENA_STATE_DIR || join(ROOT, '.milena'));
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
