import { describe, expect, it } from 'vitest';
import { eventually } from '../contracts/cluster.ts';
import { openHouse, PASSWORD } from './house.ts';
import { hex } from './raw-client2.ts';

/** What people hear when operators have deleted the topic of an inbox. */
describe('an inbox whose topic is gone', () => {
  it('ends the login with a word that makes clients come back, and the next login mends it', async () => {
    const house = await openHouse({ limits: { trackMs: 5 } });
    const anna = await house.person2('anna');
    const bert = await house.person2('bert');
    const { id, receipt } = await anna.send('bert', 'lost');
    await eventually(() => expect(bert.messages).toHaveLength(1));
    const before = house.engine.accounts.get('bert');
    house.cluster.deleteTopic(before?.topicId ?? '');
    await bert.over();
    expect(bert.goodbye).toMatchObject({ code: 'UNAVAILABLE' });
    expect(bert.goodbye?.reason).toMatch(/deleted or replaced in Kafka/);

    expect(
      await anna.ask({ type: 'send', id: Buffer.alloc(16, 1), to: 'bert', body: 'too early' }),
    ).toMatchObject({
      type: 'failure',
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/inbox of bert/),
    });

    const again = await house.connect2();
    const token = bert.session?.token ?? new Uint8Array();
    await again.login('bert', { token });
    expect(house.engine.accounts.get('bert')).toMatchObject({ incarnation: before?.incarnation });
    // What lay in the topic that is gone will never be read.
    await eventually(() => expect(anna.undeliverable).toEqual([hex(id)]));
    expect(await anna.ask({ type: 'receipts', receipts: [receipt] })).toEqual({
      type: 'fates',
      fates: ['undeliverable'],
    });
    await anna.send('bert', 'in time');
    await eventually(() => expect(again.bodies()).toEqual(['in time']));
    const [last = -1] = again.seqs();
    again.ack(last);
    await eventually(() => expect(anna.delivered).toHaveLength(1));
  });

  it('is mended by a login of version 1, by a password and by a delete', async () => {
    const house = await openHouse();
    const carl = await house.person('carl');
    house.cluster.deleteTopic(house.engine.accounts.get('carl')?.topicId ?? '');
    await eventually(() => expect(carl.isOver).toBe(true));
    await house.login('carl');

    const dora = await house.person2('dora');
    house.cluster.deleteTopic(house.engine.accounts.get('dora')?.topicId ?? '');
    await dora.over();
    const again = await house.login2('dora', { password: PASSWORD });
    again.write({ type: 'delete', password: PASSWORD });
    expect(await again.reply()).toMatchObject({ type: 'deleted' });
    await house.person2('dora');
  });
});
