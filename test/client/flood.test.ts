/* A server that pushes more than anybody has asked for: what is held of it has a bound. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect, type Milena } from '../../src/client/index.ts';
import { QUICK, timeByTurns, unless, until } from './harness.ts';
import { externalMessage, TestServer } from './test-server.ts';

const MEBIBYTE = 1024 * 1024;
const COUNT = 32;
/** Of what was pushed; the rest is what a process has anyway. */
const MAX_HELD = (COUNT * MEBIBYTE) / 4;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

let server: TestServer;
let me: Milena | undefined;
/** How many messages have come. */
let came: number;

beforeEach(async () => {
  server = await TestServer.listen();
  came = 0;
});
afterEach(async () => {
  await me?.close();
  await server.close();
});

async function alice(): Promise<Milena> {
  timeByTurns();
  me = await connect({
    server: `127.0.0.1:${server.port}`,
    user: 'alice',
    password: 'secret',
    times: QUICK,
    onEvent: ({ type }) => {
      if (type === 'message') came += 1;
    },
  });
  return me;
}

/** What somebody holds, and nothing that only waits to be collected. */
function heldBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Messages of nearly a MiB; resolves when all of them were taken. */
async function pushAll(): Promise<void> {
  const bodies = Array.from({ length: COUNT }, (_, seq) => `${seq}`.padEnd(MEBIBYTE - 200, 'x'));
  server.peer.send(...bodies.map((body, seq) => externalMessage('p', seq, body)));
  await until(() => came === COUNT);
}

test('what comes while the login ends is held by nobody', async () => {
  const ending = await alice();
  server.behave = unless('logout', () => null);
  const before = heldBytes();
  const ended = ending.logout();
  await until(() => server.asked('logout').length === 1);
  await pushAll();
  await until(() => heldBytes() - before < MAX_HELD);
  server.peer.send({ type: 'logged-out' });
  await ended;
});

test('what was read and not acknowledged is held by its reader alone', async () => {
  const reading = await alice();
  const read = (async () => {
    let characters = 0;
    for await (const { body } of reading.messages()) characters += body.length;
    return characters;
  })();
  const before = heldBytes();
  await pushAll();
  // The last of it may still be on its way to its reader.
  await until(() => heldBytes() - before < MAX_HELD);
  await reading.close();
  expect(await read).toBe(COUNT * (MEBIBYTE - 200));
});
