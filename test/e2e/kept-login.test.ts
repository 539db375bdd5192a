/** The chat stays logged in over its end, and commands beside it: real frontends, real programs, a terminal. */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { inFull } from '../size.ts';
import {
  answerPassword,
  CLIENT,
  closeClients,
  create,
  LARGE,
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

const STAYS = { MILENA_STAY_LOGGED_IN: '' };
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

function open(data: string, env: Record<string, string> = {}, args = ''): TestTerminal {
  // Wide enough for a sentence in a row.
  return openClient(frontend.address.port, { data, env: { ...STAYS, ...env }, args, size: LARGE });
}

/** Somebody who has been there once. */
async function ann(): Promise<{ name: string; data: string }> {
  const [name, data] = [person('ann'), ownFolder()];
  const first = open(data);
  await create(first, name);
  await leave(first);
  return { name, data };
}

async function leave(terminal: TestTerminal): Promise<void> {
  terminal.type('\u0003');
  await terminal.until(() => expect(terminal.exitCode).toBe(0));
}

const files = (data: string) => {
  const folder = join(data, 'logins');
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
};

interface Done {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

function milena(name: string, data: string, args: readonly string[], password = ''): Promise<Done> {
  const env = {
    ...scriptEnvironment({ MILENA_DATA_DIR: data, MILENA_USER: name, MILENA_PASSWORD: password }),
    ...STAYS,
    HOME: data,
  };
  const server = `127.0.0.1:${frontend.address.port}`;
  // Without a terminal nobody can be asked.
  const all = [process.execPath, CLIENT, ...args, '--server', server];
  return new Promise((resolve) => {
    execFile('setsid', ['-w', ...all], { env, cwd: data }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}

describe('the next start of the chat', () => {
  test('is logged in without a password, with what came meanwhile; /logout ends that', async () => {
    const { name, data } = await ann();
    const [file = ''] = files(data);
    expect([statSync(file).mode & 0o777, statSync(join(data, 'logins')).mode & 0o777]).toEqual([
      0o600, 0o700,
    ]);
    expect(readFileSync(file, 'utf8')).not.toContain(PASSWORD);
    ben.write(name, 'while you were away');
    const second = open(data);
    await second.shows(new RegExp(`Logged in as ${name}\\. 1 message waited`), /● online/);
    expect(second.output).not.toMatch(/password of/);
    second.type('/logout\r');
    await second.shows(/Logged out/);
    expect(files(data)).toEqual([]);
    await leave(second);
    const third = open(data);
    await answerPassword(third);
    await third.shows(new RegExp(`Logged in as ${name}`));
  });

  test('says why it is not any more, and asks for the password', async () => {
    const { name, data } = await ann();
    // Somewhere else, by the password.
    const elsewhere = openClient(frontend.address.port, { user: name });
    await answerPassword(elsewhere);
    await elsewhere.shows(new RegExp(`Logged in as ${name}`));
    await leave(elsewhere);
    const second = open(data);
    await second.shows(/kept on this machine is not good any more/, /^ password of .*› *$/m);
    expect(files(data)).toEqual([]);
    second.type(`${PASSWORD}\r`);
    await second.shows(new RegExp(`Logged in as ${name}`));
    await leave(second);
    const [file = ''] = files(data);
    chmodSync(file, 0o644);
    const third = open(data);
    await third.shows(/is not used: others/, /^ password of .*› *$/m);
  });

  inFull('puts no other chat out, and its end leaves that one logged in', async () => {
    const { name, data } = await ann();
    const first = open(data);
    await first.shows(new RegExp(`Logged in as ${name}`));
    const second = open(data);
    await second.shows(/is logged in elsewhere\. Type yes to take over/, /^ take over\? › *$/m);
    second.type('n\r');
    await second.shows(/Nothing was done/);
    await leave(second);
    first.type(`/msg ${ben.name} still here, ${name}\r`);
    await first.until(() => expect(ben.bodies).toContain(`still here, ${name}`));
    const third = open(data);
    await third.shows(/^ take over\? › *$/m);
    third.type('y\r');
    await third.shows(new RegExp(`Logged in as ${name}`));
    await first.shows(/the account was logged in to elsewhere/);
    await leave(first);
    await leave(third);
    expect(files(data)).toHaveLength(1);
    const fourth = open(data);
    await fourth.shows(new RegExp(`Logged in as ${name}`));
  });

  inFull('is logged in by what a program prints, and asks where it prints nothing', async () => {
    const { name, data } = await ann();
    const file = join(data, 'password');
    writeFileSync(file, `${PASSWORD}\n`);
    const how = { MILENA_STAY_LOGGED_IN: 'no', MILENA_PASSWORD_COMMAND: `sh -c 'cat "${file}"'` };
    const second = open(data, how);
    await second.shows(new RegExp(`Logged in as ${name}`));
    expect(second.output).not.toMatch(/password of/);
    await leave(second);
    expect(files(data)).toEqual([]);
    const third = open(data, { ...how, MILENA_PASSWORD_COMMAND: 'cat /nowhere' });
    await third.shows(/The password command cat: it ended with 1/, /^ password of .*› *$/m);
  });

  inFull('is not another one because of a name that was only tried', async () => {
    const { name, data } = await ann();
    const mistyped = open(data, {}, '--user bbo');
    await mistyped.shows(/There is no account bbo here/);
    await leave(mistyped);
    await open(data).shows(new RegExp(`Logged in as ${name}`));
  });
});

describe('commands', () => {
  test('go in by the login that the chat keeps, beside it or not, and leave it as it was', async () => {
    const { name, data } = await ann();
    expect(await milena(name, data, ['send', ben.name, `from a command of ${name}`])).toMatchObject({
      code: 0,
      stderr: '',
    });
    ben.write(name, 'for a command');
    await expect
      .poll(async () => (await milena(name, data, ['retrieve'])).stdout, { timeout: 20_000 })
      .toMatch(/: for a command$/m);
    expect(await milena(name, data, ['retrieve'])).toMatchObject({ code: 0, stdout: '' });
    const chat = open(data);
    await chat.shows(new RegExp(`Logged in as ${name}`));
    expect(await milena(name, data, ['status', ben.name, name])).toMatchObject({
      code: 0,
      stdout: `${ben.name} logged in\n${name} logged in\n`,
    });
    expect(await milena(name, data, ['retrieve'])).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/logged in elsewhere/),
    });
    expect(await milena(name, data, ['listen'])).toMatchObject({
      code: 75,
      stderr: expect.stringMatching(/logged in elsewhere/),
    });
    chat.type(`/msg ${ben.name} undisturbed, ${name}\r`);
    await chat.until(() => expect(ben.bodies).toContain(`undisturbed, ${name}`));
    await leave(chat);
    ben.write(name, 'for one that listens');
    expect(await milena(name, data, ['listen', '--once'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/: for one that listens$/m),
    });
    await open(data).shows(new RegExp(`Logged in as ${name}`));
  });

  inFull('by password do not make it worthless, nor does another password', async () => {
    const { name, data } = await ann();
    expect(await milena(name, data, ['retrieve'], PASSWORD)).toMatchObject({ code: 0 });
    writeFileSync(join(data, 'new'), 'battery staple\n', { mode: 0o600 });
    const change = ['passwd', '--new-password-file', join(data, 'new')];
    expect(await milena(name, data, change, PASSWORD)).toMatchObject({ code: 0 });
    await leave(await shown(open(data), new RegExp(`Logged in as ${name}`)));
    expect(await milena(name, data, ['delete', '--yes'], 'battery staple')).toMatchObject({ code: 0 });
    expect(files(data)).toEqual([]);
  });

  inFull('begin none', async () => {
    const { name } = await ann();
    const data = ownFolder();
    expect(await milena(name, data, ['retrieve'], PASSWORD)).toMatchObject({ code: 0 });
    expect(files(data)).toEqual([]);
    expect(await milena(name, data, ['retrieve'])).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/There is no password/),
    });
  });
});

async function shown(terminal: TestTerminal, ...patterns: readonly RegExp[]): Promise<TestTerminal> {
  await terminal.shows(...patterns);
  return terminal;
}
