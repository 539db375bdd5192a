/**
 * A table of very many accounts: how soon a frontend with it listens, what an account takes in memory, how long lists
 * take and hold everything else up, and how quickly accounts are made and removed beside them.
 *
 *     npm run bench:accounts -- [--accounts 1000000] [--changes 600] [--out FILE]
 *
 * Uses the Kafka at MILENA_KAFKA_BROKERS, which must have no accounts yet, or else starts a broker of its own. A bare
 * producer fills the topic of accounts: one record a batch, as changes leave them, without the inboxes.
 */
import { appendFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { parseClusterKeys } from '../src/config/cluster-keys.ts';
import { readConfig } from '../src/config/config.ts';
import { newClusterKey } from '../src/core/cluster-key.ts';
import type { Storage } from '../src/core/storage.ts';
import { Signer } from '../src/storage/kafka/inbox/signature.ts';
import { Trust } from '../src/storage/kafka/inbox/trust.ts';
import { openKafkaStorage } from '../src/storage/kafka/index.ts';
import { BrokerClock } from '../src/storage/kafka/wire/broker-clock.ts';
import { startBroker } from '../test/broker/broker.ts';
import { credentialOf, fillAccounts, nameOf } from './account-filler.ts';
import { freePort, machine, percentiles, progress, round, startFrontend } from './bench-run.ts';
import { usageOf } from './process-usage.ts';

const { values } = parseArgs({
  options: {
    accounts: { type: 'string', default: '1000000' },
    changes: { type: 'string', default: '600' },
    out: { type: 'string' },
  },
});
const ACCOUNTS = Number(values.accounts);
const CHANGES = Number(values.changes);
const PAGE = 1_000;
const LOOKS = 200;

const given = process.env.MILENA_KAFKA_BROKERS;
const broker = given === undefined ? await startBroker({ heap: '1g' }) : null;
const brokers = broker?.brokers ?? given ?? '';
process.env.MILENA_KAFKA_BROKERS = brokers;
const key = newClusterKey();
process.env.MILENA_CLUSTER_KEYS ??= `${key.id}:${key.secret.toString('base64url')}`;
try {
  const result = await measure();
  console.log(`\n| what | value |\n| --- | --- |`);
  for (const [what, value] of Object.entries(result)) console.log(`| ${what} | ${shown(value)} |`);
  const line = JSON.stringify({ at: new Date().toISOString(), machine: machine(), ...result });
  console.log(`\n${line}`);
  if (values.out) appendFileSync(values.out, `${line}\n`);
} finally {
  await broker?.stop();
}

async function measure(): Promise<Record<string, unknown>> {
  // The topic is made by an engine, as ever; what the engine itself takes is measured while there are no accounts.
  const empty = await frontendAlone();
  progress(`writing ${ACCOUNTS} accounts`);
  const signer = new Signer(parseClusterKeys(process.env.MILENA_CLUSTER_KEYS ?? '', 'MILENA_CLUSTER_KEYS'));
  const fillSeconds = await fillAccounts(brokers, ACCOUNTS, new Trust(signer, new BrokerClock(), false, 0));
  progress('starting a frontend with them');
  const full = await frontendAlone();

  const { MILENA_CLUSTER_KEYS } = process.env;
  const config = readConfig({ MILENA_KAFKA_BROKERS: brokers, MILENA_CLUSTER_KEYS });
  const before = await heapBytes();
  const started = performance.now();
  const engine = await openKafkaStorage(config, pino({ level: 'warn' }));
  const readSeconds = (performance.now() - started) / 1_000;
  const perAccount = ((await heapBytes()) - before) / ACCOUNTS;
  const own = credentialOf(0).length + nameOf(0).length;
  progress('making lists');
  const lists = await measureLists(engine);
  progress(`making and removing ${CHANGES} accounts`);
  const changes = await measureChanges(engine);
  await engine.close();
  return {
    accounts: ACCOUNTS,
    filledPerSecond: Math.round(ACCOUNTS / fillSeconds),
    startSeconds: round(full.seconds),
    startSecondsEmpty: round(empty.seconds),
    engineStartSeconds: round(readSeconds),
    frontendMemoryMiB: Math.round(full.memoryMiB),
    frontendMemoryMiBEmpty: Math.round(empty.memoryMiB),
    bytesPerAccount: Math.round(perAccount),
    bytesBeyondNameAndCredential: Math.round(perAccount - own),
    ...lists,
    ...changes,
    loadAverage: round(loadavg()[0] ?? 0),
  };
}

/** Starts a frontend in a process of its own and ends it again. */
async function frontendAlone(): Promise<{ seconds: number; memoryMiB: number }> {
  const started = performance.now();
  const frontend = await startFrontend(await freePort());
  const seconds = (performance.now() - started) / 1_000;
  const { memoryMiB } = usageOf(frontend.pid ?? 0);
  const ended = new Promise((resolve) => frontend.once('exit', resolve));
  frontend.kill('SIGTERM');
  await ended;
  return { seconds, memoryMiB };
}

/** What is reachable, on the heap and beside it. */
async function heapBytes(): Promise<number> {
  if (global.gc === undefined) throw new Error('run it with node --expose-gc');
  // What a collection frees of memory beside the heap is known some turns later.
  for (let i = 0; i < 5; i++) {
    global.gc();
    await nextTurn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function measureLists(engine: Storage): Promise<Record<string, unknown>> {
  const page: number[] = [];
  const rare: number[] = [];
  for (let look = 0; look < LOOKS; look++) {
    const name = nameOf(Math.floor(Math.random() * ACCOUNTS));
    page.push(await timed(() => engine.accounts.list(`${name.slice(0, 3)}*`, { limit: PAGE })));
    rare.push(await timed(() => engine.accounts.list(`${name.slice(0, 5)}*7`, { limit: PAGE })));
  }
  const turns: number[] = [];
  let searching = true;
  const watch = async () => {
    while (searching) turns.push(await timed(() => nextTurn()));
  };
  const watching = watch();
  const everything: number[] = [];
  for (let look = 0; look < 5; look++) {
    everything.push(await timed(() => engine.accounts.list('*no*such*name*', { limit: PAGE })));
  }
  searching = false;
  await watching;
  return {
    prefixListMs: percentiles(page),
    prefixAndMoreListMs: percentiles(rare),
    wholeTableListMs: percentiles(everything),
    turnDuringItMs: percentiles(turns),
  };
}

async function measureChanges(engine: Storage): Promise<Record<string, unknown>> {
  const names = Array.from({ length: CHANGES }, (_, i) => `zz-bench-${process.pid}-${i}`);
  const alone = names.slice(0, 20).map((name) => `${name}-alone`);
  const make = (name: string) => engine.accounts.create({ name });
  const one = percentiles(await inTurns(alone, 1, make));
  const started = performance.now();
  const createMs = percentiles(await inTurns(names, 32, make));
  const made = performance.now();
  await inTurns([...names, ...alone], 32, async (name) => {
    const account = engine.accounts.get(name);
    if (account) await engine.accounts.remove(account);
  });
  const removed = performance.now();
  return {
    createAloneMs: one,
    createPerSecond: round((CHANGES * 1_000) / (made - started)),
    createMs,
    removePerSecond: round(((CHANGES + alone.length) * 1_000) / (removed - made)),
  };
}

/** @returns how long each took, milliseconds */
async function inTurns(
  names: readonly string[],
  atOnce: number,
  action: (name: string) => Promise<unknown>,
): Promise<number[]> {
  const took: number[] = [];
  const rest = names.values();
  const worker = async () => {
    for (const name of rest) took.push(await timed(() => action(name)));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return took;
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await action();
  return performance.now() - started;
}

function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, number]) => `${name} ${number}`)
    .join(', ');
}
