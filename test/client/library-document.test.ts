/* Every example of docs/library.md as a program of its own, against a server: it prints what stands behind its arrows, and ends. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/client/index.ts';
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

test('there is an example for each public call', () => {
  const calls =
    'connect send messages ack retrieve takeover closed create changePassword deleteAccount list status block unblock onEvent state logout close login signal ClientError MemoryMessageStore Client inspectServer undelivered';
  const all = examples.map(({ code }) => code).join('\n');
  expect(calls.split(' ').filter((call) => !new RegExp(`\\b${call}\\b`).test(all))).toEqual([]);
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
    for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(
      /^(?:import|export)[^;]*? from '([^']+)';/gms,
    )) {
      if (from.startsWith('.')) follow(join(dirname(file), from));
      else outside.add(from);
    }
  };
  follow(join(ROOT, 'src/client/index.ts'));
  expect(seen.size).toBeGreaterThan(30);
  const net = 'node:buffer node:crypto node:dns/promises node:net node:timers/promises node:tls';
  expect([...outside].sort()).toEqual(net.split(' '));
});
