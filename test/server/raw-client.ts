import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { FrameDecoder } from '../../src/protocol/frame.ts';
import { decodeServerFrame, type ServerFrame } from '../../src/protocol/v1/replies.ts';
import { encodeRequest, type Request } from '../../src/protocol/v1/requests.ts';
import { eventually } from '../contracts/cluster.ts';

export type Push = Extract<ServerFrame, { type: 'message' }>;

/** A socket that speaks version 1: bytes out, frames in, nothing done by itself. */
export class RawClient {
  readonly socket: Socket;
  /** Live messages, in their order. */
  readonly pushes: Push[] = [];
  /** What kinds of frames came, pushes among replies. */
  readonly kinds: ServerFrame['type'][] = [];
  readonly #replies: ServerFrame[] = [];
  #read = 0;
  #over = false;
  readonly #decoder = new FrameDecoder({ maxPayload: 2 * 1024 * 1024, versions: [1, 2] });

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#decoder.push(chunk);
      for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next()) {
        // What a test sends in another version it does not read here.
        if (frame.version !== 1) continue;
        const value = decodeServerFrame(frame);
        this.kinds.push(value.type);
        if (value.type === 'message') this.pushes.push(value);
        else this.#replies.push(value);
      }
    });
    socket.on('error', () => {});
    socket.on('end', () => {
      this.#over = true;
    });
    socket.on('close', () => {
      this.#over = true;
    });
  }

  static async connect(address: { host: string; port: number }): Promise<RawClient> {
    const socket = connect({ ...address, allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Whether the server has ended the connection, and everything before its end was read. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Replies that nobody has asked for with `reply` yet. */
  get unread(): readonly ServerFrame[] {
    return this.#replies.slice(this.#read);
  }

  /** Bodies that were pushed. */
  bodies(): string[] {
    return this.pushes.map(({ body }) => body);
  }

  write(...requests: (Request | Uint8Array)[]): void {
    const frames = requests.map((request) =>
      request instanceof Uint8Array ? request : encodeRequest(request),
    );
    this.socket.write(Buffer.concat(frames));
  }

  /** The next reply. @throws Error if the connection ended before it */
  async reply(): Promise<ServerFrame> {
    await eventually(() => {
      if (this.#replies.length <= this.#read && !this.#over) throw new Error('no reply yet');
    });
    const reply = this.#replies[this.#read];
    if (reply === undefined) throw new Error('the server closed the connection instead of replying');
    this.#read += 1;
    return reply;
  }

  async ask(request: Request | Uint8Array): Promise<ServerFrame> {
    this.write(request);
    return this.reply();
  }

  /** Makes the account and is logged in to it. */
  async create(name: string): Promise<void> {
    const reply = await this.ask({ type: 'create', name });
    if (reply.type !== 'created') throw new Error(`create ${name}: ${JSON.stringify(reply)}`);
  }

  async login(name: string): Promise<void> {
    const reply = await this.ask({ type: 'login', name });
    if (reply.type !== 'logged-in') throw new Error(`login ${name}: ${JSON.stringify(reply)}`);
  }

  /** Resolves when the server has ended the connection. */
  async over(): Promise<void> {
    await eventually(() => {
      if (!this.#over) throw new Error('the connection is still open');
    });
  }

  /** Logs out as one should: waits until the server has closed. */
  async logout(): Promise<void> {
    this.write({ type: 'logout' });
    await this.over();
    this.socket.destroy();
  }
}

/** A frame by hand. */
export function rawFrame(version: number, opcode: number, payload: Uint8Array | string): Buffer {
  const bytes = Buffer.from(payload);
  const header = Buffer.alloc(6);
  header.writeUInt8(version, 0);
  header.writeUInt32BE(bytes.length, 1);
  header.writeUInt8(opcode, 5);
  return Buffer.concat([header, bytes]);
}
