import { describe, expect, it } from 'vitest';
import type { Request } from '../../src/protocol/v1/requests.ts';
import { LIMITS } from '../../src/server/limits.ts';
import { eventually, numbered } from '../contracts/cluster.ts';
import { openHouse } from './house.ts';

const sends = (to: string, bodies: string[]): Request[] => bodies.map((body) => ({ type: 'send', to, body }));

describe('sends in a row, without waiting for answers', () => {
  it('keep their order, and are answered in it', async () => {
    const house = await openHouse();
    const anna = await house.person('anna');
    const bert = await house.person('bert');
    await house.engine.accounts.create({ name: 'carl' });
    const bodies = numbered('pipelined', 500);
    anna.write(...bodies.flatMap((body) => [...sends('bert', [body]), ...sends('carl', [body])]));
    for (const _ of bodies) {
      expect(await anna.reply()).toEqual({ type: 'sent', text: 'delivered to bert' });
      expect(await anna.reply()).toEqual({ type: 'sent', text: 'queued for carl' });
    }
    await eventually(() => expect(bert.bodies()).toEqual(bodies));
    expect(house.cluster.acceptedFor('carl')).toEqual(bodies);
  });

  it('keep their order around names that must be looked up, and around errors', async () => {
    const house = await openHouse();
    const anna = await house.person('anna');
    const bert = await house.person('bert');
    anna.write(
      ...sends('bert', ['1']),
      ...sends('nobody', ['2']),
      ...sends('bert', ['3']),
      { type: 'list', pattern: 'b*' },
      { type: 'retrieve' },
      ...sends('bert', ['4']),
      { type: 'login', name: 'bert' },
      ...sends('bert', ['5']),
    );
    const types: string[] = [];
    for (let i = 0; i < 8; i++) types.push((await anna.reply()).type);
    expect(types).toEqual(['sent', 'failure', 'sent', 'listed', 'retrieved', 'sent', 'failure', 'sent']);
    await eventually(() => expect(bert.bodies()).toEqual(['1', '3', '4', '5']));
  });

  it('are answered in order when they complete in another one', async () => {
    const house = await openHouse();
    const anna = await house.person('anna');
    const release = house.cluster.holdAppends();
    anna.write(...sends('anna', ['stored']), ...sends('nobody', ['refused']), { type: 'list', pattern: '' });
    await eventually(() => expect(house.cluster.waitingAppends).toBe(1));
    expect(await (await house.connect()).ask({ type: 'list', pattern: '' })).toMatchObject({
      type: 'listed',
    });
    expect(anna.unread).toEqual([]);
    release();
    expect((await anna.reply()).type).toBe('sent');
    expect((await anna.reply()).type).toBe('failure');
    expect((await anna.reply()).type).toBe('listed');
  });

  it('wait outside when too many are under way, and nobody else waits with them', async () => {
    const house = await openHouse();
    const anna = await house.person('anna');
    const bert = await house.person('bert');
    const release = house.cluster.holdAppends();
    const bodies = numbered('x'.repeat(1_000), 2_000);
    anna.write(...sends('bert', bodies));
    await eventually(() => expect(house.cluster.waitingAppends).toBe(LIMITS.outstandingSends));
    // Two megabytes were written; what the server does not read stays in the client's own buffers.
    for (let i = 0; i < 20; i++)
      expect(await bert.ask({ type: 'list', pattern: 'a*' })).toMatchObject({ names: ['anna'] });
    expect(house.cluster.waitingAppends).toBe(LIMITS.outstandingSends);
    expect(anna.unread).toEqual([]);
    release();
    for (const _ of bodies) expect((await anna.reply()).type).toBe('sent');
    await eventually(() => expect(bert.bodies()).toEqual(bodies));
  });

  it('do not hold up live messages to the sender', async () => {
    const house = await openHouse();
    const client = await house.person('anna');
    const anna = house.engine.accounts.get('anna');
    if (anna === undefined) throw new Error('just made');
    const release = house.cluster.holdAppends();
    client.write(...sends('anna', ['held']));
    await eventually(() => expect(house.cluster.waitingAppends).toBe(1));
    await house.cluster.produceRaw(anna, { key: 'clock', value: 'noon' });
    await eventually(() => expect(client.bodies()).toEqual(['noon']));
    release();
    await eventually(() => expect(client.bodies()).toEqual(['noon', 'held']));
  });

  it('are answered before the logout behind them is carried out', async () => {
    const house = await openHouse();
    const anna = await house.person('anna');
    await house.engine.accounts.create({ name: 'bert' });
    const release = house.cluster.holdAppends();
    anna.write(...sends('bert', numbered('parting', 5)), { type: 'logout' });
    await eventually(() => expect(house.cluster.waitingAppends).toBe(5));
    expect(house.engine.inboxes.openCount).toBe(1);
    release();
    for (let i = 0; i < 5; i++) expect((await anna.reply()).type).toBe('sent');
    await anna.over();
    expect(anna.unread).toEqual([]);
  });

  it('are refused, each by itself, when the engine is full', async () => {
    const house = await openHouse();
    house.cluster.maxWaitingAppends = 10;
    const anna = await house.person('anna');
    const release = house.cluster.holdAppends();
    anna.write(...sends('anna', numbered('n', 15)));
    await eventually(() => expect(house.cluster.waitingAppends).toBe(10));
    release();
    const replies = [];
    for (let i = 0; i < 15; i++) replies.push(await anna.reply());
    expect(replies.slice(0, 10).every(({ type }) => type === 'sent')).toBe(true);
    expect(replies.at(-1)).toMatchObject({ type: 'failure', text: expect.stringMatching(/busy/) });
    const stored = replies.filter(({ type }) => type === 'sent').length;
    await eventually(() => expect(anna.pushes).toHaveLength(stored));
  });
});
