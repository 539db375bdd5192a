import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { eventually, numbered } from '../contracts/cluster.ts';
import { FaultyStore } from '../storage/faulty-store.ts';
import { openHouse } from './house.ts';

const farewell = { type: 'failure', text: 'The server is shutting down.' };

describe('a drain', () => {
  it('answers what is under way, says goodbye, gives every inbox back and lets nobody in', async () => {
    const cluster = new FaultyStore();
    const house = await openHouse({ cluster, limits: { leavingAtOnce: 3 } });
    const people = await Promise.all(Array.from({ length: 20 }, (_, i) => house.person(`p-${i}`)));
    const stranger = await house.connect();
    const [anna] = people;
    if (anna === undefined) throw new Error('there are twenty');
    const release = cluster.holdAppends();
    for (const body of numbered('last', 3)) anna.write({ type: 'send', to: 'p-1', body });
    await eventually(() => expect(cluster.waitingAppends).toBe(3));

    const drained = house.frontend.drain();
    const late = connect(house.frontend.address);
    const [error] = await once(late, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(await stranger.reply()).toEqual(farewell);
    // Asked for after the drain began: neither carried out nor answered.
    anna.write({ type: 'send', to: 'p-1', body: 'too late' });
    release();
    for (let i = 0; i < 3; i++) expect((await anna.reply()).type).toBe('sent');
    for (const person of people) {
      expect(await person.reply()).toEqual(farewell);
      await person.over();
    }
    expect(await drained).toBe(0);
    expect(house.engine.inboxes.openCount).toBe(0);

    const next = await openHouse({ cluster });
    const again = await next.login('p-1');
    const retrieved = await again.ask({ type: 'retrieve' });
    if (retrieved.type !== 'retrieved') throw new Error(retrieved.type);
    const [, second] = people;
    const seen = [...(second?.bodies() ?? []), ...retrieved.entries.map(({ body }) => body)];
    expect(seen).toEqual(numbered('last', 3));
  });

  it('commits what was delivered', async () => {
    const cluster = new FaultyStore();
    const house = await openHouse({ cluster });
    const anna = await house.person('anna');
    for (const body of numbered('seen', 5)) await anna.ask({ type: 'send', to: 'anna', body });
    await eventually(() => expect(anna.pushes).toHaveLength(5));
    await house.frontend.drain();
    const next = await openHouse({ cluster });
    const again = await next.login('anna');
    expect(await again.ask({ type: 'retrieve' })).toEqual({ type: 'retrieved', entries: [] });
  });

  it('waits no longer than its deadline', async () => {
    const house = await openHouse({ limits: { drainMs: 700 } });
    const anna = await house.person('anna');
    const bert = await house.person('bert');
    const release = house.cluster.holdAppends();
    anna.write({ type: 'send', to: 'bert', body: 'never answered' });
    await eventually(() => expect(house.cluster.waitingAppends).toBe(1));
    expect(await house.frontend.drain()).toBe(1);
    await anna.over();
    expect(anna.unread).toEqual([]);
    expect(await bert.reply()).toEqual(farewell);
    release();
  });
});
