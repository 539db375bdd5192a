import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ServerFrame } from '../../src/protocol/v2/replies.ts';
import type { Request, RequestOf } from '../../src/protocol/v2/requests.ts';
import { History } from '../../src/terminal/history/history.ts';
import type { Peer as Correspondent, StoredMessage } from '../../src/terminal/history/types.ts';
import { Random } from '../protocol/random.ts';
import { sized } from '../size.ts';
import {
  agreeable,
  externalMessage,
  idOf,
  messageFrom,
  type Peer,
  sentFor,
  TestServer,
} from './test-server.ts';

const MORTAL = join(import.meta.dirname, 'mortal.ts');
/** Who writes to al: every third message is a program's. */
const SENDERS: readonly Correspondent[] = [
  { kind: 'user', name: 'ann' },
  { kind: 'user', name: 'bob' },
  { kind: 'external', name: 'bob' },
];

const BUSY: ServerFrame = { type: 'failure', code: 'BUSY', message: 'Not now.' };

/** A server that forgets nothing, and the ledger of all that was promised. */
class World {
  readonly random: Random;
  readonly directory = mkdtempSync(join(tmpdir(), 'milena-crash-'));
  readonly server: TestServer;
  /** Messages that the client told to have accepted: their ids by their bodies. */
  readonly accepted = new Map<string, string>();
  /** What was sent to whom: bodies by id, in the order in which each id arrived first. */
  readonly stored = new Map<string, Map<string, string>>();
  /** Bodies of al's inbox by seq from 1 on, and which were acknowledged. */
  readonly inbox: string[] = [];
  readonly acknowledged = new Set<number>();
  /** So many requests until the client dies; null: it lives. */
  #fuse: number | null = null;
  #child: ChildProcess | undefined;
  /** Where al's messages are pushed. */
  #peer: Peer | undefined;

  constructor(server: TestServer, seed: number) {
    this.server = server;
    this.random = new Random(seed);
    server.behave = (request, peer) => this.#answer(request, peer);
  }

  /** A client's life to its violent end. @param remembers whether it has a disk */
  async die(round: number, remembers = true): Promise<void> {
    this.#fuse = 1 + this.random.below(80);
    this.#arrive();
    // Not while the client starts, which takes as long as the machine has other work: nobody could read so much.
    const mail = setInterval(() => {
      if (this.#peer?.socket.writable) this.#arrive();
    }, 3);
    const child = await this.#live(round, remembers ? this.directory : '', () => undefined);
    clearInterval(mail);
    expect(child.signalCode).toBe('SIGKILL');
  }

  /** A client's life until everything has come to its end. */
  async finish(round: number): Promise<void> {
    this.#fuse = null;
    const child = await this.#live(round, this.directory, async ({ stdin }) => {
      await vi.waitFor(() => expect(this.acknowledged.size).toBe(this.inbox.length), { timeout: 20_000 });
      stdin?.end();
    });
    expect(child.exitCode).toBe(0);
  }

  async #live(
    round: number,
    directory: string,
    meanwhile: (child: ChildProcess) => Promise<void> | void,
  ): Promise<ChildProcess> {
    const args = [MORTAL, `${this.server.port}`, directory, `${round}`];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await Promise.all([once(child, 'close'), meanwhile(child)]);
    for (const line of output.split('\n').slice(0, -1)) {
      const [id = '', body = ''] = line.split(' ');
      this.accepted.set(body, id);
    }
    return child;
  }

  /** Promises that the client's disk does not keep, and what is twice or in another order there or on the server. */
  faults(): string[] {
    return this.#withHistory((history) => {
      const sent = new Map(this.#all(history, 'out').map((message) => [message.body, message.fate?.kind]));
      const received = new Set(this.#all(history, 'in').map(({ body }) => body));
      const due = new Set(history.unsettled().flatMap(({ id, receipt }) => (receipt === null ? [id] : [])));
      const stored = new Set([...this.stored.values()].flatMap((messages) => [...messages.keys()]));
      return [
        ...[...this.accepted]
          .filter(([body, id]) => !sent.has(body) || !(stored.has(id) || due.has(id)))
          .map(([body]) => `${body} was accepted and is lost`),
        ...[...this.acknowledged]
          .filter((seq) => !received.has(this.inbox[seq - 1] ?? ''))
          .map((seq) => `${seq} was acknowledged and is lost`),
        ...this.#disorder(history),
      ];
    });
  }

  /** What should have come to its end and has not. */
  unfinished(): string[] {
    return this.#withHistory((history) => {
      const stored = new Set([...this.stored.values()].flatMap((messages) => [...messages.values()]));
      const received = new Set(this.#all(history, 'in').map(({ body }) => body));
      return [
        ...[...this.accepted.keys()].filter((body) => !stored.has(body)),
        ...this.#all(history, 'out').flatMap(({ body, fate }) => (fate?.kind === 'delivered' ? [] : [body])),
        ...this.inbox.filter((body) => !received.has(body)),
      ];
    });
  }

  async end(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.server.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #withHistory(look: (history: History) => string[]): string[] {
    const server = `127.0.0.1:${this.server.port}`;
    const history = History.open({ directory: this.directory, server, account: 'al' });
    try {
      history.begin(Buffer.from(idOf('incarnation of al')).toString('hex'));
      return look(history);
    } finally {
      history.close();
    }
  }

  #all(history: History, direction: StoredMessage['direction']): StoredMessage[] {
    return SENDERS.flatMap((peer) => [...history.all(peer)]).filter(
      (message) => message.direction === direction,
    );
  }

  #disorder(history: History): string[] {
    const received = SENDERS.map((peer) =>
      [...history.all(peer)].flatMap(({ direction, body }) => (direction === 'in' ? [orderOf(body)] : [])),
    );
    const stored = [...this.stored.values()].map((messages) => [...messages.values()].map(orderOf));
    return [...received, ...stored]
      .filter((numbers) => numbers.some((number, at) => number <= (numbers[at - 1] ?? -1)))
      .map((numbers) => `twice, or in another order: ${numbers}`);
  }

  #answer(request: Request, peer: Peer) {
    if (this.#fuse !== null && request.type !== 'hello') this.#fuse -= 1;
    const isLast = this.#fuse !== null && this.#fuse <= 0;
    // Before the request was carried out, or after it and before or while the answer arrives.
    const when = this.random.below(3);
    if (isLast && when === 0) return this.#kill();
    const reply = this.#carryOut(request, peer);
    if (isLast && when === 1) return this.#kill();
    if (isLast) setTimeout(() => this.#kill(), this.random.below(8));
    return reply;
  }

  #kill(): null {
    this.#child?.kill('SIGKILL');
    return null;
  }

  #carryOut(request: Request, peer: Peer) {
    switch (request.type) {
      case 'login':
        this.#peer = undefined;
        setImmediate(() => this.#deliver(peer));
        return agreeable(request, peer);
      case 'send':
        // So that several wait when the client dies.
        if (this.#fuse !== null && this.random.below(8) === 0) return BUSY;
        this.#store(request);
        return sentFor(request);
      case 'ack':
        for (let seq = 1; seq <= (request.upTo ?? 0); seq++) this.acknowledged.add(seq);
        for (const [first, last] of request.ranges ?? []) {
          for (let seq = first; seq <= last; seq++) this.acknowledged.add(seq);
        }
        return null;
      default:
        return agreeable(request, peer);
    }
  }

  #store({ id, to, body }: RequestOf<'send'>): void {
    const messages = this.stored.get(to) ?? new Map<string, string>();
    this.stored.set(to, messages);
    const hex = Buffer.from(id).toString('hex');
    expect(messages.get(hex) ?? body).toBe(body);
    // Told again it keeps its place.
    messages.set(hex, body);
    if (this.#fuse === null || this.random.below(3) === 0) this.#peer?.send({ type: 'delivered', ids: [id] });
  }

  /** Everything that was not acknowledged. */
  #deliver(peer: Peer): void {
    for (let seq = 1; seq <= this.inbox.length; seq++) if (!this.acknowledged.has(seq)) this.#push(peer, seq);
    this.#peer = peer;
  }

  #arrive(): void {
    this.inbox.push(`0.${this.inbox.length + 1}`);
    if (this.#peer?.socket.writable) this.#push(this.#peer, this.inbox.length);
  }

  #push(peer: Peer, seq: number): void {
    const { kind, name } = SENDERS[seq % SENDERS.length] ?? { kind: 'user', name: 'ann' };
    const body = this.inbox[seq - 1] ?? '';
    peer.send(kind === 'user' ? messageFrom(name, seq, body) : externalMessage(name, seq, body));
  }
}

/** Of bodies that are a round and a count. */
function orderOf(body: string): number {
  const [round = 0, count = 0] = body.split('.').map(Number);
  return round * 1_000_000 + count;
}

let world: World;

beforeEach(async () => {
  const seed = Number(process.env.MILENA_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
  world = new World(await TestServer.listen(), seed);
});

afterEach(() => world.end());

test('killed at any moment, the client keeps all that it promised', { timeout: 120_000 }, async () => {
  const lives = sized(4, 20);
  for (let round = 1; round <= lives; round++) {
    await world.die(round);
    expect(world.faults()).toEqual([]);
  }
  await world.finish(lives + 1);
  expect([...world.faults(), ...world.unfinished()]).toEqual([]);
  expect(world.accepted.size).toBeGreaterThan(5 * lives);
  expect(world.inbox.length).toBeGreaterThan(5 * lives);
});

test('a client without a disk is caught', async () => {
  await world.die(1, false);
  await world.die(2, false);
  expect(world.faults()).not.toEqual([]);
});
