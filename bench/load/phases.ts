import { type Bench, type Cost, percentiles, progress, type Result, rateOf, round } from './bench.ts';
import { nowUs, pause } from './clock.ts';
import type { HistogramData } from './histogram.ts';
import { connectionsTo, usageOfAll } from './proc.ts';

/** Senders of a closed loop, each with one message under way. */
export const SENDERS = 64;
/** Product and floor take turns that many times. */
const BLOCKS = 4;

/** How many, how long: what differs between the short and the full run. */
export interface Sizes {
  /** People online while messages are sent. */
  readonly users: number;
  /** People online in the phases that are about many: login, idle, storm. */
  readonly most: number;
  /** People online one after the other, where the cost of a message is compared. */
  readonly growth: readonly number[];
  readonly idleSeconds: number;
  readonly loadSeconds: number;
  /** Messages one at a time. */
  readonly messages: number;
  readonly backlog: number;
  /** Offered loads, messages a second. */
  readonly rates: readonly number[];
  /** Users of the obvious design, a consumer each. */
  readonly consumers: number;
}

export type Phase = (bench: Bench, sizes: Sizes) => Promise<Result[]>;

/** Accounts made with 32 requests in flight; they are logged in afterwards. */
export async function create(bench: Bench, { most: users }: Sizes): Promise<Result[]> {
  await bench.frontendsUp(1);
  const { value, cost } = await bench.costOf(() => bench.makeUsers(users));
  return [{ phase: 'create', users, ...rateOf(value), cpuMsEach: perMessage(cost, value.count) }];
}

/** Logins without a password, after a logout, and by token, after the connection was cut. */
export async function login(bench: Bench, { most: users }: Sizes): Promise<Result[]> {
  await ready(bench, users);
  progress(`${users} log out`);
  await bench.leave(0, users, true);
  await pause(2_000);
  progress(`${users} log in without a password`);
  const open = await bench.costOf(() => bench.bringOnline(users, 'open'));
  await bench.leave(0, users);
  await pause(5_000);
  progress(`${users} log in by token`);
  const token = await bench.costOf(() => bench.bringOnline(users, 'token'));
  return [
    { phase: 'login', users, how: 'open', ...rateOf(open.value), cpuMsEach: perMessage(open.cost, users) },
    { phase: 'login', users, how: 'token', ...rateOf(token.value), cpuMsEach: perMessage(token.cost, users) },
  ];
}

/** One message at a time, on one frontend, then on two; with few and with many online. */
export async function latency(bench: Bench, sizes: Sizes): Promise<Result[]> {
  const results: Result[] = [];
  for (const users of new Set([sizes.users, sizes.most])) {
    results.push(
      await latencyOn(bench, { ...sizes, users }, 1),
      await latencyOn(bench, { ...sizes, users }, 2),
    );
  }
  return results;
}

/** In turn with the same through Kafka alone, so that both see the same machine. */
export async function latencyOn(
  bench: Bench,
  { users, messages }: Pick<Sizes, 'users' | 'messages'>,
  frontends: number,
): Promise<Result> {
  await ready(bench, users, frontends);
  await bench.warmUp();
  await bench.floor.prepare(1);
  progress(`${messages} messages one at a time, ${users} online on ${frontends} frontend(s)`);
  const across = frontends > 1;
  const block = Math.ceil(messages / BLOCKS);
  const some = () => bench.pool.one('latency', { run: bench.nextRun(), count: block, gapMs: 0, across });
  // The first ones warm up and do not count.
  await bench.floor.ask('latency', { count: block });
  await some();
  const found = { accept: [], deliver: [], floor: [] } as Record<
    'accept' | 'deliver' | 'floor',
    HistogramData[]
  >;
  for (let i = 0; i < BLOCKS; i++) {
    found.floor.push(await bench.floor.ask('latency', { count: block }));
    const { accept, deliver } = await some();
    found.accept.push(accept);
    found.deliver.push(deliver);
  }
  const deliverMs = percentiles(found.deliver);
  const floorMs = percentiles(found.floor);
  return {
    ...{ phase: 'latency', users, frontends, version: bench.version, tls: bench.tls },
    ...{ acceptMs: percentiles(found.accept), deliverMs, floorMs },
    ratio: { p50: round(deliverMs.p50 / floorMs.p50), p99: round(deliverMs.p99 / floorMs.p99) },
  };
}

/** 64 senders, each waiting for acceptance; uniformly random recipients. Between two measurements of Kafka alone. */
export async function throughput(bench: Bench, { users, loadSeconds }: Sizes): Promise<Result[]> {
  await ready(bench, users);
  await bench.warmUp();
  await bench.floor.prepare(users);
  // To each topic once: what that costs after its making is told by the phase "first".
  await bench.floor.ask('once', { inFlight: SENDERS });
  const floor = () => bench.floor.ask('throughput', { seconds: loadSeconds / 2, inFlight: SENDERS });
  progress(`Kafka alone, ${SENDERS} appends in flight`);
  const before = await floor();
  progress(`${SENDERS} senders for ${loadSeconds} s, ${users} online`);
  const load = { kind: 'closed', senders: SENDERS, warmUpSeconds: 5, seconds: loadSeconds } as const;
  const summary = await bench.run(load);
  const after = await floor();
  const floorPerSecond = Math.round((before + after) / 2);
  return [
    {
      ...{ phase: 'throughput', users, senders: SENDERS, version: bench.version, tls: bench.tls },
      ...loadResult(summary, loadSeconds),
      floorPerSecond,
      ratio: round(summary.deliveredPerSecond / floorPerSecond),
    },
  ];
}

/** Messages due at fixed moments, whether or not those before were answered; load rises until it is not kept up with. */
export async function openLoop(bench: Bench, { users, loadSeconds, rates }: Sizes): Promise<Result[]> {
  await ready(bench, users);
  await bench.warmUp();
  const results: Result[] = [];
  for (const rate of rates) {
    progress(`${rate} messages/s offered for ${loadSeconds} s, ${users} online`);
    const summary = await bench.run({ kind: 'open', senders: users, rate, seconds: loadSeconds });
    results.push({ phase: 'open', users, offeredPerSecond: rate, ...loadResult(summary, loadSeconds) });
    if (summary.deliveredPerSecond < 0.8 * rate) break;
  }
  return results;
}

/** What is lying in 100 inboxes is fetched and acknowledged by their owners. */
export async function drain(bench: Bench, { users, backlog }: Sizes): Promise<Result[]> {
  await ready(bench, users);
  const inboxes = Math.min(100, Math.floor(users / 2));
  await bench.leave(0, inboxes);
  await pause(2_000);
  progress(`filling ${inboxes} inboxes with ${backlog} messages`);
  const recipients = { first: 0, last: inboxes };
  const fill = await bench.run({
    ...{ kind: 'closed', senders: SENDERS, warmUpSeconds: 0, seconds: 300 },
    ...{ limit: backlog, recipients, offline: true },
  });
  progress(`draining ${fill.sent.accepted} messages`);
  const beganUs = nowUs();
  const { value: received, cost } = await bench.costOf(async () => {
    await bench.bringOnline(users);
    return bench.arrived(fill.sent.accepted);
  });
  const ends = await bench.pool.all('endRun', {});
  const last = Math.max(...ends.map((end) => end.lastUs));
  const seconds = (last - beganUs) / 1e6;
  return [
    {
      phase: 'drain',
      inboxes,
      backlog: fill.sent.accepted,
      received,
      seconds: round(seconds),
      perSecond: Math.round(received / seconds),
      fillFailures: fill.sent.failures,
      cpuMsEach: perMessage(cost, received),
    },
  ];
}

/** CPU, memory and connections while nobody does anything. */
export async function idle(bench: Bench, { most: users, idleSeconds }: Sizes): Promise<Result[]> {
  await ready(bench, users);
  // Everything that a login leaves to do later (newcomers' sessions, first commits) is over by then.
  await pause(8_000);
  progress(`${users} idle for ${idleSeconds} s`);
  const { cost } = await bench.costOf(() => pause(1_000 * idleSeconds));
  const [frontend] = bench.frontends;
  const pid = frontend?.pid ?? 0;
  return [
    {
      phase: 'idle',
      users,
      seconds: idleSeconds,
      frontendCpuPercent: round((100 * cost.frontend) / cost.seconds),
      brokerCpuPercent: round((100 * cost.broker) / cost.seconds),
      generatorCpuPercent: round((100 * cost.generator) / cost.seconds),
      frontendMiB: Math.round(usageOfAll([pid]).memoryMiB),
      brokerMiB: Math.round(usageOfAll(bench.stage.brokerPids).memoryMiB),
      kafkaConnections: connectionsTo(pid, bench.stage.brokerPorts),
    },
  ];
}

/** So many users online, on so many frontends. */
export async function ready(bench: Bench, users: number, frontends = 1): Promise<void> {
  if (bench.frontends.length !== frontends) await bench.leave(0, Number.MAX_SAFE_INTEGER);
  await bench.frontendsUp(frontends);
  if (bench.users < users) await bench.makeUsers(users);
  const { count } = await bench.bringOnline(users);
  await pause(count > 0 ? 2_000 : 0);
}

export function loadResult(
  summary: Awaited<ReturnType<Bench['run']>>,
  seconds: number,
): Record<string, unknown> {
  const { sent, cost, acceptedPerSecond, deliveredPerSecond, accept, deliver, received } = summary;
  return {
    seconds,
    acceptedPerSecond,
    deliveredPerSecond,
    acceptMs: accept,
    deliverMs: deliver,
    received,
    ...sent,
    cpuMsEach: cost && perMessage(cost, deliveredPerSecond * seconds),
  };
}

/** CPU milliseconds a message. */
export function perMessage(cost: Cost, messages: number): Record<string, number> {
  const each = (seconds: number) => Math.round((1e6 * seconds) / Math.max(1, messages)) / 1_000;
  return { frontend: each(cost.frontend), broker: each(cost.broker), generator: each(cost.generator) };
}
