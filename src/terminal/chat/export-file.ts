import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ClientError } from '../../client/index.ts';
import { exportLines } from '../history/export.ts';
import type { History } from '../history/history.ts';
import type { Peer } from '../history/types.ts';
import { sanitiseLine } from '../sanitise.ts';
import { homeFolder } from '../setting-sources.ts';
import type { Pause } from './long-work.ts';
import { progress } from './words.ts';

/** So many characters are written at once: some hundred messages. */
const WRITE_CHARACTERS = 32_768;
/** Files of one conversation and one day that get a name by themselves. */
const MAX_MADE_UP = 1_000;

/**
 * Writes a conversation to a file that must not exist yet, readable by its owner alone: as JSON lines if its name ends
 * in `.jsonl`, otherwise as text. A name is meant from the current folder; without one it goes to the home folder, under a
 * name that nothing there has yet.
 * @returns the file's whole path, safe for a terminal, and how many messages are in it
 * @throws ClientError `INVALID`; then nothing new is there
 */
export async function exportTo(
  name: string,
  history: History,
  peer: Peer,
  pause: Pause,
): Promise<{ file: string; count: number }> {
  const names =
    name === '' ? madeUpNames(peer) : [resolve(name.replace(/^~(?=\/|$)/, () => homeFolder(process.env)))];
  let problem: ClientError | undefined;
  for (const file of names) {
    try {
      return { file: sanitiseLine(file), count: await write(file, history, peer, pause) };
    } catch (cause) {
      if (cause instanceof ClientError) throw cause;
      problem = new ClientError('INVALID', `${sanitiseLine(file)}: ${reasonOf(cause)}`, { cause });
      if (codeOf(cause) !== 'EEXIST') break;
    }
  }
  throw problem;
}

/** @returns how many messages */
async function write(file: string, history: History, peer: Peer, pause: Pause): Promise<number> {
  const to = openSync(file, 'wx', 0o600);
  const all = history.size(peer);
  let count = 0;
  let gathered = '';
  try {
    const format = file.endsWith('.jsonl') ? 'jsonl' : 'text';
    for (const line of exportLines(history, peer, format, history.account)) {
      gathered += `${line}\n`;
      // Further lines of a text are indented.
      if (!line.startsWith(' ')) count += 1;
      if (gathered.length < WRITE_CHARACTERS) continue;
      // All of it: a disk that is nearly full takes a part, and says nothing.
      writeFileSync(to, gathered);
      gathered = '';
      await pause(() => `writing ${sanitiseLine(file)}: ${progress(count, all)}`);
    }
    writeFileSync(to, gathered);
  } catch (error) {
    // Half a conversation would pass for a whole one.
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(to);
  }
  return count;
}

function* madeUpNames({ name }: Peer): Generator<string> {
  const date = new Date().toISOString().slice(0, 10);
  const whose = name.replace(/[^a-zA-Z0-9_-]+/g, '_').slice(0, 32) || 'external';
  for (let number = 1; number <= MAX_MADE_UP; number += 1) {
    yield join(homeFolder(process.env), `milena-${whose}-${date}${number === 1 ? '' : `-${number}`}.txt`);
  }
}

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code === 'EEXIST') return 'it exists already; /export FILE takes another name.';
  if (code === 'ENOENT') return 'there is no such folder.';
  return `it cannot be written (${code || error}).`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
