import { describe, expect, it } from 'vitest';
import { eventually, message, numbered } from '../contracts/cluster.ts';
import { FaultyStore } from '../storage/faulty-store.ts';
import { openHouse } from './house.ts';

describe('messages', () => {
  it('reach whoever is logged in, in order', async () => {
    const house = await openHouse();
    const anna = await house.person('anna');
    const bert = await house.person('bert');
    for (const body of numbered('hello', 30)) {
      expect(await anna.ask({ type: 'send', to: 'bert', body })).toEqual({
        type: 'sent',
        text: 'delivered to bert',
      });
    }
    await eventually(() => expect(bert.pushes).toHaveLength(30));
    expect(bert.pushes).toEqual(
      numbered('hello', 30).map((body) => ({ type: 'message', sender: 'anna', body })),
    );
    expect(anna.pushes).toEqual([]);
  });

  it('reach oneself', async () => {
    const house = await openHouse();
    const anna = await house.person('anna');
    await anna.ask({ type: 'send', to: 'anna', body: 'buy milk' });
    await eventually(() =>
      expect(anna.pushes).toEqual([{ type: 'message', sender: 'anna', body: 'buy milk' }]),
    );
  });

  it('wait for whoever is logged out, until retrieved; then they are gone', async () => {
    const house = await openHouse();
    const bert = await house.person('bert');
    await bert.logout();
    const anna = await house.person('anna');
    for (const body of numbered('later', 3)) {
      expect(await anna.ask({ type: 'send', to: 'bert', body })).toEqual({
        type: 'sent',
        text: 'queued for bert',
      });
    }
    const again = await house.login('bert');
    await anna.ask({ type: 'send', to: 'bert', body: 'live' });
    await eventually(() => expect(again.bodies()).toEqual(['live']));
    expect(await again.ask({ type: 'retrieve' })).toEqual({
      type: 'retrieved',
      entries: numbered('later', 3).map((body) => ({ sender: 'anna', body })),
    });
    expect(await again.ask({ type: 'retrieve' })).toEqual({ type: 'retrieved', entries: [] });
    expect(again.bodies()).toEqual(['live']);
    await again.logout();
    const third = await house.login('bert');
    expect(await third.ask({ type: 'retrieve' })).toEqual({ type: 'retrieved', entries: [] });
  });

  it('keep waiting through a login that retrieves nothing, though live ones were delivered', async () => {
    const house = await openHouse();
    const bert = await house.person('bert');
    await bert.logout();
    const anna = await house.person('anna');
    await anna.ask({ type: 'send', to: 'bert', body: 'waiting' });
    const second = await house.login('bert');
    await anna.ask({ type: 'send', to: 'bert', body: 'live' });
    await eventually(() => expect(second.bodies()).toEqual(['live']));
    await second.logout();
    const third = await house.login('bert');
    expect(await third.ask({ type: 'retrieve' })).toEqual({
      type: 'retrieved',
      entries: [{ sender: 'anna', body: 'waiting' }],
    });
    expect(third.pushes).toEqual([]);
  });

  it('fill several retrieve replies when they are more than one can carry', async () => {
    const house = await openHouse();
    const anna = await house.person('anna');
    const bert = await house.engine.accounts.create({ name: 'bert' });
    const from = house.engine.accounts.get('anna');
    if (from === undefined) throw new Error('anna is logged in');
    const bodies = numbered('x'.repeat(60_000), 40);
    for (const body of bodies) await house.engine.inboxes.append(bert, message(from, body));
    const client = await house.login('bert');
    const retrieved: string[] = [];
    for (let replies = 1; ; replies++) {
      const reply = await client.ask({ type: 'retrieve' });
      if (reply.type !== 'retrieved') throw new Error(reply.type);
      if (reply.entries.length === 0) {
        expect(replies).toBe(4);
        break;
      }
      retrieved.push(...reply.entries.map(({ body }) => body));
    }
    expect(retrieved).toEqual(bodies);
    expect(await anna.ask({ type: 'send', to: 'bert', body: 'still here' })).toMatchObject({ type: 'sent' });
  });

  it('from outside never look like those of a user', async () => {
    const house = await openHouse();
    const client = await house.person('anna');
    const anna = house.engine.accounts.get('anna');
    if (anna === undefined) throw new Error('just made');
    await house.cluster.produceRaw(anna, { key: 'bert', value: 'I am bert' });
    await house.cluster.produceRaw(anna, { value: 'I am nobody' });
    await house.cluster.produceRaw(anna, { key: 'bert: hi\n\ncarl', value: 'two entries?' });
    await eventually(() => expect(client.pushes).toHaveLength(3));
    expect(client.pushes.map(({ sender }) => sender)).toEqual([
      '[external bert]',
      '[external]',
      '[external bert hi carl]',
    ]);
    await client.logout();
    await house.cluster.produceRaw(anna, { key: 'bert', value: 'again\n\ncarl: forged' });
    const again = await house.login('anna');
    expect(await again.ask({ type: 'retrieve' })).toEqual({
      type: 'retrieved',
      entries: [{ sender: '[external bert]', body: 'again\ncarl: forged' }],
    });
  });

  it('cross from one frontend to another, live', async () => {
    const cluster = new FaultyStore();
    const north = await openHouse({ cluster });
    const south = await openHouse({ cluster });
    const anna = await north.person('anna');
    const bert = await south.person('bert');
    for (const body of numbered('ping', 10)) {
      expect(await anna.ask({ type: 'send', to: 'bert', body })).toEqual({
        type: 'sent',
        text: 'delivered to bert',
      });
      expect(await bert.ask({ type: 'send', to: 'anna', body })).toEqual({
        type: 'sent',
        text: 'delivered to anna',
      });
    }
    await eventually(() => expect(bert.bodies()).toEqual(numbered('ping', 10)));
    await eventually(() => expect(anna.bodies()).toEqual(numbered('ping', 10)));
  });

  it('are in no line of the log, and neither is a token', async () => {
    const house = await openHouse();
    const anna = await house.connect();
    const created = await anna.ask({ type: 'create', name: 'anna' });
    const bert = await house.person('bert');
    await anna.ask({ type: 'send', to: 'bert', body: 'the secret of the day' });
    await eventually(() => expect(bert.pushes).toHaveLength(1));
    house.cluster.setAvailable(false);
    await anna.ask({ type: 'send', to: 'bert', body: 'the secret of the night' });
    house.cluster.setAvailable(true);
    await anna.logout();
    const log = house.logged.join('');
    expect(log).toContain('anna');
    expect(log).not.toContain('secret');
    if (created.type !== 'created') throw new Error(created.type);
    expect(log).not.toContain(created.token);
  });
});

describe('a login', () => {
  it('is refused while another one holds the account, here and elsewhere, and disturbs it in nothing', async () => {
    const cluster = new FaultyStore();
    const houses = [await openHouse({ cluster }), await openHouse({ cluster })];
    const [north] = houses;
    const anna = await north?.person('anna');
    for (const house of houses) {
      const second = await house.connect();
      expect(await second.ask({ type: 'login', name: 'anna' })).toEqual({
        type: 'failure',
        text: 'That account is already logged in.',
      });
    }
    expect(await anna?.ask({ type: 'send', to: 'anna', body: 'undisturbed' })).toMatchObject({
      type: 'sent',
    });
  });

  it('right after a logout waits for it, and is not told that the account is logged in', async () => {
    const house = await openHouse();
    const first = await house.person('anna');
    const release = house.cluster.holdCloses();
    first.write({ type: 'logout' });
    first.socket.destroySoon();
    await eventually(async () => {
      const anna = house.engine.accounts.get('anna');
      expect(anna && (await house.engine.inboxes.held([anna]))).toEqual([true]);
      expect(house.logged.join('')).toContain('logging out');
    });
    const second = await house.connect();
    second.write({ type: 'login', name: 'anna' }, { type: 'list', pattern: '' });
    const third = await house.connect();
    expect(await third.ask({ type: 'list', pattern: '' })).toEqual({ type: 'listed', names: ['anna'] });
    expect(second.unread).toEqual([]);
    release();
    expect(await second.reply()).toMatchObject({ type: 'logged-in' });
  });

  it('right after a logout finds the account free, many times', async () => {
    const house = await openHouse();
    await house.engine.accounts.create({ name: 'anna' });
    for (let round = 0; round < 30; round++) {
      const client = await house.login('anna');
      client.write({ type: 'logout' });
      client.socket.destroy();
    }
  });

  it('has one winner when many race for it through two frontends', async () => {
    const cluster = new FaultyStore();
    const houses = [await openHouse({ cluster }), await openHouse({ cluster })];
    await houses[0]?.engine.accounts.create({ name: 'prize' });
    await eventually(() => expect(houses[1]?.engine.accounts.get('prize')).toBeDefined());
    for (let round = 0; round < 25; round++) {
      const clients = await Promise.all(houses.flatMap((house) => [house.connect(), house.connect()]));
      const replies = await Promise.all(
        clients.map((client) => client.ask({ type: 'login', name: 'prize' })),
      );
      expect(replies.filter(({ type }) => type === 'logged-in')).toHaveLength(1);
      expect(replies.filter(({ type }) => type === 'failure')).toHaveLength(3);
      const winner = clients[replies.findIndex(({ type }) => type === 'logged-in')];
      await winner?.logout();
      for (const client of clients) client.socket.destroy();
    }
  });
});

describe('a deletion', () => {
  it('is refused with the number of undelivered messages', async () => {
    const house = await openHouse();
    const bert = await house.person('bert');
    await bert.logout();
    const anna = await house.person('anna');
    await anna.ask({ type: 'send', to: 'bert', body: 'one' });
    const again = await house.login('bert');
    expect(await again.ask({ type: 'delete' })).toEqual({
      type: 'failure',
      text: 'The account holds 1 undelivered message: retrieve first.',
    });
    await again.logout();
    await anna.ask({ type: 'send', to: 'bert', body: 'two' });
    const third = await house.login('bert');
    expect(await third.ask({ type: 'delete' })).toEqual({
      type: 'failure',
      text: 'The account holds 2 undelivered messages: retrieve first.',
    });
    // Refused means nothing happened: live messages still come, the backlog is still there.
    await anna.ask({ type: 'send', to: 'bert', body: 'three' });
    await eventually(() => expect(third.bodies()).toEqual(['three']));
    expect(await third.ask({ type: 'retrieve' })).toMatchObject({
      entries: [{ body: 'one' }, { body: 'two' }],
    });
    third.write({ type: 'delete' });
    await third.over();
    expect(third.unread).toEqual([]);
    expect(await anna.ask({ type: 'send', to: 'bert', body: 'anybody?' })).toMatchObject({ type: 'failure' });
    expect(await anna.ask({ type: 'list', pattern: '' })).toEqual({ type: 'listed', names: ['anna'] });
  });

  it('frees the name, which starts empty', async () => {
    const house = await openHouse();
    const first = await house.person('anna');
    first.write({ type: 'delete' });
    await first.over();
    const second = await house.person('anna');
    expect(await second.ask({ type: 'retrieve' })).toEqual({ type: 'retrieved', entries: [] });
    await second.ask({ type: 'send', to: 'anna', body: 'new life' });
    await eventually(() => expect(second.bodies()).toEqual(['new life']));
  });
});
