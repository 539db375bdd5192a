import { chmodSync, closeSync, existsSync, lstatSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HistoryError, historyError } from './errors.ts';

/** Only the owner. */
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
/** What SQLite keeps beside a database. */
const SUFFIXES = ['', '-wal', '-shm', '-journal'];
/** File systems allow 255 bytes; SQLite's suffixes need some of them. */
const MAX_NAME_BYTES = 200;
const HASH_CHARACTERS = 32;
const EXTENSION = '.db';

/**
 * The name of the file for an account on a server: another one for each pair and each device, and of characters that mean
 * nothing to a file system or a shell.
 * @param device null: the main one. No account has a dot in its name
 */
export function fileName(server: string, account: string, device: string | null = null): string {
  const name = `${encode(device === null ? account : `${account}.${device}`)}@${encode(server)}`;
  if (name.length <= MAX_NAME_BYTES) return `${name}${EXTENSION}`;
  const { createHash } = process.getBuiltinModule('node:crypto');
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_CHARACTERS);
  return `${name.slice(0, MAX_NAME_BYTES - HASH_CHARACTERS)}@${hash}${EXTENSION}`;
}

/** Of upper and lower case file systems may make no difference; hosts and accounts make none either. */
function encode(part: string): string {
  const bytes = Buffer.from(part.toLowerCase());
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    return /[a-z0-9._-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
  }).join('');
}

/**
 * Under which server of a list an account's history lies: the first one that it has a file for, or else the first. So a
 * list keeps the history that one of its servers has, wherever that stands in it, and whichever server is used.
 */
export function serverOf(
  directory: string | null,
  servers: readonly string[],
  account: string,
  device: string | null = null,
): string {
  const found = servers.find(
    (server) => directory !== null && existsSync(join(directory, fileName(server, account, device))),
  );
  return found ?? servers[0] ?? '';
}

/**
 * Makes the directory and an empty file where there are none, and takes from others the rights to a file that is
 * there. Nobody else may write in the directory, so nothing in it can be swapped between the look and the use.
 * Returns the file's path. @throws HistoryError
 */
export function prepareFile(directory: string, name: string): string {
  const path = join(directory, name);
  try {
    prepareDirectory(directory);
  } catch (error) {
    throw historyError(error, directory);
  }
  try {
    create(path);
    for (const suffix of SUFFIXES) keepPrivate(`${path}${suffix}`);
  } catch (error) {
    throw historyError(error, path);
  }
  return path;
}

function prepareDirectory(directory: string): void {
  const made = mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
  const stat = statSync(directory);
  if (!isOurs(stat.uid)) {
    throw new HistoryError(
      `The directory ${directory} for the history belongs to another user. Name another directory.`,
    );
  }
  // Not of a directory that was there before: it may have been opened to others on purpose, or be a home or /tmp.
  if (made !== undefined) chmodSync(directory, DIRECTORY_MODE);
  else if ((stat.mode & 0o022) !== 0 && process.platform !== 'win32') {
    throw new HistoryError(
      `Others may write in the directory ${directory} of the history. Forbid it (chmod go-w), or name another directory.`,
    );
  }
}

/**
 * A file that is there is not opened: closing it again would release the locks that another connection of this process
 * may have on it.
 */
function create(path: string): void {
  try {
    closeSync(openSync(path, 'wx', FILE_MODE));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

function keepPrivate(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isFile() || !isOurs(stat.uid)) {
    const what = stat.isFile() ? 'belongs to another user' : 'is not a plain file';
    throw new HistoryError(`${path} is to hold the history, and ${what}. Move it away.`);
  }
  if ((stat.mode & 0o777) !== FILE_MODE) chmodSync(path, FILE_MODE);
}

function isOurs(uid: number): boolean {
  // Windows has no user ids.
  return process.getuid === undefined || process.getuid() === uid;
}
