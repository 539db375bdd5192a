import { randomBytes } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';
import { FrameDecoder, MAX_REPLY_PAYLOAD } from '../../src/protocol/frame.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import type { ServerFrame } from '../../src/protocol/v2/replies.ts';
import type { Request } from '../../src/protocol/v2/requests.ts';
import { PASSWORD } from './floods.ts';

/** Longest wait for anything, ms: a frontend that takes longer does not serve. */
const PATIENCE_MS = 60_000;

const REFUSED: ServerFrame = { type: 'failure', code: 'BUSY', message: 'refused' };

/** An honest client of version 2 with one request at a time. */
export class Honest {
  /** Set when the other end has closed. */
  isOver = false;
  readonly name: string;
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder({ maxPayload: MAX_REPLY_PAYLOAD, versions: [1, 2] });
  readonly #replies: ((frame: ServerFrame) => void)[] = [];
  readonly #messages = new Map<string, () => void>();

  private constructor(socket: Socket, name: string) {
    this.#socket = socket;
    this.name = name;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isOver = true;
      for (const reply of this.#replies.splice(0)) reply(REFUSED);
    });
    socket.on('data', (chunk) => {
      this.#decoder.push(chunk);
      for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next()) {
        // Who has to leave before a version is known is told so in version 1.
        if (frame.version === v2.version) this.#took(v2.decodeServerFrame(frame));
        else this.#replies.shift()?.(REFUSED);
      }
    });
  }

  static connect(port: number, name: string, localAddress = '127.0.0.1'): Promise<Honest> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host: '127.0.0.1', port, localAddress });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Honest(socket, name)));
    });
  }

  /** Makes the account, or logs in to it. */
  async enter(password?: string): Promise<void> {
    const { name: username } = this;
    const made = await this.ask({ type: 'create', username, password });
    if (made.type === 'created') return;
    const entered = await this.ask({ type: 'login', username, password, takeover: true });
    if (entered.type !== 'logged-in') throw new Error(`${username}: ${JSON.stringify(entered)}`);
  }

  ask(request: Request): Promise<ServerFrame> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${request.type}: no answer`)), PATIENCE_MS);
      this.#replies.push((frame) => {
        clearTimeout(timer);
        resolve(frame);
      });
      this.#socket.write(v2.encodeRequest(request));
    });
  }

  /** Milliseconds from sending a message to its arrival at the other one. */
  async sendTo(other: Honest, body: string): Promise<number> {
    const began = performance.now();
    const arrived = new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('a message did not arrive')), PATIENCE_MS);
      other.#messages.set(body, () => {
        clearTimeout(timer);
        resolve(performance.now() - began);
      });
    });
    const reply = await this.ask({ type: 'send', id: randomBytes(16), to: other.name, body });
    if (reply.type !== 'sent') throw new Error(JSON.stringify(reply));
    return arrived;
  }

  close(): void {
    this.#socket.destroy();
  }

  #took(frame: ServerFrame): void {
    switch (frame.type) {
      case 'message':
        this.#socket.write(v2.encodeRequest({ type: 'ack', upTo: frame.seq }));
        this.#messages.get(frame.body)?.();
        this.#messages.delete(frame.body);
        break;
      case 'ping':
        this.#socket.write(v2.encodeRequest({ type: 'ping' }));
        break;
      case 'delivered':
      case 'goodbye':
        break;
      default:
        this.#replies.shift()?.(frame);
    }
  }
}

/** Accounts of those who flood when they are logged in, made before a flood has used up what its address may make. */
export async function makeFlooders(port: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const someone = await Honest.connect(port, `flooder-${i}`, '127.0.0.4');
    await someone.enter(PASSWORD);
    someone.close();
  }
}
