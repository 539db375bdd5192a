import { type Bench, percentiles, progress, type Result, round } from './bench.ts';
import { latencyOn, loadResult, ready, SENDERS, type Sizes, throughput } from './phases.ts';
import { Pool } from './pool.ts';

/** Offered while the cost of a message is compared: little enough for every number of people. */
const GROWTH_RATE = 1_000;
/** Clients come back after a random part of this, each time they try. */
const STORM_SPREAD_MS = 2_000;
const STORM_TIMEOUT_MS = 180_000;
const PROBE_GAP_MS = 10;

/** The first append to each of many topics after the broker's start, and those after it; Kafka alone. */
export async function first(bench: Bench, { users, loadSeconds }: Sizes): Promise<Result[]> {
  await bench.speak(bench.version, bench.tls);
  await bench.floor.prepare(users);
  progress('restarting the broker');
  if (!(await bench.stage.restartBroker())) return [];
  await bench.floor.prepare(users, true);
  progress(`one append to each of ${users} topics, then more`);
  const firstPerSecond = Math.round(await bench.floor.ask('once', { inFlight: SENDERS }));
  const secondPerSecond = Math.round(await bench.floor.ask('once', { inFlight: SENDERS }));
  await bench.floor.ask('throughput', { seconds: loadSeconds / 2, inFlight: SENDERS });
  const perSecond = await bench.floor.ask('throughput', { seconds: loadSeconds / 2, inFlight: SENDERS });
  return [
    {
      phase: 'first',
      topics: users,
      firstPerSecond,
      secondPerSecond,
      steadyPerSecond: Math.round(perSecond),
    },
  ];
}

/** A kafkajs consumer for each user. */
export async function obvious(bench: Bench, { consumers, idleSeconds, messages }: Sizes): Promise<Result[]> {
  await bench.floor.prepare(consumers);
  progress(`${consumers} kafkajs consumers`);
  const options = { users: consumers, idleSeconds, messages: Math.ceil(messages / 4) };
  const { deliver, joinSeconds, idleCpuPercent, memoryMiB } = await bench.floor.ask('obvious', options);
  return [
    {
      ...{ phase: 'obvious', users: consumers, joinSeconds: round(joinSeconds), memoryMiB },
      ...{ idleCpuPercent: round(idleCpuPercent), idleCpuPercentEach: idleCpuPercent / consumers },
      deliverMs: percentiles([deliver]),
    },
  ];
}

/** What a message costs as more and more people are online, at the same load, and how many a closed loop brings. */
export async function growth(bench: Bench, { growth: steps, loadSeconds }: Sizes): Promise<Result[]> {
  const results: Result[] = [];
  for (const users of steps) {
    await ready(bench, users);
    await bench.warmUp();
    progress(`${GROWTH_RATE} messages/s for ${loadSeconds} s, ${users} online`);
    const load = {
      kind: 'open',
      senders: users,
      rate: GROWTH_RATE,
      warmUpSeconds: 3,
      seconds: loadSeconds,
    } as const;
    results.push({
      phase: 'growth',
      users,
      offeredPerSecond: GROWTH_RATE,
      ...loadResult(await bench.run(load), loadSeconds),
    });
  }
  return results;
}

/** A frontend is killed and started again, and all its people come back at once; a pair on another one goes on talking. */
export async function storm(bench: Bench, { most: users }: Sizes): Promise<Result[]> {
  await ready(bench, users);
  const [doomed] = bench.frontends;
  if (doomed === undefined) throw new Error('no frontend');
  const settings = bench.tls ? bench.options.certificate : {};
  const other = await bench.stage.startFrontend({ settings });
  const pair = new Pool(1);
  try {
    const { bodyBytes } = bench.options;
    const how = { version: bench.version, tls: bench.tls, bodyBytes, frontends: [other.address] };
    await pair.setUp({ ...how, prefix: `${bench.options.prefix}pair-`, users: 2 });
    await pair.all('create', { inFlight: 2 });
    const talk = (count: number) =>
      pair.one('latency', { run: bench.nextRun(), count, gapMs: PROBE_GAP_MS, across: false });
    await talk(100);
    const calm = await talk(400);
    progress(`the frontend of ${users} is killed`);
    const talking = talk(Number.MAX_SAFE_INTEGER);
    const coming = bench.pool.all('storm', { spreadMs: STORM_SPREAD_MS, timeoutMs: STORM_TIMEOUT_MS });
    const { port } = doomed.address;
    await doomed.kill();
    const killedAt = performance.now();
    bench.frontends = [await bench.stage.startFrontend({ settings, port })];
    const upAfter = (performance.now() - killedAt) / 1_000;
    const back = await coming;
    await pair.all('stopLatency', {});
    const during = await talking;
    const seconds = Math.max(...back.map((one) => one.lastBackUs - one.firstLostUs)) / 1e6;
    const count = back.reduce((sum, one) => sum + one.back, 0);
    return [
      {
        ...{
          phase: 'storm',
          users,
          back: count,
          seconds: round(seconds),
          frontendUpAfterSeconds: round(upAfter),
        },
        attempts: back.reduce((sum, one) => sum + one.attempts, 0),
        perSecond: round(count / Math.max(0.01, seconds - upAfter)),
        tookMs: percentiles(back.map((one) => one.took)),
        pairCalmMs: percentiles([calm.deliver]),
        pairDuringMs: percentiles([during.deliver]),
      },
    ];
  } finally {
    pair.end();
    await other.stop();
  }
}

/** Latency and throughput over TLS. */
export async function tls(bench: Bench, sizes: Sizes): Promise<Result[]> {
  return otherwise(bench, sizes, () => bench.speak(bench.version, true));
}

/** Latency and throughput with version 1, which has no acknowledgements. */
export async function version1(bench: Bench, sizes: Sizes): Promise<Result[]> {
  return otherwise(bench, sizes, () => bench.speak(1, bench.tls));
}

async function otherwise(bench: Bench, sizes: Sizes, change: () => Promise<void>): Promise<Result[]> {
  const before = { version: bench.version, tls: bench.tls };
  await ready(bench, sizes.users);
  await change();
  try {
    return [await latencyOn(bench, sizes, 1), ...(await throughput(bench, sizes))];
  } finally {
    await bench.speak(before.version, before.tls);
  }
}
