/* Every command of the table in docs/commands.md when it fails: what it promises, in words and as JSON. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fail, unless } from '../../client/harness.ts';
import { type Behaviour, TestServer } from '../../client/test-server.ts';
import { CommandHere } from './command-here.ts';
import type { Done } from './running-command.ts';
import { checkShape, failedShape, sentShape, shaped } from './shapes.ts';

const TEXT = readFileSync(new URL('../../../docs/commands.md', import.meta.url), 'utf8');
const TABLE = TEXT.slice(TEXT.indexOf('| command | does |'), TEXT.indexOf('`--timeout SECONDS`'));

/** The commands of the table that take `--json`. */
const WITH_JSON = TABLE.split('\n').flatMap((row) => {
  const name = /`milena (\w+)/.exec(row)?.[1];
  return name !== undefined && row.includes('`--json`') ? [name] : [];
});

/** Arguments with which each of them is a whole command. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  send: ['bob', 'hi'],
  status: ['bob'],
  room: ['join', 'ops'],
  search: ['words'],
  export: ['nobody-wrote-this'],
};
/** Those that speak with no server: what fails is the account's history, or the name. */
const LOCAL = new Set(['search', 'export']);

let server: TestServer;
let folder: string;

beforeEach(async () => {
  server = await TestServer.listen();
  folder = mkdtempSync(join(tmpdir(), 'milena-fails-'));
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

function run(name: string, args: readonly string[], more: Record<string, string> = {}): Promise<Done> {
  const settings = {
    MILENA_SERVER: `127.0.0.1:${server.port}`,
    MILENA_USER: 'alice',
    MILENA_PASSWORD: 'secret',
    MILENA_DATA_DIR: join(folder, 'data'),
    ...more,
  };
  return new CommandHere([name, ...args], settings).done();
}

/** One object about the failure, and nothing else. */
function tellsOnce(name: string, { code, stdout, stderr }: Done): void {
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/^milena: \S/);
  if (name === 'doctor' && stdout.includes('"check"')) {
    expect(shaped(checkShape, stdout).some(({ state }) => state === 'failed')).toBe(true);
  } else if (name === 'send' && code !== 64) {
    const [sent, ...others] = shaped(sentShape, stdout);
    expect(others).toEqual([]);
    expect(stderr).toContain(sent?.reason);
  } else {
    const [failed, ...others] = shaped(failedShape, stdout);
    expect(others).toEqual([]);
    expect(failed?.code).toBe(code);
    expect(stderr).toContain(failed?.reason.split('\n')[0]);
  }
}

test('the table is read', () => {
  expect(WITH_JSON).toEqual([
    'send',
    'listen',
    'retrieve',
    'list',
    'status',
    'room',
    'search',
    'export',
    'doctor',
  ]);
});

describe.each(WITH_JSON)('%s --json', (name) => {
  const args = [...(ARGUMENTS[name] ?? []), '--json'];

  test('with wrong arguments', async () => {
    tellsOnce(name, await run(name, [...args, '--no-such-option']));
  });

  test('with a setting that cannot be used', async () => {
    tellsOnce(name, await run(name, args, { MILENA_SERVER: 'nowhere:at:all' }));
  });

  test.skipIf(LOCAL.has(name))('without a server', async () => {
    await server.close();
    const done = await run(name, args);
    expect(done.code).toBe(69);
    tellsOnce(name, done);
    server = await TestServer.listen();
  });

  test.skipIf(LOCAL.has(name))('with a server whose Kafka is away', async () => {
    const away: Behaviour = (request, peer) =>
      ['hello', 'ping', 'logout'].includes(request.type)
        ? unless('', () => null)(request, peer)
        : fail('UNAVAILABLE');
    server.behave = away;
    const done = await run(name, args);
    expect(done.code).toBe(75);
    tellsOnce(name, done);
  });

  test.runIf(LOCAL.has(name))('without a history', async () => {
    tellsOnce(name, await run(name, [...args, '--no-history']));
  });
});

describe('send that fails says which of the two it is', () => {
  test.each<[string, Behaviour, string[], number, RegExp, 'refused' | 'unsure']>([
    [
      'Kafka is away at the login',
      unless('login', () => fail('UNAVAILABLE')),
      [],
      75,
      /Not sent: that was UNAV/,
      'refused',
    ],
    [
      'the login has no answer',
      unless('login', () => null),
      [],
      75,
      /Not sent: No answer, the time is over\.$/m,
      'refused',
    ],
    [
      'the password is wrong',
      unless('login', () => fail('BAD_CREDENTIALS')),
      [],
      77,
      /Not sent: /,
      'refused',
    ],
    ['it is refused', unless('send', () => fail('BLOCKED')), [], 77, /Not sent: /, 'refused'],
    [
      'Kafka is away at the send',
      unless('send', () => fail('UNAVAILABLE')),
      [],
      75,
      /Not confirmed: /,
      'unsure',
    ],
    ['the send has no answer', unless('send', () => null), [], 75, /Not confirmed: /, 'unsure'],
    [
      'the text is too long',
      unless('', () => null),
      ['x'.repeat(70_000)],
      65,
      /Not sent: .*too long/,
      'refused',
    ],
  ])('when %s', async (_, behave, words, code, text, state) => {
    server.behave = behave;
    const done = await run('send', ['bob', 'hi', ...words, '--json', '--timeout', '1']);
    expect(done).toMatchObject({ code, stderr: expect.stringMatching(text) });
    expect(shaped(sentShape, done.stdout)).toMatchObject([{ to: 'bob', state, kept: state === 'unsure' }]);
    tellsOnce('send', done);
  });

  test('when there is no server: 69, not sent', async () => {
    await server.close();
    const done = await run('send', ['bob', 'hi']);
    expect(done).toMatchObject({
      code: 69,
      stdout: '',
      stderr: expect.stringMatching(/^milena: Not sent: No conn/),
    });
    server = await TestServer.listen();
  });
});

test('create where an invite is needed hints at the whole command, with the server', async () => {
  server.behave = unless('create', () => fail('REGISTRATION_CLOSED'));
  const done = await run('create', ['bob']);
  expect(done).toMatchObject({ code: 77, stderr: expect.stringContaining('--invite INVITE') });
  expect(done.stderr).toContain(`milena create bob --server 127.0.0.1:${server.port} --invite INVITE`);
  // The server may make none at all: one that did not help is not asked for again.
  const invited = await run('create', ['--invite', 'old', 'bob']);
  expect(invited).toMatchObject({ code: 77, stderr: expect.not.stringContaining('--invite') });
});
