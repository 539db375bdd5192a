import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type ClusterKey, newClusterKey } from '../core/cluster-key.ts';
import { isLoopback } from '../util/networks.ts';
import { shown } from '../util/printable.ts';
import { whyNotRead } from '../util/regular-file.ts';
import type { Config } from './config.ts';
import { ConfigError, settingError } from './setting-table.ts';

const MIN_SECRET_BYTES = 32;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

type KeyConfig = Pick<Config, 'clusterKeys' | 'clusterKeyFile' | 'brokers'>;

/** Keys from the environment, else from the file, which is made where Kafka, and so every frontend, is on this machine. */
export function clusterKeysOf(config: KeyConfig): ClusterKey[] {
  if (config.clusterKeys !== null) return parseClusterKeys(config.clusterKeys, null);
  const onThisMachine = config.brokers.every((broker) =>
    isLoopback(broker.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')),
  );
  return loadClusterKeys(config.clusterKeyFile, onThisMachine);
}

/** The same, where there are some already; null where there are none. @throws ConfigError for keys that cannot be used */
export function existingKeysOf(config: KeyConfig): ClusterKey[] | null {
  return config.clusterKeys === null && !existsSync(config.clusterKeyFile) ? null : clusterKeysOf(config);
}

/**
 * Keys from text: `id:secret` each, the secret in base64 or base64url, split by commas or white space. The first one
 * signs.
 * @param file that they come from; null: they are in MILENA_CLUSTER_KEYS
 * @throws ConfigError
 */
export function parseClusterKeys(text: string, file: string | null): ClusterKey[] {
  const wrong = (why: string) =>
    file === null
      ? settingError('MILENA_CLUSTER_KEYS', text, why)
      : settingError('MILENA_CLUSTER_KEY_FILE', file, why);
  const keys = text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part) => {
      const [id, encoded = '', ...more] = part.split(':');
      // Node passes over what is no base64.
      const secret = Buffer.from(BASE64.test(encoded) ? encoded : '', 'base64url');
      if (!id || !/^[A-Za-z0-9_-]{1,32}$/.test(id) || more.length > 0 || secret.length < MIN_SECRET_BYTES) {
        throw wrong(`each key is id:secret, the secret at least ${MIN_SECRET_BYTES} bytes in base64`);
      }
      return { id, secret };
    });
  if (keys.length === 0) throw wrong('there is no key');
  if (new Set(keys.map(({ id }) => id)).size < keys.length) throw wrong('two keys have the same id');
  return keys;
}

/**
 * The keys in a file that only its owner may read.
 * @param mayCreate whether a missing file is made with a new key: where all frontends are on this machine
 * @throws ConfigError
 */
export function loadClusterKeys(file: string, mayCreate: boolean): ClusterKey[] {
  try {
    return parseClusterKeys(readPrivately(file), file);
  } catch (error) {
    if (!hasCode(error)) throw error;
    // A link that leads nowhere: whoever made it has a place for the key.
    const isMissing = error.code === 'ENOENT' && lstatSync(file, { throwIfNoEntry: false }) === undefined;
    if (!isMissing) throw settingError('MILENA_CLUSTER_KEY_FILE', file, whyNotRead(error));
  }
  if (!mayCreate) {
    throw settingError(
      'MILENA_CLUSTER_KEY_FILE',
      file,
      'there is no such file. All frontends of a Kafka share it, so where that is not on this machine alone it is not made ' +
        'by itself: make the first one by  ./milena keys  and copy it to the others, or give all of them the same ' +
        'MILENA_CLUSTER_KEYS',
    );
  }
  makeKeyFile(file);
  return parseClusterKeys(readPrivately(file), file);
}

/**
 * Writes a new key to a file that only its owner may read: whole or not at all, and never over one that is there, such
 * as another frontend's that came first in this moment.
 * @returns whether it is the new one that is there now
 * @throws ConfigError
 */
export function makeKeyFile(file: string): boolean {
  const key = newClusterKey();
  const draft = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(draft, `${key.id}:${key.secret.toString('base64url')}\n`, { mode: 0o600 });
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (!hasCode(error)) throw error;
    if (error.code !== 'EEXIST')
      throw settingError('MILENA_CLUSTER_KEY_FILE', file, `it cannot be made (${error.code})`);
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readPrivately(file: string): string {
  if ((statSync(file).mode & 0o077) !== 0) {
    throw settingError(
      'MILENA_CLUSTER_KEY_FILE',
      file,
      `others may read this one:  chmod 600 ${shown(file)}`,
    );
  }
  return readFileSync(file, 'utf8');
}

/** Of the file system. */
function hasCode(error: unknown): error is Error & { code: unknown } {
  return error instanceof Error && !(error instanceof ConfigError) && 'code' in error;
}
