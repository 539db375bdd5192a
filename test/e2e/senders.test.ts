/** Commands that only send, many of one account at once, beside its own chat: real processes, terminals, frontends and Kafka. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { FULL, inFull } from '../size.ts';
import { RunningCommand } from '../terminal/cli/running-command.ts';
import { messageShape, sentShape, shaped } from '../terminal/cli/shapes.ts';
import {
  CLIENT,
  closeClients,
  makeAccount,
  openAs,
  ownFolder,
  PASSWORD,
  person,
  removeFolders,
  startFrontend,
} from './client-terminal.ts';
import { type FrontendHere, openFrontendHere } from './frontend-here.ts';
import { built, type RunningFrontend } from './running-frontend.ts';

/** A process takes some 0.3 s of CPU to start and a hash 0.1: on two busy cores a hundred of each take half a minute. */
const PATIENT = ['--timeout', '300'];
/** Long enough for a hundred processes beside it. */
const LEASE_MS = 10_000;
let frontend: RunningFrontend | FrontendHere;

beforeAll(async () => {
  await built();
  frontend = await (FULL ? startFrontend : openFrontendHere)({ MILENA_FRONTEND_LEASE_MS: String(LEASE_MS) });
});
afterEach(closeClients);
afterAll(async () => {
  await frontend?.remove();
  removeFolders();
});

function start(user: string, args: readonly string[], data: string): RunningCommand {
  return new RunningCommand(args, {
    program: [process.execPath, CLIENT],
    settings: {
      MILENA_SERVER: `127.0.0.1:${frontend.address.port}`,
      MILENA_USER: user,
      MILENA_PASSWORD: PASSWORD,
      MILENA_DATA_DIR: data,
    },
  });
}

function account(stem: string): Promise<string> {
  return makeAccount(frontend, person(stem));
}

describe('milena send', { timeout: 300_000 }, () => {
  test.each(FULL ? [20, 30, 100] : [5])('%d at once, beside the chat of the account', async (count) => {
    const [anna, bert] = [person('anna'), await account('bert')];
    const data = ownFolder();
    const chat = await openAs(anna, frontend.address.port, { data });
    const listener = start(bert, ['listen', '--json'], ownFolder());
    await listener.printed(/Listening as/);
    const texts = Array.from({ length: count }, (_, i) => `alert ${i}`);
    const all = await Promise.all(
      texts.map((text) => start(anna, ['send', bert, text, '--json', ...PATIENT], data).done()),
    );
    expect(all.filter(({ code }) => code !== 0)).toEqual([]);
    expect(all.map(({ stdout }) => shaped(sentShape, stdout)[0]?.state)).toEqual(texts.map(() => 'stored'));
    const received = () => shaped(messageShape, listener.stdout).map(({ body }) => body);
    // Each once, also with its copies, if somebody had sent what another one was at.
    await vi.waitFor(() => expect(received().sort()).toEqual([...texts].sort()), { timeout: 20_000 });
    expect(chat.text).not.toMatch(/logged out|elsewhere/);
    chat.type(`/msg ${bert} still here\r`);
    await vi.waitFor(() => expect(received()).toContain('still here'), { timeout: 20_000 });
    expect(await listener.kill('SIGINT')).toBe(130);
  });

  // As commands.test.ts sees each day.
  inFull('hears of its own ✓✓', async () => {
    const [anna, bert] = [await account('anna'), await account('bert')];
    const sender = start(anna, ['send', bert, 'hi', '--wait-delivered', '--json'], ownFolder());
    const data = ownFolder();
    await vi.waitFor(
      async () => {
        const { stdout } = await start(bert, ['retrieve'], data).done();
        expect(stdout).toMatch(/hi/);
      },
      { timeout: 20_000 },
    );
    expect(shaped(sentShape, (await sender.done()).stdout)).toMatchObject([{ state: 'delivered' }]);
  });
});

// What the library does then late-turns.test.ts sees each day.
inFull(
  'the chat stays logged in while its server stands still for longer than its lease',
  async () => {
    const [anna, bert] = [person('anna'), await account('bert')];
    const chat = await openAs(anna, frontend.address.port);
    const listener = start(bert, ['listen', '--json'], ownFolder());
    await listener.printed(/Listening as/);
    if (!('child' in frontend)) throw new Error('only a process can stand still');
    frontend.child.kill('SIGSTOP');
    await sleep(1.5 * LEASE_MS);
    frontend.child.kill('SIGCONT');
    await chat.shows(/Logged in again as/);
    expect(chat.text).not.toMatch(/password of|logged out/);
    chat.type(`/msg ${bert} after the lid\r`);
    await vi.waitFor(
      () => expect(shaped(messageShape, listener.stdout).map(({ body }) => body)).toEqual(['after the lid']),
      { timeout: 30_000 },
    );
    expect(listener.stderr).toMatch(/Connected again/);
    expect(await listener.kill('SIGINT')).toBe(130);
  },
  120_000,
);
