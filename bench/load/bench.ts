import type { Address } from './client.ts';
import { nowUs, pause } from './clock.ts';
import { Floor } from './floor.ts';
import { Histogram, type HistogramData } from './histogram.ts';
import { Pool } from './pool.ts';
import { usageOfAll } from './proc.ts';
import type { Frontend, Stage } from './stage.ts';
import type { LoadOptions, Rate, RoomsOfUsers, SendResult } from './tasks.ts';
import { MOST_RUNS, type ProtocolVersion } from './wire.ts';

export interface BenchOptions {
  readonly version: ProtocolVersion;
  readonly workers: number;
  readonly bodyBytes: number;
  /** Usernames begin with it. */
  readonly prefix: string;
  /** Settings of frontends for TLS. */
  readonly certificate: Readonly<Record<string, string>>;
  readonly tls: boolean;
  /** Copies of the floor's topics. */
  readonly replicas: number;
}

/** What one measurement found: a line of the results. */
export type Result = { readonly phase: string } & Readonly<Record<string, unknown>>;

/** Milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly count: number;
}

/** Requests under way at once while people come in. */
const IN_FLIGHT = 32;
/** To each inbox on average, of random ones: one in twenty is left out. */
const WARM_UP_MESSAGES = 3;
const WARM_UP_SECONDS = 60;
/** How long what was accepted may take to arrive at the end of a load. */
const ARRIVAL_MS = 60_000;

/** CPU seconds of a span, and how long it was. */
export interface Cost {
  readonly seconds: number;
  readonly frontend: number;
  readonly broker: number;
  readonly generator: number;
}

/** A stage with its frontends and users, and what phases do with them. */
export class Bench {
  readonly stage: Stage;
  readonly options: BenchOptions;
  readonly pool: Pool;
  readonly floor: Floor;
  frontends: Frontend[] = [];
  /** The rooms of those who come online from now on; undefined: none. */
  rooms: RoomsOfUsers | undefined;
  /** Accounts that there are. */
  users = 0;
  /** Users that are logged in: those with the lowest indices. */
  online = 0;
  #version: ProtocolVersion;
  #tls: boolean;
  #runs = 0;
  /** Users whose inboxes have been written to. */
  #warm = 0;

  constructor(stage: Stage, options: BenchOptions) {
    this.stage = stage;
    this.options = options;
    this.pool = new Pool(options.workers);
    this.floor = new Floor(stage.kafka, options.replicas);
    this.#version = options.version;
    this.#tls = options.tls;
  }

  get version(): ProtocolVersion {
    return this.#version;
  }

  get tls(): boolean {
    return this.#tls;
  }

  /** From now on clients speak this, over TLS or not. Everybody is logged out, the frontends are ended. */
  async speak(version: ProtocolVersion, tls: boolean): Promise<void> {
    await this.leave(0, Number.MAX_SAFE_INTEGER);
    await this.frontendsUp(0);
    this.#version = version;
    this.#tls = tls;
  }

  get addresses(): Address[] {
    return this.frontends.map((frontend) => frontend.address);
  }

  /** A number for the messages of one measurement, so that stragglers of the one before do not count. */
  nextRun(): number {
    this.#runs = (this.#runs + 1) % MOST_RUNS;
    return this.#runs;
  }

  /** As many frontends as that. Users who were on one that is too many are logged out before. */
  async frontendsUp(count: number): Promise<void> {
    const settings = this.#tls ? this.options.certificate : {};
    while (this.frontends.length < count) this.frontends.push(await this.stage.startFrontend({ settings }));
    while (this.frontends.length > count) await this.frontends.pop()?.stop();
  }

  /** Makes users 0 to `users` - 1 and has them logged in, each on one of the frontends in use. */
  async makeUsers(users: number): Promise<Rate> {
    this.users = Math.max(users, this.users);
    this.online = this.users;
    await this.#setUp(this.users);
    progress(`creating accounts up to ${users}`);
    return together(await this.pool.all('create', { inFlight: inFlightEach(this.pool.size) }));
  }

  /** Everybody with an index below `users` is online, the others are not. */
  async bringOnline(users: number, how: 'open' | 'token' = 'token'): Promise<Rate> {
    await this.leave(users, Number.MAX_SAFE_INTEGER);
    await this.#setUp(this.users);
    this.online = users;
    const inFlight = inFlightEach(this.pool.size);
    return together(await this.pool.all('login', { how, from: 0, to: users, inFlight }));
  }

  async leave(from: number, to: number, logout = false): Promise<void> {
    await this.pool.all('leave', { from, to, logout });
  }

  /** Runs a load and waits until all that was accepted has arrived. Rates and times are of its `seconds` after the warm-up. */
  async run(load: RunLoad): Promise<RunSummary> {
    const run = this.nextRun();
    const { warmUpSeconds = 2, seconds, senders, rate = 0, kind } = load;
    const fromUs = nowUs() + 1e6 * warmUpSeconds;
    const toUs = fromUs + 1e6 * seconds;
    await this.pool.all('startRun', { run, fromUs, toUs });
    const share = (total: number, index: number) =>
      Math.floor(total / this.pool.size) + (index < total % this.pool.size ? 1 : 0);
    const measured = load.limit === undefined ? this.#measure(fromUs, toUs) : null;
    const options = (index: number): LoadOptions => ({
      kind,
      senders: share(senders, index),
      rate: rate / this.pool.size,
      untilUs: toUs,
      limit: share(load.limit ?? Number.MAX_SAFE_INTEGER, index),
      recipients: load.recipients ?? { first: 0, last: this.online },
    });
    const sent = merge(await this.pool.each('load', options));
    const expected = load.offline === true ? 0 : sent.accepted;
    await this.#arrived(expected);
    const cost = await measured;
    if (load.offline === true) return { run, sent, cost: null, ...NOTHING_RECEIVED };
    const ends = await this.pool.all('endRun', {});
    const sum = (of: (end: (typeof ends)[number]) => number) =>
      ends.reduce((total, end) => total + of(end), 0);
    const received = sum((end) => end.received);
    if (received !== expected) progress(`  accepted ${expected}, received ${received}`);
    return {
      run,
      sent,
      cost,
      received,
      acceptedPerSecond: Math.round(sum((end) => end.acceptedInWindow) / seconds),
      deliveredPerSecond: Math.round(sum((end) => end.receivedInWindow) / seconds),
      accept: percentiles(ends.map((end) => end.accept)),
      deliver: percentiles(ends.map((end) => end.deliver)),
    };
  }

  /** Each inbox that is online has been written to: the first append to a topic is slow, and told by the phase "first". */
  async warmUp(): Promise<void> {
    if (this.#warm >= this.online) return;
    this.#warm = this.online;
    progress(`warming up the inboxes of ${this.online}`);
    const limit = WARM_UP_MESSAGES * this.online;
    await this.run({ kind: 'closed', senders: 64, warmUpSeconds: 0, seconds: WARM_UP_SECONDS, limit });
  }

  /** CPU seconds of everything while `action` runs. */
  async costOf<T>(action: () => Promise<T>): Promise<{ value: T; cost: Cost }> {
    const before = this.#usage();
    const value = await action();
    return { value, cost: difference(before, this.#usage()) };
  }

  /** Waits until `expected` messages of this run have arrived. @returns how many did */
  async #arrived(expected: number): Promise<number> {
    for (const deadline = Date.now() + ARRIVAL_MS; ; await pause(50)) {
      const counts = await this.pool.all('received', {});
      const received = counts.reduce((sum, count) => sum + count, 0);
      if (received >= expected || Date.now() > deadline) return received;
    }
  }

  arrived(expected: number): Promise<number> {
    return this.#arrived(expected);
  }

  async #measure(fromUs: number, toUs: number): Promise<Cost> {
    await pause(Math.max(0, fromUs - nowUs()) / 1_000);
    const before = this.#usage();
    await pause(Math.max(0, toUs - nowUs()) / 1_000);
    return difference(before, this.#usage());
  }

  #usage() {
    return {
      at: performance.now() / 1_000,
      frontend: usageOfAll(this.frontends.map(({ pid }) => pid)).cpuSeconds,
      broker: usageOfAll(this.stage.brokerPids).cpuSeconds,
      generator: usageOfAll(this.pool.pids).cpuSeconds,
    };
  }

  async #setUp(users: number): Promise<void> {
    const { prefix, bodyBytes } = this.options;
    const [version, tls] = [this.#version, this.#tls];
    const { addresses: frontends, rooms } = this;
    await this.pool.setUp({ prefix, users, frontends, version, tls, bodyBytes, rooms });
  }

  close(): void {
    this.pool.end();
    this.floor.end();
  }
}

export interface RunLoad {
  readonly kind: 'closed' | 'open';
  readonly senders: number;
  /** Messages a second offered, open loop only. */
  readonly rate?: number;
  readonly warmUpSeconds?: number;
  readonly seconds: number;
  readonly recipients?: { readonly first: number; readonly last: number };
  /** Messages altogether, at most. */
  readonly limit?: number;
  /** The recipients are not logged in: nothing is to arrive. */
  readonly offline?: boolean;
}

export interface RunSummary {
  readonly run: number;
  readonly sent: SendResult;
  readonly cost: Cost | null;
  readonly received: number;
  readonly acceptedPerSecond: number;
  readonly deliveredPerSecond: number;
  readonly accept: Percentiles;
  readonly deliver: Percentiles;
}

const NO_TIMES: Percentiles = { p50: 0, p90: 0, p99: 0, p999: 0, max: 0, count: 0 };
const NOTHING_RECEIVED = {
  received: 0,
  acceptedPerSecond: 0,
  deliveredPerSecond: 0,
  accept: NO_TIMES,
  deliver: NO_TIMES,
};

/** From microseconds. */
export function percentiles(parts: readonly HistogramData[]): Percentiles {
  const all = new Histogram();
  for (const part of parts) all.add(part);
  const ms = (share: number) => round(all.quantile(share) / 1_000);
  const max = round(all.max / 1_000);
  return { p50: ms(0.5), p90: ms(0.9), p99: ms(0.99), p999: ms(0.999), max, count: all.count };
}

export interface RateSummary {
  readonly count: number;
  readonly perSecond: number;
  readonly retries: number;
  readonly tookMs: Percentiles;
}

export function rateOf(rate: Rate): RateSummary {
  return {
    count: rate.count,
    perSecond: round(rate.count / rate.seconds),
    retries: rate.retries,
    tookMs: percentiles([rate.took]),
  };
}

function together(rates: readonly Rate[]): Rate {
  const took = new Histogram();
  for (const rate of rates) took.add(rate.took);
  return {
    count: rates.reduce((sum, rate) => sum + rate.count, 0),
    seconds: Math.max(...rates.map((rate) => rate.seconds)),
    retries: rates.reduce((sum, rate) => sum + rate.retries, 0),
    took: took.data(),
  };
}

export function merge(results: readonly SendResult[]): SendResult {
  const sum = (of: (result: SendResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const failures: Record<string, number> = {};
  for (const result of results) {
    for (const [code, count] of Object.entries(result.failures))
      failures[code] = (failures[code] ?? 0) + count;
  }
  return {
    sent: sum((result) => result.sent),
    accepted: sum((result) => result.accepted),
    failed: sum((result) => result.failed),
    shed: sum((result) => result.shed),
    failures,
  };
}

function difference(
  before: Omit<Cost, 'seconds'> & { at: number },
  after: Omit<Cost, 'seconds'> & { at: number },
): Cost {
  return {
    seconds: after.at - before.at,
    frontend: after.frontend - before.frontend,
    broker: after.broker - before.broker,
    generator: after.generator - before.generator,
  };
}

function inFlightEach(workers: number): number {
  return Math.max(1, Math.floor(IN_FLIGHT / workers));
}

/** To two places. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

export function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
