/**
 * Right logins beside wrong ones: does anybody who knows their password stay outside, and how long does it take?
 *
 *     npm run bench:logins -- [--logins 1000] [--wrong 100] [--people 100] [--out FILE]
 *
 * Starts a frontend of its own, with default limits, against the Kafka at MILENA_KAFKA_BROKERS. In turn:
 *   1. `--logins` right logins for one name from one address nobody has seen, beside `--wrong` wrong ones a second for
 *      the same name from 200 other addresses (127.0.1.x), and as many for random names
 *   2. `--people` people behind one address log in at once
 * Exit 1 if one right login was refused.
 */
import { appendFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { FrameDecoder, MAX_REPLY_PAYLOAD } from '../src/protocol/frame.ts';
import { v2 } from '../src/protocol/v2/codec.ts';
import type { ServerFrame } from '../src/protocol/v2/replies.ts';
import type { Request } from '../src/protocol/v2/requests.ts';
import {
  freePort,
  HOST,
  machine,
  percentiles,
  progress,
  round,
  seconds,
  startFrontend,
} from './bench-run.ts';

const { values } = parseArgs({
  options: {
    logins: { type: 'string', default: '1000' },
    wrong: { type: 'string', default: '100' },
    people: { type: 'string', default: '100' },
    out: { type: 'string' },
  },
});
const LOGINS = Number(values.logins);
const WRONG = Number(values.wrong);
const PEOPLE = Number(values.people);
const PASSWORD = 'correct horse battery';
const GUESSERS = 200;

/** One request at a time. */
class Client {
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder({ maxPayload: MAX_REPLY_PAYLOAD, versions: [1, 2] });
  #answer: (frame: ServerFrame | null) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => this.#answer(null));
    socket.on('data', (chunk) => {
      this.#decoder.push(chunk);
      for (let frame = this.#decoder.next(); frame; frame = this.#decoder.next()) {
        const value = v2.decodeServerFrame(frame);
        if (value.type !== 'goodbye') this.#answer(value);
      }
    });
  }

  static connect(localAddress: string): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ host: HOST, port, localAddress }, () => resolve(new Client(socket)));
      socket.once('error', reject);
    });
  }

  /** Null: the connection is gone. */
  request(request: Request): Promise<ServerFrame | null> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#socket.write(v2.encodeRequest(request));
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

const port = await freePort();
const frontend = await startFrontend(port);
try {
  const names = Array.from({ length: PEOPLE }, (_, i) => `bench-${process.pid}-${i}`);
  const owner = `bench-${process.pid}-owner`;
  progress(`${PEOPLE + 1} accounts`);
  // From other addresses than they log in from later: there they are strangers.
  for (const [i, name] of [owner, ...names].entries()) await make(name, `127.0.3.${1 + (i % 200)}`);

  progress(`${LOGINS} right logins beside ${WRONG} wrong ones a second for the same name, and for others`);
  const guesses = new Map<string, number>();
  let guessing = true;
  const guessers = Promise.all([guess(() => owner), guess((i) => `nobody-${i}`)]);
  const alone = await login(owner, '127.0.0.9', LOGINS);
  guessing = false;
  await guessers;

  progress(`${PEOPLE} people behind one address at once`);
  const startedAt = performance.now();
  const crowd = (await Promise.all(names.map((name) => login(name, '127.0.0.10', 1)))).flat();
  const crowdMs = Math.round(performance.now() - startedAt);

  const refused = [...alone, ...crowd].filter(({ outcome }) => outcome !== 'logged-in');
  const result = {
    rightLogins: alone.length,
    besideWrong: Object.fromEntries(guesses),
    loginMs: percentiles(alone.map(({ ms }) => ms)),
    people: crowd.length,
    peopleMs: crowdMs,
    refused: refused.map(({ outcome }) => outcome),
    loadAverage: round(loadavg()[0] ?? 0),
  };
  for (const name of [owner, ...names]) await remove(name);
  const line = JSON.stringify({ at: new Date().toISOString(), machine: machine(), ...result });
  console.log(line);
  if (values.out) appendFileSync(values.out, `${line}\n`);
  if (refused.length > 0) process.exitCode = 1;

  /** Wrong passwords at a pace, each from the next address. */
  async function guess(nameOf: (count: number) => string): Promise<void> {
    const clients = await Promise.all(
      Array.from({ length: GUESSERS }, (_, i) => Client.connect(`127.0.1.${1 + i}`)),
    );
    const until = performance.now();
    for (let i = 0; guessing; i++) {
      const client = clients[i % GUESSERS];
      const request = { type: 'login', username: nameOf(i), password: 'wrong password' } as const;
      void client?.request(request).then((reply) => {
        const outcome = outcomeOf(reply);
        guesses.set(outcome, (guesses.get(outcome) ?? 0) + 1);
      });
      await seconds(Math.max(0, (until + (i * 1_000) / WRONG - performance.now()) / 1_000));
    }
    for (const client of clients) client.close();
  }
} finally {
  frontend.kill('SIGTERM');
}

/** So many times, each on a connection of its own. */
async function login(name: string, from: string, times: number): Promise<{ ms: number; outcome: string }[]> {
  const results: { ms: number; outcome: string }[] = [];
  for (let i = 0; i < times; i++) {
    const client = await Client.connect(from);
    const sentAt = performance.now();
    const request = { type: 'login', username: name, password: PASSWORD, takeover: true } as const;
    const reply = await client.request(request);
    results.push({ ms: performance.now() - sentAt, outcome: outcomeOf(reply) });
    await client.request({ type: 'logout' });
    client.close();
  }
  return results;
}

async function make(name: string, from: string): Promise<void> {
  const client = await Client.connect(from);
  const reply = await client.request({ type: 'create', username: name, password: PASSWORD });
  if (reply?.type !== 'created') throw new Error(`${name}: ${outcomeOf(reply)}`);
  await client.request({ type: 'logout' });
  client.close();
}

async function remove(name: string): Promise<void> {
  const client = await Client.connect(HOST);
  await client.request({ type: 'login', username: name, password: PASSWORD, takeover: true });
  await client.request({ type: 'delete', password: PASSWORD, force: true });
  client.close();
}

function outcomeOf(reply: ServerFrame | null): string {
  if (reply === null) return 'closed';
  return reply.type === 'failure' ? reply.code : reply.type;
}
