import { expect, test } from 'vitest';
import type { ServerConnection } from '../../src/client/connection.ts';
import { DEFAULT_OPTIONS } from '../../src/client/events.ts';
import { hex, messageKey } from '../../src/client/seen.ts';
import { OutboxSender } from '../../src/client/sender.ts';
import type { MessageStore, Unsettled } from '../../src/client/store.ts';
import type { Request } from '../../src/protocol/v2/requests.ts';
import {
  client,
  clientForEachTest,
  connectAs,
  events,
  fail,
  server,
  shown,
  statesOf,
  told,
  unless,
  until,
} from './harness.ts';
import { agreeable, idOf, messageFrom } from './test-server.ts';

clientForEachTest();

/** What earlier processes left, and what was asked of it, among the client's events. */
class Left implements MessageStore {
  readonly begun: string[] = [];
  seen = new Set<string>();
  entries: Unsettled[] = [];
  commits = 0;
  /** What had been told when an account began. */
  toldBefore: string[][] = [];

  begin({ name, incarnation, inbox }: Parameters<MessageStore['begin']>[0]): void {
    expect([incarnation, inbox].map((id) => id.length)).toEqual([32, 32]);
    this.begun.push(name);
    this.toldBefore.push(events.map((event) => event.type));
  }

  commit(): void {
    this.commits += 1;
  }

  hasSeen(key: string): boolean {
    return this.seen.has(key);
  }

  unsettled(): readonly Unsettled[] {
    return this.entries;
  }
}

function unanswered(text: string): Unsettled {
  const id = hex(idOf(text));
  return { id, to: 'bob', body: text, state: { kind: 'on-its-way' }, receipt: null, mayBeStored: true };
}

function stored(text: string): Unsettled {
  return { ...unanswered(text), state: { kind: 'stored' }, receipt: idOf(`receipt ${text}`) };
}

test('the account begins before anything is told of it', async () => {
  const store = new Left();
  await connectAs('al', { store });
  expect(store.begun).toEqual(['al']);
  expect(store.toldBefore[0]).not.toContain('logged-in');
  expect(told('state').filter(({ state }) => state.account === 'al')).toHaveLength(1);
});

test('what had no answer goes again, in its order and before anything new', async () => {
  const store = new Left();
  store.entries = [unanswered('one'), unanswered('two')];
  await connectAs('al', { store });
  client.send('bob', 'three');
  await until(() => told('outgoing').filter(({ entry }) => entry.state.kind === 'stored').length === 3);
  expect(server.asked('send').map(({ body }) => body)).toEqual(['one', 'two', 'three']);
  expect(
    server
      .asked('send')
      .map(({ id }) => id)
      .slice(0, 2),
  ).toEqual([idOf('one'), idOf('two')]);
  expect(told('outgoing').filter(({ entry }) => entry.state.kind === 'stored')[0]?.entry.receipt).toEqual(
    new Uint8Array(Buffer.concat([Buffer.from('for '), idOf('one')])),
  );
});

test('what was stored is asked for; what the server knows nothing of loses its receipt', async () => {
  const store = new Left();
  store.entries = [stored('one'), stored('two')];
  server.behave = unless('receipts', () => ({ type: 'fates', fates: ['delivered', 'unknown'] }));
  await connectAs('al', { store });
  await until(() => told('outgoing').length === 2);
  expect(server.asked('receipts')[0]?.receipts).toEqual([idOf('receipt one'), idOf('receipt two')]);
  expect(told('outgoing').map(({ entry }) => [entry.body, entry.state.kind, entry.receipt])).toEqual([
    ['one', 'delivered', null],
    ['two', 'stored', null],
  ]);
  expect(server.asked('send')).toEqual([]);
});

test('what an earlier process has shown is acknowledged and not told', async () => {
  const store = new Left();
  const old = messageFrom('bob', 1, 'old');
  if (old.type !== 'message') throw new Error('no message');
  store.seen.add(messageKey(hex(idOf('inbox of al')), old));
  await connectAs('al', { store });
  server.peer.send(old, messageFrom('bob', 2, 'new'));
  await until(() => server.asked('ack').length > 0);
  expect(shown).toEqual(['new']);
  expect(server.asked('ack')).toEqual([{ type: 'ack', upTo: 2 }]);
});

test('what was never sent is durable as sent before it goes out, and what goes out at once was so already', async () => {
  const store = new Left();
  const waiting: Unsettled = { ...unanswered('one'), state: { kind: 'waiting' }, mayBeStored: false };
  store.entries = [waiting];
  const told: string[] = [];
  store.commit = () => {
    const sent = server.asked('send').length;
    for (const event of events)
      if (event.type === 'outgoing' && event.entry.mayBeStored) told.push(`${sent}`);
  };
  await connectAs('al', { store });
  await until(() => statesOf(waiting.id).includes('stored'));
  expect(told[0]).toBe('0');
  const { id, mayBeStored } = client.send('bob', 'two');
  expect(mayBeStored).toBe(true);
  await until(() => statesOf(id).includes('stored'));
  expect(statesOf(id)).toEqual(['stored']);
});

test('a message is kept, and on the disk, when it goes out', () => {
  const done: string[] = [];
  const store = new Left();
  store.commit = () => void done.push('commit');
  const sender = new OutboxSender({ ...DEFAULT_OPTIONS, servers: [], store }, ({ type }) => done.push(type));
  const connection: Pick<ServerConnection, 'hasEnded' | 'ask'> = {
    hasEnded: false,
    ask: (request: Request) => {
      done.push(request.type);
      return new Promise(() => undefined);
    },
  };
  sender.add({ to: 'bob', body: 'written offline' });
  expect(done.splice(0)).toEqual(['entered']);
  sender.begin(connection as ServerConnection);
  // First that it waits no longer, then that it may be stored from now on.
  expect(done.splice(0)).toEqual(['outgoing', 'outgoing', 'commit', 'send']);
  sender.add({ to: 'cy', body: 'at once' });
  expect(done.splice(0)).toEqual(['entered', 'commit', 'send']);
});

test.each([
  ['RATE_LIMITED', 'refused'],
  ['UNAVAILABLE', 'unsure'],
] as const)('what was answered with %s and then given up is %s', async (code, kind) => {
  const store = new Left();
  server.behave = unless('send', () => fail(code, { retryAfterMs: 60_000 }));
  await connectAs('al', { store });
  const { id } = client.send('bob', 'hi');
  await until(() => statesOf(id).includes('waiting'));
  await client.logout();
  expect(statesOf(id).at(-1)).toBe(kind);
});

test('a reconnect takes up nothing twice', async () => {
  const store = new Left();
  store.entries = [unanswered('one')];
  server.behave = unless('send', () => null);
  await connectAs('al', { store });
  await until(() => server.asked('send').length === 1);
  server.peer.socket.destroy();
  await until(() => server.asked('send').length === 2);
  server.behave = agreeable;
  server.peer.socket.destroy();
  await until(() => statesOf(hex(idOf('one'))).includes('stored'));
  expect(server.asked('send')).toHaveLength(3);
  expect(store.begun).toEqual(['al', 'al', 'al']);
});

test("another account, or another life of it, has its own; the first one's end is told before", async () => {
  const store = new Left();
  await connectAs('al', { store });
  server.behave = unless('send', () => null);
  const mine = client.send('bob', 'of al');
  await until(() => server.asked('send').length === 1);
  server.peer.send({ type: 'goodbye', code: 'REPLACED', reason: 'Elsewhere.' });
  await until(() => server.peers.length === 2 && client.state.link.kind === 'online');
  store.entries = [unanswered('of eve')];
  server.behave = agreeable;
  await client.login('eve', 'secret');
  expect(statesOf(mine.id).at(-1)).toBe('unsure');
  expect(store.toldBefore[1]?.filter((type) => type === 'outgoing').length).toBeGreaterThanOrEqual(2);
  await until(() => server.asked('send').length === 2);
  expect(server.asked('send')[1]?.body).toBe('of eve');
});

test('logged out and in again: taken up as after a start', async () => {
  const store = new Left();
  await connectAs('al', { store });
  await client.logout();
  await until(() => server.peers.length === 2 && client.state.link.kind === 'online');
  store.entries = [stored('before')];
  await client.login('al', 'secret');
  await until(() => server.asked('receipts').length === 1);
  expect(server.asked('receipts')[0]?.receipts).toEqual([idOf('receipt before')]);
});
