import { describe, expect, it } from 'vitest';
import { appendAll, eventually, message, numbered, observe, uniqueName } from '../contracts/cluster.ts';
import { FaultyStore } from './faulty-store.ts';

describe('the faults that a store can be told to have', () => {
  it('UNAVAILABLE for everything while told so, and nothing is lost by it', async () => {
    const cluster = new FaultyStore();
    const engine = cluster.open();
    const anna = await engine.accounts.create({ name: uniqueName('anna') });
    const reader = await observe(engine, anna);
    await engine.inboxes.append(anna, message(anna, 'before'));
    await eventually(() => expect(reader.bodies()).toEqual(['before']));
    cluster.setAvailable(false);
    const unavailable = { name: 'EngineError', code: 'UNAVAILABLE' };
    await expect(engine.inboxes.append(anna, message(anna, 'during'))).rejects.toMatchObject(unavailable);
    await expect(engine.inboxes.held([anna])).rejects.toMatchObject(unavailable);
    await expect(
      engine.inboxes.open(anna, { deliver: 'all', onMessage() {}, onLost() {} }),
    ).rejects.toMatchObject(unavailable);
    await expect(engine.accounts.find(uniqueName('x'))).rejects.toMatchObject(unavailable);
    await expect(engine.accounts.create({ name: uniqueName('x') })).rejects.toMatchObject(unavailable);
    await expect(engine.accounts.remove(anna)).rejects.toMatchObject(unavailable);
    await expect(reader.inbox.undelivered()).rejects.toMatchObject(unavailable);
    expect(engine.accounts.get(anna.name)).toEqual(anna);
    cluster.setAvailable(true);
    await engine.inboxes.append(anna, message(anna, 'after'));
    await eventually(() => expect(reader.bodies()).toEqual(['before', 'after']));
  });

  it('holds appends until released, in order, and says BUSY when too many wait', async () => {
    const cluster = new FaultyStore();
    cluster.maxWaitingAppends = 10;
    const engine = cluster.open();
    const anna = await engine.accounts.create({ name: uniqueName('anna') });
    const reader = await observe(engine, anna);
    const release = cluster.holdAppends();
    const waiting = appendAll(engine, anna, anna, numbered('held', 10));
    expect(cluster.waitingAppends).toBe(10);
    await expect(engine.inboxes.append(anna, message(anna, 'one more'))).rejects.toMatchObject({
      code: 'BUSY',
    });
    expect(reader.pushed).toEqual([]);
    release();
    expect(await waiting).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await eventually(() => expect(reader.bodies()).toEqual(numbered('held', 10)));
  });

  it('fences a holder', async () => {
    const cluster = new FaultyStore();
    const engine = cluster.open();
    const anna = await engine.accounts.create({ name: uniqueName('anna') });
    const reader = await observe(engine, anna);
    cluster.fence(anna.name);
    await eventually(() => expect(reader.lost).toEqual(['fenced']));
    await expect(reader.inbox.undelivered()).rejects.toMatchObject({ code: 'LOST' });
    expect(await engine.inboxes.held([anna])).toEqual([false]);
  });

  it('deletes a topic under its holder', async () => {
    const cluster = new FaultyStore();
    const engine = cluster.open();
    const anna = await engine.accounts.create({ name: uniqueName('anna') });
    const reader = await observe(engine, anna);
    cluster.deleteTopic(anna.topicId);
    await eventually(() => expect(reader.lost).toEqual(['no inbox']));
    await expect(engine.inboxes.append(anna, message(anna, 'x'))).rejects.toMatchObject({
      code: 'NO_INBOX',
    });
    const mended = await engine.accounts.mend(anna);
    const again = await observe(engine, mended, { deliver: 'all' });
    await engine.inboxes.append(mended, message(anna, 'y'));
    await eventually(() => expect(again.bodies()).toEqual(['y']));
  });
});
