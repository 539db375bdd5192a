import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { FrameDecoder, MAX_REPLY_PAYLOAD } from '../../src/protocol/frame.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import type { Message, ServerFrame } from '../../src/protocol/v2/replies.ts';
import type { Request } from '../../src/protocol/v2/requests.ts';
import type { Random } from '../protocol/random.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A message that a wanderer sends; its body says from whom, to whom and in which place. */
interface Letter {
  readonly id: Buffer;
  readonly to: string;
  readonly body: string;
}

/** What a client put on its screen: the first time that it saw a message. */
export interface Shown {
  readonly body: string;
  /** Of its first copy in the inbox. */
  seq: number;
}

interface Waiting {
  readonly type: Request['type'];
  readonly settle: (frame: ServerFrame | null) => void;
}

/**
 * One account and the client program that its owner never closes: it keeps its outbox and what it has seen while its
 * connections come and go. As thin as the protocol allows, so that what is tested is the server.
 */
export class Wanderer {
  readonly name: string;
  readonly shown: Shown[] = [];
  /** Bodies that a frontend has confirmed. */
  readonly accepted: string[] = [];
  /** Replies that nobody expected; a test wants none. */
  readonly surprises: string[] = [];
  readonly #random: Random;
  readonly #frontends: readonly Address[];
  readonly #seen = new Map<string, Shown>();
  /** Sent and not confirmed, oldest first. */
  #outbox: Letter[] = [];
  readonly #counters = new Map<string, number>();
  #unacknowledged: number[] = [];
  #socket: Socket | null = null;
  #waiting: Waiting[] = [];
  #lastSeq = -1;
  #token: Uint8Array | null = null;

  readonly #password: string | undefined;

  /** @param password of the account; without it an open one */
  constructor(name: string, frontends: readonly Address[], random: Random, password?: string) {
    this.#password = password;
    this.name = name;
    this.#frontends = frontends;
    this.#random = random;
  }

  /** The token of the last login. */
  get token(): Uint8Array | null {
    return this.#token;
  }

  get isOnline(): boolean {
    return this.#socket !== null;
  }

  get outboxSize(): number {
    return this.#outbox.length;
  }

  /** Connects to any frontend and runs the first request, which logs in; tries again while it is told to wait. */
  async enter(request: 'create' | 'login', deliver: 'all' | 'live' = 'all', takeover = true): Promise<void> {
    const proof = this.#password === undefined ? {} : { password: this.#password };
    for (let attempt = 0; this.#socket === null; attempt++) {
      if (attempt > 200)
        throw new Error(`${this.name} cannot ${request}: ${this.surprises.slice(-3).join('; ')}`);
      const resumes = this.#token !== null && this.#random.below(3) > 0;
      await this.#connect(this.#random.pick(this.#frontends));
      const reply = await this.request(
        request === 'create'
          ? { type: 'create', username: this.name, ...proof }
          : {
              type: 'login',
              username: this.name,
              deliver,
              takeover,
              ...(resumes && this.#token ? { token: this.#token } : proof),
            },
      );
      if (reply?.type === 'created' || reply?.type === 'logged-in') {
        this.#token = reply.token ?? null;
        break;
      }
      if (reply?.type === 'failure' && reply.code === 'BAD_CREDENTIALS') this.#token = null;
      if (reply?.type === 'failure') this.surprises.push(`${request}: ${reply.code} ${reply.message}`);
      this.cut();
      await sleep(reply?.type === 'failure' ? Math.min(reply.retryAfterMs ?? 50, 2_000) : 20);
    }
    for (const letter of this.#outbox) this.#post(letter);
  }

  /** Sends one more message, or notes it for the next connection. */
  send(to: string): void {
    const count = (this.#counters.get(to) ?? 0) + 1;
    this.#counters.set(to, count);
    const letter = { id: this.#random.bytes(16), to, body: `${this.name} ${to} ${count}` };
    this.#outbox.push(letter);
    if (this.isOnline) this.#post(letter);
  }

  /** Acknowledges some of what was shown, in any order, or all of it. */
  acknowledge(how: 'some' | 'all'): void {
    const chosen =
      how === 'all' ? this.#unacknowledged : this.#unacknowledged.filter(() => this.#random.below(2) === 0);
    if (chosen.length === 0 || !this.isOnline) return;
    this.#unacknowledged = this.#unacknowledged.filter((seq) => !chosen.includes(seq));
    for (let from = 0; from < chosen.length; from += 200) {
      const ranges = chosen.slice(from, from + 200).map((seq): [number, number] => [seq, seq]);
      this.#write({ type: 'ack', ranges });
    }
  }

  /** Null when the connection ended before the reply came. */
  request(request: Request): Promise<ServerFrame | null> {
    if (!this.#socket) return Promise.resolve(null);
    return new Promise((settle) => {
      this.#waiting.push({ type: request.type, settle });
      this.#write(request);
    });
  }

  async retrieve(): Promise<void> {
    const reply = await this.request({ type: 'retrieve', limit: 50 });
    if (reply?.type === 'retrieved') for (const message of reply.messages) this.#show(message);
  }

  /** The cable is pulled. */
  cut(): void {
    this.#socket?.destroy();
    this.#ended();
  }

  #connect(address: Address): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(address, () => {
        this.#socket = socket;
        this.#lastSeq = -1;
        this.#unacknowledged = [];
        resolve();
      });
      const decoder = new FrameDecoder({ maxPayload: MAX_REPLY_PAYLOAD, versions: [1, 2] });
      socket.setNoDelay(true);
      socket.on('data', (chunk) => {
        decoder.push(chunk);
        for (let frame = decoder.next(); frame && this.#socket === socket; frame = decoder.next()) {
          this.#take(v2.decodeServerFrame(frame));
        }
      });
      socket.on('error', reject);
      socket.on('close', () => {
        if (this.#socket === socket) this.#ended();
      });
    });
  }

  #ended(): void {
    this.#socket = null;
    for (const { settle } of this.#waiting.splice(0)) settle(null);
  }

  #post(letter: Letter): void {
    void this.request({ type: 'send', ...letter }).then((reply) => {
      if (reply === null) return;
      if (reply.type === 'sent') {
        this.accepted.push(letter.body);
        this.#outbox = this.#outbox.filter((other) => other !== letter);
        return;
      }
      if (reply.type === 'failure') this.surprises.push(`send: ${reply.code} ${reply.message}`);
      // Whatever it is, the letter goes again over the next connection, and those behind it with it.
      this.cut();
    });
  }

  #write(request: Request): void {
    this.#socket?.write(v2.encodeRequest(request));
  }

  #take(frame: ServerFrame): void {
    switch (frame.type) {
      case 'message':
        if (frame.seq <= this.#lastSeq) this.surprises.push(`push ${frame.seq} after ${this.#lastSeq}`);
        this.#lastSeq = frame.seq;
        this.#show(frame);
        return;
      case 'delivered':
      case 'goodbye':
        return;
      case 'ping':
        void this.request({ type: 'ping' });
        return;
      case 'failure':
        if (frame.request === 0x90) {
          this.surprises.push(`ack: ${frame.code} ${frame.message}`);
          return;
        }
    }
    this.#waiting.shift()?.settle(frame);
  }

  /** A repeated message is acknowledged again, and not shown again. */
  #show(message: Message): void {
    this.#unacknowledged.push(message.seq);
    if (!message.verified) {
      this.surprises.push(`external: ${message.body}`);
      return;
    }
    const key = `${Buffer.from(message.fromIncarnation).toString('hex')} ${Buffer.from(message.id).toString('hex')}`;
    const before = this.#seen.get(key);
    if (before) {
      before.seq = Math.min(before.seq, message.seq);
      return;
    }
    const shown = { body: message.body, seq: message.seq };
    this.#seen.set(key, shown);
    this.shown.push(shown);
  }
}
