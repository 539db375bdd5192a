/** A client that knows two servers, real ones on one Kafka, of which one dies, freezes or is drained: it goes on at the other. */
import { readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import { FULL, inFull, inFullSize, share } from '../size.ts';
import { CommandHere } from '../terminal/cli/command-here.ts';
import { type Done, RunningCommand } from '../terminal/cli/running-command.ts';
import { messageShape, sentShape, shaped } from '../terminal/cli/shapes.ts';
import {
  answerPassword,
  closeClients,
  create,
  makeAccount,
  openClient,
  ownFolder,
  PASSWORD,
  person,
  removeFolders,
  startFrontend,
} from './client-terminal.ts';
import { built, type RunningFrontend } from './running-frontend.ts';
import { ROOT } from './script.ts';
import type { TestTerminal } from './terminal.ts';

let south: RunningFrontend;
/** The one that something happens to: another one where it has ended. */
let north: RunningFrontend;

beforeAll(async () => {
  await built();
  south = await startFrontend();
});
beforeEach(async () => {
  if (north?.isOver !== false) north = await startFrontend();
});
afterEach(() => {
  closeClients();
  north?.child.kill('SIGCONT');
});
afterAll(async () => {
  await Promise.all([south?.remove(), north?.remove()]);
  removeFolders();
});

function at({ address }: RunningFrontend): string {
  return `127.0.0.1:${address.port}`;
}

const ENDS = [
  ['is killed', 'SIGKILL'],
  ['is drained', 'SIGTERM'],
] as const;

const both = () => `${at(north)},${at(south)}`;

interface More {
  readonly server?: string;
  readonly data?: string;
}

function settings(user: string, { server = both(), data = ownFolder() }: More): Record<string, string> {
  return { MILENA_SERVER: server, MILENA_USER: user, MILENA_PASSWORD: PASSWORD, MILENA_DATA_DIR: data };
}

function start(user: string, args: readonly string[], more: More = {}) {
  return new RunningCommand(args, { program: [join(ROOT, 'milena')], settings: settings(user, more) });
}

/** To its end, in this process unless all is asked for. */
function milena(user: string, args: readonly string[], more: More = {}): Promise<Done> {
  return FULL ? start(user, args, more).done() : new CommandHere(args, settings(user, more)).done();
}

function account(stem: string): Promise<string> {
  return makeAccount(south, person(stem));
}

function bodies({ stdout }: { stdout: string }): string[] {
  return shaped(messageShape, stdout).map(({ body }) => body);
}

/** The history files of a folder. */
function histories(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.db'));
}

/** A text that may be broken into rows at any blank. */
function wrapped(text: string): RegExp {
  return new RegExp(text.replaceAll(/[.[\]]/g, '\\$&').replaceAll(' ', '[\\s│]+'));
}

function times(terminal: TestTerminal, text: string): number {
  return terminal.text.split(text).length - 1;
}

describe('the chat', () => {
  const SIZE = { columns: 80, rows: 24 };

  test.each(share(ENDS, 2, 0))(
    'goes on at the other one when the first %s, in one history',
    async (_, signal) => {
      const [anna, bert, data] = [person('anna'), person('bert'), ownFolder()];
      const left = openClient(0, { args: `--server ${both()}`, data, size: SIZE });
      await create(left, anna);
      await left.shows(new RegExp(`^ milena · ${anna} {2}${at(north)} .*● online`));
      const right = openClient(south.address.port, { size: SIZE });
      await create(right, bert);
      left.type(`/msg ${bert} before\r`);
      await left.shows(/before +✓✓$/m);
      left.type('half a tho');
      await north.kill(signal);
      await left.shows(
        wrapped(`Connected again, to ${at(south)}.`),
        wrapped(`Logged in again as ${anna}`),
        new RegExp(`^ milena · ${anna} {2}${at(south)} .*● online`),
        /› half a tho$/m,
      );
      left.type('ught\r');
      await left.shows(/half a thought +✓✓$/m);
      right.type(`/msg ${anna} still there?\r`);
      await left.shows(new RegExp(`${bert} {2}still there\\?`));
      expect([times(left, 'before'), times(right, 'before'), times(left, 'still there')]).toEqual([1, 1, 1]);
      left.type('/quit\r');
      await left.until(() => expect(left.exitCode).toBe(0));
      expect(histories(data)).toHaveLength(1);
      // The next start knows who it was and what was said, and begins with the server that answered last.
      const again = openClient(0, { args: `--server ${both()}`, data, size: SIZE });
      await answerPassword(again);
      await again.shows(new RegExp(`^ milena · ${anna} {2}${at(south)} .*● online`));
      again.type('\u001b1');
      await again.shows(/half a thought/);
      expect(histories(data)).toHaveLength(1);
    },
  );

  inFull('line by line, too', async () => {
    const [anna, bert] = [person('anna'), await account('bert')];
    const terminal = openClient(0, { args: `--plain --server ${both()}` });
    await terminal.shows(wrapped(`Connected to ${at(north)}.`), /your name:$/m);
    terminal.type(`/create ${anna}\r${PASSWORD}\r${PASSWORD}\r`);
    await terminal.shows(/is made/);
    await north.kill('SIGKILL');
    await terminal.shows(
      wrapped(`The connection to ${at(north)} is lost`),
      wrapped(`Connected again, to ${at(south)}.`),
      wrapped(`Logged in again as ${anna}`),
    );
    terminal.type(`/msg ${bert} hello\r`);
    await terminal.shows(new RegExp(`\\(sent to ${bert}\\)`));
  });

  test('names every server that was tried when all are gone', async () => {
    const terminal = openClient(0, { args: '--plain --server 127.0.0.1:1,[::1]:1' });
    // Its lines are broken wherever the terminal ends.
    await terminal.until(() =>
      expect(terminal.text.replaceAll('\n', '')).toMatch(
        /No connection: 127\.0\.0\.1:1 \(.*?\), \[::1\]:1 \(.*?\)\. Trying again/,
      ),
    );
  });
});

describe('listen', () => {
  test.each(share(ENDS, 2, 1))(
    'goes on at the other one when the first %s: nothing lost, nothing twice',
    async (_, signal) => {
      const [anna, bert] = [await account('anna'), await account('bert')];
      const data = ownFolder();
      const listener = start(bert, ['listen', '--json'], { data });
      await listener.printed(/Listening as/);
      const send = (text: string) => milena(anna, ['send', bert, text], { server: at(south) });
      await send('before');
      await listener.printed(/before/);
      const dying = north.kill(signal);
      await send('meanwhile');
      await dying;
      await listener.printed(new RegExp(`Connected again to ${at(south)}, listening as ${bert}`));
      await send('after');
      await listener.printed(/after/);
      expect(await listener.kill('SIGINT')).toBe(130);
      expect(bodies(listener)).toEqual(['before', 'meanwhile', 'after']);
      expect(listener.stderr).toMatch(
        new RegExp(`The connection to ${at(north)} is lost: .*Trying the next server`),
      );
      expect(histories(data)).toHaveLength(1);
      expect(await milena(bert, ['retrieve'])).toEqual({ code: 0, stdout: '', stderr: '' });
    },
  );
});

describe('send', () => {
  // After a lost connection each day in test/terminal/cli/send.test.ts.
  inFull('that waits for ✓✓ hears of it from the other one', async () => {
    const [anna, bert] = [await account('anna'), await account('bert')];
    const data = ownFolder();
    const sender = start(anna, ['send', bert, 'hi', '--wait-delivered', '--json'], { data });
    const recipient = start(bert, ['retrieve', '--json'], { server: at(south) });
    const first = await recipient.done();
    await north.kill('SIGKILL');
    // Before or after the end of the first server: once in any case.
    const rest = await vi.waitFor(
      async () => {
        const done = await milena(bert, ['retrieve', '--json'], { server: at(south) });
        expect(bodies(first).length + bodies(done).length).toBe(1);
        return done;
      },
      { timeout: 25_000, interval: 100 },
    );
    const done = await sender.done();
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(shaped(sentShape, done.stdout)).toMatchObject([{ state: 'delivered' }]);
    expect([...bodies(first), ...bodies(rest)]).toEqual(['hi']);
    expect(histories(data)).toHaveLength(1);
  });

  test('and every other command begins with the next one when the first is gone or frozen', async () => {
    const [anna, bert] = [await account('anna'), await account('bert')];
    const data = ownFolder();
    north.child.kill('SIGSTOP');
    expect(await milena(anna, ['send', bert, 'through'], { data })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    });
    // It is remembered which one answered: nobody waits for the frozen one again.
    expect(readFileSync(join(data, 'servers.json'), 'utf8')).toContain(`"${at(south)}"`);
    expect(await milena(anna, ['send', bert, 'again', '--timeout', '60'], { data })).toMatchObject({
      code: 0,
    });
    north.child.kill('SIGCONT');
    await north.kill('SIGKILL');
    const carl = person('carl');
    expect(await milena('', ['create', carl])).toMatchObject({ code: 0 });
    expect(await milena('', ['list', anna])).toEqual({ code: 0, stdout: `${anna}\n`, stderr: '' });
    expect(await milena(carl, ['status', anna])).toMatchObject({ code: 0, stdout: `${anna} away\n` });
    expect(bodies(await milena(bert, ['retrieve', '--json']))).toEqual(['through', 'again']);
    expect(await milena(carl, ['delete', '--yes'])).toMatchObject({ code: 0 });
    const doctor = await milena(anna, ['doctor']);
    expect(doctor.stdout).toMatch(/✗ server .*nobody listens/);
    expect(doctor.stdout).toMatch(new RegExp(`✓ server +${at(south)} answers`));
    expect(doctor.stdout).toMatch(/✓ login /);
  });
});

test('another order of the list, and one of its servers alone before, have the same history', async () => {
  const [anna, bert] = [await account('anna'), await account('bert')];
  const data = ownFolder();
  expect(await milena(anna, ['send', bert, 'one'], { data, server: at(south) })).toMatchObject({ code: 0 });
  expect(await milena(anna, ['send', bert, 'two'], { data })).toMatchObject({ code: 0 });
  const other = `${at(south)},${at(north)}`;
  expect(await milena(anna, ['send', bert, 'three'], { data, server: other })).toMatchObject({ code: 0 });
  expect(histories(data)).toHaveLength(1);
  const found = await milena(anna, ['export', bert], { data });
  expect(found.stdout.match(/: (one|two|three)$/gm)).toHaveLength(3);
});

const hasIPv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

// A machine without IPv6 has no such address to listen on.
// Each day other-hosts.test.ts has one.
test.skipIf(!hasIPv6 || !FULL)(inFullSize('an IPv6 address is as good as any other'), async () => {
  const sixth = await startFrontend({ MILENA_HOST: '[::1]' });
  onTestFinished(() => sixth.remove());
  const { port } = sixth.address;
  const anna = person('anna');
  const asFrontend = { MILENA_SERVER: '', MILENA_HOST: '::1', MILENA_PORT: String(port) };
  const command = (args: readonly string[], where: Record<string, string>) =>
    new CommandHere(args, { ...settings(anna, {}), ...where }).done();
  expect(await command(['create', anna], asFrontend)).toMatchObject({ code: 0 });
  const spelt = [`127.0.0.1:1,[::1]:${port}`, `[0:0:0:0:0:0:0:1]:${port}`, `[::1]:${port}`];
  for (const server of spelt) {
    const list = await command(['list', anna], { MILENA_SERVER: server });
    expect(list).toEqual({ code: 0, stdout: `${anna}\n`, stderr: '' });
  }
  const doctor = await command(['doctor'], asFrontend);
  expect(doctor.stdout).toMatch(new RegExp(`✓ server +\\[::1\\]:${port} answers`));
  expect(doctor.stdout).toMatch(/✓ encryption +none, and none needed: the server is on this machine/);
  const terminal = openClient(0, { args: `--server [::1]:${port}` });
  await terminal.shows(new RegExp(`\\[::1\\]:${port} .*● online`));
  await sixth.remove();
  await terminal.shows(wrapped(`The connection to [::1]:${port} is lost`));
});
