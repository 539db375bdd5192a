import { closeSync, openSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { ClientError } from '../errors.ts';
import { exportLines } from '../history/export.ts';
import type { History } from '../history/history.ts';
import type { Peer } from '../history/types.ts';
import { sanitiseLine } from '../sanitise.ts';

/**
 * Writes a conversation to a file that must not exist yet, readable by its owner alone: as JSON lines if its name ends
 * in `.jsonl`, otherwise as text. Without a name it makes one up.
 * @throws ClientError `INVALID`
 */
export function exportTo(name: string, history: History, peer: Peer): { file: string; count: number } {
  const file = resolve(name === '' ? madeUpName(peer) : name.replace(/^~(?=\/|$)/, homedir()));
  let count = 0;
  try {
    const to = openSync(file, 'wx', 0o600);
    try {
      const format = file.endsWith('.jsonl') ? 'jsonl' : 'text';
      for (const line of exportLines(history, peer, format, history.account)) {
        writeSync(to, `${line}\n`);
        // Further lines of a text are indented.
        if (!line.startsWith(' ')) count += 1;
      }
    } finally {
      closeSync(to);
    }
  } catch (cause) {
    throw new ClientError('INVALID', `${sanitiseLine(file)}: ${reasonOf(cause)}`, { cause });
  }
  return { file: sanitiseLine(file), count };
}

function madeUpName({ name }: Peer): string {
  const date = new Date().toISOString().slice(0, 10);
  return `milena-${name.replace(/[^a-zA-Z0-9_-]+/g, '_').slice(0, 32) || 'external'}-${date}.txt`;
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'EEXIST') return 'it exists already; /export FILE takes another name.';
  if (code === 'ENOENT') return 'there is no such folder.';
  return `it cannot be written (${code || error}).`;
}
