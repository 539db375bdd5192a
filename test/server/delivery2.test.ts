import { describe, expect, it } from 'vitest';
import { Window } from '../../src/server/session/window.ts';
import { eventually, numbered } from '../contracts/cluster.ts';
import { type House, openHouse, PASSWORD } from './house.ts';

/** Somebody with so many messages waiting, and the one who wrote them. */
async function backlog(house: House, count: number) {
  const anna = await house.person2('anna');
  anna.write({ type: 'logout' });
  await anna.over();
  const bert = await house.person2('bert');
  for (const body of numbered('old', count)) await bert.send('anna', body);
  return bert;
}

/** What the inbox has committed as delivered. */
function committed(house: House, name: string): number[] {
  const mailbox = house.cluster.mailboxes.get(house.engine.accounts.get(name)?.topicId ?? '');
  const offsets = Array.from({ length: mailbox?.next ?? 0 }, (_, offset) => offset);
  return offsets.filter((offset) => mailbox?.get(offset, undefined) === undefined);
}

describe('a message of version 2', () => {
  it('is delivered when the client has said so, and not before', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    const bert = await house.person2('bert');
    await bert.send('anna', 'hello');
    await eventually(() => expect(anna.bodies()).toEqual(['hello']));
    anna.cut();
    await eventually(() => expect(house.engine.inboxes.openCount).toBe(1));
    const again = await house.login2('anna');
    expect(again.session?.undelivered).toBe(1);
    await eventually(() => expect(again.bodies()).toEqual(['hello']));
    again.ack(again.seqs()[0] ?? -1);
    await again.inStep();
    again.cut();
    await eventually(() => expect(house.engine.inboxes.openCount).toBe(1));
    expect((await house.login2('anna')).session?.undelivered).toBe(0);
  });

  it('carries who wrote it, when, and what it is', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    const bert = await house.person2('bert');
    const id = Buffer.alloc(16, 9);
    await bert.expect('sent', { type: 'send', id, to: 'anna', body: '# hi', contentType: 'text/markdown' });
    const account = house.engine.accounts.get('anna');
    if (account === undefined) throw new Error('anna is there');
    await house.cluster.produceRaw(account, { key: 'bert', value: 'trust me' });
    await eventually(() => expect(anna.messages).toHaveLength(2));
    const [own, external] = anna.messages;
    expect(own).toMatchObject({ verified: true, from: 'bert', body: '# hi', contentType: 'text/markdown' });
    expect(Buffer.from(own?.id ?? [])).toEqual(id);
    expect(external).toMatchObject({ verified: false, external: 'bert', body: 'trust me' });
    expect(external).not.toHaveProperty('from');
  });

  it('comes again in order after a lost connection, with nothing missing', async () => {
    const house = await openHouse({ limits: { window: 5 } });
    await backlog(house, 20);
    const seen = new Set<string>();
    while (seen.size < 20) {
      const anna = await house.login2('anna', { password: PASSWORD, takeover: true });
      await eventually(() =>
        expect(anna.messages.length).toBeGreaterThanOrEqual(Math.min(5, 20 - seen.size)),
      );
      const wanted = numbered('old', 20).slice(seen.size);
      expect(anna.bodies()).toEqual(wanted.slice(0, anna.messages.length));
      const kept = anna.messages.slice(0, 3);
      for (const message of kept) seen.add(message.body);
      anna.ack(kept.at(-1)?.seq ?? -1);
      await anna.inStep();
      anna.cut();
      await eventually(() => expect(house.engine.inboxes.openCount).toBe(1));
    }
  });
});

describe('the window', () => {
  it('stops the pushes of its own inbox alone, and goes on by acknowledgements', async () => {
    const house = await openHouse({ limits: { window: 4 } });
    const bert = await backlog(house, 10);
    const anna = await house.login2('anna');
    await eventually(() => expect(anna.messages).toHaveLength(4));
    await anna.inStep();
    expect(house.engine.inboxes.pushedCount('anna')).toBe(4);
    // Somebody else's messages pass meanwhile.
    const carl = await house.person2('carl');
    await bert.send('carl', 'not for anna');
    await eventually(() => expect(carl.bodies()).toEqual(['not for anna']));
    expect(anna.messages).toHaveLength(4);
    for (let acknowledged = 4; acknowledged <= 10; acknowledged += 2) {
      anna.ack(anna.seqs()[acknowledged - 3] ?? -1);
      await eventually(() => expect(anna.messages).toHaveLength(Math.min(10, acknowledged + 2)));
    }
    expect(anna.bodies()).toEqual(numbered('old', 10));
  });

  it('counts acknowledgements in any order', async () => {
    const house = await openHouse({ limits: { window: 4 } });
    await backlog(house, 6);
    const anna = await house.login2('anna');
    await eventually(() => expect(anna.messages).toHaveLength(4));
    const [a = -1, b = -1, c = -1, d = -1] = anna.seqs();
    anna.write({
      type: 'ack',
      ranges: [
        [d, d],
        [b, b],
      ],
    });
    await eventually(() => expect(anna.messages).toHaveLength(6));
    await eventually(() => expect(committed(house, 'anna')).toEqual([b, d]));
    anna.write({ type: 'ack', ranges: [[c, c]] });
    anna.cut();
    await eventually(() => expect(house.engine.inboxes.openCount).toBe(1));
    const again = await house.login2('anna');
    await eventually(() => expect(again.bodies()[0]).toBe('old 0'));
    expect(again.seqs()[0]).toBe(a);
  });

  it('counts only what was handed out', async () => {
    const house = await openHouse({ limits: { window: 2 } });
    await backlog(house, 5);
    const anna = await house.login2('anna');
    await eventually(() => expect(anna.messages).toHaveLength(2));
    anna.write({
      type: 'ack',
      ranges: [
        [3, 4],
        [1_000, 2_000],
      ],
    });
    await anna.inStep();
    expect(anna.messages).toHaveLength(2);
    anna.ack(Number.MAX_SAFE_INTEGER);
    await eventually(() => expect(anna.messages).toHaveLength(4));
    await eventually(() => expect(committed(house, 'anna')).toEqual([0, 1]));
  });

  it('knows ranges that overlap, touch and miss', () => {
    const window = new Window(100);
    for (const offset of [3, 4, 5, 8, 9, 20]) window.pushed(offset);
    window.retrieved([1, 2]);
    const ranges = [
      { first: 8, last: 8 },
      { first: 2, last: 4 },
      { first: 4, last: 4 },
      { first: 10, last: 19 },
    ];
    expect(window.acknowledge(ranges)).toEqual([
      { first: 3, last: 4 },
      { first: 8, last: 8 },
      { first: 2, last: 2 },
    ]);
    expect(window.acknowledge(ranges)).toEqual([]);
    expect(window.acknowledge([{ first: 0, last: 100 }])).toEqual([
      { first: 5, last: 5 },
      { first: 9, last: 9 },
      { first: 20, last: 20 },
      { first: 1, last: 1 },
    ]);
  });
});

describe('live delivery', () => {
  it('leaves the backlog to retrieve, in pages, again until it is acknowledged', async () => {
    const house = await openHouse();
    const bert = await backlog(house, 5);
    const anna = await house.login2('anna', { password: PASSWORD, deliver: 'live' });
    expect(anna.session?.undelivered).toBe(5);
    await bert.send('anna', 'live');
    await eventually(() => expect(anna.bodies()).toEqual(['live']));
    // An acknowledgement of the live message up to its seq is none for those that wait.
    anna.ack(anna.seqs()[0] ?? -1);
    const page = async (limit: number) => {
      const { messages, more } = await anna.expect('retrieved', { type: 'retrieve', limit });
      return { bodies: messages.map(({ body }) => body), seqs: messages.map(({ seq }) => seq), more };
    };
    const first = await page(2);
    expect(first).toMatchObject({ bodies: ['old 0', 'old 1'], more: true });
    expect(await page(2)).toEqual(first);
    expect((await page(5)).bodies).toEqual(numbered('old', 5));
    anna.ack(first.seqs[1] ?? -1);
    expect(await page(2)).toMatchObject({ bodies: ['old 2', 'old 3'], more: true });
    anna.write({ type: 'ack', ranges: [[2, 3]] });
    const last = await page(2);
    expect(last).toMatchObject({ bodies: ['old 4'], more: false });
    anna.ack(last.seqs[0] ?? -1);
    expect(await page(2)).toMatchObject({ bodies: [], more: false });
    expect(anna.bodies()).toEqual(['live']);
  });

  it('says that there is more when a page ends by its size', async () => {
    const house = await openHouse();
    const bert = await backlog(house, 0);
    const large = 'x'.repeat(60_000);
    for (let i = 0; i < 30; i++) await bert.send('anna', `${i} ${large}`);
    const anna = await house.login2('anna', { password: PASSWORD, deliver: 'live' });
    const found: string[] = [];
    for (let more = true; more; ) {
      const page = await anna.expect('retrieved', { type: 'retrieve' });
      found.push(...page.messages.map(({ body }) => body.split(' ')[0] ?? ''));
      more = page.more;
      anna.write({ type: 'ack', ranges: page.messages.map(({ seq }) => [seq, seq] as const) });
    }
    expect(found).toEqual(Array.from({ length: 30 }, (_, i) => String(i)));
  });
});
