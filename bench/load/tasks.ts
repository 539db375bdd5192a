import type { Address } from './client.ts';
import type { HistogramData } from './histogram.ts';
import type { ProtocolVersion } from './wire.ts';

/** What a worker process can be asked for; each with one object, each answered with one. Times are `nowUs` times. */
export interface Tasks {
  /** First of all: which users this worker plays. Accounts and connections stay as they are when asked again. */
  setUp(options: SetUp): void;
  /** Makes the accounts and stays logged in; a name that exists is logged in to. */
  create(options: { inFlight: number }): Rate;
  /** Logs in those of the users with indices from `from` up to `to` that are not. */
  login(options: LoginOptions): Rate;
  /** Closes connections of that range, without a word, or after a logout. */
  leave(options: { from: number; to: number; logout: boolean }): void;
  /** One message at a time between random users, each delivered before the next is sent. */
  latency(options: LatencyOptions): LatencyResult;
  /** The first user of each room says so much there, one message after the other. */
  say(options: SayOptions): SendResult;
  /** What users with indices from `from` up to `to` do with what is pushed, until said otherwise. */
  listen(options: ListenOptions): void;
  /** Messages that came to somebody out of their order so far, or left one out. */
  misplaced(options: Nothing): number;
  /** Ends a `latency` that runs, which answers with what it has. */
  stopLatency(options: Nothing): void;
  /** From now on messages of this run are counted and timed. */
  startRun(options: RunOptions): void;
  /** Sends until the time is over and all is answered. */
  load(options: LoadOptions): SendResult;
  /** Messages of this run that arrived so far. */
  received(options: Nothing): number;
  /** What arrived in this run. */
  endRun(options: Nothing): RunResult;
  /** Waits for all users to be cut off and brings them back by token; answers when all are back. */
  storm(options: StormOptions): StormResult;
}

export type Nothing = Readonly<Record<string, never>>;
export type TaskName = keyof Tasks;
export type TaskOptions<Name extends TaskName> = Parameters<Tasks[Name]>[0];
export type TaskResult<Name extends TaskName> = ReturnType<Tasks[Name]>;

export interface SetUp {
  /** Username of user i: this and i. */
  readonly prefix: string;
  /** Users altogether; those from `first` on, in steps of `step`, are this worker's. */
  readonly users: number;
  readonly first: number;
  readonly step: number;
  /** A worker's users connect to them in turn. */
  readonly frontends: readonly Address[];
  readonly version: ProtocolVersion;
  readonly tls: boolean;
  readonly bodyBytes: number;
  /** Which rooms the users are in; absent: in none, and their clients know none. */
  readonly rooms?: RoomsOfUsers | undefined;
}

/** Rooms of so many users each, in the order of their indices: room i is `#`, the prefix and i. */
export interface RoomsOfUsers {
  readonly prefix: string;
  readonly people: number;
}

export interface SayOptions {
  /** In each room. */
  readonly count: number;
  /** Pause after each message, milliseconds. */
  readonly gapMs: number;
}

export interface ListenOptions {
  readonly from: number;
  readonly to: number;
  readonly acknowledges: boolean;
  readonly reads: boolean;
}

export interface LoginOptions {
  readonly how: 'open' | 'token';
  readonly from: number;
  readonly to: number;
  readonly inFlight: number;
}

/** How long a number of requests took. */
export interface Rate {
  readonly count: number;
  readonly seconds: number;
  /** Tries that were told to wait. */
  readonly retries: number;
  /** Of each request, connecting included; microseconds. */
  readonly took: HistogramData;
}

export interface LatencyOptions {
  readonly run: number;
  readonly count: number;
  /** Pause after each message, milliseconds. */
  readonly gapMs: number;
  /** Sender and recipient on different frontends. */
  readonly across: boolean;
}

export interface LatencyResult {
  readonly accept: HistogramData;
  readonly deliver: HistogramData;
}

export interface RunOptions {
  readonly run: number;
  /** Only what was to be sent in this window is timed, and only what happens in it counts for rates. */
  readonly fromUs: number;
  readonly toUs: number;
  /** Whether to keep of each message when it arrived for the last time. */
  readonly lasts?: boolean;
}

export interface LoadOptions {
  /** Closed: each sender sends when its last message was answered. Open: messages are due at a given rate. */
  readonly kind: 'closed' | 'open';
  /** Users of this worker that send. */
  readonly senders: number;
  /** Of this worker, messages a second; open only. */
  readonly rate: number;
  /** When to stop. */
  readonly untilUs: number;
  /** Messages of this worker at most. */
  readonly limit: number;
  /** Indices of the recipients: from `first` up to `last`, the latter not included; senders are others if those are offline. */
  readonly recipients: { readonly first: number; readonly last: number };
}

export interface SendResult {
  readonly sent: number;
  readonly accepted: number;
  readonly failed: number;
  /** Codes of failures, and how many. */
  readonly failures: Readonly<Record<string, number>>;
  /** Messages that were due and not sent, because too many were unanswered; open only. */
  readonly shed: number;
}

export interface RunResult {
  readonly received: number;
  readonly acceptedInWindow: number;
  readonly receivedInWindow: number;
  /** Of the last arrival. */
  readonly lastUs: number;
  /** Of each message when it was to be sent, and its last arrival at a user of this worker; where that was asked for. */
  readonly lasts: readonly (readonly [timeUs: number, lastUs: number])[];
  /** From the moment when a message was to be sent; microseconds. */
  readonly accept: HistogramData;
  readonly deliver: HistogramData;
  /** CPU of this worker since `startRun`. */
  readonly cpuSeconds: number;
}

export interface StormOptions {
  /** Each client waits a random time up to this before each attempt, milliseconds. */
  readonly spreadMs: number;
  readonly timeoutMs: number;
}

export interface StormResult {
  readonly back: number;
  readonly attempts: number;
  /** When the first was cut off, and when the last was back. */
  readonly firstLostUs: number;
  readonly lastBackUs: number;
  /** From being cut off to being back, microseconds. */
  readonly took: HistogramData;
}
