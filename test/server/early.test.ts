import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import type { InboxMessage, OpenOptions } from '../../src/core/inboxes.ts';
import type { Storage } from '../../src/core/storage.ts';
import { startServer } from '../../src/server/index.ts';
import type { Limits } from '../../src/server/limits.ts';
import { eventually } from '../contracts/cluster.ts';
import { FaultyStore } from '../storage/faulty-store.ts';
import { testSettings } from './house.ts';
import { RawClient } from './raw-client.ts';
import { RawClient2 } from './raw-client2.ts';

/*
 * An inbox may speak before its `open` has returned: the answer to the login goes out first all the same.
 */

const early = (offset: number): InboxMessage => ({
  offset,
  id: null,
  from: { kind: 'external', name: '' },
  body: Buffer.from(`early ${offset}`),
  contentType: null,
  acceptedAt: 0,
});

/** A frontend whose inboxes say something while they open. */
async function openChatty(say: (options: OpenOptions) => void | Promise<void>, limits: Partial<Limits> = {}) {
  const cluster = new FaultyStore();
  const engine = cluster.open();
  const { inboxes } = engine;
  const storage: Storage = {
    ...engine,
    inboxes: {
      append: (to, message) => inboxes.append(to, message),
      held: (asked) => inboxes.held(asked),
      devices: (owner) => inboxes.devices(owner),
      forget: (...asked) => inboxes.forget(...asked),
      note: (owner, device, note) => inboxes.note(owner, device, note),
      fates: (receipts) => inboxes.fates(receipts),
      open: async (owner, options) => {
        const inbox = await inboxes.open(owner, options);
        await say(options);
        return inbox;
      },
    },
  };
  const frontend = await startServer(storage, testSettings(), {
    log: pino({ level: 'silent' }),
    limits: { lingerMs: 200, earlyMessages: 5, ...limits },
  });
  const client = await RawClient.connect(frontend.address);
  onTestFinished(async () => {
    client.socket.destroy();
    await frontend.drain();
  });
  return { client, frontend, inboxes };
}

it('messages come after the answer, in order', async () => {
  const { client } = await openChatty(({ onMessage }) => {
    for (let offset = 0; offset < 5; offset++) onMessage(early(offset));
  });
  client.write({ type: 'create', name: 'anna' });
  expect(await client.reply()).toMatchObject({ type: 'created' });
  await eventually(() => expect(client.bodies()).toEqual([0, 1, 2, 3, 4].map((n) => `early ${n}`)));
  expect(client.kinds[0]).toBe('created');
});

it('too many of them are too many: the login fails, and nothing is held', async () => {
  const { client, frontend, inboxes } = await openChatty(({ onMessage }) => {
    for (let offset = 0; offset < 6; offset++) onMessage(early(offset));
  });
  expect(await client.ask({ type: 'create', name: 'anna' })).toMatchObject({
    type: 'failure',
    text: expect.stringMatching(/busy/),
  });
  await client.over();
  expect(client.pushes).toEqual([]);
  await eventually(() => expect(frontend.sessionCount).toBe(0));
  expect(inboxes.openCount).toBe(0);
});

it('a loss is told after the answer', async () => {
  const { client } = await openChatty(({ onLost }) => onLost('fenced'));
  expect(await client.ask({ type: 'create', name: 'anna' })).toMatchObject({ type: 'created' });
  expect(await client.reply()).toMatchObject({ type: 'failure', text: expect.stringMatching(/has ended/) });
  await client.over();
});

it('whoever is let in is told so at once, whatever strangers have used up', async () => {
  const opening = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const { client, frontend } = await openChatty(
    () => {
      opening.resolve();
      return go.promise;
    },
    // What strangers have saved up is all they get: the next of them would be served a quarter of an hour later.
    { anonymousTickMs: 1_000, anonymousMsPerSecond: 0.001 },
  );
  client.write({ type: 'create', name: 'anna' });
  await opening.promise;
  const stranger = await RawClient2.connect(frontend.address);
  onTestFinished(() => void stranger.socket.destroy());
  const pings = 50_000;
  stranger.write(...Array.from({ length: pings }, () => ({ type: 'ping' }) as const));
  let answered = 0;
  await eventually(async () => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = answered;
    answered = stranger.unread.length;
    expect([answered > 0, answered]).toEqual([true, before]);
  });
  go.resolve();
  expect(await client.reply()).toMatchObject({ type: 'created' });
  expect(stranger.unread.length).toBeLessThan(pings);
});
