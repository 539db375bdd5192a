import { join } from 'node:path';
import { isUsername } from '../../client/index.ts';
import { readEntries, writeEntries } from '../small-file.ts';

const FILE = 'accounts.json';
/** Servers whose account is remembered; with one more the oldest goes. */
const MAX_SERVERS = 200;

/** The account that the chat was logged in to last on one of these servers; null if nobody knows. */
export function lastAccount(directory: string, servers: readonly string[]): string | null {
  const accounts = readEntries(join(directory, FILE), isAccount);
  const server = servers.find((name) => accounts.has(name.toLowerCase()));
  return server === undefined ? null : (accounts.get(server.toLowerCase()) ?? null);
}

/** Somebody is logged in: a name that was only typed is nobody's. */
export function rememberAccount(directory: string, servers: readonly string[], account: string): void {
  const file = join(directory, FILE);
  const accounts = new Map(readEntries(file, isAccount));
  const names = servers.map((server) => server.toLowerCase());
  if (names.every((server) => accounts.get(server) === account)) return;
  for (const server of names) {
    accounts.delete(server);
    accounts.set(server, account);
  }
  writeEntries(file, accounts, MAX_SERVERS);
}

function isAccount(value: unknown): value is string {
  return typeof value === 'string' && isUsername(value);
}
