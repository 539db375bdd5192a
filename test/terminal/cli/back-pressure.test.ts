/* A reader of standard output who takes nothing: the server has to wait, nothing fills the memory, and nothing is lost. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { agreeable, messageFrom, TestServer } from '../../client/test-server.ts';
import { ROOT, scriptEnvironment } from '../../e2e/script.ts';
import { messageShape, shaped } from './shapes.ts';

const BODY = 'x'.repeat(60_000);
/** Ten times what may wait. */
const COUNT = 6_000;
/** Node and the client alone are some 100 MiB. */
const MAX_MIB = 380;

let server: TestServer;
let folder: string;

beforeEach(async () => {
  server = await TestServer.listen();
  folder = mkdtempSync(join(tmpdir(), 'milena-blocked-'));
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

function start(...args: string[]) {
  const child = spawn(process.execPath, [join(ROOT, 'src/terminal/main.ts'), ...args], {
    env: {
      ...scriptEnvironment({
        MILENA_SERVER: `127.0.0.1:${server.port}`,
        MILENA_USER: 'alice',
        MILENA_PASSWORD: 'secret',
        MILENA_DATA_DIR: folder,
      }),
      HOME: folder,
    },
    cwd: folder,
    stdio: 'pipe',
  });
  child.stdout.pause();
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return { child, exited };
}

/** The most that it had, in MiB; 0 where the system does not tell. */
function memoryOf(pid: number | undefined): number {
  if (!existsSync('/proc/self/status')) return 0;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1]) / 1024;
}

/** Writes without waiting for acknowledgements, as no good server does; resolves to how many went out before it had to wait. */
async function pushAll(count: number, from = 0, patienceMs = 3_000): Promise<number> {
  const { socket } = server.peer;
  for (let index = from; index < count; index++) {
    server.peer.send(messageFrom('bob', index, `${index} ${BODY}`));
    if (!socket.writableNeedDrain) continue;
    const hasDrained = await new Promise<boolean>((resolve) => {
      const drained = () => {
        clearTimeout(timer);
        resolve(true);
      };
      // Long enough for whoever reads at all.
      const timer = setTimeout(() => {
        socket.off('drain', drained);
        resolve(false);
      }, patienceMs);
      socket.once('drain', drained);
    });
    if (!hasDrained) return index + 1;
  }
  return count;
}

async function loggedIn(): Promise<void> {
  await vi.waitFor(() => expect(server.asked('login')).toHaveLength(1), { timeout: 30_000, interval: 20 });
}

test('listen', { timeout: 180_000 }, async () => {
  const { child, exited } = start('listen', '--json', '--no-history');
  await loggedIn();
  const sent = await pushAll(COUNT);
  expect(sent).toBeLessThan(COUNT / 2);
  expect(memoryOf(child.pid)).toBeLessThan(MAX_MIB);
  // Somebody reads again: all of it comes, in order, and is acknowledged.
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stdout.resume();
  const all = sent + 200;
  expect(await pushAll(all, sent, 60_000)).toBe(all);
  await vi.waitFor(() => expect(server.asked('ack').at(-1)?.upTo).toBe(all - 1), {
    timeout: 60_000,
    interval: 50,
  });
  child.kill('SIGINT');
  expect(await exited).toBe(130);
  const bodies = shaped(messageShape, stdout.replaceAll(BODY, '')).map(({ body }) => Number(body));
  expect(bodies).toEqual(Array.from({ length: all }, (_, index) => index));
});

test('listen that is ended while nobody reads', { timeout: 120_000 }, async () => {
  const { child, exited } = start('listen', '--json', '--no-history');
  await loggedIn();
  await pushAll(COUNT);
  child.kill('SIGTERM');
  expect(await exited).toBe(143);
});

test('the chat line by line', { timeout: 180_000 }, async () => {
  const { child, exited } = start('--plain');
  child.stdin.write('secret\n');
  await loggedIn();
  const sent = await pushAll(COUNT);
  expect(sent).toBeLessThan(COUNT / 2);
  expect(memoryOf(child.pid)).toBeLessThan(MAX_MIB);
  child.stdout.resume();
  const all = sent + 100;
  expect(await pushAll(all, sent, 60_000)).toBe(all);
  await vi.waitFor(() => expect(server.asked('ack').at(-1)?.upTo).toBe(all - 1), {
    timeout: 60_000,
    interval: 50,
  });
  child.stdin.end();
  expect(await exited).toBe(0);
});

test('list that is read slowly: the time of a reader is not the command’s', {
  timeout: 120_000,
}, async () => {
  const pages = 20;
  const name = (page: number, index: number) => `a-name-of-some-length-${page + 10}-${index + 1_000}`;
  server.behave = (request, peer) => {
    if (request.type !== 'list') return agreeable(request, peer);
    const page = server.asked('list').length - 1;
    const names = Array.from({ length: 1_000 }, (_, index) => name(page, index));
    return { type: 'listed', names, more: page + 1 < pages };
  };
  const seconds = 4;
  const { child, exited } = start('list', '--timeout', String(seconds));
  await vi.waitFor(() => expect(server.asked('list').length).toBeGreaterThan(1), { timeout: 30_000 });
  // Longer than it may take by itself.
  await new Promise((resolve) => setTimeout(resolve, (seconds + 1) * 1_000));
  expect(server.asked('list').length).toBeLessThan(pages);
  let lines = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    lines += text.split('\n').length - 1;
  });
  child.stdout.resume();
  expect(await exited).toBe(0);
  expect(lines).toBe(pages * 1_000);
});
