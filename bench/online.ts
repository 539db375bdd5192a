/**
 * Many people online on one frontend: what they cost while nothing happens, and how long a message takes.
 *
 *     npm run bench -- [--users 1000] [--idle 20] [--messages 1000] [--out FILE]
 *
 * Starts a frontend of its own against the Kafka at MILENA_KAFKA_BROKERS (default 127.0.0.1:9092), logs in the
 * users from this process, prints a table and one JSON line, and removes the accounts again.
 */
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
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
    users: { type: 'string', default: '1000' },
    idle: { type: 'string', default: '20' },
    messages: { type: 'string', default: '1000' },
    out: { type: 'string' },
  },
});
const USERS = Number(values.users);
const IDLE_SECONDS = Number(values.idle);
const MESSAGES = Number(values.messages);
/** Requests under way at once while people come and go. */
const CONCURRENCY = 32;

const port = await freePort();
const frontend = await startFrontend(port);
try {
  const result = await measure(frontend.pid ?? 0);
  print(result);
  const line = JSON.stringify({ at: new Date().toISOString(), machine: machine(), ...result });
  console.log(`\n${line}`);
  if (values.out) appendFileSync(values.out, `${line}\n`);
} finally {
  frontend.kill('SIGTERM');
}

interface Result {
  readonly users: number;
  readonly createPerSecond: number;
  readonly loginPerSecond: number;
  readonly idleCpuPercent: number;
  readonly memoryMiB: number;
  readonly sendToDeliverMs: { readonly p50: number; readonly p90: number; readonly p99: number };
  readonly sendToAcceptMs: { readonly p50: number; readonly p90: number; readonly p99: number };
}

async function measure(pid: number): Promise<Result> {
  const names = Array.from({ length: USERS }, (_, i) => `bench-${process.pid}-${i}`);
  progress(`creating ${USERS} accounts`);
  const createStarted = performance.now();
  await each(names, async (name) => {
    const person = await Person.connect(name, HOST, port);
    await person.request({ type: 'create', name });
    person.close();
  });
  const createSeconds = (performance.now() - createStarted) / 1000;

  progress(`logging in ${USERS} people`);
  const people: Person[] = [];
  const loginStarted = performance.now();
  await each(names, async (name) => {
    const person = await Person.connect(name, HOST, port);
    await loginWhenFree(person);
    people.push(person);
  });
  const loginSeconds = (performance.now() - loginStarted) / 1000;

  // Everything that a login leaves to do later (newcomers' sessions, first commits) is over by then.
  await seconds(5);
  progress(`idle for ${IDLE_SECONDS} s`);
  const before = usageOf(pid);
  await seconds(IDLE_SECONDS);
  const after = usageOf(pid);

  progress(`${MESSAGES} messages, one at a time`);
  const accept: number[] = [];
  const deliver: number[] = [];
  for (let i = 0; i < MESSAGES; i++) await exchange(people, `message ${i}`, accept, deliver);
  const memoryMiB = usageOf(pid).memoryMiB;

  progress('removing the accounts');
  await each(people, async (person) => {
    await person.request({ type: 'retrieve' });
    await person.leaveFor({ type: 'delete' });
  });
  return {
    users: USERS,
    createPerSecond: Math.round(USERS / createSeconds),
    loginPerSecond: Math.round(USERS / loginSeconds),
    idleCpuPercent: round(cpuPercent(before, after)),
    memoryMiB: Math.round(Math.max(memoryMiB, after.memoryMiB)),
    sendToDeliverMs: percentiles(deliver),
    sendToAcceptMs: percentiles(accept),
  };
}

/** One message from a random person to another; both times count from the moment of sending, milliseconds. */
async function exchange(people: Person[], body: string, accept: number[], deliver: number[]): Promise<void> {
  const from = people[Math.floor(Math.random() * people.length)];
  const to = people[Math.floor(Math.random() * people.length)];
  if (!from || !to) throw new Error('nobody is online');
  const sentAt = performance.now();
  const arrived = new Promise<void>((resolve) => {
    to.onMessage = (text) => {
      if (text !== body) return;
      deliver.push(performance.now() - sentAt);
      resolve();
    };
  });
  await from.request({ type: 'send', to: to.name, body });
  accept.push(performance.now() - sentAt);
  await arrived;
}

/** The account was just made on a connection that has closed: its session may need a moment to end. */
async function loginWhenFree(person: Person): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await person.request({ type: 'login', name: person.name });
      return;
    } catch (error) {
      if (attempt >= 100) throw error;
      await seconds(0.05);
    }
  }
}

async function each<T>(items: readonly T[], action: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await action(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

function print(result: Result): void {
  const { sendToDeliverMs: deliver, sendToAcceptMs: accept } = result;
  console.log(`
| what | value |
| --- | --- |
| people online | ${result.users} |
| accounts made, per second | ${result.createPerSecond} |
| logins, per second | ${result.loginPerSecond} |
| idle CPU of the frontend, % of a core | ${result.idleCpuPercent} |
| memory of the frontend, MiB | ${result.memoryMiB} |
| send to accept, one at a time, ms p50 / p90 / p99 | ${accept.p50} / ${accept.p90} / ${accept.p99} |
| send to deliver, one at a time, ms p50 / p90 / p99 | ${deliver.p50} / ${deliver.p90} / ${deliver.p99} |`);
}
