/**
 * The client's screen in a pseudo-terminal: how long a key takes to be seen while messages arrive, what it costs while
 * nothing happens, and how much memory a long history takes.
 *
 *     npm run bench:screen -- [--messages 10000] [--rate 50] [--keys 400] [--idle 20] [--history 100000] [--out FILE]
 *
 * Starts a frontend of its own against the Kafka at MILENA_KAFKA_BROKERS (default 127.0.0.1:9092). The same keys go to
 * `cat` in another pseudo-terminal of the same run: what the way there and back costs by itself. Linux only.
 */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { spawn } from '@lydell/node-pty';
import { History } from '../src/client/history/history.ts';
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
import { Person } from './person.ts';
import { cpuPercent, usageOf } from './process-usage.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000' },
    rate: { type: 'string', default: '50' },
    keys: { type: 'string', default: '400' },
    idle: { type: 'string', default: '20' },
    history: { type: 'string', default: '100000' },
    columns: { type: 'string', default: '80' },
    rows: { type: 'string', default: '24' },
    out: { type: 'string' },
  },
});
/** As ./milena has them. */
const NODE_FLAGS = ['--max-semi-space-size=4', '--heap-growing-percent=20'];
const SIZE = { cols: Number(values.columns), rows: Number(values.rows) };
const KEY_EVERY_MS = 70;
const PEER = { kind: 'user', name: 'bench-writer' } as const;

/** A program in a pseudo-terminal. */
class Pane {
  readonly #pty;
  /** What was written since `press`. */
  #seen = '';
  #wanted: { text: string; resolve: (at: number) => void } | undefined;
  #all = '';

  constructor(command: string, args: readonly string[], env: Record<string, string>) {
    this.#pty = spawn(command, [...args], {
      ...SIZE,
      name: 'xterm-256color',
      env: { ...process.env, TERM: 'xterm-256color', ...env },
    });
    this.#pty.onData((data) => {
      this.#seen += data;
      this.#all = (this.#all + data).slice(-200_000);
      // Terminals answer when they are asked who they are; this one is none.
      if (this.#wanted !== undefined && this.#seen.includes(this.#wanted.text)) {
        this.#wanted.resolve(performance.now());
        this.#wanted = undefined;
      }
    });
  }

  get pid(): number {
    return this.#pty.pid;
  }

  /** Milliseconds from a key to its echo. */
  async press(key: string): Promise<number> {
    this.#seen = '';
    const seen = new Promise<number>((resolve) => {
      this.#wanted = { text: key, resolve };
    });
    const pressed = performance.now();
    this.#pty.write(key);
    return (await seen) - pressed;
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  async shows(text: string): Promise<void> {
    for (let tries = 0; !this.#all.includes(text); tries++) {
      if (tries > 600) throw new Error(`never seen: ${text}\n${this.#all.slice(-3_000)}`);
      await seconds(0.05);
    }
  }

  close(): void {
    this.#pty.kill();
  }
}

/** Letters that stand nowhere else on the screen, so that an echo is known for certain. */
const KEYS = Array.from('ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ');

async function keys(pane: Pane, count: number): Promise<number[]> {
  const taken: number[] = [];
  for (let i = 0; i < count; i++) {
    taken.push(await pane.press(KEYS[i % KEYS.length] ?? 'À'));
    // The line is emptied now and then, as people do when they send it.
    if (i % KEYS.length === KEYS.length - 1) pane.type('\u0015');
    await seconds(KEY_EVERY_MS / 1000);
  }
  return taken;
}

function fill(directory: string, server: string, account: string, count: number): void {
  const history = History.open({ directory, server, account });
  for (let i = 0; i < count; i++) {
    const body = `message ${i}: ${'words and more words '.repeat(i % 7)}`;
    history.received({ peer: PEER, at: Date.now() - (count - i) * 1000, body, key: `fill ${i}` });
  }
  history.commit();
  history.close();
}

const directory = mkdtempSync(join(tmpdir(), 'milena-bench-'));
const port = await freePort();
const server = `${HOST}:${port}`;
const frontend = await startFrontend(port);
const names = { reader: `bench-reader-${process.pid}`, writer: PEER.name };
let writing: NodeJS.Timeout | undefined;
const panes: Pane[] = [];

function client(history: string): Pane {
  const pane = new Pane(process.execPath, [...NODE_FLAGS, 'dist/client/main.js', '--server', server], {
    MILENA_USER: names.reader,
    MILENA_DATA_DIR: history,
    XDG_CONFIG_HOME: directory,
    NODE_ENV: 'production',
  });
  panes.push(pane);
  return pane;
}

async function openConversation(pane: Pane): Promise<void> {
  await pane.shows('password of');
  pane.type('\r');
  await pane.shows('Logged in as');
  pane.type(`/msg ${PEER.name}\r`);
  await pane.shows('message ');
  await seconds(1);
}

try {
  for (const name of [names.reader, names.writer]) {
    const person = await Person.connect(name, HOST, port);
    await person.request({ type: 'create', name }).catch(() => undefined);
    person.close();
  }
  progress('filling histories');
  const [small, large] = [join(directory, 'small'), join(directory, 'large')];
  fill(small, server, names.reader, Number(values.messages));
  fill(large, server, names.reader, Number(values.history));

  progress('keys to cat, and to the screen while messages arrive');
  const cat = new Pane('/bin/cat', [], {});
  panes.push(cat);
  const floor = percentiles5(await keys(cat, 100));
  cat.close();
  const pane = client(small);
  await openConversation(pane);
  const writer = await Person.connect(names.writer, HOST, port);
  await writer.request({ type: 'login', name: names.writer });
  let sent = 0;
  const perSecond = Number(values.rate);
  const begun = performance.now();
  writing = setInterval(() => {
    const due = Math.floor(((performance.now() - begun) / 1000) * perSecond);
    for (; sent < due; sent++) {
      void writer.request({ type: 'send', to: names.reader, body: `arriving ${sent} and some words` });
    }
  }, 10);
  await pane.shows('arriving');
  await seconds(2);
  const busyFrom = usageOf(pane.pid);
  const busy = percentiles5(await keys(pane, Number(values.keys)));
  const busyCpu = cpuPercent(busyFrom, usageOf(pane.pid));
  clearInterval(writing);
  await seconds(2);
  const quiet = percentiles5(await keys(pane, 100));

  progress(`idle for ${values.idle} s`);
  await seconds(2);
  const idleFrom = usageOf(pane.pid);
  await seconds(Number(values.idle));
  const idle = usageOf(pane.pid);
  pane.close();

  progress('a long history');
  const long = client(large);
  await seconds(1);
  await openConversation(long);
  for (let i = 0; i < 200; i++) {
    long.type('\u001b[5~');
    await seconds(0.01);
  }
  await seconds(2);
  const result = {
    keyToEchoMs: { cat: floor, quiet, [`${perSecond} messages a second`]: busy },
    cpuPercentWhileArriving: round(busyCpu),
    idleCpuPercent: round(cpuPercent(idleFrom, idle)),
    memoryMiB: {
      [`${values.messages} messages`]: round(idle.memoryMiB),
      [`${values.history} messages, scrolled 200 pages`]: round(usageOf(long.pid).memoryMiB),
    },
  };
  console.table(result.keyToEchoMs);
  console.log(result.memoryMiB, `idle ${result.idleCpuPercent} % of a core`);
  const line = JSON.stringify({ at: new Date().toISOString(), machine: machine(), ...result });
  console.log(`\n${line}`);
  if (values.out) appendFileSync(values.out, `${line}\n`);
  writer.close();
} finally {
  clearInterval(writing);
  for (const pane of panes) pane.close();
  frontend.kill('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
}

function percentiles5(samples: number[]): { p50: number; p95: number; p99: number } {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number) =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { p50: at(0.5), p95: at(0.95), p99: percentiles(samples).p99 };
}
