/** The client line by line: `--plain`, a terminal that can do no more, and no terminal at all. */
import { spawn } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { fail } from '../client/harness.ts';
import { agreeable, TestServer } from '../client/test-server.ts';
import { inFull, share } from '../size.ts';
import {
  CLIENT,
  closeClients,
  makeAccount,
  openClient,
  openServerHere,
  ownFolder,
  PASSWORD,
  person,
  removeFolders,
  type ServerHere,
} from './client-terminal.ts';
import { Friend } from './friend.ts';
import { built } from './running-frontend.ts';
import { scriptEnvironment } from './script.ts';
import type { TestTerminal } from './terminal.ts';

const SHELL = {
  before: 'was=$(stty -g)',
  after: `echo "code $code"; [ "$(stty -g)" = "$was" ] && echo 'lines as before'`,
};
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what may not be there
const ESCAPE = /[\u001b\u009b]/;
/** What a line editor needs: back to a column, and what is behind it away. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
const EDITING = /\u001b\[(?:\d*G|[012]?[JK])/g;
const SIGNALS = [
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const;
let frontend: ServerHere;
let ben: Friend;

beforeAll(async () => {
  await built();
  frontend = await openServerHere();
  ben = await Friend.create(person('ben'), frontend.address);
});

afterEach(closeClients);

afterAll(async () => {
  await ben?.close();
  await frontend?.remove();
  removeFolders();
});

async function create(terminal: TestTerminal, user: string): Promise<void> {
  await terminal.shows(/Connected to/, /your name:$/m);
  terminal.type(`/create ${user}\r`);
  await terminal.shows(/password for \S+:$/m);
  terminal.type(`${PASSWORD}\r`);
  await terminal.shows(/the same again:$/m);
  terminal.type(`${PASSWORD}\r`);
  await terminal.shows(new RegExp(`Account ${user} is made`));
}

describe.each([
  ['--plain', 'xterm-256color', '--plain'],
  ['TERM=dumb', 'dumb', ''],
])('%s', (_, name, args) => {
  const open = (data = ownFolder()) => openClient(frontend.address.port, { name, args, data, ...SHELL });
  // Where the two are alike, one of them shows it.
  const either = name === 'dumb' ? inFull : test;
  const expectLines = (terminal: TestTerminal) => {
    const rest = name === 'dumb' ? terminal.output : terminal.output.replace(EDITING, '');
    expect(rest).not.toMatch(ESCAPE);
  };

  test('talks; what comes while one writes does not end up in it', async () => {
    const ann = person('ann');
    const terminal = open();
    await create(terminal, ann);
    terminal.type(`/msg ${ben.name}\r`);
    await terminal.shows(new RegExp(`^Talking to ${ben.name}\\.$`, 'm'));
    terminal.type('half ax\u007f ');
    await terminal.shows(/half a$/m);
    ben.write(ann, `hello\n${'\u001b'}[2Jyou`);
    await terminal.shows(new RegExp(`^\\d\\d:\\d\\d ${ben.name}: hello\\n {4}␛\\[2Jyou$`, 'm'));
    // It stands below what came, to be gone on with.
    await terminal.shows(new RegExp(`you\\n${ben.name}> half a$`, 'm'));
    terminal.type('thought\r');
    await terminal.shows(new RegExp(`^\\(delivered to ${ben.name}\\)$`, 'm'));
    expect(ben.bodies.at(-1)).toBe('half a thought');
    terminal.type('/search thought\r');
    await terminal.shows(/^1 message with thought:$/m, new RegExp(`me to ${ben.name}: half a thought$`, 'm'));
    terminal.type('/quit\r');
    await terminal.until(() => expect(terminal.exitCode).toBe(0));
    await terminal.shows(/^lines as before$/m);
    expectLines(terminal);
    expect(terminal.state).toMatchObject({ title: '', alternateScreen: false, cursor: true });
    expect(terminal.state.modes).toMatchObject({ bracketedPasteMode: false, wraparoundMode: true });
  });

  test('/help tells of the keys that there are, and not each message that comes by itself brings a prompt', async () => {
    const ann = person('ann');
    const terminal = open();
    await create(terminal, ann);
    await terminal.shows(/^> *$/m);
    terminal.type('/help\r');
    await terminal.shows(/Ctrl\+C leaves a question, else the program/);
    expect(terminal.text).not.toMatch(/Alt\+|PageUp|Tab/);
    await terminal.settled();
    const before = terminal.output.length;
    for (const body of ['one', 'two', 'three']) ben.write(ann, body);
    await terminal.shows(/: three$/m);
    await terminal.settled();
    // That of the line that was entered may come as late as this.
    if (name === 'dumb') expect(terminal.output.slice(before).split('> ').length - 1).toBeLessThan(2);
    terminal.type('/who\r');
    await terminal.shows(/About whom\?.*\n> *$/m);
  });

  either('a password is not echoed, and no key brings it back', async () => {
    const [ann, data] = [person('ann'), ownFolder()];
    const terminal = open(data);
    await create(terminal, ann);
    terminal.type('/logout\r');
    await terminal.shows(/Logged out/);
    terminal.type(`/login ${ann} ${PASSWORD}\r`);
    await terminal.shows(/Error: No password on this line/);
    const visible = terminal.output.split(PASSWORD).length - 1;
    terminal.type(`/login ${ann}\r`);
    await terminal.shows(/password of \S+:$/m);
    terminal.type('lost\u0015not itt\u007f\r');
    await terminal.shows(/Error: Wrong username or password/, /password of \S+:$/m);
    terminal.type(`${PASSWORD}\r`);
    await terminal.shows(/Logged in as/);
    await terminal.shows(/^> *$/m);
    terminal.type('\u001b[A\u0003');
    await terminal.until(() => expect(terminal.exitCode).toBe(130));
    // What was typed where no password belongs was seen; nothing else was.
    expect(terminal.output.split(PASSWORD).length - 1).toBe(visible);
    expect(terminal.output).not.toMatch(/not it|lost/);
    expectLines(terminal);
    const again = open(data);
    await again.shows(/password of \S+:$/m);
    again.type(`${PASSWORD}\r`);
    await again.shows(/Logged in as/, /^> *$/m);
    again.type('\u0004');
    await again.until(() => expect(again.exitCode).toBe(0));
    expect(again.output).not.toContain(PASSWORD);
  });

  either('what came while one was away is read out once', async () => {
    const [ann, data] = [person('ann'), ownFolder()];
    const terminal = open(data);
    await create(terminal, ann);
    terminal.type('/quit\r');
    await terminal.until(() => expect(terminal.exitCode).toBe(0));
    ben.write(ann, 'while you were away');
    const again = open(data);
    await again.shows(/password of \S+:$/m);
    again.type(`${PASSWORD}\r`);
    await again.shows(/Logged in as \S+ 1 message waited for you\./, /: while you were away$/m);
    again.type('/next\r');
    await again.shows(/Nothing is unread\./);
    expect(again.text.match(/while you were away/g)).toHaveLength(1);
  });

  either('of half a password whose question has ended nothing is seen, and it answers nothing', async () => {
    const gone = await TestServer.listen();
    await gone.close();
    const terminal = openClient(gone.port, { name, args, user: 'alice', ...SHELL });
    await terminal.shows(/password of alice:$/m);
    terminal.type('hünt');
    const server = await TestServer.listen(gone.port);
    onTestFinished(() => server.close());
    server.behave = (request, peer) => {
      if (request.type === 'list') return { type: 'listed', names: [], more: false };
      return request.type === 'login' ? fail('BAD_CREDENTIALS') : agreeable(request, peer);
    };
    await terminal.shows(/There is no account alice/, /that question has ended: Enter goes on\)$/m);
    terminal.type('er2\r');
    await terminal.shows(/make alice\?:$/m);
    terminal.type('no\r');
    await terminal.shows(/make alice\?: no$/m, /your name:$/m);
    expect(terminal.output).not.toMatch(/hün|er2|Nothing was done/);
    expect(server.asked('login')).toEqual([]);
  });

  test.each(share(SIGNALS, 2, name === 'dumb' ? 0 : 1))(
    '%s ends it with %i, the terminal as it was',
    async (signal, code) => {
      const terminal = open();
      await terminal.shows(/Connected to/, /your name:$/m);
      terminal.signal(signal);
      await terminal.until(() => expect(terminal.exitCode).toBe(code));
      await terminal.shows(/^lines as before$/m);
      expectLines(terminal);
    },
  );
});

describe('lines from a pipe', () => {
  async function piped(
    input: string,
    data: string,
    user = '',
  ): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const args = [CLIENT, '--plain', '--server', `127.0.0.1:${frontend.address.port}`];
    const env = scriptEnvironment({ MILENA_DATA_DIR: data, MILENA_USER: user, HOME: data });
    const child = spawn(process.execPath, args, { env, cwd: data });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.end(input);
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, stdout, stderr };
  }

  test('are carried out one after the other, answers to questions among them', async () => {
    const [ann, data] = [person('ann'), ownFolder()];
    const made = await piped(`/create ${ann}\n${PASSWORD}\n${PASSWORD}\n`, data);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toMatch(new RegExp(`^Account ${ann} is made; you are logged in\\.$`, 'm'));
    expect(made.stdout).not.toContain(PASSWORD);
    expect(made.stdout).not.toMatch(ESCAPE);
  });

  test('a wrong password ends with 77, and no later line is taken for another one', async () => {
    const [ann, data] = [person('ann'), ownFolder()];
    await makeAccount(frontend, ann);
    const wrong = await piped(`not it\n/msg ${ben.name} never sent, ${ann}\nnor this\n`, data, ann);
    expect(wrong).toMatchObject({ code: 77, stderr: '' });
    expect(wrong.stdout.match(/Wrong username or password/g)).toHaveLength(1);
    expect(wrong.stdout).not.toMatch(/not it|Ctrl|Esc|^> |Error: .*Error/m);
    const weak = await piped(`/create ${person('ann')}\nshort\nshort\nlater\n`, ownFolder());
    expect(weak).toMatchObject({ code: 65 });
    const differ = await piped(`/create ${person('ann')}\n${PASSWORD}\nanother one\n`, ownFolder());
    expect(differ).toMatchObject({ code: 1 });
    const none = await piped('', data, ann);
    expect(none).toMatchObject({ code: 1 });
  });

  test('/help tells of no keys there', async () => {
    const { code, stdout } = await piped('/help\n', ownFolder());
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\/msg NAME/m);
    expect(stdout).toMatch(/the end of the input leaves\.$/m);
    expect(stdout).not.toMatch(/Alt|Ctrl|Esc|Tab/);
  });

  test('one that cannot be carried out: exit code 1, and the others are carried out', async () => {
    const [ann, data] = [person('ann'), ownFolder()];
    await makeAccount(frontend, ann);
    const sent = await piped(`${PASSWORD}\n/msg ${ben.name} from a pipe, ${ann}\n/nonsense\n`, data, ann);
    expect(sent.stdout).toMatch(/Error: There is no command \/nonsense\./);
    expect(sent.code).toBe(1);
    expect(ben.bodies.filter((body) => body === `from a pipe, ${ann}`)).toHaveLength(1);
  });
});
