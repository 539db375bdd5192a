import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { decodeCbor, REPLY_LIMITS } from '../../src/protocol/v2/cbor-reader.ts';
import { SERVER_OPCODES } from '../../src/protocol/v2/replies.ts';
import { REQUEST_OPCODES } from '../../src/protocol/v2/requests.ts';
import {
  ACK_NUMBER_BYTES,
  ackHead,
  bodyOfPush1,
  HEADER_BYTES,
  PING_FRAME,
  type ProtocolVersion,
  type Push,
  readPush,
  writeAck,
} from './wire.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Who is told what happens to a client. */
export interface ClientEvents {
  /** A live or undelivered message; its body begins at `bodyAt` of the chunk, which is used again afterwards. */
  onMessage(chunk: Buffer, bodyAt: number): void;
  /** A send was answered. @param timeUs what was given to `send`; @param failure its payload, used again afterwards; null = accepted */
  onAnswer(client: LoadClient, timeUs: number, failure: Buffer | null): void;
  /** The connection ended and nobody here wanted that. @param unanswered sends that may have been stored */
  onLost(client: LoadClient, unanswered: number): void;
}

/** The reply to `ask`. */
export interface Reply {
  readonly opcode: number;
  /** A copy. */
  readonly payload: Buffer;
}

interface Question {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

const CONNECT_TIMEOUT_MS = 20_000;

/**
 * What any socket without TLS reads, in turn: each is done with it before the next one reads. A buffer for each read
 * was a large part of what the generator cost.
 */
const reading = Buffer.allocUnsafe(64 * 1024);

/** Room for a send and an ack: mostly there is no more to write in one turn. */
const OUT_BYTES = 256;
const NOTHING = Buffer.alloc(0);
const INBOX_ACK = ackHead(null);

/** Clients with something to write at the end of this turn. */
let dirty: LoadClient[] = [];
let flushed: LoadClient[] = [];

function flushAll(): void {
  const clients = dirty;
  dirty = flushed;
  flushed = clients;
  for (const client of clients) client.flush();
  clients.length = 0;
}

/** One client of either version on a socket of its own. Writes once per turn of the event loop; checks nothing. */
export class LoadClient {
  readonly name: string;
  readonly index: number;
  /** For version 2, from its last login. */
  token: Uint8Array | null = null;
  /** Sends so far, for ids. */
  count = 0;
  /** Messages whose `seq` was not the one behind that of the message before. */
  misplaced = 0;
  readonly #version: ProtocolVersion;
  readonly #events: ClientEvents;
  #socket: Socket | null = null;
  #online = false;
  /** In the order of the requests: the time of a send, or who asked something else. */
  #waiting: (number | Question)[] = [];
  /** Its first `#outBytes` are to be written. Used again when the kernel has taken them. */
  #out = NOTHING;
  #outBytes = 0;
  /** Of `#out`, what was written last: the next write mostly has the same length. */
  #view = NOTHING;
  #isDirty = false;
  #seq = -1;
  #acked = -1;
  #room: string | null = null;
  /** Null: of a room of which nothing has come yet. */
  #ackHead: Buffer | null = INBOX_ACK;
  #acknowledges = true;
  #rest: Buffer | null = null;
  readonly #push: Push = { bodyAt: 0, seq: 0 };

  constructor(name: string, index: number, version: ProtocolVersion, events: ClientEvents) {
    this.name = name;
    this.index = index;
    this.#version = version;
    this.#events = events;
  }

  get isOnline(): boolean {
    return this.#online;
  }

  set isOnline(online: boolean) {
    this.#online = online;
  }

  /** Where all messages come from, and are acknowledged: the inbox (null) or a room; of both, the numbers would be mixed up. */
  get room(): string | null {
    return this.#room;
  }

  set room(room: string | null) {
    if (room === this.#room) return;
    this.#room = room;
    this.#ackHead = room === null ? INBOX_ACK : null;
    this.#seq = -1;
    this.#acked = -1;
  }

  /** Without, what has come is acknowledged when it is set again. */
  set acknowledges(acknowledges: boolean) {
    this.#acknowledges = acknowledges;
    if (this.#seq > this.#acked) this.#soil();
  }

  /** Whether it reads what the server writes. */
  set reads(reads: boolean) {
    if (reads) this.#socket?.resume();
    else this.#socket?.pause();
  }

  /** @throws the network's error, or after 20 s */
  connect(address: Address, tls: boolean): Promise<void> {
    this.close();
    return new Promise((resolve, reject) => {
      const socket = tls ? this.#openTls(address) : this.#openPlain(address);
      this.#socket = socket;
      const timer = setTimeout(
        () => socket.destroy(new Error('the connection took too long')),
        CONNECT_TIMEOUT_MS,
      );
      socket.once(tls ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.on('error', reject);
      socket.once('close', () => {
        clearTimeout(timer);
        reject(new Error('the connection was closed'));
        if (this.#socket === socket) this.#ended(true);
      });
    });
  }

  /** Sends a request and resolves with its reply, whichever that is. @throws when the connection ends */
  ask(frame: Buffer): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#write(frame);
    });
  }

  /** Sends a message, of whose frame it takes a copy; `onAnswer` is told of its reply. */
  send(frame: Buffer, timeUs: number): void {
    this.#waiting.push(timeUs);
    this.#write(frame);
  }

  /** Sends that are not answered. */
  get unanswered(): number {
    return this.#waiting.length;
  }

  close(): void {
    this.#socket?.destroy();
    this.#ended(false);
  }

  /** @internal */
  flush(): void {
    this.#isDirty = false;
    if (this.#seq > this.#acked && this.#acknowledges && this.#ackHead !== null) {
      this.#acked = this.#seq;
      this.#makeRoom(this.#ackHead.length + ACK_NUMBER_BYTES);
      this.#outBytes = writeAck(this.#out, this.#outBytes, this.#seq, this.#ackHead);
    }
    const socket = this.#socket;
    if (this.#outBytes === 0 || socket === null) return;
    if (this.#view.length !== this.#outBytes) this.#view = this.#out.subarray(0, this.#outBytes);
    this.#outBytes = 0;
    socket.write(this.#view);
    // Zero: the kernel has all of it. Otherwise the socket still reads from there, and it must stay as it is.
    if (socket.writableLength > 0) this.#replaceOut(NOTHING);
  }

  #openPlain({ host, port }: Address): Socket {
    const callback = (bytes: number) => {
      this.#take(reading, bytes);
      return true;
    };
    return createConnection({ host, port, noDelay: true, onread: { buffer: reading, callback } });
  }

  #openTls({ host, port }: Address): Socket {
    const socket = connectTls({ host, port, rejectUnauthorized: false });
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk, chunk.length));
    return socket;
  }

  #write(frame: Buffer): void {
    this.#makeRoom(frame.length);
    this.#out.set(frame, this.#outBytes);
    this.#outBytes += frame.length;
    this.#soil();
  }

  #makeRoom(bytes: number): void {
    const needed = this.#outBytes + bytes;
    if (needed <= this.#out.length) return;
    const larger = Buffer.allocUnsafe(Math.max(OUT_BYTES, 2 * this.#out.length, needed));
    larger.set(this.#out.subarray(0, this.#outBytes));
    this.#replaceOut(larger);
  }

  #replaceOut(out: Buffer<ArrayBuffer>): void {
    this.#out = out;
    this.#view = NOTHING;
  }

  #soil(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    if (dirty.push(this) === 1) setImmediate(flushAll);
  }

  #ended(lost: boolean): void {
    const waiting = this.#waiting;
    this.#socket = null;
    this.#waiting = [];
    this.#outBytes = 0;
    this.#rest = null;
    this.#seq = -1;
    this.#acked = -1;
    let unanswered = 0;
    for (const one of waiting) {
      if (typeof one === 'number') unanswered++;
      else one.reject(new Error('the connection ended'));
    }
    if (!this.#online) return;
    this.#online = false;
    if (lost) this.#events.onLost(this, unanswered);
  }

  /** @param data its first `bytes` came; it is used again afterwards, so what is left over is copied */
  #take(data: Buffer, bytes: number): void {
    const before = this.#rest;
    const chunk = before === null ? data : Buffer.concat([before, data.subarray(0, bytes)]);
    const length = before === null ? bytes : chunk.length;
    let at = 0;
    while (length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + chunk.readUInt32BE(at + 1);
      if (end > length) break;
      this.#frame(chunk, chunk[at + 5] ?? 0, at + HEADER_BYTES, end);
      at = end;
    }
    this.#rest = at < length ? Buffer.from(chunk.subarray(at, length)) : null;
  }

  #frame(chunk: Buffer, opcode: number, start: number, end: number): void {
    switch (opcode) {
      case SERVER_OPCODES.message:
        this.#message(chunk, start, end);
        return;
      case SERVER_OPCODES.delivered:
      case SERVER_OPCODES.goodbye:
      case SERVER_OPCODES.pong:
        return;
      case SERVER_OPCODES.ping:
        this.#write(PING_FRAME);
        return;
    }
    // An ack has no reply but its failure, which takes no request's turn.
    if (opcode === SERVER_OPCODES.failure && this.#version === 2 && isOfAck(chunk.subarray(start, end)))
      return;
    const waiting = this.#waiting.shift();
    if (typeof waiting === 'number') {
      this.#events.onAnswer(
        this,
        waiting,
        opcode === SERVER_OPCODES.sent ? null : chunk.subarray(start, end),
      );
    } else waiting?.resolve({ opcode, payload: Buffer.from(chunk.subarray(start, end)) });
  }

  #message(chunk: Buffer, start: number, end: number): void {
    if (this.#version === 1) {
      this.#events.onMessage(chunk, bodyOfPush1(chunk, start));
      return;
    }
    const push = this.#push;
    readPush(chunk, start, push);
    // A frame's last field is the incarnation of the room.
    if (this.#ackHead === null && this.#room !== null)
      this.#ackHead = ackHead({ room: this.#room, roomIncarnation: chunk.subarray(end - 16, end) });
    if (push.seq !== this.#seq + 1 && this.#seq >= 0) this.misplaced++;
    if (push.seq > this.#seq) {
      this.#seq = push.seq;
      this.#soil();
    }
    this.#events.onMessage(chunk, push.bodyAt);
  }
}

function isOfAck(payload: Buffer): boolean {
  return decodeCbor(payload, REPLY_LIMITS).request === REQUEST_OPCODES.ack;
}
