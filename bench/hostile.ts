/**
 * An honest pair's latency alone, then beside thousands of silent connections and a sender that floods.
 *
 *     npm run bench:hostile -- [--silent 2000] [--messages 1000] [--out FILE]
 *
 * Starts a frontend of its own, with default limits, against the Kafka at MILENA_KAFKA_BROKERS. The silent connections
 * come from several loopback addresses (127.0.0.x), since one address may not have so many.
 */
import { appendFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
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
import { usageOf } from './process-usage.ts';

const { values } = parseArgs({
  options: {
    silent: { type: 'string', default: '2000' },
    messages: { type: 'string', default: '1000' },
    out: { type: 'string' },
  },
});
const SILENT = Number(values.silent);
const MESSAGES = Number(values.messages);
const PER_ADDRESS = 400;

/** A client of version 2 with one request at a time. */
class Client {
  onMessage: (body: string, seq: number) => void = () => {};
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder({ maxPayload: MAX_REPLY_PAYLOAD, versions: [1, 2] });
  readonly #waiting: ((frame: ServerFrame) => void)[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.#decoder.push(chunk);
      for (let frame = this.#decoder.next(); frame; frame = this.#decoder.next()) {
        const value = v2.decodeServerFrame(frame);
        if (value.type === 'message') this.onMessage(value.body, value.seq);
        else if (value.type === 'ping') this.write({ type: 'ping' });
        else if (value.type !== 'delivered' && value.type !== 'pong') this.#waiting.shift()?.(value);
      }
    });
  }

  request(request: Request): Promise<ServerFrame> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.write(request);
    });
  }

  write(request: Request): void {
    this.#socket.write(v2.encodeRequest(request));
  }

  close(): void {
    this.#socket.destroy();
  }
}

const port = await freePort();
const frontend = await startFrontend(port);
const pid = frontend.pid ?? 0;
try {
  const [anna, bert, flooder, victim] = await Promise.all(['anna', 'bert', 'flooder', 'victim'].map(enter));
  if (!anna || !bert || !flooder || !victim) throw new Error('nobody is there');
  progress('an honest pair alone');
  const alone = await chat(anna, bert);
  const memoryAlone = usageOf(pid).memoryMiB;

  progress(`${SILENT} silent connections, and a sender that floods`);
  const silent = await Promise.all(
    Array.from({ length: SILENT }, (_, i) => connect(`127.0.0.${2 + Math.floor(i / PER_ADDRESS)}`)),
  );
  let flooding = true;
  const refused = { count: 0 };
  const sent = { count: 0 };
  const flood = Promise.all(
    Array.from({ length: 64 }, async () => {
      while (flooding) {
        const reply = await flooder.client.request(letter(victim.name, 'x'.repeat(1_000)));
        if (reply.type === 'sent') sent.count++;
        else {
          refused.count++;
          await seconds(0.001);
        }
      }
    }),
  );
  await seconds(1);
  const beside = await chat(anna, bert);
  const memoryBeside = usageOf(pid).memoryMiB;
  flooding = false;
  await flood;
  for (const socket of silent) socket.destroy();
  for (const person of [anna, bert, flooder, victim]) {
    await person.client.request({ type: 'delete', force: true });
    person.client.close();
  }
  const result = {
    silentConnections: SILENT,
    flood: { accepted: sent.count, refused: refused.count },
    aloneMs: percentiles(alone),
    besideMs: percentiles(beside),
    medianRatio: round(percentiles(beside).p50 / percentiles(alone).p50),
    memoryMiB: { alone: Math.round(memoryAlone), beside: Math.round(memoryBeside) },
  };
  console.log(`
| what | alone | beside ${SILENT} silent connections and a flood |
| --- | --- | --- |
| honest pair, send to deliver, ms p50 / p90 / p99 | ${Object.values(result.aloneMs).join(' / ')} | ${Object.values(result.besideMs).join(' / ')} |
| memory of the frontend, MiB | ${result.memoryMiB.alone} | ${result.memoryMiB.beside} |

Median beside / alone: ${result.medianRatio}. Flood: ${sent.count} accepted, ${refused.count} refused.`);
  const line = JSON.stringify({ at: new Date().toISOString(), machine: machine(), ...result });
  console.log(`\n${line}`);
  if (values.out) appendFileSync(values.out, `${line}\n`);
} finally {
  frontend.kill('SIGTERM');
}

interface Entered {
  readonly name: string;
  readonly client: Client;
}

async function enter(stem: string): Promise<Entered> {
  const name = `bench-${process.pid}-${stem}`;
  const client = new Client(await connect());
  const reply = await client.request({ type: 'create', username: name });
  if (reply.type !== 'created') throw new Error(`${name}: ${JSON.stringify(reply)}`);
  client.onMessage = (_body, seq) => client.write({ type: 'ack', upTo: seq });
  return { name, client };
}

/** Milliseconds from sending to the push, for each of the messages, one at a time. */
async function chat(from: Entered, to: Entered): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < MESSAGES; i++) {
    const body = `${i}`;
    const sentAt = performance.now();
    const arrived = new Promise<void>((resolve) => {
      to.client.onMessage = (text, seq) => {
        to.client.write({ type: 'ack', upTo: seq });
        if (text !== body) return;
        samples.push(performance.now() - sentAt);
        resolve();
      };
    });
    const reply = await from.client.request(letter(to.name, body));
    if (reply.type !== 'sent') throw new Error(JSON.stringify(reply));
    await arrived;
  }
  return samples;
}

function letter(to: string, body: string): Request {
  return { type: 'send', id: crypto.getRandomValues(Buffer.alloc(16)), to, body };
}

function connect(localAddress?: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const options = { host: HOST, port, ...(localAddress !== undefined && { localAddress }) };
    const socket = createConnection(options, () => resolve(socket));
    socket.once('error', reject);
  });
}
