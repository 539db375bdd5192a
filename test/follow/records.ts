/** Records of a followed topic, as they come out of a fetch. */
import type { RawRecord } from '../../src/storage/kafka/wire/log-batch.ts';
import { varint } from '../kafka/packed.ts';

export interface Said {
  readonly key?: string | Buffer | null;
  /** Text and bytes as they are, everything else as JSON. */
  readonly value?: unknown;
  readonly headers?: readonly (readonly [name: string, value: string | Buffer])[];
  readonly offset?: number;
  readonly timestamp?: number;
}

export function recordOf({
  key = null,
  value = null,
  headers = [],
  offset = 7,
  timestamp = 0,
}: Said): RawRecord {
  return {
    ...{ offset, timestamp, leaderEpoch: 0, hasAppendTime: false, transactionOf: null },
    key: bytesOf(key),
    value:
      value === null || typeof value === 'string' || Buffer.isBuffer(value) ? bytesOf(value) : json(value),
    headers: Buffer.concat([
      varint(headers.length),
      ...headers.flat().flatMap((part) => {
        const bytes = Buffer.from(part);
        return [varint(bytes.length), bytes];
      }),
    ]),
  };
}

function bytesOf(part: string | Buffer | null): Buffer | null {
  return part === null ? null : Buffer.from(part);
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
