import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from '../config.ts';
import { type ClusterKey, newClusterKey } from './signature.ts';

const MIN_SECRET_BYTES = 32;

/**
 * Keys from text: `id:secret` each, the secret in base64 or base64url, split by commas or white space. The first one
 * signs.
 * @param source for the error message: the variable or file
 * @throws ConfigError
 */
export function parseClusterKeys(text: string, source: string): ClusterKey[] {
  const keys = text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part) => {
      const [id, encoded, ...more] = part.split(':');
      const secret = Buffer.from(encoded ?? '', 'base64url');
      if (!id || !/^[A-Za-z0-9_-]{1,32}$/.test(id) || more.length > 0 || secret.length < MIN_SECRET_BYTES) {
        throw new ConfigError(
          `${source}: each key is id:secret, the secret at least ${MIN_SECRET_BYTES} bytes in base64. ` +
            './milena keys makes one.',
        );
      }
      return { id, secret };
    });
  if (keys.length === 0) throw new ConfigError(`${source} holds no key.`);
  if (new Set(keys.map(({ id }) => id)).size < keys.length)
    throw new ConfigError(`${source}: two keys have the same id.`);
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
    if (error.code !== 'ENOENT') throw new ConfigError(`${file} cannot be read: ${error.message}`);
  }
  if (!mayCreate) {
    throw new ConfigError(
      `Frontends sign messages with a key that all of them share, and Kafka is not on this machine only. For the first ` +
        `frontend make one:  ./milena keys. The others need the same: copy its file to theirs ` +
        `(MILENA_CLUSTER_KEY_FILE=${file}), or give all of them the same MILENA_CLUSTER_KEYS.`,
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
    if (error.code !== 'EEXIST') throw new ConfigError(`${file} cannot be made: ${error.message}`);
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readPrivately(file: string): string {
  if ((statSync(file).mode & 0o077) !== 0) {
    throw new ConfigError(`${file} holds a secret and others may read it: chmod 600 ${file}`);
  }
  return readFileSync(file, 'utf8');
}

/** Of the file system. */
function hasCode(error: unknown): error is Error & { code: unknown } {
  return error instanceof Error && !(error instanceof ConfigError) && 'code' in error;
}
