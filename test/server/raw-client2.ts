import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { FrameDecoder } from '../../src/protocol/frame.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import type { ServerFrame, ServerFrameOf } from '../../src/protocol/v2/replies.ts';
import type { Request, RequestOf } from '../../src/protocol/v2/requests.ts';
import { eventually, PATIENCE_MS } from '../contracts/cluster.ts';

const PUSHES = [
  'message',
  'delivered',
  'gap',
  'sent-elsewhere',
  'read-elsewhere',
  'ping',
  'goodbye',
] as const;
type Push = ServerFrameOf<(typeof PUSHES)[number]>;
type Reply = Exclude<ServerFrame, Push>;

/** A socket that speaks version 2: bytes out, frames in, nothing done by itself. Not even an acknowledgement. */
export class RawClient2 {
  readonly socket: Socket;
  readonly messages: ServerFrameOf<'message'>[] = [];
  /** Ids that were reported as delivered, and as undeliverable. */
  readonly delivered: string[] = [];
  readonly undeliverable: string[] = [];
  readonly notes: ServerFrameOf<'sent-elsewhere' | 'read-elsewhere'>[] = [];
  /** Messages of rooms that expired. */
  readonly gaps: ServerFrameOf<'gap'>[] = [];
  pings = 0;
  goodbye: ServerFrameOf<'goodbye'> | null = null;
  /** Of the latest session reply. */
  session: ServerFrameOf<'created' | 'logged-in'> | null = null;
  readonly #replies: Reply[] = [];
  #read = 0;
  #over = false;
  /** Called when something has come. */
  #onHeard = () => {};
  readonly #decoder = new FrameDecoder({ maxPayload: 2 * 1024 * 1024, versions: [1, 2] });

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#decoder.push(chunk);
      for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next()) {
        if (frame.version === v2.version) this.#take(v2.decodeServerFrame(frame));
      }
      this.#onHeard();
    });
    socket.on('error', () => {});
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#over = true;
        this.#onHeard();
      });
    }
  }

  static async connect(
    address: { host: string; port: number; localAddress?: string },
    tls?: ConnectionOptions,
  ): Promise<RawClient2> {
    const socket =
      tls === undefined ? connect({ ...address, allowHalfOpen: true }) : connectTls({ ...address, ...tls });
    await once(socket, tls === undefined ? 'connect' : 'secureConnect');
    return new RawClient2(socket);
  }

  /** Replies that nobody has asked for with `reply` yet. */
  get unread(): readonly Reply[] {
    return this.#replies.slice(this.#read);
  }

  get isOver(): boolean {
    return this.#over;
  }

  bodies(): string[] {
    return this.messages.map(({ body }) => body);
  }

  seqs(): number[] {
    return this.messages.map(({ seq }) => seq);
  }

  write(...requests: (Request | Uint8Array)[]): void {
    const frames = requests.map((request) =>
      request instanceof Uint8Array ? request : v2.encodeRequest(request),
    );
    this.socket.write(Buffer.concat(frames));
  }

  /** The next reply. @throws Error if the connection ended before it */
  async reply(): Promise<Reply> {
    const until = AbortSignal.timeout(PATIENCE_MS);
    while (this.#replies.length <= this.#read && !this.#over) await this.#heard(until);
    const reply = this.#replies[this.#read];
    if (reply === undefined) throw new Error(`closed instead of a reply: ${JSON.stringify(this.goodbye)}`);
    this.#read += 1;
    return reply;
  }

  async ask(request: Request | Uint8Array): Promise<Reply> {
    this.write(request);
    return this.reply();
  }

  /** The reply, which must be of this type. */
  async expect<Type extends Reply['type']>(
    type: Type,
    request: Request | Uint8Array,
  ): Promise<ServerFrameOf<Type>> {
    const reply = await this.ask(request);
    if (isOf(reply, type)) return reply;
    throw new Error(`expected ${type}: ${JSON.stringify(reply)}`);
  }

  /** The code of the failure that the request gets. */
  async refusal(request: Request | Uint8Array): Promise<string> {
    return (await this.expect('failure', request)).code;
  }

  async create(username: string, password?: string): Promise<ServerFrameOf<'created'>> {
    return this.expect('created', { type: 'create', username, password });
  }

  async login(
    username: string,
    how: Partial<Omit<RequestOf<'login'>, 'type' | 'username'>> = {},
  ): Promise<ServerFrameOf<'logged-in'>> {
    return this.expect('logged-in', { type: 'login', username, ...how });
  }

  /** Sends, and waits until it is stored. */
  async send(to: string, body: string, id: Uint8Array = randomBytes(16)): Promise<ServerFrameOf<'sent'>> {
    return this.expect('sent', { type: 'send', id, to, body });
  }

  ack(upTo: number): void {
    this.write({ type: 'ack', upTo });
  }

  /** Resolves when everything written before was handled. */
  async inStep(): Promise<void> {
    await this.expect('pong', { type: 'ping' });
  }

  /** Resolves when the server has ended the connection; the code of its goodbye, if there was one. */
  async over(): Promise<string | null> {
    await eventually(() => {
      if (!this.#over) throw new Error('the connection is still open');
    });
    return this.goodbye?.code ?? null;
  }

  /** Ends the connection without a word. */
  cut(): void {
    this.socket.resetAndDestroy();
  }

  /** Resolves when something has come, or the end. */
  #heard(until: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onHeard = resolve;
      until.onabort = () => reject(new Error('no reply'));
      if (until.aborted) reject(new Error('no reply'));
    });
  }

  #take(frame: ServerFrame): void {
    switch (frame.type) {
      case 'message':
        this.messages.push(frame);
        break;
      case 'delivered':
        this.delivered.push(...frame.ids.map(hex));
        this.undeliverable.push(...(frame.undeliverable ?? []).map(hex));
        break;
      case 'gap':
        this.gaps.push(frame);
        break;
      case 'sent-elsewhere':
      case 'read-elsewhere':
        this.notes.push(frame);
        break;
      case 'ping':
        this.pings += 1;
        break;
      case 'goodbye':
        this.goodbye = frame;
        break;
      default:
        if (frame.type === 'created' || frame.type === 'logged-in') this.session = frame;
        this.#replies.push(frame);
    }
  }
}

/** Bytes to compare by. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function isOf<Type extends Reply['type']>(reply: Reply, type: Type): reply is Reply & ServerFrameOf<Type> {
  return reply.type === type;
}
