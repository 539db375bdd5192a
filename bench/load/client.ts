import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { OPCODE } from '../../src/protocol/opcodes.ts';
import { decodeCbor, REPLY_LIMITS } from '../../src/protocol/v2/cbor.ts';
import {
  ackFrame,
  bodyOfPush1,
  HEADER_BYTES,
  PING_FRAME,
  type ProtocolVersion,
  type Push,
  readPush,
} from './wire.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Who is told what happens to a client. */
export interface ClientEvents {
  /** A live or undelivered message; its body begins at `bodyAt` of the chunk, which is used again afterwards. */
  onMessage(chunk: Buffer, bodyAt: number): void;
  /** A send was answered. @param timeUs what was given to `send`; @param accepted false for a failure */
  onAnswer(client: LoadClient, timeUs: number, accepted: boolean, payload: Buffer): void;
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

/** Clients with something to write at the end of this turn. */
let dirty: LoadClient[] = [];

function flushAll(): void {
  const clients = dirty;
  dirty = [];
  for (const client of clients) client.flush();
}

/** One client of either version on a socket of its own. Writes once per turn of the event loop; checks nothing. */
export class LoadClient {
  readonly name: string;
  readonly index: number;
  /** For version 2, from its last login. */
  token: Uint8Array | null = null;
  /** Sends so far, for ids. */
  count = 0;
  readonly #version: ProtocolVersion;
  readonly #events: ClientEvents;
  #socket: Socket | null = null;
  #online = false;
  /** In the order of the requests: the time of a send, or who asked something else. */
  #waiting: (number | Question)[] = [];
  #out: Buffer[] = [];
  #isDirty = false;
  #seq = -1;
  #acked = -1;
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

  /** @throws the network's error, or after 20 s */
  connect(address: Address, tls: boolean): Promise<void> {
    this.close();
    return new Promise((resolve, reject) => {
      const options = { host: address.host, port: address.port, noDelay: true };
      const socket = tls ? connectTls({ ...options, rejectUnauthorized: false }) : createConnection(options);
      this.#socket = socket;
      const timer = setTimeout(
        () => socket.destroy(new Error('the connection took too long')),
        CONNECT_TIMEOUT_MS,
      );
      socket.once(tls ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.on('data', (chunk) => this.#take(chunk));
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

  /** Sends a message; `onAnswer` is told of its reply. */
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
    const out = this.#out;
    if (this.#seq > this.#acked) {
      this.#acked = this.#seq;
      out.push(ackFrame(this.#seq));
    }
    const [first] = out;
    if (first === undefined) return;
    this.#out = [];
    this.#socket?.write(out.length === 1 ? first : Buffer.concat(out));
  }

  #write(frame: Buffer): void {
    this.#out.push(frame);
    this.#soil();
  }

  #soil(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    if (dirty.push(this) === 1) process.nextTick(flushAll);
  }

  #ended(lost: boolean): void {
    const waiting = this.#waiting;
    this.#socket = null;
    this.#waiting = [];
    this.#out = [];
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

  #take(data: Buffer): void {
    const chunk = this.#rest === null ? data : Buffer.concat([this.#rest, data]);
    let at = 0;
    while (chunk.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + chunk.readUInt32BE(at + 1);
      if (end > chunk.length) break;
      this.#frame(chunk, chunk[at + 5] ?? 0, at + HEADER_BYTES, end);
      at = end;
    }
    this.#rest = at < chunk.length ? Buffer.from(chunk.subarray(at)) : null;
  }

  #frame(chunk: Buffer, opcode: number, start: number, end: number): void {
    switch (opcode) {
      case OPCODE.MESSAGE:
        this.#message(chunk, start);
        return;
      case OPCODE.DELIVERED:
      case OPCODE.GOODBYE:
      case OPCODE.PONG:
        return;
      case OPCODE.PING_PUSH:
        this.#write(PING_FRAME);
        return;
    }
    // An ack has no reply but its failure, which takes no request's turn.
    if (opcode === OPCODE.FAILURE && this.#version === 2 && isOfAck(chunk.subarray(start, end))) return;
    const waiting = this.#waiting.shift();
    if (typeof waiting === 'number') {
      this.#events.onAnswer(this, waiting, opcode === OPCODE.SENT, chunk.subarray(start, end));
    } else waiting?.resolve({ opcode, payload: Buffer.from(chunk.subarray(start, end)) });
  }

  #message(chunk: Buffer, start: number): void {
    if (this.#version === 1) {
      this.#events.onMessage(chunk, bodyOfPush1(chunk, start));
      return;
    }
    const push = this.#push;
    readPush(chunk, start, push);
    if (push.seq > this.#seq) {
      this.#seq = push.seq;
      this.#soil();
    }
    this.#events.onMessage(chunk, push.bodyAt);
  }
}

function isOfAck(payload: Buffer): boolean {
  return decodeCbor(payload, REPLY_LIMITS).request === OPCODE.ACK;
}
