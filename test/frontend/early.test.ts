import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { openFrontend } from '../../src/frontend/frontend.ts';
import type { InboxMessage, OpenOptions } from '../../src/kafka/inboxes.ts';
import { eventually } from '../contracts/cluster.ts';
import { MemoryCluster } from '../fakes/cluster.ts';
import { RawClient } from './raw-client.ts';

/*
 * An inbox may speak before its `open` has returned: the answer to the login goes out first all the same.
 */

const early = (offset: number): InboxMessage => ({
  offset,
  id: null,
  from: { kind: 'external', name: '' },
  body: `early ${offset}`,
  contentType: null,
  acceptedAt: 0,
});

/** A frontend whose inboxes say something while they open. */
async function openChatty(say: (options: OpenOptions) => void) {
  const cluster = new MemoryCluster();
  const { accounts, inboxes, sessions } = cluster.engine();
  const frontend = await openFrontend({
    host: '127.0.0.1',
    port: 0,
    maxConnections: 10,
    openAccounts: true,
    log: pino({ level: 'silent' }),
    limits: { lingerMs: 200, earlyMessages: 5 },
    accounts,
    sessions,
    inboxes: {
      append: (to, message) => inboxes.append(to, message),
      held: (asked) => inboxes.held(asked),
      fates: (receipts) => inboxes.fates(receipts),
      open: async (owner, options) => {
        const inbox = await inboxes.open(owner, options);
        say(options);
        return inbox;
      },
    },
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
