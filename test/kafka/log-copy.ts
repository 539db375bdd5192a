import { readBounds, readLog } from '../../src/storage/kafka/fetch/log-reader.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { eachHeader } from '../../src/storage/kafka/wire/log-batch.ts';
import { now } from '../../src/storage/kafka/wire/retry.ts';
import { testBrokers } from '../broker/brokers.ts';

/** A record as kafkajs writes it again. */
export interface Copied {
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Record<string, string>;
}

/** All records of a key that are in a topic now, in their order: what a thief can copy. */
export async function recordsOf(topic: string, key: string, brokers = testBrokers()): Promise<Copied[]> {
  const cluster = new Cluster({ bootstrap: brokers, clientId: 'thief' });
  const deadline = now() + 20_000;
  const { topicId } = await cluster.leader(topic);
  const { start, end } = await readBounds(cluster, topic, deadline);
  const found: Copied[] = [];
  for (let position = start; position < end; ) {
    const read = await readLog(
      cluster,
      { topic, topicId },
      { offset: position, epoch: -1 },
      1024 * 1024,
      deadline,
    );
    for (const { key: name, value, headers } of read.records) {
      if (name?.toString() === key)
        found.push({ key, value: value && Buffer.from(value), headers: textOf(headers) });
    }
    position = read.nextOffset;
  }
  await cluster.close();
  return found;
}

function textOf(headers: Buffer): Record<string, string> {
  const texts: Record<string, string> = {};
  eachHeader(headers, (nameAt, nameEnd, valueAt, valueEnd) => {
    texts[headers.toString('utf8', nameAt, nameEnd)] = headers.toString('utf8', valueAt, valueEnd);
  });
  return texts;
}
