import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readRegularFile } from '../util/regular-file.ts';

/** A file that is larger is not ours. */
const MAX_BYTES = 256 * 1024;

/** What a small JSON file has by its keys, those of another shape left out; nothing where it cannot be read. */
export function readEntries<Value>(
  file: string,
  isValue: (value: unknown) => value is Value,
): ReadonlyMap<string, Value> {
  const entries = new Map<string, Value>();
  try {
    const content: unknown = JSON.parse(readRegularFile(file, MAX_BYTES));
    for (const [key, value] of Object.entries(content ?? {})) if (isValue(value)) entries.set(key, value);
  } catch {
    // As good as none: it only spares time, or a question.
  }
  return entries;
}

/**
 * Writes the newest `most` of the entries, as a whole or not at all: other processes read it. No failure counts, and the
 * next process does without.
 */
export function writeEntries(file: string, entries: ReadonlyMap<string, unknown>, most: number): void {
  try {
    const text = JSON.stringify(Object.fromEntries([...entries].slice(-most)), null, 1);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    putInPlace(file, `${text}\n`);
  } catch {
    // Nothing is lost but that.
  }
}

/**
 * Puts a file there as a whole or not at all, since other programs read it; for its owner alone. What lies there under the name
 * of what is being written, such as a link of somebody else's, is not touched. @throws what the file system throws
 */
export function putInPlace(file: string, text: string): void {
  // Also in a container, where each process has the same number.
  const mine = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    writeFileSync(mine, text, { mode: 0o600, flag: 'wx' });
    renameSync(mine, file);
  } catch (error) {
    try {
      rmSync(mine, { force: true });
    } catch {
      // Why it is not there says enough.
    }
    throw error;
  }
}
