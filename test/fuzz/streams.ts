/* Streams of frames: whole or spoilt, cut anywhere; what is in them comes out, and nothing else does any harm. */
import { isDeepStrictEqual } from 'node:util';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { type Frame, FrameDecoder, HEADER_BYTES } from '../../src/protocol/frame.ts';
import { type Random, randomCuts } from '../protocol/random.ts';
import { demand, demandSame, mutate, orRefusal } from './fuzzing.ts';

/** Small, so that frames over it are frequent. */
const MAX_PAYLOAD = 4_096;

/** One direction of one version. */
export interface Side<Value> {
  readonly make: (random: Random) => Value;
  readonly encode: (value: Value) => Buffer;
  readonly decode: (frame: Frame) => Value;
  /** Whether encoding may bring the value into another shape. */
  readonly isReshaped?: (value: Value) => boolean;
}

/** A frame, and what becomes of one that is read in its place. */
interface Made {
  readonly bytes: Buffer;
  readonly expect: (frame: Frame) => void;
  readonly judge: (frame: Frame) => void;
}

interface Outcome {
  readonly frames: readonly Frame[];
  readonly error: string | null;
  readonly partial: boolean;
}

/** A frame with a value of its own. */
export function madeOf<Value>(side: Side<Value>, random: Random): Made {
  const value = side.make(random);
  return {
    bytes: side.encode(value),
    expect: (frame) => demandSame(defined(side.decode(frame)), defined(value), frame),
    judge: (frame) => judgeFrame(side, frame),
  };
}

/** Any frame is decoded or refused, and what is decoded can be sent again and means the same. */
export function judgeFrame<Value>(side: Side<Value>, frame: Frame): void {
  const value = orRefusal(() => side.decode(frame));
  if (value === undefined) return;
  const bytes = side.encode(value);
  demand(bytes.readUInt8(5) === frame.opcode, () => `opcode ${frame.opcode} became ${bytes.readUInt8(5)}`);
  const again = side.decode(frameOf(bytes));
  if (side.isReshaped?.(value) === true) demandSame(side.encode(again), bytes, frame);
  else demandSame(defined(again), defined(value), frame);
}

/** Without the fields that are undefined, which means absent. */
function defined<Value>(value: Value): Partial<Value> {
  const fields = Object.entries(value ?? {}).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields) as Partial<Value>;
}

export function frameOf(bytes: Buffer): Frame {
  return { version: bytes.readUInt8(0), opcode: bytes.readUInt8(5), payload: bytes.subarray(HEADER_BYTES) };
}

/** @returns how many frames there were */
export function judgeStream(random: Random, versions: readonly number[], made: readonly Made[]): number {
  const valid = Buffer.concat(made.map(({ bytes }) => bytes));
  const isSpoilt = random.below(2) === 0;
  const stream = isSpoilt ? mutate(random, valid) : valid;
  const outcome = incremental(randomCuts(random, stream), versions);
  const wanted = reference(stream, versions);
  demand(isSame(outcome, wanted), () => `${stream.toString('hex')}: ${outcome.error}, not ${wanted.error}`);
  for (const [index, frame] of outcome.frames.entries()) {
    const one = made[Math.min(index, made.length - 1)];
    if (isSpoilt) one?.judge(frame);
    else one?.expect(frame);
  }
  // Whatever stands in a payload, the one behind it is read.
  const [first] = made;
  if (first !== undefined) {
    const frame = frameOf(first.bytes);
    const opcode = random.below(8) === 0 ? random.below(256) : frame.opcode;
    first.judge({ ...frame, opcode, payload: mutate(random, frame.payload) });
  }
  return made.length + 1;
}

/** What the decoder under test makes of `pieces`, its promises checked after every step. */
function incremental(pieces: readonly Buffer[], versions: readonly number[]): Outcome {
  const decoder = new FrameDecoder({ maxPayload: MAX_PAYLOAD, versions });
  const frames: Frame[] = [];
  try {
    for (const piece of pieces) {
      decoder.push(piece);
      for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame);
      demand(decoder.heldBytes <= MAX_PAYLOAD, () => `holds ${decoder.heldBytes} bytes`);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    demand(decoder.heldBytes === 0, () => 'holds bytes after a fatal error');
    return { frames, error: error.code, partial: false };
  }
  return { frames, error: null, partial: decoder.hasPartial };
}

/** The same by the plainest code there is, from the whole of the bytes. */
function reference(bytes: Buffer, versions: readonly number[]): Outcome {
  const frames: Frame[] = [];
  let rest = bytes;
  for (;;) {
    if (rest.length === 0) return { frames, error: null, partial: false };
    if (!versions.includes(rest.readUInt8(0)))
      return { frames, error: 'UNSUPPORTED_VERSION', partial: false };
    if (rest.length < 5) return { frames, error: null, partial: true };
    const size = rest.readUInt32BE(1);
    if (size > MAX_PAYLOAD) return { frames, error: 'TOO_LARGE', partial: false };
    if (rest.length < HEADER_BYTES + size) return { frames, error: null, partial: true };
    frames.push(frameOf(rest.subarray(0, HEADER_BYTES + size)));
    rest = rest.subarray(HEADER_BYTES + size);
  }
}

function isSame(one: Outcome, other: Outcome): boolean {
  return (
    one.error === other.error &&
    one.partial === other.partial &&
    one.frames.length === other.frames.length &&
    one.frames.every((frame, at) => isDeepStrictEqual(frame, other.frames[at]))
  );
}
