/* What the doctor says of a server. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { ServerFrame } from '../../../src/protocol/v2/replies.ts';
import type { Check } from '../../../src/terminal/cli/doctor/check.ts';
import { isKafkaExpected } from '../../../src/terminal/cli/doctor/kafka.ts';
import { checkServers } from '../../../src/terminal/cli/doctor/server.ts';
import { readSettings } from '../../../src/terminal/settings.ts';
import { agreeable, TestServer, WELCOME } from '../../client/test-server.ts';
import { CommandHere } from './command-here.ts';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.listen();
});
afterEach(() => server.close());

async function checksOf(): Promise<Map<string, Check>> {
  const checks = new Map<string, Check>();
  const settings = { MILENA_SERVER: `127.0.0.1:${server.port}` };
  const command = new CommandHere([], settings, async (context) => {
    for await (const check of checkServers(readSettings({}, context.environment), context)) {
      checks.set(check.name, check);
    }
    return 0;
  });
  expect(await command.exited).toBe(0);
  return checks;
}

test.each([
  ['ahead', 100_000],
  ['behind', -100_000],
])('a clock that is %s is told, with its seconds', async (way, offBy) => {
  server.behave = (request, peer) =>
    request.type === 'hello'
      ? ({ ...WELCOME, time: Date.now() + offBy } as ServerFrame)
      : agreeable(request, peer);
  expect((await checksOf()).get('clock')).toMatchObject({
    state: 'hint',
    text: expect.stringMatching(
      new RegExp(`^The server's clock is (?:99|100)\\.\\d s ${way}: times look wrong\\.$`),
    ),
    next: expect.stringContaining('NTP'),
  });
});

test('a clock that is right is told to be', async () => {
  server.behave = (request, peer) =>
    request.type === 'hello' ? ({ ...WELCOME, time: Date.now() } as ServerFrame) : agreeable(request, peer);
  expect((await checksOf()).get('clock')).toMatchObject({ state: 'ok' });
});

test('a login that nobody could try is none that went well', async () => {
  expect((await checksOf()).get('login')).toMatchObject({
    state: 'hint',
    text: 'Not tried.',
    next: expect.stringContaining('--user NAME'),
  });
});

test('no Kafka is looked for where all frontends of this folder keep everything in memory', () => {
  const state = mkdtempSync(join(tmpdir(), 'milena-state-'));
  onTestFinished(() => rmSync(state, { recursive: true }));
  const environment = { MILENA_STATE_DIR: state };
  const settings = readSettings({}, environment);
  // One of this very process, which stands for a frontend.
  const [marker] = readFileSync('/proc/self/cmdline', 'utf8').split('\0');
  const note = (brokers: string) =>
    writeFileSync(join(state, 'run', `frontend.${process.pid}`), `${marker}\n127.0.0.1:8080\n${brokers}\n`);
  mkdirSync(join(state, 'run'));
  expect(isKafkaExpected(settings, environment)).toBe(true);
  note('');
  expect(isKafkaExpected(settings, environment)).toBe(true);
  note('memory');
  expect(isKafkaExpected(settings, environment)).toBe(false);
});
