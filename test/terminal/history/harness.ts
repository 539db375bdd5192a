import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { History, type HistoryOptions } from '../../../src/terminal/history/history.ts';
import { type Found, parseSearch } from '../../../src/terminal/history/search.ts';
import type { Peer, StoredMessage } from '../../../src/terminal/history/types.ts';
import { afterEachTest } from '../../after-each.ts';

/* Histories in directories that are gone after each test. */

export const BOB: Peer = { kind: 'user', name: 'bob' };
export const CAROL: Peer = { kind: 'user', name: 'carol' };
export const SERVER = '127.0.0.1:8080';

const directories: string[] = [];
const opened: { close(): void }[] = [];
let count = 0;

export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'milena-history-'));
  directories.push(directory);
  return directory;
}

export function open(directory: string | null = newDirectory(), more: Partial<HistoryOptions> = {}): History {
  return closedAfterwards(History.open({ directory, server: SERVER, account: 'maria', ...more }));
}

/** Ends with the test. */
export function closedAfterwards<Closable extends { close(): void }>(closable: Closable): Closable {
  opened.push(closable);
  return closable;
}

/** A message that comes in, with a key of its own. */
export function receive(
  history: History,
  peer: Peer,
  body: string,
  key = `key of its own  ${++count}`,
): StoredMessage {
  const message = history.received({ peer, at: 1_000, body, key });
  if (message === null) throw new Error(`${key} is known`);
  return message;
}

export function send(history: History, to: string, body: string, messageId: string): StoredMessage {
  return history.sent({ messageId, to, at: 2_000, body, fate: { kind: 'on-its-way' } });
}

/** What a search finds that has nothing wrong in it. */
export function found(history: History, entered: string, limit = 10, now = Date.now()): Found<StoredMessage> {
  const search = parseSearch(entered, history.account, now);
  if (typeof search === 'string') throw new Error(search);
  return history.search(search, limit);
}

export function bodies(messages: Iterable<StoredMessage>): string[] {
  return Array.from(messages, ({ body }) => body);
}

afterEachTest(() => {
  for (const closable of opened.splice(0)) closable.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});
