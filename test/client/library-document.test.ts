/* Every example of docs/library.md as a program of its own, against a server: it prints what stands behind its arrows, and ends. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AccountRequests } from '../../src/client/account-requests.ts';
import * as door from '../../src/client/index.ts';
import { connect } from '../../src/client/index.ts';
import { Milena } from '../../src/client/milena.ts';
import { RoomRequests } from '../../src/client/rooms.ts';
import { type Server, startServer } from '../../src/server/index.ts';
import { openMemoryStorage } from '../../src/storage/memory/index.ts';
import { CHEAP, testSettings } from '../server/house.ts';

const ROOT = join(import.meta.dirname, '../..');
const PASSWORD = 'correct horse';
const DOOR = new URL('../../src/client/index.ts', import.meta.url).href;
const text = readFileSync(join(ROOT, 'docs/library.md'), 'utf8');

/** Each with the heading that it stands under. */
const examples = text.split(/^## /m).flatMap((part) => {
  const [heading = ''] = part.split('\n');
  return Array.from(part.matchAll(/^```ts\n(.*?)^```$/gms), ([, code = '']) => ({ heading, code }));
});

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'milena-library-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a program prints by its own words: what stands behind its arrows. */
function promised(code: string): string[] {
  return Array.from(code.matchAll(/\/\/ → (.*)$/gm), ([, line = '']) => line);
}

async function withServer(work: (address: string) => Promise<void>): Promise<void> {
  const storage = openMemoryStorage();
  const limits = { passwordCost: CHEAP, newAccountsPerAddress: 100 };
  const log = pino({ level: 'silent' });
  const server: Server = await startServer(storage, testSettings(), { log, limits });
  const address = `127.0.0.1:${server.address.port}`;
  try {
    for (const user of ['alice', 'bob']) {
      const someone = await connect({ server: address, user, password: PASSWORD, create: true });
      await someone.logout();
    }
    await work(address);
  } finally {
    await server.drain();
    await storage.close();
  }
}

/** What is public and needs no example, with the reason. */
const WITHOUT_EXAMPLE: Readonly<Record<string, string>> = {
  constructor: 'nobody calls it: `connect` does',
  by: 'nobody calls it: `connect` does',
  attempt: 'it is protected',
  told: 'it is protected',
  resend: 'for who keeps the outbox by other means than a store, which does it by itself',
  // Addresses and names as people type them: what a program is given by `connect` is checked there.
  isPort: 'of what people type',
  parseAddress: 'of what people type',
  serverText: 'of what people type',
  isUsername: 'of what people type',
  parseUsername: 'of what people type',
  parseRecipient: 'of what people type',
  parseRoom: 'of what people type',
  isRoom: 'of what people type',
  parsePattern: 'of what people type',
  MAX_BODY_BYTES: 'a limit, of which the error says all',
  MAX_PAGE: 'a limit, of which the error says all',
  MAX_RETRIEVED: 'a limit, of which the error says all',
  MAX_STATUS_NAMES: 'a limit, of which the error says all',
  brief: 'words for who writes a client with a person in front',
  inSeconds: 'words for who writes a client with a person in front',
  noConnection: 'words for who writes a client with a person in front',
  OPEN_OUTCOME: 'words for who writes a client with a person in front',
  retryHint: 'words for who writes a client with a person in front',
  isTime: 'for who shows times of a server whose clock is wrong',
  ServerClock: 'for who shows times of a server whose clock is wrong',
  isLost: 'for who asks another server by themselves, where `connect` does so',
  withSignal: 'for who waits for something of their own beside it',
  hex: 'for who writes a store',
  messageKey: 'for who writes a store',
  raw: 'of topics, which the storage in memory has none of',
  preview: 'of topics, which the storage in memory has none of',
};

/** Options, and what a message can do: no value has their names. */
const OPTIONS = 'rooms ack takeover create onEvent signal deliver store password force';

test('there is an example for each public call', () => {
  const calls = [
    ...[Milena, AccountRequests]
      .flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype))
      .map((name) => ({ name, before: '(\\.|\\{ )' })),
    ...Object.getOwnPropertyNames(RoomRequests.prototype).map((name) => ({ name, before: 'rooms\\.' })),
    ...Object.keys(door).map((name) => ({ name, before: '\\b' })),
    ...OPTIONS.split(' ').map((name) => ({ name, before: '\\b' })),
  ];
  const all = examples.map(({ code }) => code.replaceAll(/\/\/.*$/gm, '')).join('\n');
  const missing = calls.filter(({ name, before }) => !new RegExp(`${before}${name}\\b`).test(all));
  // What is gone, or has an example by now, needs no reason any more.
  expect([...new Set(missing.map(({ name }) => name))].sort()).toEqual(Object.keys(WITHOUT_EXAMPLE).sort());
  expect(examples.length).toBeGreaterThan(14);
});

describe.each(examples)('$heading', ({ code }) => {
  test('prints what it says, and ends', { timeout: 60_000 }, async () => {
    await withServer(async (address) => {
      const [, port = ''] = address.split(':');
      const file = join(folder, 'example.ts');
      const source = code
        .replaceAll("'milena'", `'${DOOR}'`)
        .replaceAll('localhost:8080', address)
        .replaceAll("host: 'localhost', port: 8080", `host: '127.0.0.1', port: ${port}`);
      writeFileSync(file, source);
      const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 50_000 });
      // What a listener prints has no place of its own.
      const printed = stdout.split('\n').filter((line) => line !== '');
      expect(printed.toSorted()).toEqual(promised(code).toSorted());
    });
  });
});

test('the library needs no package, opens no file and no database', () => {
  const seen = new Set<string>();
  const outside = new Set<string>();
  const follow = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const source = readFileSync(file, 'utf8');
    for (const [, from = ''] of source.matchAll(/^(?:import|export)[^;]*? from '([^']+)';/gms)) {
      if (from.startsWith('.')) follow(join(dirname(file), from));
      else outside.add(from);
    }
    for (const [, module = ''] of source.matchAll(/getBuiltinModule\('([^']+)'\)/g)) outside.add(module);
  };
  follow(join(ROOT, 'src/client/index.ts'));
  expect(seen.size).toBeGreaterThan(30);
  const net = 'node:buffer node:crypto node:dns/promises node:net node:timers/promises node:tls';
  expect([...outside].sort()).toEqual(net.split(' '));
});
