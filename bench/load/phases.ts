import { type Bench, type Cost, percentiles, progress, type Result, rateOf, round } from './bench.ts';
import { nowUs, pause } from './clock.ts';
import { connectionsTo, usageOfAll } from './proc.ts';

/** Senders of a closed loop, each with one message under way. */
export const SENDERS = 64;

/** How many, how long: what differs between the short and the full run. */
export interface Sizes {
  readonly users: number;
  readonly idleSeconds: number;
  readonly loadSeconds: number;
  /** Messages one at a time. */
  readonly messages: number;
  readonly backlog: number;
  /** Offered loads, messages a second. */
  readonly rates: readonly number[];
}

export type Phase = (bench: Bench, sizes: Sizes) => Promise<Result[]>;

/** Accounts made with 32 requests in flight; they are logged in afterwards. */
export async function create(bench: Bench, { users }: Sizes): Promise<Result[]> {
  await bench.frontendsUp(1);
  const { value, cost } = await bench.costOf(() => bench.makeUsers(users));
  return [{ phase: 'create', users, ...rateOf(value), cpuMsEach: perMessage(cost, value.count) }];
}

/** Logins without a password, after a logout, and by token, after the connection was cut. */
export async function login(bench: Bench, { users }: Sizes): Promise<Result[]> {
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

/** One message at a time, on one frontend, then on two. */
export async function latency(bench: Bench, sizes: Sizes): Promise<Result[]> {
  return [await latencyOn(bench, sizes, 1), await latencyOn(bench, sizes, 2)];
}

export async function latencyOn(
  bench: Bench,
  { users, messages }: Sizes,
  frontends: number,
): Promise<Result> {
  await ready(bench, users, frontends);
  progress(`${messages} messages one at a time, ${users} online on ${frontends} frontend(s)`);
  const across = frontends > 1;
  // The first ones warm up and do not count.
  await bench.pool.one('latency', { run: bench.nextRun(), count: Math.ceil(messages / 4), gapMs: 0, across });
  const { value, cost } = await bench.costOf(() =>
    bench.pool.one('latency', { run: bench.nextRun(), count: messages, gapMs: 0, across }),
  );
  return {
    phase: 'latency',
    users,
    frontends,
    acceptMs: percentiles([value.accept]),
    deliverMs: percentiles([value.deliver]),
    cpuMsEach: perMessage(cost, messages),
  };
}

/** 64 senders, each waiting for acceptance; uniformly random recipients. */
export async function throughput(bench: Bench, { users, loadSeconds }: Sizes): Promise<Result[]> {
  await ready(bench, users);
  progress(`${SENDERS} senders for ${loadSeconds} s, ${users} online`);
  const summary = await bench.run({
    kind: 'closed',
    senders: SENDERS,
    warmUpSeconds: 3,
    seconds: loadSeconds,
  });
  return [{ phase: 'throughput', users, senders: SENDERS, ...loadResult(summary, loadSeconds) }];
}

/** Messages due at fixed moments, whether or not those before were answered; load rises until it is not kept up with. */
export async function openLoop(bench: Bench, { users, loadSeconds, rates }: Sizes): Promise<Result[]> {
  await ready(bench, users);
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
export async function idle(bench: Bench, { users, idleSeconds }: Sizes): Promise<Result[]> {
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
  await bench.bringOnline(users);
  await pause(1_000);
}

function loadResult(summary: Awaited<ReturnType<Bench['run']>>, seconds: number): Record<string, unknown> {
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
