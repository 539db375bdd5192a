import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { eventually, numbered } from '../contracts/cluster.ts';
import { smallStore } from '../storage/faulty-store.ts';
import { openHouse, PASSWORD } from './house.ts';
import { rawFrame } from './raw-client.ts';
import { hex, RawClient2 } from './raw-client2.ts';

describe('a repeated send', () => {
  it('is answered alike and stored once', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    const bert = await house.person2('bert');
    const id = randomBytes(16);
    const first = await anna.send('bert', 'once', id);
    expect(await anna.send('bert', 'once', id)).toEqual(first);
    await anna.send('bert', 'another');
    await eventually(() => expect(bert.bodies()).toEqual(['once', 'another']));
    expect(hex(bert.messages[0]?.id ?? id)).toBe(hex(id));
  });

  it('is answered alike while the first one is under way', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    const bert = await house.person2('bert');
    const release = house.cluster.holdAppends();
    const send = { type: 'send', id: randomBytes(16), to: 'bert', body: 'once' } as const;
    anna.write(send, send, send);
    await eventually(() => expect(house.cluster.waitingAppends).toBe(1));
    release();
    const answers = [await anna.reply(), await anna.reply(), await anna.reply()];
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    await anna.send('bert', 'last');
    await eventually(() => expect(bert.bodies()).toEqual(['once', 'last']));
  });

  it('of one that failed is tried again', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    const bert = await house.person2('bert');
    const send = { type: 'send', id: randomBytes(16), to: 'bert', body: 'at last' } as const;
    house.cluster.setAvailable(false);
    expect(await anna.refusal(send)).toBe('UNAVAILABLE');
    house.cluster.setAvailable(true);
    await anna.expect('sent', send);
    await eventually(() => expect(bert.bodies()).toEqual(['at last']));
  });

  it('for somebody else is a mistake', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    await house.person2('bert');
    const id = randomBytes(16);
    await anna.send('bert', 'x', id);
    expect(await anna.refusal({ type: 'send', id, to: 'anna', body: 'x' })).toBe('BAD_REQUEST');
  });

  it('is remembered for a bounded number of sends', async () => {
    const house = await openHouse({ limits: { rememberedSends: 2 } });
    const anna = await house.person2('anna');
    const bert = await house.person2('bert');
    const ids = [randomBytes(16), randomBytes(16), randomBytes(16)];
    for (const id of ids) await anna.send('bert', 'x', id);
    for (const id of ids.slice(1)) await anna.send('bert', 'x', id);
    await anna.send('bert', 'x', ids[0]);
    await anna.send('bert', 'end');
    await eventually(() => expect(bert.bodies()).toEqual(['x', 'x', 'x', 'x', 'end']));
  });
});

describe('a sender', () => {
  it('who is too fast is told when to go on, and nothing of it is stored', async () => {
    const house = await openHouse({ limits: { sendBurst: 3, sendsPerSecond: 0.5 } });
    const anna = await house.person2('anna');
    const bert = await house.person2('bert');
    for (const body of numbered('fits', 3)) await anna.send('bert', body);
    const failure = await anna.expect('failure', {
      type: 'send',
      id: randomBytes(16),
      to: 'bert',
      body: 'x',
    });
    expect(failure.code).toBe('RATE_LIMITED');
    expect(failure.retryAfterMs).toBeGreaterThan(0);
    await bert.send('bert', 'end');
    await eventually(() => expect(bert.bodies()).toEqual([...numbered('fits', 3), 'end']));
  });

  it('of version 1 who is too fast is made to wait, and loses nothing', async () => {
    const house = await openHouse({ limits: { sendBurst: 1, sendsPerSecond: 200 } });
    const anna = await house.person('anna');
    const bodies = numbered('fast', 20);
    anna.write(...bodies.map((body) => ({ type: 'send', to: 'anna', body }) as const));
    for (const _ of bodies) expect(await anna.reply()).toMatchObject({ type: 'sent' });
    await eventually(() => expect(anna.bodies()).toEqual(bodies));
  });

  it('who is blocked is told so, until no more, in both versions', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    const bert = await house.person2('bert');
    const old = await house.person('old');
    for (const name of ['bert', 'old']) await anna.expect('blocked', { type: 'block', name, blocked: true });
    expect(await anna.ask({ type: 'block' })).toEqual({ type: 'blocked', blocked: ['bert', 'old'] });
    expect(await bert.refusal({ type: 'send', id: randomBytes(16), to: 'anna', body: 'x' })).toBe('BLOCKED');
    const refused = await old.ask({ type: 'send', to: 'anna', body: 'x' });
    expect(refused).toEqual({ type: 'failure', text: expect.stringMatching(/does not take messages/) });
    await anna.send('bert', 'it is one way');
    await anna.expect('blocked', { type: 'block', name: 'bert', blocked: false });
    await bert.send('anna', 'at last');
    await eventually(() => expect(anna.bodies()).toEqual(['at last']));
  });

  it('blocks a bounded number of names', async () => {
    const house = await openHouse({ limits: { blockedNames: 1 } });
    const anna = await house.person2('anna');
    for (const name of ['bert', 'carl']) await house.person2(name);
    const block = (name: string) => ({ type: 'block', name, blocked: true }) as const;
    await anna.expect('blocked', block('bert'));
    expect(await anna.refusal(block('carl'))).toBe('BAD_REQUEST');
    expect(await anna.ask(block('bert'))).toEqual({ type: 'blocked', blocked: ['bert'] });
  });

  it('to a full mailbox is told so, in both versions', async () => {
    const house = await openHouse({ cluster: smallStore(1) });
    const anna = await house.person2('anna');
    const old = await house.person('old');
    await house.engine.accounts.create({ name: 'bert' });
    await anna.send('bert', 'fits');
    expect(await anna.refusal({ type: 'send', id: randomBytes(16), to: 'bert', body: 'x' })).toBe(
      'MAILBOX_FULL',
    );
    const refused = await old.ask({ type: 'send', to: 'bert', body: 'x' });
    expect(refused).toEqual({ type: 'failure', text: expect.stringMatching(/full/) });
  });
});

describe('a deletion', () => {
  it('is refused with the number of undelivered messages, unless forced', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    await anna.send('anna', 'one');
    await anna.send('anna', 'two');
    const failure = await anna.expect('failure', { type: 'delete', password: PASSWORD });
    expect(failure).toMatchObject({ code: 'HAS_UNDELIVERED', undelivered: 2, request: 0x40 });
    await eventually(() => expect(anna.messages).toHaveLength(2));
    anna.ack(anna.seqs()[0] ?? -1);
    expect(await anna.expect('failure', { type: 'delete', password: PASSWORD })).toMatchObject({
      undelivered: 1,
    });
    anna.write({ type: 'delete', password: PASSWORD, force: true });
    expect(await anna.reply()).toEqual({ type: 'deleted', undelivered: 1 });
    await anna.over();
    expect(house.engine.accounts.get('anna')).toBeUndefined();
    expect(house.cluster.mailboxes.size).toBe(0);
    expect(house.cluster.tokens.has('anna')).toBe(false);
    const again = await house.person2('anna');
    expect(again.session?.undelivered).toBe(0);
  });
});

describe('silence', () => {
  it('is asked about, and ended by a goodbye when nobody answers', async () => {
    const house = await openHouse({ limits: { pingAfterMs: 50, closeAfterMs: 300 } });
    const anna = await house.person2('anna');
    expect(await anna.over()).toBe('TIMEOUT');
    expect(anna.pings).toBe(1);
    await eventually(() => expect(house.engine.inboxes.openCount).toBe(0));
  });

  it('is none when the client answers, and none of version 1', async () => {
    const house = await openHouse({ limits: { pingAfterMs: 50, closeAfterMs: 2_000 } });
    const old = await house.person('old');
    const anna = await house.person2('anna');
    const dead = await house.person2('dead');
    let answered = 0;
    // Somebody else's time runs out meanwhile, who logged in later.
    await eventually(async () => {
      for (; answered < anna.pings; answered++) await anna.inStep();
      expect(dead.isOver).toBe(true);
    });
    expect(answered).toBeGreaterThan(0);
    expect(anna.isOver).toBe(false);
    expect(await old.ask({ type: 'list', pattern: 'old' })).toEqual({ type: 'listed', names: ['old'] });
  });
});

describe('before the login', () => {
  it('frames are small, and larger ones end the connection by a goodbye', async () => {
    const house = await openHouse();
    const client = await house.connect2();
    await client.inStep();
    client.write(rawFrame(2, 0x50, Buffer.alloc(5_000)));
    expect(await client.over()).toBe('TOO_LARGE');
  });
});

describe('replies that wait for an unanswered send', () => {
  it('are few, whatever is asked meanwhile, and all come in the end', async () => {
    const house = await openHouse({ limits: { waitingReplies: 20 } });
    const anna = await house.person2('anna');
    const release = house.cluster.holdAppends();
    const id = randomBytes(16);
    anna.write({ type: 'send', id, to: 'anna', body: 'held' });
    for (let i = 0; i < 3_000; i++) anna.write({ type: 'ping' });
    // Another one is served meanwhile, and nothing overtakes the send.
    const bert = await house.person2('bert');
    await bert.inStep();
    release();
    expect(await anna.reply()).toMatchObject({ type: 'sent' });
    for (let i = 0; i < 3_000; i++) expect(await anna.reply()).toMatchObject({ type: 'pong' });
  });
});

describe('connections from one address', () => {
  it('are bounded, and free again when one is gone', async () => {
    const house = await openHouse({ limits: { connectionsPerAddress: 2 } });
    const first = await house.person('anna');
    await house.person2('bert');
    const third = await house.connect();
    expect(await third.reply()).toEqual({
      type: 'failure',
      text: expect.stringMatching(/connections from your address/),
    });
    first.socket.destroy();
    await eventually(async () => {
      const next = await RawClient2.connect(house.frontend.address);
      next.write({ type: 'ping' });
      expect(await next.reply()).toMatchObject({ type: 'pong' });
      next.cut();
    });
  });
});

describe('the end of the server', () => {
  it('is told by a goodbye', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    await house.frontend.drain();
    expect(await anna.over()).toBe('SHUTTING_DOWN');
  });
});
