/** Batches whose records are packed, as any producer may make them: honest ones, and such as no library writes. */
import { compressionsAlgorithms, crc32c } from '@platformatic/kafka';
import { encodeContent } from '../../src/storage/kafka/wire/record-batch.ts';

export type Codec = Exclude<keyof typeof compressionsAlgorithms, 'none'>;
export const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const satisfies readonly Codec[];

/** The records of a batch before they are packed; each number takes as many bytes as it needs. */
export function records(contents: readonly Buffer[]): Buffer {
  return Buffer.concat(
    contents.flatMap((content, i) => {
      const place = varint(i);
      return [varint(2 + place.length + content.length), Buffer.from([0, 0]), place, content];
    }),
  );
}

/** Records without keys. */
export function recordsOf(bodies: readonly string[]): Buffer {
  return records(bodies.map((body) => encodeContent({ key: null, value: Buffer.from(body), headers: [] })));
}

/** Records without keys at these places of their batch. */
export function recordsAt(placed: readonly (readonly [place: number, body: string])[]): Buffer {
  return Buffer.concat(
    placed.flatMap(([at, body]) => {
      const place = varint(at);
      const content = encodeContent({ key: null, value: Buffer.from(body), headers: [] });
      return [varint(2 + place.length + content.length), Buffer.from([0, 0]), place, content];
    }),
  );
}

/** The end of a producer's transaction. */
export function markerBatch(base: number, producerId: number, isCommit: boolean): Buffer {
  const key = Buffer.from([0, 0, 0, isCommit ? 1 : 0]);
  const control = records([encodeContent({ key, value: Buffer.alloc(6), headers: [] })]);
  return rawBatch(control, { count: 1, kind: 32 + 16, base, producerId });
}

/** One record of that many zeros behind its key. */
export function zeros(bytes: number): Buffer {
  return records([encodeContent({ key: 'bomb', value: Buffer.alloc(bytes), headers: [] })]);
}

export interface BatchFields {
  /** Records that it claims to have. */
  readonly count: number;
  /** Its attributes: the codec's number, and further bits. */
  readonly kind: number;
  readonly base?: number;
  readonly producerId?: number;
}

/** A batch with these bytes as its records. */
export function rawBatch(packed: Buffer, { count, kind, base = 0, producerId = -1 }: BatchFields): Buffer {
  const batch = Buffer.concat([Buffer.alloc(61), packed]);
  batch.writeBigInt64BE(BigInt(base), 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt32BE(-1, 12);
  batch[16] = 2;
  batch.writeInt16BE(kind, 21);
  batch.writeInt32BE(count - 1, 23);
  for (const at of [27, 35]) batch.writeBigInt64BE(BigInt(Date.now()), at);
  batch.writeBigInt64BE(BigInt(producerId), 43);
  batch.writeInt16BE(-1, 51);
  batch.writeInt32BE(-1, 53);
  batch.writeInt32BE(count, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

/** The same, packed by the library. */
export function packedBatch(content: Buffer, count: number, codec: Codec, base = 0): Buffer {
  const { bitmask, compressSync } = compressionsAlgorithms[codec];
  return rawBatch(Buffer.from(compressSync(content)), { count, kind: bitmask, base });
}

/** Zigzag. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}
