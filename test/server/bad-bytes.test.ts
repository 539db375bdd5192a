import { describe, expect, it } from 'vitest';
import { eventually } from '../contracts/cluster.ts';
import { type House, openHouse } from './house.ts';
import { rawFrame } from './raw-client.ts';

const failure = (text: RegExp) => ({ type: 'failure', text: expect.stringMatching(text) });

/** Nothing at level error or above: whatever clients send, it is not the server that was at fault. */
function expectNoFault(house: House): void {
  const faults = house.logged.filter((line) => Number(/"level":(\d+)/.exec(line)?.[1]) >= 50);
  expect(faults).toEqual([]);
}

describe('a stream that cannot be trusted', () => {
  it.each([0, 3, 255])('of version %i gets a failure of version 1, and the end', async (version) => {
    const house = await openHouse();
    for (const client of [await house.connect(), await house.person('anna')]) {
      client.write(rawFrame(version, 0x50, ''));
      expect(await client.reply()).toEqual(failure(new RegExp(`Version ${version} `)));
      await client.over();
    }
    await eventually(() => expect(house.frontend.sessionCount).toBe(0));
    expect(house.engine.inboxes.openCount).toBe(0);
    expectNoFault(house);
  });

  it('is one whose frame is over 4 KiB before the login', async () => {
    const house = await openHouse();
    const client = await house.connect();
    expect(await client.ask(rawFrame(1, 0x10, 'x'.repeat(4_096)))).toEqual(failure(/1 to 32/));
    expect(await client.ask(rawFrame(1, 0x10, 'x'.repeat(4_097)))).toEqual(failure(/too large/));
    await client.over();
  });

  it('is one whose frame is over 64 KiB after the login', async () => {
    const house = await openHouse();
    const client = await house.person('anna');
    const body = 'x'.repeat(65_536 - 5);
    expect(await client.ask(rawFrame(1, 0x70, `\x04anna${body}`))).toMatchObject({ type: 'sent' });
    await eventually(() => expect(client.bodies()).toEqual([body]));
    expect(await client.ask(rawFrame(1, 0x70, `\x04anna${body}y`))).toEqual(failure(/too large/));
    await client.over();
  });

  it('may be large right behind the login, in the same packet', async () => {
    const house = await openHouse();
    const client = await house.connect();
    client.write({ type: 'create', name: 'anna' }, { type: 'send', to: 'anna', body: 'x'.repeat(60_000) });
    expect(await client.reply()).toMatchObject({ type: 'created' });
    expect(await client.reply()).toMatchObject({ type: 'sent' });
  });

  it('is judged by its header: four gigabytes are refused before they come', async () => {
    const house = await openHouse();
    const client = await house.person('anna');
    client.write(Buffer.from('01ffffffff', 'hex'));
    expect(await client.reply()).toEqual(failure(/too large/));
    await client.over();
  });

  it('gets the answers to what came before it', async () => {
    const house = await openHouse();
    const client = await house.person('anna');
    client.write(
      { type: 'send', to: 'anna', body: 'good' },
      { type: 'list', pattern: '' },
      rawFrame(7, 0x10, 'evil'),
      { type: 'send', to: 'anna', body: 'never read' },
    );
    expect((await client.reply()).type).toBe('sent');
    expect((await client.reply()).type).toBe('listed');
    expect(await client.reply()).toEqual(failure(/Version 7/));
    await client.over();
    expect(client.unread).toEqual([]);
    expect(house.cluster.acceptedFor('anna')).toEqual(['good']);
  });
});

/** Numbers below 1 that depend on the seed alone. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Bytes that look more or less like requests, and some that do not at all. */
function nonsense(random: () => number): Buffer {
  const below = (limit: number) => Math.floor(random() * limit);
  const frames: Buffer[] = [];
  for (let i = 0; i < 1 + below(12); i++) {
    const payload = Buffer.alloc(below(random() < 0.9 ? 40 : 5_000), 0);
    for (let at = 0; at < payload.length; at++) payload[at] = random() < 0.7 ? 97 + below(6) : below(256);
    const opcode = random() < 0.8 ? (1 + below(7)) * 16 : below(256);
    const frame = rawFrame(random() < 0.95 ? 1 + below(2) : below(256), opcode, payload);
    if (random() < 0.1) frame[1 + below(5)] = below(256);
    frames.push(random() < 0.9 ? frame : frame.subarray(0, below(frame.length)));
  }
  return Buffer.concat(frames);
}

describe('nonsense', () => {
  it('never harms the server, nor those who talk sense meanwhile', async () => {
    const seed = Number(process.env.MILENA_TEST_SEED ?? Date.now() % 1_000_000);
    console.log(`seed ${seed}: MILENA_TEST_SEED=${seed} repeats it`);
    const random = randomFrom(seed);
    const house = await openHouse();
    const anna = await house.person('honest-anna');
    const bert = await house.person('honest-bert');
    for (let round = 0; round < 60; round++) {
      const fools = await Promise.all(Array.from({ length: 5 }, () => house.connect()));
      for (const fool of fools) {
        if (random() < 0.3) fool.write({ type: 'create', name: `fool-${Math.floor(random() * 10)}` });
        const bytes = nonsense(random);
        for (let at = 0; at < bytes.length; ) {
          const size = 1 + Math.floor(random() * bytes.length);
          fool.write(bytes.subarray(at, at + size));
          at += size;
        }
      }
      expect(await anna.ask({ type: 'send', to: 'honest-bert', body: `round ${round}` })).toEqual({
        type: 'sent',
        text: 'delivered to honest-bert',
      });
      for (const fool of fools) {
        if (random() < 0.5) fool.socket.resetAndDestroy();
        else fool.socket.destroySoon();
      }
    }
    await eventually(() => expect(bert.bodies().filter((body) => body.startsWith('round'))).toHaveLength(60));
    await eventually(() => expect(house.frontend.sessionCount).toBe(2));
    expect(house.engine.inboxes.openCount).toBe(2);
    expectNoFault(house);
  });
});
