/**
 * What it costs to take and to keep inboxes.
 *
 *     npm run bench:leases -- [--defaults] [--people 1000] [--logins 200] [--idle 60] [--out FILE]
 *
 * Starts a broker and a frontend. --defaults: the broker's settings for groups are Kafka's own, not those of
 * kafka/server.properties. In turn: logins one after the other; everybody in and out, 32 at once, twice, of which the second
 * time is measured; everybody in and idle.
 */
import { appendFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { startBroker } from '../test/broker/broker.ts';
import { JvmBroker } from '../test/broker/jvm-broker.ts';
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
import { cpuPercent, type Usage, usageOf } from './process-usage.ts';

const { values } = parseArgs({
  options: {
    defaults: { type: 'boolean', default: false },
    people: { type: 'string', default: '1000' },
    logins: { type: 'string', default: '200' },
    idle: { type: 'string', default: '60' },
    out: { type: 'string' },
  },
});
const PEOPLE = Number(values.people);
const AT_ONCE = 32;
const KAFKAS_OWN = {
  'group.initial.rebalance.delay.ms': '3000',
  'group.consumer.session.timeout.ms': '45000',
  'group.consumer.max.session.timeout.ms': '60000',
};

const properties = values.defaults ? KAFKAS_OWN : {};
const broker = await startBroker({ heap: '1g', production: true, properties });
if (!(broker instanceof JvmBroker))
  throw new Error('the broker has to be a Java process: its CPU is measured');
process.env.MILENA_KAFKA_BROKERS = broker.brokers;
const port = await freePort();
const frontend = await startFrontend(port);
try {
  const names = Array.from({ length: PEOPLE }, (_, i) => `bench-${i}`);
  progress(`${PEOPLE} accounts`);
  await eachOf(names, make);

  progress(`${values.logins} logins, one after the other`);
  const times: number[] = [];
  for (let i = 0; i < Number(values.logins); i++) {
    const person = await Person.connect(names[0] ?? '', HOST, port);
    const sentAt = performance.now();
    await person.request({ type: 'login', name: person.name });
    times.push(performance.now() - sentAt);
    await leave(person);
  }

  progress('everybody in and out');
  await inAndOut(names);
  const before = usage();
  await inAndOut(names);
  const after = usage();

  progress(`everybody in, ${values.idle} s of nothing`);
  const people: Person[] = [];
  await eachOf(names, async (name) => {
    const person = await Person.connect(name, HOST, port);
    await person.request({ type: 'login', name });
    people.push(person);
  });
  // What the logins have left to do.
  await seconds(20);
  const idleFrom = usage();
  await seconds(Number(values.idle));
  const idleTo = usage();
  for (const person of people) person.close();

  const perLogin = (of: 'frontend' | 'broker') =>
    round((1_000 * (after[of].cpuSeconds - before[of].cpuSeconds)) / PEOPLE);
  const result = {
    groups: values.defaults ? 'as Kafka comes' : 'kafka/server.properties',
    people: PEOPLE,
    loginMs: percentiles(times),
    allInAndOutSeconds: round(after.frontend.at - before.frontend.at),
    loginCpuMs: { frontend: perLogin('frontend'), broker: perLogin('broker') },
    idleCpuPercent: {
      frontend: round(cpuPercent(idleFrom.frontend, idleTo.frontend)),
      broker: round(cpuPercent(idleFrom.broker, idleTo.broker)),
    },
    loadAverage: round(loadavg()[0] ?? 0),
  };
  const line = JSON.stringify({ at: new Date().toISOString(), machine: machine(), ...result });
  console.log(line);
  if (values.out) appendFileSync(values.out, `${line}\n`);
} finally {
  frontend.kill('SIGKILL');
  await broker.stop();
}

function usage(): { frontend: Usage; broker: Usage } {
  return { frontend: usageOf(frontend.pid ?? 0), broker: usageOf((broker as JvmBroker).pid ?? 0) };
}

/** On a busy machine, and with thousands of topics made one after the other, a broker takes longer than a create waits. */
async function make(name: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const person = await Person.connect(name, HOST, port);
    const failure = await person.request({ type: 'create', name }).then(
      () => null,
      (error: unknown) => error,
    );
    person.close();
    if (failure === null || (failure instanceof Error && failure.message.includes('taken'))) return;
    if (tries === 10) throw failure;
    await seconds(tries);
  }
}

async function inAndOut(names: readonly string[]): Promise<void> {
  await eachOf(names, async (name) => {
    const person = await Person.connect(name, HOST, port);
    await person.request({ type: 'login', name });
    await leave(person);
  });
}

function leave(person: Person): Promise<void> {
  return person.leaveFor({ type: 'logout' });
}

/** So many at once. */
async function eachOf(names: readonly string[], action: (name: string) => Promise<void>): Promise<void> {
  const left = [...names];
  const some = async () => {
    for (let name = left.pop(); name !== undefined; name = left.pop()) await action(name);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
}
