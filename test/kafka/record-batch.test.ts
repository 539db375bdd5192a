/** Batches and requests of ours, byte for byte as the library makes them. */
import { randomBytes } from 'node:crypto';
import {
  createRecordsBatch,
  NumericMap,
  produceV11,
  Reader,
  ResponseError,
  Writer,
} from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import type { RecordContent } from '../../src/storage/kafka/inbox/record.ts';
import {
  type ProduceResponse,
  produce,
  type TopicBatch,
  type TopicResult,
} from '../../src/storage/kafka/wire/produce.ts';
import { encodeBatch, encodeContent, recordBytes } from '../../src/storage/kafka/wire/record-batch.ts';

const producer = { id: 2n ** 40n + 7n, epoch: 3 };
const TIME = 1_795_000_000_123;
const SEQUENCE = 2 ** 31 - 5;

/** Where the lengths of varints change, and in between. */
const SIZES = [0, 1, 63, 64, 127, 8_191, 8_192, 20_000, 70_000];

function content(size: number): RecordContent {
  const headers = size % 2 === 0 ? ['ce_id', 'čau ✓', Buffer.from('milena-to'), randomBytes(size % 300)] : [];
  return { key: size === 1 ? '' : `sender-${size}`, value: size === 127 ? null : randomBytes(size), headers };
}

/** The same for the library. */
function messageOf({ key, value, headers }: RecordContent, topic: string) {
  const parts = headers.map((part) => Buffer.from(part));
  const pairs = parts.flatMap((name, at): [Buffer, Buffer][] =>
    at % 2 === 0 ? [[name, parts[at + 1] ?? Buffer.alloc(0)]] : [],
  );
  const record = { key: Buffer.from(key ?? ''), value: value as Buffer, headers: new Map(pairs) };
  return { ...record, topic, partition: 0, timestamp: BigInt(TIME) };
}

function libraryOptions(topics: readonly string[]) {
  const sequences = new NumericMap();
  for (const topic of topics) sequences.set(`${topic}:0`, SEQUENCE);
  const identity = { producerId: producer.id, producerEpoch: producer.epoch, partitionLeaderEpoch: -1 };
  return { ...identity, sequences, compression: 'none' } as const;
}

const encoded = (contents: readonly RecordContent[]): Buffer =>
  encodeBatch(contents.map(encodeContent), producer, SEQUENCE, TIME);

describe('a batch', () => {
  it.each(SIZES)('of one record of %i bytes is what the library makes', (size) => {
    const one = content(size);
    expect(encoded([one])).toEqual(createRecordsBatch([messageOf(one, 't')], libraryOptions(['t'])).buffer);
  });

  it('of many records is what the library makes, and no longer than was promised', () => {
    const contents = Array.from({ length: 300 }, (_, i) => content(i));
    const batch = encoded(contents);
    const messages = contents.map((one) => messageOf(one, 't'));
    expect(batch).toEqual(createRecordsBatch(messages, libraryOptions(['t'])).buffer);
    const promised = contents.reduce((sum, one) => sum + recordBytes(encodeContent(one)), 61);
    expect(batch.length).toBeLessThanOrEqual(promised);
  });

  it('is not changed by what is encoded after it', () => {
    const first = encodeContent(content(64));
    const copy = Buffer.from(first);
    encodeContent(content(8_192));
    expect(first).toEqual(copy);
  });
});

describe('a produce request', () => {
  it('is what the library makes', () => {
    const topics = Array.from({ length: 40 }, (_, i) => `milena.inbox.${'n'.repeat(i)}`);
    const contents = topics.map((_, i) => [content(i), content(i + 1)]);
    const batches: TopicBatch[] = topics.map((topic, i) => ({ topic, bytes: encoded(contents[i] ?? []) }));
    const messages = topics.flatMap((topic, i) => (contents[i] ?? []).map((one) => messageOf(one, topic)));
    const theirs = produceV11.createRequest(-1, 5_000, messages, libraryOptions(topics));
    expect(sentBy(batches)).toEqual(theirs.buffer);
  });
});

describe('the answer to a produce request', () => {
  const topics = ['milena.inbox.ada', `milena.inbox.${'n'.repeat(200)}`, 'milena.inbox.bob'];

  it('is read as the library reads it', () => {
    const bytes = answer([
      { name: topics[0], code: 0, offset: 7n, time: 1_760_000_000_123n },
      { name: topics[1], code: 0, offset: 2n ** 40n, time: -1n },
      { name: topics[2], code: 6, offset: -1n, time: -1n, errors: ['not so', null], message: 'no' },
    ]);
    const reader = Reader.from(bytes);
    const ours = readBy(reader);
    expect(reader.remaining).toBe(0);
    expect([...ours]).toEqual(
      theirs(bytes).map(({ name, partitionResponses: [partition] }) => ({
        topic: name,
        errorCode: partition?.errorCode,
        baseOffset: Number(partition?.baseOffset),
        appendTime: Number(partition?.logAppendTimeMs),
      })),
    );
    expect(ours.map(({ errorCode }) => errorCode)).toEqual([0, 0, 6]);
    expect(ours.map(({ topic }) => topic)).toEqual(topics);
  });

  it('is refused where it is cut', () => {
    const bytes = answer([{ name: topics[0], code: 0, offset: 7n, time: 1n }]);
    for (let length = 1; length < bytes.length - 5; length++) {
      expect(() => readBy(Reader.from(bytes.subarray(0, length)))).toThrow(RangeError);
    }
  });
});

interface Answer {
  readonly name: string | undefined;
  readonly code: number;
  readonly offset: bigint;
  readonly time: bigint;
  readonly errors?: (string | null)[];
  readonly message?: string;
}

/** A response of Kafka's. */
function answer(answers: Answer[]): Buffer {
  const writer = Writer.create().appendArray(answers, (w, { name, code, offset, time, errors, message }) => {
    w.appendString(name).appendArray([0], (partition) => {
      partition.appendInt32(0).appendInt16(code).appendInt64(offset).appendInt64(time).appendInt64(0n);
      partition.appendArray(errors ?? [], (each, text, index) => {
        each.appendInt32(index).appendString(text);
      });
      partition.appendString(message ?? null);
    });
  });
  return writer.appendInt32(0).appendTaggedFields().buffer;
}

function readBy(reader: Reader): readonly TopicResult[] {
  let found: readonly TopicResult[] = [];
  const connection = {
    send: (_key: number, _version: number, _create: unknown, parse: typeof produceV11.parseResponse) => {
      found = (parse(1, 0, 11, reader) as unknown as ProduceResponse).results;
    },
  };
  produce(connection as never, 5_000, [], () => {});
  return found;
}

/** It throws a response with an error in it. */
function theirs(bytes: Buffer): produceV11.ProduceResponseTopic[] {
  try {
    return produceV11.parseResponse(1, 0, 11, Reader.from(bytes)).responses;
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    return (error.response as produceV11.ProduceResponse).responses;
  }
}

/** What the request's maker gives to a connection. */
function sentBy(batches: readonly TopicBatch[]): Buffer {
  let payload: Buffer | undefined;
  const connection = {
    send: (_key: number, _version: number, create: () => { buffer: Buffer }) => {
      payload = create().buffer;
    },
  };
  produce(connection as never, 5_000, batches, () => {});
  return payload ?? Buffer.alloc(0);
}
