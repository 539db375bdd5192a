/** What other producers may write into an inbox: poison, copies, transactions, bombs. */
import { CompressionTypes, type IHeaders, type KafkaMessage } from 'kafkajs';
import { usageOf } from '../../../bench/process-usage.ts';
import { Cluster } from '../../../src/storage/kafka/wire/cluster.ts';
import { produce } from '../../../src/storage/kafka/wire/produce.ts';
import { STORED_ONCE } from '../../broker/stored-once.ts';
import { CODECS, packedBatch, recordsOf, zeros } from '../../kafka/packed.ts';
import { type HistoryEvent, textOf } from '../history.ts';
import type { Row, Seen, Stage } from '../row.ts';

const MIB = 1024 * 1024;
/** Each fits into some 128 KiB when packed; snappy packs to a twentieth at best. */
const BOMB_MIB = { gzip: 100, snappy: 2.5, lz4: 30, zstd: 400 } as const;
const MOST_GROWTH_MIB = 400;

/** The first records of somebody's inbox, as any consumer gets them. */
async function readInbox(stage: Stage, person: string, count: number): Promise<KafkaMessage[]> {
  const consumer = stage.kafka().consumer({ groupId: `thief-${person}` });
  const found: KafkaMessage[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic: stage.topicOf(person), fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => void found.push(message) });
  while (found.length < count) await stage.pause(50);
  await consumer.disconnect();
  return found;
}

function externalOnes(history: readonly HistoryEvent[], person: string): string[] {
  return history.flatMap((event) =>
    event.kind === 'shown' && event.person === person && event.sender === null ? [event.text] : [],
  );
}

/** @param texts what somebody must have been shown as external, and nothing else */
function external(person: string, texts: readonly string[]): NonNullable<Row['see']> {
  return ({ history, stage }: Seen) => {
    const found = externalOnes(history, `${person}-${stage.people[0]}`).sort();
    const isRight = JSON.stringify(found) === JSON.stringify([...texts].sort());
    return isRight ? [] : [`shown as external: ${JSON.stringify(found)}, not ${JSON.stringify(texts)}`];
  };
}

export const RECORDS: readonly Row[] = [
  {
    name: 'poisoned and packed records',
    world: 'one',
    fault: 'no value, no text, 200 headers, each codec, a key of 5,000 bytes, for somebody else',
    seen: 'shown as external or stepped over, and what comes behind them arrives',
    async act(stage) {
      const person = await stage.extra('poisoned');
      const topic = stage.topicOf(person);
      await stage.write(person, 3);
      stage.fault('poison');
      const producer = stage.kafka().producer(STORED_ONCE);
      await producer.connect();
      const headers: IHeaders = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`h${i}`, 'x']));
      await producer.send({ topic, messages: [{ key: 'none', value: null }] });
      await producer.send({ topic, messages: [{ key: null, value: Buffer.from([0xff, 0xfe, 0x00, 0x1b]) }] });
      await producer.send({ topic, messages: [{ key: Buffer.alloc(5_000, 0x1b), value: 'long key' }] });
      await producer.send({ topic, messages: [{ key: 'many', value: 'many headers', headers }] });
      await producer.send({
        topic,
        compression: CompressionTypes.GZIP,
        messages: [{ value: 'packed by a library' }],
      });
      await producer.send({
        topic,
        messages: [{ value: 'for another one', headers: { 'milena-to': 'someone' } }],
      });
      await producer.disconnect();
      const raw = new Cluster({ bootstrap: stage.world.brokers.split(','), clientId: 'crafted' });
      const { node } = await raw.leader(topic);
      for (const codec of CODECS) {
        const bytes = packedBatch(recordsOf([`packed by ${codec}`]), 1, codec);
        await raw.request(node, 'produce', produce, 5_000, [{ topic, bytes }]);
      }
      await raw.close();
      await stage.write(person, 3);
      await stage.until('what comes behind', (history) => externalOnes(history, person).length >= 6);
    },
    see: ({ history, stage }) => {
      const found = new Set(externalOnes(history, `poisoned-${stage.people[0]}`));
      const wanted = ['many headers', 'packed by a library', ...CODECS.map((codec) => `packed by ${codec}`)];
      return wanted.filter((text) => !found.has(text)).map((text) => `not shown: ${text}`);
    },
  },
  {
    name: 'signed records replayed and forged',
    world: 'one',
    fault:
      'exact copies of what frontends have signed, into the same inbox and another one; a copied signature under another text',
    seen: 'an exact copy is stepped over, and everything else is external',
    async act(stage) {
      const [owner, other] = [await stage.extra('owner'), await stage.extra('other', 1)];
      await stage.write(owner, 3);
      const copies = await readInbox(stage, owner, 3);
      stage.fault('replayed');
      const producer = stage.kafka().producer(STORED_ONCE);
      await producer.connect();
      for (const { key, value, headers } of copies) {
        const copy = { key, value, ...(headers !== undefined && { headers }) };
        await producer.send({ topic: stage.topicOf(owner), messages: [copy, copy] });
        await producer.send({ topic: stage.topicOf(other), messages: [copy] });
        const letter = { from: stage.person(0), to: other, n: 900_001 };
        const forged = { ...copy, value: textOf(letter) };
        await producer.send({ topic: stage.topicOf(other), messages: [forged] });
        await producer.send({
          topic: stage.topicOf(owner),
          messages: [{ ...copy, value: textOf({ ...letter, to: owner }) }],
        });
      }
      await producer.disconnect();
      await stage.write(owner, 2);
      await stage.write(other, 2);
      // Whoever starts with no memory is to tell copies, too.
      await stage.leave(owner);
      await stage.company.enter([stage.role(owner, 'plain', 1, { manner: 'prompt' })]);
    },
    see: ({ history, stage }) =>
      externalOnes(history, `owner-${stage.people[0]}`).length >= 3
        ? []
        : ['no forged record was shown as external'],
  },
  {
    name: 'transactions aborted, open and committed',
    world: 'one',
    fault: 'of another producer, in an inbox, with messages between them',
    seen: 'what was aborted is stepped over, what is open holds nobody up, and what is committed comes',
    async act(stage) {
      const person = await stage.extra('transacted');
      const topic = stage.topicOf(person);
      stage.fault('transactions');
      const transactional = async (name: string) => {
        const settings = { transactionalId: `${name}-${person}`, idempotent: true, maxInFlightRequests: 1 };
        const producer = stage.kafka().producer({ ...settings, transactionTimeout: 60_000 });
        await producer.connect();
        return { producer, transaction: await producer.transaction() };
      };
      const [open, aborted] = [await transactional('open'), await transactional('aborted')];
      await open.transaction.send({ topic, messages: [{ value: 'was open' }] });
      await aborted.transaction.send({ topic, messages: [{ value: 'was aborted' }] });
      await stage.write(person, 3);
      await aborted.transaction.abort();
      await stage.write(person, 3);
      await open.transaction.commit();
      await stage.until('what was open', (history) => externalOnes(history, person).includes('was open'));
      // Whoever was away meanwhile reads a transaction and its end at once.
      await stage.leave(person);
      const [undone, done] = [await transactional('undone'), await transactional('done')];
      await undone.transaction.send({ topic, messages: [{ value: 'was aborted unread' }] });
      await done.transaction.send({ topic, messages: [{ value: 'was committed unread' }] });
      await undone.transaction.abort();
      await done.transaction.commit();
      await stage.company.enter([stage.role(person, 'plain', 1, { manner: 'prompt' })]);
      const last = 'was committed unread';
      await stage.until(last, (history) => externalOnes(history, person).includes(last));
      await Promise.all([open, aborted, undone, done].map(({ producer }) => producer.disconnect()));
    },
    see: external('transacted', ['was open', 'was committed unread']),
  },
  {
    name: 'packed bombs',
    world: 'one',
    fault: 'batches of 128 KiB that unpack to as much as 400 MiB, in each codec, into an inbox',
    seen: `what comes behind them arrives, and a frontend grows by less than ${MOST_GROWTH_MIB} MiB`,
    async act(stage) {
      const person = await stage.extra('bombed');
      const topic = stage.topicOf(person);
      const frontend = stage.world.frontend(0);
      const before = usageOf(frontend.pid).memoryMiB;
      const bombs = CODECS.map((codec) => packedBatch(zeros(BOMB_MIB[codec] * MIB), 1, codec));
      stage.fault('bombs');
      const raw = new Cluster({ bootstrap: stage.world.brokers.split(','), clientId: 'crafted' });
      const { node } = await raw.leader(topic);
      for (const bytes of bombs) await raw.request(node, 'produce', produce, 5_000, [{ topic, bytes }]);
      await raw.close();
      await stage.write(person, 3);
      await stage.pause(1_000);
      const growth = usageOf(frontend.pid).memoryMiB - before;
      stage.demand(growth < MOST_GROWTH_MIB, `a frontend grew by ${Math.round(growth)} MiB`);
    },
  },
];
