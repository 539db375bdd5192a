import { setImmediate as nextTick } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { EngineError } from '../../src/core/errors.ts';
import { eventually } from '../contracts/cluster.ts';
import { FaultyStore } from '../storage/faulty-store.ts';
import { openHouse, PASSWORD } from './house.ts';
import { rawFrame } from './raw-client.ts';

const failure = (text: RegExp) => ({ type: 'failure', text: expect.stringMatching(text) });

describe('a client that is gone at once', () => {
  it('is logged out by its logout', async () => {
    const house = await openHouse();
    const anna = await house.person('anna');
    anna.write({ type: 'logout' });
    anna.socket.destroySoon();
    await eventually(() => expect(house.engine.inboxes.openCount).toBe(0));
    await eventually(() => expect(house.frontend.sessionCount).toBe(0));
  });

  it('has its account deleted', async () => {
    const house = await openHouse();
    const anna = await house.person('anna');
    anna.write({ type: 'delete' });
    anna.socket.destroySoon();
    await eventually(() => expect(house.engine.accounts.get('anna')).toBeUndefined());
    await eventually(() => expect(house.frontend.sessionCount).toBe(0));
    await house.person('anna');
  });

  it('has everything carried out that it wrote before', async () => {
    const house = await openHouse();
    const bert = await house.person('bert');
    await house.engine.accounts.create({ name: 'anna' });
    const client = await house.connect();
    client.write(
      { type: 'login', name: 'anna' },
      { type: 'send', to: 'bert', body: 'first words' },
      { type: 'send', to: 'bert', body: 'last words' },
      { type: 'delete' },
    );
    client.socket.destroySoon();
    await eventually(() => expect(bert.bodies()).toEqual(['first words', 'last words']));
    await eventually(() => expect(house.engine.accounts.get('anna')).toBeUndefined());
    await eventually(() => expect(house.frontend.sessionCount).toBe(1));
  });

  it('without a word is logged out', async () => {
    const house = await openHouse();
    const anna = await house.person('anna');
    anna.socket.resetAndDestroy();
    await eventually(() => expect(house.engine.inboxes.openCount).toBe(0));
    await house.login('anna');
  });

  it('in the middle of its login leaves nothing held', async () => {
    const house = await openHouse();
    await house.engine.accounts.create({ name: 'anna' });
    for (let round = 0; round < 20; round++) {
      const client = await house.connect();
      client.write({ type: 'login', name: 'anna' });
      if (round % 2 === 0) client.socket.destroySoon();
      else client.socket.resetAndDestroy();
    }
    await eventually(() => expect(house.frontend.sessionCount).toBe(0));
    expect(house.engine.inboxes.openCount).toBe(0);
    await house.login('anna');
  });

  it('on one side only gets all its answers, and then the end', async () => {
    const house = await openHouse();
    const client = await house.person('anna');
    client.write({ type: 'send', to: 'anna', body: 'x' }, { type: 'list', pattern: '' });
    client.socket.end();
    expect(await client.reply()).toEqual({ type: 'sent', text: 'delivered to anna' });
    expect(await client.reply()).toEqual({ type: 'listed', names: ['anna'] });
    await client.over();
    expect(client.unread).toEqual([]);
  });
});

describe('an inbox that is lost', () => {
  it('ends the login with a word why', async () => {
    const cluster = new FaultyStore();
    const north = await openHouse({ cluster });
    const south = await openHouse({ cluster });
    const anna = await north.person('anna');
    cluster.fence('anna');
    expect(await anna.reply()).toEqual(failure(/login has ended/));
    await anna.over();
    await eventually(() => expect(north.frontend.sessionCount).toBe(0));
    const again = await south.login('anna');
    await again.ask({ type: 'send', to: 'anna', body: 'here now' });
    await eventually(() => expect(again.bodies()).toEqual(['here now']));
    expect(anna.pushes).toEqual([]);
  });

  it('ends the login when its topic is deleted, and says whether the account is gone, too', async () => {
    const house = await openHouse();
    const [anna, bert] = [await house.person('anna'), await house.person('bert')];
    const [annas, berts] = ['anna', 'bert'].map((name) => house.engine.accounts.get(name));
    if (annas === undefined || berts === undefined) throw new Error('no accounts');
    house.cluster.deleteTopic(annas.topicId);
    expect(await anna.reply()).toEqual(failure(/inbox was deleted or replaced in Kafka/));
    await house.engine.accounts.remove(berts);
    expect(await bert.reply()).toEqual(failure(/account was removed/));
    await anna.over();
  });

  it('while a login takes it has that try again, since nobody is known to hold it', async () => {
    const house = await openHouse();
    (await house.person2('anna')).cut();
    const { inboxes } = house.engine;
    const open = vi.spyOn(inboxes, 'open');
    open.mockImplementationOnce(async (...how) => {
      const inbox = await inboxes.open(...how);
      inbox.confirm = async () => {
        throw new EngineError('LOST', 'told to', { loss: 'lost' });
      };
      return inbox;
    });
    const again = await house.connect2();
    const login = { type: 'login', username: 'anna', password: PASSWORD, takeover: true } as const;
    expect(await again.refusal(login)).toBe('BUSY');
    await again.login('anna', { password: PASSWORD });
  });

  it('ends it after the answers to what is under way', async () => {
    const house = await openHouse();
    const anna = await house.person('anna');
    await house.person('bert');
    const release = house.cluster.holdAppends();
    anna.write({ type: 'send', to: 'bert', body: 'one' }, { type: 'send', to: 'bert', body: 'two' });
    await eventually(() => expect(house.cluster.waitingAppends).toBe(2));
    house.cluster.fence('anna');
    await nextTick();
    anna.write({ type: 'send', to: 'bert', body: 'too late' });
    release();
    expect(await anna.reply()).toEqual({ type: 'sent', text: 'delivered to bert' });
    expect(await anna.reply()).toEqual({ type: 'sent', text: 'delivered to bert' });
    expect(await anna.reply()).toEqual(failure(/login has ended/));
    await anna.over();
    expect(house.cluster.acceptedFor('bert')).toEqual(['one', 'two']);
  });
});

describe('a frame', () => {
  it('that comes byte by byte is a frame', async () => {
    const house = await openHouse();
    const client = await house.connect();
    const bytes = rawFrame(1, 0x10, 'anna');
    for (const byte of bytes) {
      client.socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await client.reply()).toMatchObject({ type: 'created' });
  });

  it.each(['anonymous', 'logged in'])(
    'that is not finished in time ends the connection (%s)',
    async (state) => {
      const house = await openHouse({ limits: { partialFrameMs: 50 } });
      const client = state === 'anonymous' ? await house.connect() : await house.person('anna');
      client.write(rawFrame(1, 0x70, '\x04annahello').subarray(0, 9));
      expect(await client.reply()).toEqual(failure(/not finished in time/));
      await client.over();
      await eventually(() => expect(house.frontend.sessionCount).toBe(0));
      expect(house.engine.inboxes.openCount).toBe(0);
    },
  );

  it('that is finished in time stops its deadline', async () => {
    const house = await openHouse({ limits: { partialFrameMs: 500 } });
    const client = await house.person('anna');
    const frame = rawFrame(1, 0x50, '');
    for (let round = 0; round < 3; round++) {
      client.write(frame.subarray(0, 3));
      client.write(frame.subarray(3));
      expect(await client.reply()).toMatchObject({ type: 'listed' });
    }
    // Somebody else's deadline begins later and passes: this one's would have, too.
    const other = await house.connect();
    other.write(frame.subarray(0, 3));
    await other.over();
    expect(await client.ask(frame)).toMatchObject({ type: 'listed' });
  });

  it('that the end of the connection cuts short gets an error', async () => {
    const house = await openHouse();
    const client = await house.person('anna');
    client.write(rawFrame(1, 0x50, 'abc').subarray(0, 7));
    client.socket.end();
    expect(await client.reply()).toEqual(failure(/ended within a frame/));
    await client.over();
  });
});

describe('a connection that says nothing', () => {
  it('is closed after a while, unless it was ever answered', async () => {
    const house = await openHouse({ limits: { firstRequestMs: 700 } });
    const anna = await house.person('anna');
    const asker = await house.connect();
    expect(await asker.ask({ type: 'login', name: 'nobody' })).toEqual(failure(/no user/));
    // Opened after the others, so their time would be over before this one's.
    const silent = await house.connect();
    expect(await silent.reply()).toEqual(failure(/Nothing was asked/));
    await silent.over();
    expect(await anna.ask({ type: 'list', pattern: '' })).toMatchObject({ type: 'listed' });
    expect(await asker.ask({ type: 'list', pattern: '' })).toMatchObject({ type: 'listed' });
  });
});

describe('the cap on connections', () => {
  it('tells who comes above it, and lets the next one in when somebody left', async () => {
    const house = await openHouse({ maxConnections: 3 });
    const first = await house.person('anna');
    for (const name of ['bert', 'carl']) await house.person(name);
    const fourth = await house.connect();
    expect(await fourth.reply()).toEqual(failure(/as many connections/));
    await fourth.over();
    await first.logout();
    await eventually(async () => {
      const next = await house.connect();
      try {
        next.write({ type: 'list', pattern: '' });
        expect(await next.reply()).toMatchObject({ type: 'listed' });
      } finally {
        next.socket.destroy();
      }
    });
  });
});
