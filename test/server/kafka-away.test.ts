import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Storage } from '../../src/core/storage.ts';
import { startServer } from '../../src/server/index.ts';
import { eventually } from '../contracts/cluster.ts';
import { FaultyStore } from '../storage/faulty-store.ts';
import { openHouse, testSettings } from './house.ts';
import { RawClient } from './raw-client.ts';

const failure = (text: RegExp) => ({ type: 'failure', text: expect.stringMatching(text) });

describe('while Kafka does not answer', () => {
  it('everything that needs it fails clearly, and works again when it is back', async () => {
    const house = await openHouse();
    const anna = await house.person('anna');
    const bert = await house.person('bert');
    await house.engine.accounts.create({ name: 'carl' });
    const stranger = await house.connect();

    house.cluster.setAvailable(false);
    const away = failure(/does not answer/);
    expect(await stranger.ask({ type: 'create', name: 'dora' })).toEqual(away);
    expect(await stranger.ask({ type: 'login', name: 'carl' })).toEqual(away);
    expect(await stranger.ask({ type: 'login', name: 'unknown' })).toEqual(away);
    expect(await stranger.ask({ type: 'list', pattern: '' })).toMatchObject({
      names: ['anna', 'bert', 'carl'],
    });
    expect(await anna.ask({ type: 'send', to: 'bert', body: 'lost?' })).toEqual(
      failure(/did not answer: your message may have been stored or not/),
    );
    expect(await anna.ask({ type: 'send', to: 'unknown', body: 'x' })).toEqual(away);
    expect(await anna.ask({ type: 'retrieve' })).toEqual(away);
    expect(await anna.ask({ type: 'delete' })).toEqual(away);

    house.cluster.setAvailable(true);
    expect(await anna.ask({ type: 'send', to: 'bert', body: 'again' })).toMatchObject({ type: 'sent' });
    await eventually(() => expect(bert.bodies()).toEqual(['again']));
    expect(await anna.ask({ type: 'retrieve' })).toEqual({ type: 'retrieved', entries: [] });
    expect(await stranger.ask({ type: 'create', name: 'dora' })).toMatchObject({ type: 'created' });
    anna.write({ type: 'delete' });
    await anna.over();
    expect(anna.unread).toEqual([]);
  });

  it('a logout is a logout all the same', async () => {
    const house = await openHouse();
    const anna = await house.person('anna');
    house.cluster.setAvailable(false);
    await anna.logout();
    await eventually(() => expect(house.frontend.sessionCount).toBe(0));
  });

  it('an account may have been made without its login: the person is told', async () => {
    const cluster = new FaultyStore();
    const engine = cluster.open();
    const { accounts } = engine;
    const { frontend, logged } = await openWith(cluster, {
      ...engine,
      accounts: {
        size: 0,
        get: (name) => accounts.get(name),
        find: (name) => accounts.find(name),
        findEvenly: (name) => accounts.findEvenly(name),
        watch: (name, changed) => accounts.watch(name, changed),
        list: (pattern, options) => accounts.list(pattern, options),
        remove: (account) => accounts.remove(account),
        update: (account, change) => accounts.update(account, change),
        mend: (account) => accounts.mend(account),
        create: async (wanted) => {
          const made = await accounts.create(wanted);
          cluster.setAvailable(false);
          return made;
        },
      },
    });
    const client = await RawClient.connect(frontend.address);
    expect(await client.ask({ type: 'create', name: 'anna' })).toEqual(
      failure(/^The account anna was made, but you are not logged in to it\. .*does not answer/),
    );
    cluster.setAvailable(true);
    expect(await client.ask({ type: 'login', name: 'anna' })).toMatchObject({ type: 'logged-in' });
    expect(logged.join('')).not.toContain('"level":50');
    client.socket.destroy();
  });
});

describe('a fault of our own', () => {
  it('is told with a reference that is in the log, and with nothing else', async () => {
    const cluster = new FaultyStore();
    const engine = cluster.open();
    const { inboxes } = engine;
    const { frontend, logged } = await openWith(cluster, {
      ...engine,
      inboxes: {
        append: async () => {
          throw new TypeError('secret.detail is not a function');
        },
        open: (owner, options) => inboxes.open(owner, options),
        held: (accounts) => inboxes.held(accounts),
        devices: (account) => inboxes.devices(account),
        forget: (...asked) => inboxes.forget(...asked),
        note: (account, device, note) => inboxes.note(account, device, note),
        fates: (receipts) => inboxes.fates(receipts),
      },
    });
    const client = await RawClient.connect(frontend.address);
    await client.create('anna');
    const reply = await client.ask({ type: 'send', to: 'anna', body: 'x' });
    if (reply.type !== 'failure') throw new Error(reply.type);
    const reference = /Reference: ([0-9a-f]{8})$/.exec(reply.text)?.[1];
    expect(reference).toBeDefined();
    expect(reply.text).not.toContain('secret');
    expect(logged.filter((line) => line.includes(`"reference":"${reference}"`))).toHaveLength(1);
    expect(await client.ask({ type: 'list', pattern: '' })).toMatchObject({ names: ['anna'] });
    client.socket.destroy();
  });
});

async function openWith(cluster: FaultyStore, storage: Storage) {
  const logged: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => logged.push(line) });
  const frontend = await startServer(storage, testSettings(), { log, limits: { lingerMs: 200 } });
  onTestFinished(async () => {
    cluster.setAvailable(true);
    await frontend.drain();
  });
  return { frontend, logged };
}
