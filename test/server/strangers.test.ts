import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeFrame } from '../../src/protocol/frame.ts';
import { v1 } from '../../src/protocol/v1/codec.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import { REQUEST_OPCODES } from '../../src/protocol/v2/requests.ts';
import { eventually } from '../contracts/cluster.ts';
import { type House, openHouse, PASSWORD } from './house.ts';
import { rawFrame } from './raw-client.ts';
import { RawClient2 } from './raw-client2.ts';

/** A socket that reads nothing. */
async function mute(house: House) {
  const socket = connect(house.frontend.address);
  socket.on('error', () => {});
  socket.pause();
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  return socket;
}

describe('a stranger', () => {
  it.each([1, 2])(
    'who sends what cannot be read is told so sixteen times, then no more (version %i)',
    async (version) => {
      const house = await openHouse();
      const nonsense = rawFrame(version, 0x07, Buffer.alloc(0));
      if (version === 1) {
        const client = await house.connect();
        client.write(...Array.from({ length: 100 }, () => nonsense));
        for (let i = 0; i < 17; i++) expect(await client.reply()).toMatchObject({ type: 'failure' });
        await expect(client.reply()).rejects.toThrow(/closed/);
      } else {
        const client = await house.connect2();
        client.write(...Array.from({ length: 100 }, () => nonsense));
        for (let i = 0; i < 16; i++) expect(await client.reply()).toMatchObject({ code: 'BAD_REQUEST' });
        expect(await client.over()).toBe('BAD_REQUEST');
      }
    },
  );

  it('who errs less is listened to, and so is who has logged in', async () => {
    const house = await openHouse();
    const client = await house.connect2();
    const nonsense = rawFrame(2, 0x07, Buffer.alloc(0));
    for (let i = 0; i < 15; i++) expect(await client.refusal(nonsense)).toBe('BAD_REQUEST');
    await client.create('anna', PASSWORD);
    for (let i = 0; i < 50; i++) expect(await client.refusal(nonsense)).toBe('BAD_REQUEST');
  });

  it('who is gone is not served any more, whatever it has sent before', async () => {
    const house = await openHouse();
    let lists = 0;
    const list = house.engine.accounts.list.bind(house.engine.accounts);
    house.engine.accounts.list = (pattern, options) => {
      lists += 1;
      return list(pattern, options);
    };
    const requests = 20_000;
    const frames = Buffer.concat(
      Array.from({ length: requests }, () => v2.encodeRequest({ type: 'list', pattern: 'x' })),
    );
    const client = await house.connect2();
    client.write(frames);
    await eventually(() => expect(lists).toBeGreaterThan(0));
    client.cut();
    await eventually(() => expect(house.frontend.sessionCount).toBe(0));
    expect(lists).toBeLessThan(requests);
    const served = lists;
    const other = await house.connect2();
    await other.inStep();
    expect(lists).toBe(served);
  });

  it('of either version has only so long to log in, however busy it is', async () => {
    const house = await openHouse({ limits: { loginMs: 300 } });
    const anna = await house.person2('anna');
    const old = await house.person('old');
    const idle2 = await house.connect2();
    await idle2.inStep();
    const idle1 = await house.connect();
    expect(await idle1.ask({ type: 'list', pattern: '' })).toMatchObject({ type: 'listed' });
    expect(await idle2.over()).toBe('TIMEOUT');
    expect(await idle1.reply()).toEqual({ type: 'failure', text: expect.stringMatching(/logged in/) });
    await expect(idle1.reply()).rejects.toThrow(/closed/);
    await anna.inStep();
    expect(await old.ask({ type: 'list', pattern: 'old' })).toEqual({ type: 'listed', names: ['old'] });
  });

  it('makes room for a newcomer, the oldest first, and is told so in its version', async () => {
    const house = await openHouse({ limits: { connectionsPerAddress: 3 } });
    const anna = await house.person2('anna');
    const oldest = await house.connect();
    expect(await oldest.ask({ type: 'list', pattern: '' })).toMatchObject({ type: 'listed' });
    const second = await house.connect2();
    await second.inStep();
    const bert = await house.person2('bert');
    expect(await oldest.reply()).toEqual({ type: 'failure', text: expect.stringMatching(/place/) });
    const third = await house.connect2();
    await third.inStep();
    expect(await second.over()).toBe('BUSY');
    const carl = await house.person2('carl');
    expect(await third.over()).toBe('BUSY');
    for (const person of [anna, bert, carl]) await person.inStep();
    // All are logged in now: nobody has to go.
    const late = await house.connect();
    expect(await late.reply()).toEqual({
      type: 'failure',
      text: expect.stringMatching(/connections from your address/),
    });
  });

  it('makes room later when it has asked for a login than when it does nothing', async () => {
    const house = await openHouse({ maxConnections: 2 });
    await house.engine.accounts.create({ name: 'anna' });
    let isAsked = false;
    const { promise: mayOpen, resolve: open } = Promise.withResolvers<void>();
    const inboxes = house.engine.inboxes;
    const openInbox = inboxes.open.bind(inboxes);
    inboxes.open = async (owner, options) => {
      isAsked = true;
      await mayOpen;
      return openInbox(owner, options);
    };
    const asking = await house.connect2();
    const idle = await house.connect2();
    await idle.inStep();
    const answer = asking.login('anna');
    await eventually(() => expect(isAsked).toBe(true));
    const newcomer = await house.connect2();
    await newcomer.inStep();
    expect(await idle.over()).toBe('BUSY');
    open();
    await answer;
    await asking.inStep();
  });

  it('may be refused the names of others', async () => {
    const house = await openHouse({ listBeforeLogin: false });
    const client = await house.connect2();
    expect(await client.refusal({ type: 'list' })).toBe('NOT_LOGGED_IN');
    await client.create('anna', PASSWORD);
    expect(await client.ask({ type: 'list' })).toMatchObject({ names: ['anna'] });
    const old = await house.connect();
    expect(await old.ask({ type: 'list', pattern: '' })).toMatchObject({ type: 'failure' });
  });
});

describe('strangers together', () => {
  it('are told only so many names, those of one address and all of them', async () => {
    const listedBytesPerAddress = { burst: 1_000, perSecond: 0.1 };
    const house = await openHouse({ limits: { listedBytesPerAddress } });
    for (let i = 0; i < 50; i++) await house.engine.accounts.create({ name: `somebody-${i}` });
    const old = await house.connect();
    expect(await old.ask({ type: 'list', pattern: '' })).toMatchObject({ type: 'listed' });
    expect(await old.ask({ type: 'list', pattern: '' })).toMatchObject({ type: 'failure' });
    expect(await old.ask({ type: 'list', pattern: 'somebody-7' })).toMatchObject({ names: ['somebody-7'] });
    const client = await house.connect2();
    expect(await client.refusal({ type: 'list' })).toBe('RATE_LIMITED');
    await client.create('anna', PASSWORD);
    expect(await client.ask({ type: 'list' })).toMatchObject({ type: 'listed' });
  });

  it('may leave only so much unread; whoever sends ahead beyond that has to go', async () => {
    const house = await openHouse({ limits: { strangersUnreadBytes: 200_000, anonymousMsPerSecond: 1 } });
    const greedy = Array.from({ length: 20 }, () => RawClient2.connect(house.frontend.address));
    const ping = v2.encodeRequest({ type: 'ping' });
    const clients = await Promise.all(greedy);
    onTestFinished(() => {
      for (const client of clients) client.cut();
    });
    for (const client of clients) client.write(Buffer.concat(Array.from({ length: 10_000 }, () => ping)));
    await eventually(() => expect(clients.filter(({ isOver }) => isOver).length).toBeGreaterThan(5));
  });

  it('who never read hold up nobody, and end when nothing goes out', async () => {
    const house = await openHouse({ limits: { stalledWriteMs: 300, loginMs: 60_000, unsentBytes: 65_536 } });
    for (let i = 0; i < 300; i++)
      await house.engine.accounts.create({ name: `${'long-name-'.repeat(2)}${i}` });
    const socket = await mute(house);
    const list = encodeFrame(1, REQUEST_OPCODES.list, '');
    socket.write(Buffer.concat(Array.from({ length: 3_000 }, () => list)));
    const anna = await house.person2('anna');
    await anna.inStep();
    await eventually(() => expect(house.frontend.sessionCount).toBe(1));
    await anna.inStep();
  });
});

describe('refusals', () => {
  it('make no stack traces, which would cost more than the refusal', async () => {
    const { ProtocolError } = await import('../../src/protocol/errors.ts');
    const error = new ProtocolError('BAD_REQUEST', 'x', { cause: new Error('y') });
    expect(error.stack ?? '').not.toContain('\n    at ');
    expect(new Error('z').stack).toContain('\n    at ');
    expect(() => v1.decodeRequest({ version: 1, opcode: 7, payload: Buffer.alloc(0) })).toThrow(
      ProtocolError,
    );
  });
});
