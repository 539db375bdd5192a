import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import type { Fate, Receipt } from '../../src/core/inboxes.ts';
import { LIMITS, type Limits } from '../../src/server/limits.ts';
import { DeliveryReceipts } from '../../src/server/receipts/delivery-receipts.ts';
import { decodeReceipt, encodeReceipt } from '../../src/server/receipts/receipt.ts';
import { demandUuid } from '../../src/util/uuid.ts';
import { eventually } from '../contracts/cluster.ts';
import { idOf } from '../ids.ts';
import { FaultyStore } from '../storage/faulty-store.ts';
import { openHouse, PASSWORD } from './house.ts';
import { hex, type RawClient2 } from './raw-client2.ts';

/** So long that within a test nobody asks Kafka. */
const NEVER = 86_400_000;

async function ackAll(client: RawClient2, count: number): Promise<void> {
  await eventually(() => expect(client.messages).toHaveLength(count));
  client.ack(client.seqs().at(-1) ?? -1);
}

describe('word of delivery', () => {
  it('comes at once where both are on the same frontend, without a question to Kafka', async () => {
    const house = await openHouse({ limits: { trackMs: NEVER } });
    const anna = await house.person2('anna');
    const bert = await house.person2('bert');
    const sent = [await anna.send('bert', 'one'), await anna.send('bert', 'two')];
    await eventually(() => expect(bert.messages).toHaveLength(2));
    await anna.inStep();
    expect(anna.delivered).toEqual([]);
    bert.ack(bert.seqs()[1] ?? -1);
    await eventually(() => expect(anna.delivered).toEqual(sent.map(({ id }) => hex(id))));
    expect(house.engine.inboxes.askedReceipts).toEqual([]);
  });

  it('comes from what is committed where they are not, once, and only for what was acknowledged', async () => {
    const cluster = new FaultyStore();
    const north = await openHouse({ cluster, limits: { trackMs: 5 } });
    const south = await openHouse({ cluster });
    const anna = await north.person2('anna');
    const bert = await south.person2('bert');
    const first = await anna.send('bert', 'one');
    const second = await anna.send('bert', 'two');
    await eventually(() => expect(bert.messages).toHaveLength(2));
    bert.ack(bert.seqs()[0] ?? -1);
    await eventually(() => expect(anna.delivered).toEqual([hex(first.id)]));
    bert.ack(bert.seqs()[1] ?? -1);
    await eventually(() => expect(anna.delivered).toEqual([hex(first.id), hex(second.id)]));
    await anna.inStep();
    const asked = north.engine.inboxes.askedReceipts.length;
    // Nobody waits any more, so nobody asks: somebody else's round trips pass without one.
    const carl = await north.person2('carl');
    for (let i = 0; i < 20; i++) await carl.inStep();
    expect(north.engine.inboxes.askedReceipts.length).toBeLessThanOrEqual(asked + 1);
    expect(anna.delivered).toHaveLength(2);
  });

  it('is not lost while Kafka does not answer', async () => {
    const cluster = new FaultyStore();
    const north = await openHouse({ cluster, limits: { trackMs: 5 } });
    const south = await openHouse({ cluster });
    const anna = await north.person2('anna');
    const bert = await south.person2('bert');
    const { id } = await anna.send('bert', 'one');
    await ackAll(bert, 1);
    cluster.setAvailable(false);
    const before = north.engine.inboxes.askedReceipts.length;
    await eventually(() => expect(north.engine.inboxes.askedReceipts.length).toBeGreaterThan(before + 2));
    cluster.setAvailable(true);
    bert.write({ type: 'ack', upTo: bert.seqs()[0] ?? -1 });
    bert.cut();
    await eventually(() => expect(anna.delivered).toEqual([hex(id)]));
  });

  it('says undeliverable when the recipient is deleted, also when the name is taken again', async () => {
    const house = await openHouse({ limits: { trackMs: 5 } });
    const anna = await house.person2('anna');
    const bert = await house.person2('bert');
    const { id, receipt } = await anna.send('bert', 'never read');
    await eventually(() => expect(bert.messages).toHaveLength(1));
    bert.write({ type: 'delete', password: PASSWORD, force: true });
    expect(await bert.reply()).toEqual({ type: 'deleted', undelivered: 1 });
    await bert.over();
    const second = await house.person2('bert');
    await eventually(() => expect(anna.undeliverable).toEqual([hex(id)]));
    expect(await anna.ask({ type: 'receipts', receipts: [receipt] })).toEqual({
      type: 'fates',
      fates: ['undeliverable'],
    });
    await second.inStep();
    expect(second.messages).toEqual([]);
  });

  it('can be asked for by receipt, later and through another frontend', async () => {
    const cluster = new FaultyStore();
    const north = await openHouse({ cluster });
    const south = await openHouse({ cluster });
    const anna = await north.person2('anna');
    const bert = await north.person2('bert');
    const receipts = [];
    for (const body of ['one', 'two', 'three']) receipts.push((await anna.send('bert', body)).receipt);
    anna.cut();
    await eventually(() => expect(bert.messages).toHaveLength(3));
    const [first = -1, , third = -1] = bert.seqs();
    bert.write(
      {
        type: 'ack',
        ranges: [
          [first, first],
          [third, third],
        ],
      },
      { type: 'logout' },
    );
    await bert.over();
    const again = await south.login2('anna', { password: PASSWORD, takeover: true });
    const ask = [...receipts, Buffer.from('no receipt'), ...receipts.slice(0, 1)];
    expect(await again.ask({ type: 'receipts', receipts: ask })).toEqual({
      type: 'fates',
      fates: ['delivered', 'waiting', 'delivered', 'unknown', 'delivered'],
    });
    const carl = await south.person2('carl');
    expect(await carl.ask({ type: 'receipts', receipts })).toEqual({
      type: 'fates',
      fates: ['unknown', 'unknown', 'unknown'],
    });
  });
});

describe('a receipt', () => {
  const incarnation = Buffer.from('0123456789abcdef0123456789abcdef', 'hex');
  const life = incarnation.subarray(0, 12);
  const [me, you] = [demandUuid('aaaaaaaa-0000-4000-8000-000000000001'), idOf('you')];
  const accepted = { offset: Number.MAX_SAFE_INTEGER, epoch: 0xfffffe, acceptedAt: 1_800_000_000_123 };
  const encode = (owner: Uint8Array, name = 'bert_2-x') =>
    encodeReceipt(owner, { name, incarnation }, accepted);

  it('comes out as it went in, in at most 64 bytes', () => {
    for (const name of ['a', 'bert_2-x', 'x'.repeat(32)]) {
      const bytes = encode(me, name);
      expect(bytes.length).toBeLessThanOrEqual(64);
      const acceptedAt = accepted.acceptedAt % 2 ** 24;
      expect(decodeReceipt(me, bytes)).toEqual({ ...accepted, name, life, acceptedAt });
      expect(decodeReceipt(you, bytes)).toBeNull();
    }
    for (const epoch of [-1, 2 ** 24 - 1, 2 ** 31 - 1]) {
      const bytes = encodeReceipt(me, { name: 'a', incarnation }, { ...accepted, epoch });
      expect(decodeReceipt(me, bytes)).toMatchObject({ epoch: -1, offset: accepted.offset });
    }
  });

  it('of a server before epochs is read, too', () => {
    const tag = '562e8fb96b70';
    const rest = `${incarnation.toString('hex')}0000000000000007626f62`;
    const bytes = Buffer.from(`01${tag}${rest}`, 'hex');
    expect(decodeReceipt(me, bytes)).toEqual({
      ...{ name: 'bob', life: incarnation, offset: 7, epoch: -1, acceptedAt: null },
    });
  });

  it('is nothing at all when a bit of it is wrong, or its end is missing', () => {
    const bytes = encode(me);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(decodeReceipt(me, changed)).toBeNull();
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeReceipt(me, bytes.subarray(0, length))).toBeNull();
    }
  });
});

describe('delivery receipts', () => {
  const account = (name: string): Account => ({
    name,
    incarnation: idOf(`life of ${name}`),
    topicId: name,
    displayName: null,
    credential: null,
    disabled: false,
    blocked: [],
    createdAt: 0,
  });

  /** Where a message was stored. */
  const at = (offset: number, epoch = 0) => ({ offset, epoch, acceptedAt: 1_000 * epoch + offset });

  /** Everybody exists, and has acknowledged what the test says. */
  function open(limits: Partial<Limits>) {
    const acknowledged = new Set<number>();
    const asked: number[] = [];
    const inboxes = {
      fates: async (receipts: readonly Receipt[]) => {
        asked.push(receipts.length);
        return receipts.map(({ offset }): Fate => (acknowledged.has(offset) ? 'delivered' : 'waiting'));
      },
    };
    const all = { ...LIMITS, trackMs: 1, ...limits };
    const deliveryReceipts = new DeliveryReceipts(inboxes, { get: account }, all, pino({ level: 'silent' }));
    onTestFinished(() => deliveryReceipts.close());
    const waiter = (of = crypto.randomUUID() as string) => {
      const told: string[] = [];
      const lost: string[] = [];
      const words = (ids: readonly Uint8Array[]) => ids.map((id) => Buffer.from(id).toString());
      const settled = (delivered: readonly Uint8Array[], undeliverable: readonly Uint8Array[]) => {
        told.push(...words(delivered));
        lost.push(...words(undeliverable));
      };
      return { account: of, told, lost, settled };
    };
    return { deliveryReceipts, acknowledged, asked, waiter };
  }

  it('keeps a bounded number for all sessions of an account, and drops the oldest', () => {
    const { deliveryReceipts, waiter } = open({ trackedPerAccount: 2 });
    const [one, other] = [waiter('anna'), waiter('anna')];
    for (const [i, id] of ['a', 'b', 'c'].entries())
      deliveryReceipts.track(i === 0 ? one : other, Buffer.from(id), account('x'), at(i));
    deliveryReceipts.track(waiter('bert'), Buffer.from('d'), account('x'), at(200));
    expect(deliveryReceipts.size).toBe(3);
    deliveryReceipts.forget(other);
    expect(deliveryReceipts.size).toBe(1);
  });

  it('keeps a bounded number for a session, and drops its oldest', () => {
    const { deliveryReceipts, waiter } = open({ trackedPerAccount: 2 });
    const [one, other] = [waiter(), waiter()];
    for (const id of ['a', 'b', 'c'])
      deliveryReceipts.track(one, Buffer.from(id), account('x'), at(id.charCodeAt(0)));
    deliveryReceipts.track(other, Buffer.from('d'), account('x'), at(200));
    expect(deliveryReceipts.size).toBe(3);
    deliveryReceipts.acknowledged(account('x'), [{ first: 0, last: 1_000 }], { epochAt: () => 0 });
    expect(deliveryReceipts.size).toBe(0);
    return eventually(() => expect([one.told, other.told]).toEqual([['b', 'c'], ['d']]));
  });

  it('does not take what lies at an offset by now for what was sent there before', async () => {
    const { deliveryReceipts, acknowledged, waiter } = open({ trackMs: NEVER });
    const someone = waiter();
    const ack = (first: number, last: number, epoch: number) =>
      deliveryReceipts.acknowledged(account('x'), [{ first, last }], { epochAt: () => epoch });
    for (const offset of [5, 6, 7])
      deliveryReceipts.track(someone, Buffer.from(`old ${offset}`), account('x'), at(offset, 1));
    ack(0, 100, 2);
    ack(5, 5, -1);
    acknowledged.add(5);
    expect(deliveryReceipts.size).toBe(3);
    // Its own message gets the same offset under a later leader: the sender hears of all that lay there and behind.
    deliveryReceipts.track(someone, Buffer.from('new 6'), account('x'), at(6, 3));
    await eventually(() => expect(someone.lost).toEqual(['old 6', 'old 7']));
    ack(5, 6, 3);
    await eventually(() => expect(someone.told).toEqual(['new 6']));
    // Out of step only, under one leader or an unknown one: nothing is said of it.
    deliveryReceipts.track(someone, Buffer.from('late'), account('x'), at(4, 3));
    deliveryReceipts.track(someone, Buffer.from('unknown'), account('x'), at(4, -1));
    expect(deliveryReceipts.size).toBe(2);
    expect(someone.lost).toHaveLength(2);
  });

  it('keeps a bounded number in all, and of recipients', () => {
    const { deliveryReceipts, waiter } = open({ tracked: 3, trackedRecipients: 2 });
    const someone = waiter();
    for (let i = 0; i < 5; i++) deliveryReceipts.track(someone, Buffer.from(`x ${i}`), account('x'), at(i));
    expect(deliveryReceipts.size).toBe(3);
    deliveryReceipts.track(someone, Buffer.from('y'), account('y'), at(0));
    deliveryReceipts.track(someone, Buffer.from('z'), account('z'), at(0));
    // The messages to x were the oldest.
    expect(deliveryReceipts.size).toBe(2);
  });

  it('asks for many recipients in few questions, and tells in few words', async () => {
    const { deliveryReceipts, acknowledged, asked, waiter } = open({ trackedBatch: 10, toldAtOnce: 7 });
    const someone = waiter();
    for (let i = 0; i < 25; i++) {
      deliveryReceipts.track(someone, Buffer.from(`message ${i}`), account(`person-${i}`), at(i));
      acknowledged.add(i);
    }
    await eventually(() => expect(someone.told).toHaveLength(25));
    expect(asked).toEqual([10, 10, 5]);
    expect(new Set(someone.told).size).toBe(25);
  });

  it('tells nobody who is gone, and rests when nobody waits', async () => {
    const { deliveryReceipts, asked, acknowledged, waiter } = open({});
    const [gone, stays] = [waiter(), waiter()];
    deliveryReceipts.track(gone, Buffer.from('a'), account('x'), at(1));
    deliveryReceipts.track(stays, Buffer.from('b'), account('x'), at(2));
    deliveryReceipts.forget(gone);
    expect(deliveryReceipts.size).toBe(1);
    acknowledged.add(1).add(2);
    await eventually(() => expect(stays.told).toEqual(['b']));
    expect(gone.told).toEqual([]);
    expect(asked).toEqual([1]);
  });
});
