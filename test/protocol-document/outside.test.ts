/* What other programs do in Kafka: they write, in transactions and without, and delete. */
import { describe, expect } from 'vitest';
import { deleteBelow } from '../kafka/delete-records.ts';
import { eventually, PASSWORD } from './client.ts';
import { type Fields, frame, frame2 } from './frames.ts';
import { holds } from './sentences.ts';
import {
  login,
  logout,
  open,
  person,
  person1,
  produce,
  pushed1,
  serversOnKafka,
  transactional,
} from './servers.ts';

const servers = serversOnKafka(2, { MILENA_WINDOW: '10000' });

const bodiesOf = (page: Fields) =>
  (Array.isArray(page.messages) ? page.messages : []).map(({ body }) => body);

/** More single gaps than a commit has room for, each between two acknowledged messages. */
const GAPS = 1_750;

describe('other programs', () => {
  holds('It waits as well while acknowledgements have left hundreds of gaps.', async () => {
    const { name, client } = await person(servers[0]);
    const bodies = Array.from({ length: 2 * GAPS }, (_, i) => `m${i}`);
    await produce(name, ...bodies.map((value) => ({ value })));
    await eventually(() => expect(client.bodies()).toHaveLength(bodies.length));
    const seqs = client.seqs();
    const others = seqs.flatMap((seq, i) => (i % 2 === 1 ? [[seq, seq]] : []));
    for (let at = 0; at < others.length; at += 256)
      client.write(frame2(0x90, { ranges: others.slice(at, at + 256) }));
    await client.inStep();
    // The server sees it with the next push.
    await client.send(name, 'last');
    await eventually(() => expect(client.bodies().at(-1)).toBe('last'));
    await client.send(name, 'behind the gaps');
    // It waits in the inbox, where a retrieve finds it.
    expect(bodiesOf(await client.get(0x60))).toEqual(['behind the gaps']);
    expect(client.bodies().at(-1)).toBe('last');
    client.write(frame2(0x90, { upTo: seqs.at(-1) }));
    await client.send(name, 'next');
    await eventually(() => expect(client.bodies().at(-1)).toBe('next'));
  });

  holds(
    'What another program wrote in a Kafka transaction comes when that is committed, also behind messages of a higher `seq`.',
    async () => {
      const { name, client } = await person(servers[0]);
      const producer = await transactional();
      const transaction = await producer.transaction();
      await transaction.send({ topic: `milena.inbox.${name}`, messages: [{ value: 'in time' }] });
      await client.send(name, 'meanwhile');
      await eventually(() => expect(client.bodies()).toEqual(['meanwhile']));
      client.write(frame2(0x90, { upTo: client.seqs()[0] }));
      await transaction.commit();
      await producer.disconnect();
      await eventually(() => expect(client.bodies()).toEqual(['meanwhile', 'in time']));
      expect(client.seqs()[1]).toBeLessThan(Number(client.seqs()[0]));
      client.write(frame2(0x90, { upTo: client.seqs()[1] }));
      await eventually(async () => expect(bodiesOf(await client.get(0x60))).toEqual([]));
      client.socket.destroy();
      const back = await login(servers[1], name, { password: PASSWORD, takeover: true });
      await back.client.inStep();
      expect(back.client.bodies()).toEqual([]);
    },
  );

  holds(
    [
      '| | `gone?` | int | messages that were deleted in Kafka before they were read |',
      'those whose recipient is gone, or that Kafka lost or somebody deleted before they were read,',
      'Goodbye UNAVAILABLE means that a part of the inbox was lost or deleted: the next login says what (`again`, `gone`), and gives the rest.',
    ],
    async () => {
      const [anna, bert] = [await person(servers[0]), await person(servers[1])];
      await logout(bert);
      const lost = [await anna.client.send(bert.name, 'one'), await anna.client.send(bert.name, 'two')];
      const live = await login(servers[1], bert.name, { password: PASSWORD, deliver: 'live' });
      await deleteBelow(bert.name, 2);
      await anna.client.send(bert.name, 'three');
      live.client.write(frame2(0x60));
      expect(await live.client.goodbye()).toBe('UNAVAILABLE');
      const later = await open(servers[1]);
      const entered = await later.get(0x20, { username: bert.name, token: live.token });
      expect(entered).toMatchObject({ gone: 2, undelivered: 1 });
      await eventually(() => expect(later.bodies()).toEqual(['three']));
      await eventually(() => {
        const told = anna.client.pushed(0x92).flatMap(({ undeliverable }) => undeliverable ?? []);
        expect(told).toEqual(lost.map(({ id }) => id));
      });
    },
  );

  holds(
    [
      "**Senders**: a message that some other Kafka producer wrote has the sender `[external]`, or `[external key]` with what of the first 64 bytes of the record's key is `a-z A-Z 0-9 . _ @ / -` (a run of anything else is a blank).",
      'A username cannot contain a bracket.',
    ],
    async () => {
      const anna = await person1(servers[0]);
      await produce(
        anna.name,
        { value: 'no key' },
        { key: 'Deploy.bot_1@ci/x-y', value: 'key' },
        { key: `a]:\n\n "b" é${'x'.repeat(80)}`, value: 'odd' },
      );
      await eventually(() => {
        expect(pushed1(anna)).toEqual([
          ['[external]', 'no key'],
          ['[external Deploy.bot_1@ci/x-y]', 'key'],
          [`[external a b ${'x'.repeat(52)}]`, 'odd'],
        ]);
      });
      anna.client.write(frame(1, 0x50, '[a'));
      expect(await anna.client.text(0x22)).not.toBe('');
    },
  );
});
