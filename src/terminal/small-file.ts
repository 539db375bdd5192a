import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
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
  const mine = `${file}.${process.pid}`;
  try {
    const text = JSON.stringify(Object.fromEntries([...entries].slice(-most)), null, 1);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(mine, `${text}\n`, { mode: 0o600 });
    renameSync(mine, file);
  } catch {
    // Nothing is lost but that.
  }
}
