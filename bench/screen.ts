/**
 * The client's screen in a pseudo-terminal, beside weechat and irssi where they are installed: how long a start takes, how long
 * a key takes to be seen, also while messages arrive, what it costs while nothing happens, and how much memory it takes.
 *
 *     npm run bench:screen -- [--history 100000] [--rate 50] [--keys 400] [--starts 10] [--idle 20] [--out FILE]
 *                             [--before CHECKOUT]
 *
 * Starts a frontend of its own against the Kafka at MILENA_KAFKA_BROKERS (default 127.0.0.1:9092). All programs take turns, a
 * start or some keys at a time, so that what the machine does meanwhile hits them alike; with --before an earlier Milena (a
 * checkout with its build) is one of them. The same keys go to `cat`: what the way there and back costs by itself. The
 * others have no server and nothing to show but their first screen, Milena has a conversation. Linux only.
 */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { connect, type Milena } from '../src/client/index.ts';
import { freePort, HOST, machine, progress, round, seconds, startFrontend } from './bench-run.ts';
import { cpuPercent, type Usage, usageOf } from './process-usage.ts';
import {
  fill,
  logIn,
  type MilenaOptions,
  makeAccount,
  milena,
  openConversation,
  pageUp,
  READY,
} from './screen/milena.ts';
import { othersHere, othersMissing } from './screen/others.ts';
import { Pane, type Program } from './screen/pane.ts';

const { values } = parseArgs({
  options: {
    history: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '50' },
    keys: { type: 'string', default: '400' },
    starts: { type: 'string', default: '10' },
    idle: { type: 'string', default: '20' },
    columns: { type: 'string', default: '80' },
    rows: { type: 'string', default: '24' },
    before: { type: 'string' },
    out: { type: 'string' },
  },
});
const SIZE = { cols: Number(values.columns), rows: Number(values.rows) };
const KEYS_AT_ONCE = 10;
const PAGES = 200;
const PEER = 'bench-writer';

/** One of the programs, and what was measured of it. */
interface Column {
  readonly name: string;
  readonly version: string | null;
  readonly program: Program;
  /** The last thing of its first screen; null: it has none. */
  readonly ready: string | null;
  readonly milena: MilenaOptions | null;
  readonly startMs: number[];
  readonly quiet: number[];
  readonly arriving: number[];
  cpuWhileArriving?: number;
  idleCpu?: number;
  memoryMiB?: number;
  memoryAfterPagesMiB?: number;
}

type Open = readonly { readonly column: Column; readonly pane: Pane }[];

const directory = mkdtempSync(join(tmpdir(), 'milena-bench-'));
const port = await freePort();
const server = `${HOST}:${port}`;
const frontend = await startFrontend(port);
const panes: Pane[] = [];
let writing: NodeJS.Timeout | undefined;

function column(name: string, program: Program, more: Partial<Column>): Column {
  const nothing = { startMs: [], quiet: [], arriving: [] };
  return { name, version: null, ready: null, milena: null, ...nothing, program, ...more };
}

function milenaColumn(name: string, checkout: string): Column {
  const account = `bench-${name.replace(' ', '-')}-${process.pid}`;
  const options = { checkout: resolve(checkout), directory, server, account, peer: PEER };
  return column(name, milena(options), { ready: READY, milena: options });
}

function open({ program }: Column): Pane {
  const pane = new Pane(program, SIZE);
  panes.push(pane);
  return pane;
}

/** One start of each after the other, several times. */
async function starts(columns: readonly Column[]): Promise<void> {
  // The first one is none of those that count: it may find nothing in the machine's memory.
  for (let turn = 0; turn <= Number(values.starts); turn++) {
    for (const one of columns) {
      if (one.ready === null) continue;
      const pane = open(one);
      const taken = await pane.usable(one.ready, turn);
      if (turn > 0) one.startMs.push(taken);
      // What is written and not sent would be there at the next start.
      pane.emptyLine();
      await seconds(0.5);
      await pane.close();
    }
  }
}

/** Some keys to each after the other, until each has had `count`. */
async function keys(all: Open, count: number, kind: 'quiet' | 'arriving'): Promise<void> {
  for (let done = 0; done < count; done += KEYS_AT_ONCE) {
    for (const { column, pane } of all) column[kind].push(...(await pane.keys(KEYS_AT_ONCE)));
  }
}

/** @returns what each has used between now and then, by what was used before */
function used(all: Open): () => readonly (readonly [Column, Usage, Usage])[] {
  const before = all.map(({ pane }) => usageOf(pane.pid));
  return () =>
    all.flatMap(({ column, pane }, i) => (before[i] ? [[column, before[i], usageOf(pane.pid)]] : []));
}

/** Messages to all of them, so many a second to each, until `stop`. */
function arrive(writer: Milena, to: readonly MilenaOptions[]): () => void {
  const begun = performance.now();
  let sent = 0;
  writing = setInterval(() => {
    const due = Math.floor(((performance.now() - begun) / 1000) * Number(values.rate));
    for (; sent < due; sent++) {
      const body = `arriving ${sent} and some words`;
      for (const { account } of to) writer.send(account, body).catch(() => undefined);
    }
  }, 10);
  return () => clearInterval(writing);
}

try {
  const others = othersHere(directory);
  for (const name of othersMissing(others)) progress(`${name} is not installed: there is no column of it`);
  const milenas = [
    milenaColumn('milena', '.'),
    ...(values.before === undefined ? [] : [milenaColumn('milena before', values.before)]),
  ];
  const cat = column('cat', { command: 'cat', args: [], env: {} }, {});
  const columns = [
    cat,
    ...milenas,
    ...others.map(({ name, program, ready, version }) => column(name, program, { ready, version })),
  ];
  const asPeer = { server: `${HOST}:${port}`, user: PEER };
  const writer = await connect({ ...asPeer, create: true }).catch(() => connect(asPeer));
  for (const { milena: options } of milenas) {
    if (options === null) continue;
    progress(`a history of ${values.history} messages`);
    makeAccount(options);
    fill(options, Number(values.history));
    await logIn(options, SIZE);
  }

  progress('starts');
  await starts(columns);

  progress('keys while nothing arrives');
  const all: { column: Column; pane: Pane }[] = [];
  for (const one of columns) {
    const pane = open(one);
    if (one.ready !== null) await pane.shows(one.ready);
    if (one.milena !== null) await openConversation(pane, one.milena);
    all.push({ column: one, pane });
  }
  await seconds(1);
  await keys(all, Number(values.keys), 'quiet');

  progress(`idle for ${values.idle} s`);
  await seconds(2);
  const idle = used(all);
  await seconds(Number(values.idle));
  for (const [one, before, after] of idle()) {
    one.idleCpu = cpuPercent(before, after);
    one.memoryMiB = after.memoryMiB;
  }

  progress('keys while messages arrive');
  const chats = all.filter(({ column }) => column.milena !== null);
  const stop = arrive(
    writer,
    chats.flatMap(({ column }) => column.milena ?? []),
  );
  for (const { pane } of chats) await pane.shows('arriving');
  await seconds(2);
  const busy = used(chats);
  await keys(chats, Number(values.keys), 'arriving');
  for (const [one, before, after] of busy()) one.cpuWhileArriving = cpuPercent(before, after);
  stop();
  await writer.close();

  progress('through the history');
  for (const { column, pane } of chats) {
    for (let i = 0; i < PAGES; i++) {
      pageUp(pane);
      await seconds(0.01);
    }
    await seconds(2);
    column.memoryAfterPagesMiB = usageOf(pane.pid).memoryMiB;
  }

  const programs = Object.fromEntries(columns.map((one) => [one.name, figuresOf(one)]));
  console.table(programs);
  const run = { history: Number(values.history), messagesPerSecond: Number(values.rate), pages: PAGES };
  const line = JSON.stringify({ at: new Date().toISOString(), machine: machine(), ...run, programs });
  console.log(`\n${line}`);
  if (values.out) appendFileSync(values.out, `${line}\n`);
} finally {
  clearInterval(writing);
  await Promise.all(panes.map((pane) => pane.close()));
  frontend.kill('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
}

function figuresOf({ version, startMs, quiet, arriving, ...one }: Column) {
  return {
    ...(version === null ? {} : { version }),
    startMs: spread(startMs),
    keyMs: spread(quiet),
    keyWhileArrivingMs: spread(arriving),
    idleCpuPercent: rounded(one.idleCpu),
    cpuPercentWhileArriving: rounded(one.cpuWhileArriving),
    memoryMiB: rounded(one.memoryMiB),
    memoryAfterPagesMiB: rounded(one.memoryAfterPagesMiB),
  };
}

/** p50, p95 and p99; undefined: nothing was measured. */
function spread(samples: readonly number[]): readonly number[] | undefined {
  if (samples.length === 0) return undefined;
  const sorted = samples.toSorted((a, b) => a - b);
  return [0.5, 0.95, 0.99].map((share) =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0),
  );
}

function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : round(value);
}
