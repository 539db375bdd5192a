/* A client by docs/protocol.md alone: it does nothing by itself, not even an acknowledgement. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { vi } from 'vitest';
import { type Fields, type Frame, fieldsOf, frame2, Inflow } from './frames.ts';

export const PASSWORD = 'correct horse';

/** Resolves with what `check` returns once it no longer throws. Only a failing test waits that long. */
export function eventually<Value>(check: () => Value | Promise<Value>): Promise<Value> {
  return vi.waitFor(check, { timeout: 20_000, interval: 5 });
}

const run = randomBytes(3).toString('hex');
let made = 0;

/** A name that nobody else has. */
export function newName(stem = 'd'): string {
  made += 1;
  return `${stem}-${run}${process.pid}-${made}`;
}

export function newId(): Buffer {
  return randomBytes(16);
}

/** A reply of version 2. */
export interface Reply {
  readonly opcode: number;
  readonly fields: Fields;
}

export class Client {
  readonly socket: Socket;
  /** Everything that came. */
  readonly frames: Frame[] = [];
  /** The server has ended the connection. */
  isOver = false;
  readonly #inflow = new Inflow();
  #read = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.frames.push(...this.#inflow.push(chunk)));
    socket.on('error', () => {});
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.isOver = true;
      });
    }
  }

  static async connect(address: { host: string; port: number; localAddress?: string }): Promise<Client> {
    const socket = connect({ ...address, allowHalfOpen: true });
    await once(socket, 'connect');
    return new Client(socket);
  }

  write(...frames: Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** Pushes are told by their opcode: 0x?2 or 0x?6, but for the failure. */
  pushes(): Frame[] {
    return this.frames.filter(isPush);
  }

  replies(): Frame[] {
    return this.frames.filter((one) => !isPush(one));
  }

  /** The next reply. */
  async next(): Promise<Frame> {
    await eventually(() => {
      if (this.replies().length <= this.#read && !this.isOver) throw new Error('no reply yet');
    });
    const reply = this.replies()[this.#read];
    if (reply === undefined)
      throw new Error(`closed instead of a reply: ${this.#last()?.payload.toString()}`);
    this.#read += 1;
    return reply;
  }

  /** The last frame, once the server has ended the connection. */
  async over(): Promise<Frame | null> {
    await eventually(() => {
      if (!this.isOver) throw new Error('still open');
    });
    return this.#last() ?? null;
  }

  #last(): Frame | undefined {
    return this.frames.at(-1);
  }

  // Version 1

  /** The text of the next reply, which must have this opcode. */
  async text(opcode: number): Promise<string> {
    const reply = await this.next();
    if (reply.version !== 1 || reply.opcode !== opcode) throw new Error(`not ${opcode}: ${shown(reply)}`);
    return reply.payload.toString();
  }

  // Version 2

  async ask(opcode: number, fields: Fields = {}): Promise<Reply> {
    this.write(frame2(opcode, fields));
    return this.reply();
  }

  async reply(): Promise<Reply> {
    return read(await this.next());
  }

  /** The fields of the success reply, whose opcode is the request's plus one. */
  async get(opcode: number, fields: Fields = {}): Promise<Fields> {
    const reply = await this.ask(opcode, fields);
    if (reply.opcode !== opcode + 1) throw new Error(`${opcode} failed: ${JSON.stringify(reply.fields)}`);
    return reply.fields;
  }

  /** The code of the failure. */
  async refusal(opcode: number, fields: Fields = {}): Promise<unknown> {
    const reply = await this.ask(opcode, fields);
    if (reply.opcode !== 0x22) throw new Error(`${opcode} did not fail: ${JSON.stringify(reply.fields)}`);
    return reply.fields.code;
  }

  /** The code of the goodbye that ended the connection, null without one. */
  async goodbye(): Promise<unknown> {
    const last = await this.over();
    return last?.version === 2 && last.opcode === 0xc2 ? fieldsOf(last.payload).code : null;
  }

  /** The fields of all pushes of this opcode. */
  pushed(opcode: number): Fields[] {
    return this.frames
      .filter((one) => one.version === 2 && one.opcode === opcode)
      .map((one) => read(one).fields);
  }

  bodies(): unknown[] {
    return this.pushed(0x72).map(({ body }) => body);
  }

  seqs(): unknown[] {
    return this.pushed(0x72).map(({ seq }) => seq);
  }

  /** Ids of the delivered pushes, in hex. */
  delivered(): string[] {
    return this.pushed(0x92).flatMap(({ ids }) => hexes(ids));
  }

  /** Stores a message. */
  async send(to: string, body: string, id: Uint8Array = newId()): Promise<Fields> {
    return this.get(0x70, { id, to, body });
  }

  /** Resolves when everything written before was handled. */
  async inStep(): Promise<void> {
    await this.get(0xb0);
  }
}

export function hexes(list: unknown): string[] {
  if (!Array.isArray(list)) throw new Error('no list');
  return list.map((item: unknown) => {
    if (!(item instanceof Uint8Array)) throw new Error('no bytes');
    return Buffer.from(item).toString('hex');
  });
}

export function read(from: Frame): Reply {
  if (from.version !== 2) throw new Error(`not of version 2: ${shown(from)}`);
  return { opcode: from.opcode, fields: fieldsOf(from.payload) };
}

function isPush({ opcode }: Frame): boolean {
  return opcode % 4 === 2 && opcode !== 0x22;
}

function shown({ version, opcode, payload }: Frame): string {
  return `version ${version}, opcode ${opcode}, ${payload.toString()}`;
}
