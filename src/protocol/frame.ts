/*
 * frame   := version:u8  size:u32-big-endian  opcode:u8  payload:size bytes
 *
 * The same for every version of the protocol; what the payload holds is up to the version's codec.
 */
import { ProtocolError } from './errors.ts';

export const HEADER_BYTES = 6;

/** Largest payload of a request on a connection that has not logged in yet, in bytes. */
export const MAX_PAYLOAD_BEFORE_LOGIN = 4 * 1024;
/** Largest payload of a request, in bytes. */
export const MAX_PAYLOAD = 64 * 1024;
/** Largest payload of a list or retrieve reply that a server makes, in bytes. */
export const MAX_REPLY_PAYLOAD = 1024 * 1024;

export interface Frame {
  readonly version: number;
  readonly opcode: number;
  /** May be a view of the chunk it came in: copy what must outlive the handling of the frame. */
  readonly payload: Buffer;
}

/**
 * A frame whose header is filled in and whose payload of `size` bytes is not, for who writes it in place.
 * @throws RangeError a size that does not fit u32
 */
export function allocateFrame(version: number, opcode: number, size: number): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + size);
  frame.writeUInt8(version, 0);
  frame.writeUInt32BE(size, 1);
  frame.writeUInt8(opcode, 5);
  return frame;
}

/** A whole frame in one allocation; a string becomes UTF-8 (a lone surrogate becomes U+FFFD). */
export function encodeFrame(version: number, opcode: number, payload: Uint8Array | string): Buffer {
  if (typeof payload === 'string') {
    const frame = allocateFrame(version, opcode, Buffer.byteLength(payload));
    frame.write(payload, HEADER_BYTES);
    return frame;
  }
  const frame = allocateFrame(version, opcode, payload.length);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

export interface FrameDecoderOptions {
  /** Largest payload to accept, in bytes. */
  readonly maxPayload: number;
  /** First bytes that are known versions; default: only 1. */
  readonly versions?: readonly number[];
}

const NOTHING = Buffer.alloc(0);

/**
 * Cuts a stream of bytes into frames: `push` what came, then call `next` until it returns undefined.
 *
 * - A header is judged as soon as it can be: an unknown version at its first byte, an oversized frame at its
 *   fifth. Both are fatal: `next` throws the same ProtocolError from then on, and further bytes are dropped.
 * - `maxPayload` counts when `next` reads a header. Who takes one frame, carries it out and only then asks for
 *   the next can raise it at login, in time for frames that came in the same chunk.
 * - A partial frame is copied out of its chunk (a byte must not keep a 64 KiB read buffer alive) into a buffer
 *   that doubles as bytes really arrive: a header that promises 64 KiB costs nothing, and many small chunks cost
 *   no more than linear time.
 * - Bound: `heldBytes` is at most maxPayload if the caller empties the decoder after each push. A caller
 *   that wants to stop (a full request queue) must stop reading its socket, since what it pushes is kept.
 */
export class FrameDecoder {
  maxPayload: number;
  /** Of the latest frame that has begun, once `next` has seen its first byte; undefined where none has, or it was unknown. */
  version: number | undefined;
  readonly #versions: readonly number[];
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerLength = 0;
  #payload = NOTHING;
  #payloadLength = 0;
  #chunks: Buffer[] = [];
  #firstChunk = 0;
  #offset = 0;
  #error: ProtocolError | undefined;

  constructor(options: FrameDecoderOptions) {
    this.maxPayload = options.maxPayload;
    this.#versions = options.versions ?? [1];
  }

  /** Takes bytes as the socket gave them. The chunk must not be changed afterwards. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#error !== undefined) return;
    this.#chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
  }

  /**
   * The next whole frame, or undefined until more bytes are pushed.
   * @throws ProtocolError `UNSUPPORTED_VERSION`, `TOO_LARGE` (both fatal; again on each further call)
   */
  next(): Frame | undefined {
    if (this.#error !== undefined) throw this.#error;
    for (;;) {
      const chunk = this.#chunks[this.#firstChunk];
      if (chunk === undefined) return undefined;
      const frame = this.#headerLength === 0 ? this.#wholeFrame(chunk) : undefined;
      if (frame !== undefined) return frame;
      const finished = this.#consume(chunk);
      if (finished !== undefined) return finished;
    }
  }

  /**
   * Whether a frame has begun and not ended: the server puts a deadline on its end. Says something only after
   * `next` has returned undefined.
   */
  get hasPartial(): boolean {
    return this.#headerLength > 0;
  }

  /** Whether all that was pushed has come out as frames. */
  get isEmpty(): boolean {
    return this.#chunks.length === 0 && this.#headerLength === 0;
  }

  /** Bytes of memory that are kept for what is not a frame yet (a fixed header buffer not counted). */
  get heldBytes(): number {
    let held = this.#payload.length;
    for (let index = this.#firstChunk; index < this.#chunks.length; index++) {
      held += this.#chunks[index]?.length ?? 0;
    }
    return held;
  }

  /** The usual case, without a copy: the frame lies whole in one chunk. */
  #wholeFrame(chunk: Buffer): Frame | undefined {
    const start = this.#offset;
    if (chunk.length - start < HEADER_BYTES) return undefined;
    const size = this.#judge(chunk, start, HEADER_BYTES);
    const end = start + HEADER_BYTES + size;
    if (end > chunk.length) return undefined;
    const frame = {
      version: chunk.readUInt8(start),
      opcode: chunk.readUInt8(start + 5),
      payload: chunk.subarray(start + HEADER_BYTES, end),
    };
    this.#advance(chunk, end);
    return frame;
  }

  /** Moves bytes of a frame that is cut by the end of a chunk into buffers of our own. */
  #consume(chunk: Buffer): Frame | undefined {
    let at = this.#offset;
    if (this.#headerLength < HEADER_BYTES) {
      const taken = chunk.copy(this.#header, this.#headerLength, at);
      this.#headerLength += taken;
      at += taken;
      this.#judge(this.#header, 0, this.#headerLength);
      if (this.#headerLength < HEADER_BYTES) {
        this.#advance(chunk, at);
        return undefined;
      }
    }
    const size = this.#header.readUInt32BE(1);
    const taken = Math.min(size - this.#payloadLength, chunk.length - at);
    this.#reserve(this.#payloadLength + taken, size);
    chunk.copy(this.#payload, this.#payloadLength, at, at + taken);
    this.#payloadLength += taken;
    this.#advance(chunk, at + taken);
    if (this.#payloadLength < size) return undefined;
    const frame = {
      version: this.#header.readUInt8(0),
      opcode: this.#header.readUInt8(5),
      payload: this.#payload.subarray(0, size),
    };
    this.#headerLength = 0;
    this.#payload = NOTHING;
    this.#payloadLength = 0;
    return frame;
  }

  /** Grows the payload's buffer by doubling, never beyond the frame's own size. */
  #reserve(needed: number, size: number): void {
    if (needed <= this.#payload.length) return;
    const grown = Buffer.alloc(Math.min(size, Math.max(needed, this.#payload.length * 2, 64)));
    this.#payload.copy(grown, 0, 0, this.#payloadLength);
    this.#payload = grown;
  }

  #advance(chunk: Buffer, offset: number): void {
    this.#offset = offset;
    if (offset < chunk.length) return;
    this.#offset = 0;
    this.#firstChunk += 1;
    if (this.#firstChunk === this.#chunks.length) {
      this.#chunks = [];
      this.#firstChunk = 0;
    }
  }

  /** Refuses a header as early as its first `length` bytes allow; returns the payload's size once known. @param at its place */
  #judge(header: Buffer, at: number, length: number): number {
    if (length >= 1) {
      const version = header.readUInt8(at);
      this.version = this.#versions.includes(version) ? version : undefined;
      if (this.version === undefined) {
        this.#fail('UNSUPPORTED_VERSION', `Version ${version} of the protocol is not spoken here.`);
      }
    }
    if (length < 5) return 0;
    const size = header.readUInt32BE(at + 1);
    if (size > this.maxPayload) {
      this.#fail('TOO_LARGE', `A frame of ${size} bytes is too large: ${this.maxPayload} are allowed here.`);
    }
    return size;
  }

  #fail(code: 'UNSUPPORTED_VERSION' | 'TOO_LARGE', message: string): never {
    this.#error = new ProtocolError(code, message, { fatal: true });
    this.#chunks = [];
    this.#firstChunk = 0;
    this.#offset = 0;
    this.#payload = NOTHING;
    this.#payloadLength = 0;
    this.#headerLength = 0;
    throw this.#error;
  }
}

/**
 * One version of the protocol: frames ⇄ values, for both sides. The frame layer is the same for all versions, so
 * a server picks the codec by `frame.version`.
 */
export interface Codec<Request, ServerFrame> {
  readonly version: number;
  /** Server side. @throws ProtocolError for a frame that is no request of this version */
  decodeRequest(frame: Frame): Request;
  /** Server side: a whole frame, header included. */
  encodeServerFrame(value: ServerFrame): Buffer;
  /** Client side. @throws ProtocolError for a frame that no server of this version sends */
  decodeServerFrame(frame: Frame): ServerFrame;
  /** Client side: a whole frame, header included. @throws ProtocolError for what the server would refuse */
  encodeRequest(value: Request): Buffer;
}
