import { createHash, randomUUID } from 'node:crypto';
import { type MessageRecord, NumericMap, ProduceAcks, produceV11 } from '@platformatic/kafka';
import type { Trust } from '../src/storage/kafka/inbox/trust.ts';
import { encodeAccount } from '../src/storage/kafka/tables/account-record.ts';
import { signRecord } from '../src/storage/kafka/tables/signed-record.ts';
import { Cluster } from '../src/storage/kafka/wire/cluster.ts';
import { expectNone, KafkaCode } from '../src/storage/kafka/wire/kafka-error.ts';
import { ACCOUNTS_TOPIC } from '../src/storage/kafka/wire/topics.ts';
import { newUuid } from '../src/util/uuid.ts';

/** Requests under way at once, each with one record. */
const IN_FLIGHT = 256;

/** Names as people have them, in no order: six letters and digits, then a number. */
export function nameOf(index: number): string {
  return `${createHash('md5').update(String(index)).digest('hex').slice(0, 6)}-${index}`;
}

/** As long as an argon2id credential is. */
export function credentialOf(index: number): string {
  const noise = createHash('sha512').update(String(index)).digest('base64');
  return `$argon2id$v=19$m=19456,t=2,p=1$${noise.slice(0, 22)}$${noise.slice(22, 65)}`;
}

/** Writes account records without their inboxes, as a frontend signs them. @returns the seconds it took */
export async function fillAccounts(brokers: string, count: number, trust: Trust): Promise<number> {
  const cluster = new Cluster({ bootstrap: brokers.split(','), clientId: 'account-filler' });
  const { node } = await cluster.leader(ACCOUNTS_TOPIC);
  const started = performance.now();
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) {
      const response = await cluster.request(
        node,
        'produce',
        produceV11.api,
        ProduceAcks.ALL,
        10_000,
        [recordOf(index, trust)],
        { sequences: new NumericMap(), compression: 'none' },
      );
      if (typeof response === 'boolean') continue;
      const code = response.responses[0]?.partitionResponses[0]?.errorCode;
      expectNone('Produce', code ?? KafkaCode.REQUEST_TIMED_OUT);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  await cluster.close();
  return (performance.now() - started) / 1_000;
}

function recordOf(index: number, trust: Trust): MessageRecord {
  const value = accountOf(index);
  const { headers } = signRecord(trust, ACCOUNTS_TOPIC, nameOf(index), value, trust.clock.now());
  return {
    ...{ topic: ACCOUNTS_TOPIC, partition: 0, key: Buffer.from(nameOf(index)), value },
    headers: new Map([[Buffer.from(headers[0] ?? ''), Buffer.from(headers[1] ?? '')]]),
  };
}

function accountOf(index: number): Buffer {
  return encodeAccount({
    name: '',
    incarnation: newUuid(),
    topicId: randomUUID(),
    displayName: index % 4 === 0 ? 'Dóra ☂' : null,
    credential: credentialOf(index),
    disabled: false,
    blocked: [],
    createdAt: 1_760_000_000_000 + index,
  });
}
