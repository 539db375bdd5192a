import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { TEST_KEYS } from '../broker/brokers.ts';
import { eventually, uniqueName } from '../contracts/cluster.ts';
import { RawClient2 } from '../server/raw-client2.ts';
import { built, RunningFrontend } from './running-frontend.ts';
import { ROOT, runScript } from './script.ts';

const run = promisify(execFile);
const PASSWORD = 'correct horse';
// Those of all tests: what is signed with another key in their Kafka keeps other files' frontends from starting.
const KEYS = { MILENA_CLUSTER_KEYS: TEST_KEYS };
/** As people start it: without what tests usually allow themselves. */
const USUAL = { MILENA_NEW_ACCOUNTS_PER_ADDRESS: '', MILENA_NEW_ACCOUNTS: '' };

const folder = mkdtempSync(join(tmpdir(), 'milena-strangers-'));
beforeAll(built);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What strangers may do is the same wherever accounts are kept. */
async function start(settings: Record<string, string>): Promise<RunningFrontend> {
  const frontend = await RunningFrontend.start({ ...KEYS, ...settings }, ['--storage', 'memory']);
  onTestFinished(() => frontend.remove());
  return frontend;
}

async function connect(frontend: RunningFrontend, localAddress = '127.0.0.1'): Promise<RawClient2> {
  const client = await RawClient2.connect({ ...frontend.address, localAddress });
  onTestFinished(() => void client.socket.destroy());
  return client;
}

describe('accounts', () => {
  it('are made sixty at once from one address, and others still make theirs', {
    timeout: 60_000,
  }, async () => {
    const frontend = await start(USUAL);
    const stem = uniqueName('flood');
    const outcomes: string[] = [];
    let next = 0;
    const flood = async () => {
      while (next < 128) {
        const client = await connect(frontend);
        const reply = await client.ask({ type: 'create', username: `${stem}-${next++}` });
        outcomes.push(reply.type === 'failure' ? reply.code : reply.type);
        client.cut();
      }
    };
    await Promise.all(Array.from({ length: 64 }, flood));
    const made = outcomes.filter((outcome) => outcome === 'created').length;
    // One more becomes free in a minute.
    expect(made).toBeGreaterThanOrEqual(60);
    expect(made).toBeLessThanOrEqual(62);
    expect(new Set(outcomes)).toEqual(new Set(['created', 'RATE_LIMITED']));
    await (await connect(frontend, '127.0.0.2')).create(uniqueName('anna'), PASSWORD);
  });

  it('are made by invitation: a script makes the invite, a command uses it, once', {
    timeout: 60_000,
  }, async () => {
    const frontend = await start({ MILENA_REGISTRATION: 'invite' });
    const invited = await runScript('scripts/invite.sh', ['--hours', '1'], { settings: KEYS });
    expect(invited).toMatchObject({ code: 0, stderr: expect.stringContaining('Good for one account until') });
    const invite = invited.stdout.trim();
    const { host, port } = frontend.address;
    const settings = {
      MILENA_SERVER: `${host}:${port}`,
      MILENA_PASSWORD: PASSWORD,
      MILENA_DATA_DIR: join(folder, 'data'),
    };
    const create = (name: string, ...more: string[]) =>
      runScript('milena', ['create', name, ...more], { settings });
    const without = await create(uniqueName('anna'));
    expect(without.code).toBe(77);
    expect(without.stderr).toContain('ask its operator for an invite');
    expect(await create(uniqueName('anna'), '--invite', invite)).toMatchObject({ code: 0 });
    const again = await create(uniqueName('bert'), '--invite', invite);
    expect(again.code).toBe(77);
    expect(again.stderr).toContain('used as often as it may be');
  });

  it.each([
    [['--uses', '0'], /--uses 0: give a whole number from 1 to/],
    [['--hours', 'x'], /--hours x: give a whole number/],
    [['anna'], /usage: /],
  ])('get no invite by %j', async (args, why) => {
    const done = await runScript('scripts/invite.sh', args, { settings: KEYS });
    expect(done).toMatchObject({ code: 64, stdout: '', stderr: expect.stringMatching(why) });
  });
});

describe('the filter for fail2ban', () => {
  it('finds in a real log the address of who guesses, and of nobody else', { timeout: 60_000 }, async () => {
    const frontend = await start({ ...USUAL, MILENA_NEW_ACCOUNTS: '1' });
    const name = uniqueName('anna');
    const anna = await connect(frontend, '127.0.0.11');
    await anna.create(name, PASSWORD);
    const guesser = await connect(frontend, '127.0.0.66');
    const wrong = { type: 'login', username: name, password: 'wrong "audit":"login"' } as const;
    // Those that are looked at without a wait.
    for (let i = 0; i < 15; i++) await guesser.refusal(wrong);
    const again = await connect(frontend, '127.0.0.12');
    expect(await again.refusal({ ...wrong, password: PASSWORD })).toBe('ALREADY_LOGGED_IN');
    await again.login(name, { password: PASSWORD, takeover: true });
    // That the server makes no more accounts is not the fault of who asks for one.
    const honest = await connect(frontend, '127.0.0.13');
    const create = { type: 'create', username: uniqueName('bert'), password: PASSWORD } as const;
    for (let i = 0; i < 3; i++) expect(await honest.refusal(create)).toBe('RATE_LIMITED');
    await eventually(() =>
      expect(frontend.stdout).toMatch(/"audit":"create".*"127\.0\.0\.13".*"RATE_LIMITED"/),
    );
    // Lines of one kind are few a second: whoever goes on has as many as a jail wants.
    let found: string[] = [];
    await eventually(async () => {
      await guesser.refusal(wrong);
      found = (await foundByFail2ban(frontend.stdout)) ?? foundByHand(frontend.stdout);
      expect(found.length).toBeGreaterThanOrEqual(5);
    });
    expect(new Set(found)).toEqual(new Set(['127.0.0.66']));
  });
});

/** What fail2ban itself finds, where it is installed. */
async function foundByFail2ban(log: string): Promise<string[] | null> {
  const file = join(folder, 'frontend.log');
  writeFileSync(file, log);
  const filter = join(ROOT, 'deploy/fail2ban/filter.d/milena.conf');
  const program = process.env.MILENA_TEST_FAIL2BAN_REGEX || 'fail2ban-regex';
  try {
    const { stdout } = await run(program, ['-o', 'ip', file, filter]);
    return stdout.split('\n').filter((line) => line !== '');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** The filter's expressions, line by line, as Python reads them: they are the same in JavaScript but for `<ADDR>`. */
function foundByHand(log: string): string[] {
  const text = readFileSync(join(ROOT, 'deploy/fail2ban/filter.d/milena.conf'), 'utf8');
  const [, block = ''] = /^failregex = (.*?)^ignoreregex/ms.exec(text) ?? [];
  const filters = block
    .trim()
    .split('\n')
    .map((line) => new RegExp(line.trim().replace('<ADDR>', '(?<address>[0-9a-f.:]+)')));
  expect(filters).toHaveLength(2);
  expect(text).toContain('datepattern = "time":{LEPOCH}');
  return log.split('\n').flatMap((line) => {
    const address = filters.map((filter) => filter.exec(line)?.groups?.address).find(Boolean);
    if (address === undefined) return [];
    expect(line).toMatch(/"time":\d{13},/);
    return [address];
  });
}
