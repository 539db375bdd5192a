/**
 * How many functions a frontend calls for each message, and which ones.
 *
 *     npm run bench:calls -- [--users 1000] [--seconds 6] [--top 40] [--no-build] [--out FILE]
 *
 * 64 senders, each with one message under way, to random ones of the users, who are all logged in. V8 counts each call that the
 * frontend's process makes meanwhile (precise coverage, over the inspector), those of Node and of packages included, those of
 * functions that are part of V8 not. Counting makes a frontend some times slower, so rates are none to quote.
 *
 * Starts a broker, unless MILENA_KAFKA_BROKERS names a Kafka.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { freePort, HOST, machine, progress, round } from './bench-run.ts';
import { Bench } from './load/bench.ts';
import { Inspector } from './load/inspector.ts';
import { ready, SENDERS } from './load/phases.ts';
import { Stage } from './load/stage.ts';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '6' },
    top: { type: 'string', default: '40' },
    'no-build': { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const USERS = Number(values.users);

if (!values['no-build']) {
  progress('building');
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}
const port = await freePort();
const stage = await Stage.open({
  kafka: process.env.MILENA_KAFKA_BROKERS?.trim() || null,
  ...{ brokers: 1, heap: '768m', settings: {}, nodeFlags: [`--inspect=${HOST}:${port}`] },
});
const bench = new Bench(stage, {
  ...{ version: 2, workers: 1, bodyBytes: 100, prefix: 'load-', certificate: {}, tls: false, replicas: 1 },
});
try {
  await ready(bench, USERS);
  await bench.warmUp();
  const inspector = await Inspector.connect(HOST, port);
  await inspector.countCalls();
  const load = { kind: 'closed', senders: SENDERS, seconds: Number(values.seconds) } as const;
  // Whatever is done once, and the first calls of what was optimised before, are in these.
  await bench.run(load);
  await inspector.takeCalls();
  const { sent } = await bench.run(load);
  const calls = await inspector.takeCalls();
  inspector.close();
  report(calls, sent.accepted);
} finally {
  bench.close();
  await stage.close();
}

function report(calls: ReadonlyMap<string, number>, messages: number): void {
  const each = (count: number) => round(count / messages);
  const all = [...calls].sort(([, a], [, b]) => b - a);
  const total = each(all.reduce((sum, [, count]) => sum + count, 0));
  const ours = each(all.reduce((sum, [name, count]) => sum + (name.startsWith('dist/') ? count : 0), 0));
  for (const [name, count] of all.slice(0, Number(values.top)))
    process.stdout.write(`${each(count).toFixed(2).padStart(8)}  ${name}\n`);
  const result = { callsEach: total, oursEach: ours, messages, users: USERS, machine: machine() };
  const line = JSON.stringify({ bench: 'calls', at: new Date().toISOString(), ...result });
  process.stdout.write(`${line}\n`);
  if (values.out !== undefined) appendFileSync(values.out, `${line}\n`);
}
