import { SERVER_OPCODES } from '../../src/protocol/v2/replies.ts';
import { type ClientEvents, LoadClient } from './client.ts';
import { nowUs, pause } from './clock.ts';
import { type Door, enter, failureOf, LOGOUT_2 } from './door.ts';
import { Histogram } from './histogram.ts';
import { Meter } from './meter.ts';
import { Sending } from './sending.ts';
import type {
  LatencyOptions,
  LatencyResult,
  ListenOptions,
  LoadOptions,
  LoginOptions,
  Rate,
  RunOptions,
  RunResult,
  SayOptions,
  SendResult,
  SetUp,
  StormOptions,
  StormResult,
} from './tasks.ts';
import { fillTemplate, type SendTemplate, sendTemplate, timeOf } from './wire.ts';

/** A message that is neither delivered nor refused after this long ends the run. */
const PATIENCE_MS = 30_000;
const LOGOUT_MS = 5_000;

/** One message under way, alone. */
interface Single {
  readonly timeUs: number;
  left: number;
  readonly settle: () => void;
}

/** The users that one process plays. */
export class Crew implements ClientEvents {
  #options: SetUp | null = null;
  readonly #clients: LoadClient[] = [];
  readonly #templates = new Map<number, SendTemplate>();
  #meter = new Meter({ run: 0, fromUs: 0, toUs: 0 });
  #sending: Sending | null = null;
  #single: { run: number; accept: Histogram; deliver: Histogram; current: Single | null } | null = null;
  #stopped = false;
  #storm: ((client: LoadClient) => void) | null = null;
  #lost = 0;

  setUp(options: SetUp): void {
    const before = this.#options;
    this.#options = options;
    this.#templates.clear();
    if (before && (before.prefix !== options.prefix || before.version !== options.version))
      this.#clients.length = 0;
    const known = this.#clients.length;
    for (let i = options.first + known * options.step; i < options.users; i += options.step) {
      this.#clients.push(new LoadClient(`${options.prefix}${i}`, i, options.version, this));
    }
    const { rooms } = options;
    for (const client of this.#clients)
      client.room = rooms ? `#${rooms.prefix}${Math.floor(client.index / rooms.people)}` : null;
  }

  async create({ inFlight }: { inFlight: number }): Promise<Rate> {
    return this.#enterAll(this.#offline(0, Number.POSITIVE_INFINITY), 'create', inFlight);
  }

  async login({ how, from, to, inFlight }: LoginOptions): Promise<Rate> {
    return this.#enterAll(this.#offline(from, to), how, inFlight);
  }

  async leave({ from, to, logout }: { from: number; to: number; logout: boolean }): Promise<void> {
    const clients = this.#clients.filter(
      (client) => client.index >= from && client.index < to && client.isOnline,
    );
    if (logout && this.#setUp.version === 2) {
      await each(clients, 64, async (client) => {
        await Promise.race([client.ask(LOGOUT_2), pause(LOGOUT_MS)]).catch(() => {});
        client.token = null;
      });
    }
    for (const client of clients) client.close();
  }

  async latency({ run, count, gapMs, across }: LatencyOptions): Promise<LatencyResult> {
    const single = { run, accept: new Histogram(), deliver: new Histogram(), current: null };
    this.#single = single;
    this.#stopped = false;
    const online = this.#clients.filter((client) => client.isOnline);
    const parity = (rest: number) => online.filter((client) => this.#ordinal(client) % 2 === rest);
    const [senders, recipients] = across ? [parity(0), parity(1)] : [online, online];
    for (let i = 0; i < count && !this.#stopped; i++) {
      const sender = pick(senders);
      const recipient = pick(recipients);
      await this.#sendOne(sender, recipient.index, run);
      if (gapMs > 0) await pause(gapMs);
    }
    this.#single = null;
    return { accept: single.accept.data(), deliver: single.deliver.data() };
  }

  stopLatency(): void {
    this.#stopped = true;
  }

  startRun(options: RunOptions): void {
    this.#meter = new Meter(options);
    this.#lost = 0;
  }

  async load(options: LoadOptions): Promise<SendResult> {
    const { first, last } = options.recipients;
    const online = this.#clients.filter((client) => client.isOnline);
    const step = Math.max(1, online.length / options.senders);
    const senders = Array.from(
      { length: options.senders },
      (_, i) => online[Math.floor(i * step)] ?? pick(online),
    );
    const sending = new Sending(options, senders, (sender, timeUs) => {
      const to = first + Math.floor(Math.random() * (last - first));
      sender.send(this.#frame(sender, to, this.#meter.run, timeUs), timeUs);
    });
    this.#sending = sending;
    const result = await sending.run();
    this.#sending = null;
    const lost = this.#lost > 0 ? { ...result.failures, 'connection lost': this.#lost } : result.failures;
    return { ...result, failures: lost };
  }

  /** Rooms in turn, so that each sender is told of one message before the next. */
  async say({ count, gapMs }: SayOptions): Promise<SendResult> {
    const { rooms } = this.#setUp;
    const result = { sent: 0, accepted: 0, failed: 0, failures: {} as Record<string, number>, shed: 0 };
    const speakers = this.#clients.filter(
      (client) => client.isOnline && rooms !== undefined && client.index % rooms.people === 0,
    );
    for (let i = 0; i < count; i++) {
      for (const speaker of speakers) {
        const timeUs = nowUs();
        const { opcode, payload } = await speaker.ask(this.#roomFrame(speaker, timeUs));
        result.sent++;
        if (opcode === SERVER_OPCODES.sent) result.accepted++;
        else {
          const code = this.#codeOf(payload);
          result.failed++;
          result.failures[code] = (result.failures[code] ?? 0) + 1;
        }
      }
      await pause(gapMs);
    }
    return result;
  }

  listen({ from, to, acknowledges, reads }: ListenOptions): void {
    for (const client of this.#clients) {
      if (client.index < from || client.index >= to) continue;
      client.acknowledges = acknowledges;
      client.reads = reads;
    }
  }

  misplaced(): number {
    return this.#clients.reduce((sum, client) => sum + client.misplaced, 0);
  }

  received(): number {
    return this.#meter.received;
  }

  endRun(): RunResult {
    return this.#meter.result();
  }

  /** Brings everybody back who is cut off from now on. */
  storm({ spreadMs, timeoutMs }: StormOptions): Promise<StormResult> {
    const expected = this.#clients.filter((client) => client.isOnline).length;
    const took = new Histogram();
    const result = { back: 0, attempts: 0, firstLostUs: 0, lastBackUs: 0 };
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#storm = null;
        resolve({ ...result, took: took.data() });
      };
      const timer = setTimeout(finish, timeoutMs);
      this.#storm = (client) => {
        const lostUs = nowUs();
        result.firstLostUs ||= lostUs;
        void this.#comeBack(client, spreadMs, () => this.#storm !== null && result.attempts++ >= 0).then(
          (isBack) => {
            if (!isBack || this.#storm === null) return;
            result.lastBackUs = nowUs();
            took.record(result.lastBackUs - lostUs);
            if (++result.back === expected) finish();
          },
        );
      };
    });
  }

  onMessage(chunk: Buffer, bodyAt: number): void {
    const single = this.#single;
    if (single !== null) {
      const timeUs = timeOf(chunk, bodyAt, single.run);
      if (timeUs < 0 || timeUs !== single.current?.timeUs) return;
      single.deliver.record(nowUs() - timeUs);
      this.#oneLess(single.current);
      return;
    }
    const timeUs = timeOf(chunk, bodyAt, this.#meter.run);
    if (timeUs >= 0) this.#meter.arrived(timeUs);
  }

  onAnswer(client: LoadClient, timeUs: number, failure: Buffer | null): void {
    const single = this.#single;
    if (single?.current) {
      if (failure !== null) throw new Error(`${client.name}: ${this.#codeOf(failure)}`);
      single.accept.record(nowUs() - timeUs);
      this.#oneLess(single.current);
      return;
    }
    const now = nowUs();
    if (failure === null) this.#meter.accepted(timeUs, now);
    this.#sending?.answered(client, failure === null ? null : this.#codeOf(failure), now);
  }

  onLost(client: LoadClient, unanswered: number): void {
    this.#lost++;
    this.#sending?.lost(unanswered);
    this.#storm?.(client);
  }

  get #setUp(): SetUp {
    if (this.#options === null) throw new Error('setUp comes first');
    return this.#options;
  }

  #codeOf(payload: Buffer): string {
    return failureOf({ payload }, this.#setUp.version).code;
  }

  #oneLess(single: Single): void {
    if (--single.left === 0) single.settle();
  }

  #offline(from: number, to: number): LoadClient[] {
    return this.#clients.filter((client) => !client.isOnline && client.index >= from && client.index < to);
  }

  /** Counts this worker's users. */
  #ordinal(client: LoadClient): number {
    return Math.floor(client.index / this.#setUp.step);
  }

  #door(client: LoadClient): Door {
    const { frontends, tls, version, rooms } = this.#setUp;
    const address = frontends[this.#ordinal(client) % frontends.length];
    if (address === undefined) throw new Error('no frontend');
    return { address, tls, version, rooms: rooms !== undefined };
  }

  async #enterAll(clients: LoadClient[], how: 'create' | 'open' | 'token', inFlight: number): Promise<Rate> {
    const took = new Histogram();
    let retries = 0;
    const startedUs = nowUs();
    await each(clients, inFlight, async (client) => {
      const beganUs = nowUs();
      retries += await enter(client, this.#door(client), how);
      took.record(nowUs() - beganUs);
    });
    return { count: clients.length, seconds: (nowUs() - startedUs) / 1e6, retries, took: took.data() };
  }

  async #comeBack(client: LoadClient, spreadMs: number, mayTry: () => boolean): Promise<boolean> {
    for (;;) {
      await pause(Math.random() * spreadMs);
      if (!mayTry()) return false;
      try {
        await enter(client, this.#door(client), 'token');
        return true;
      } catch {
        // The frontend is not there yet: again after a pause, until the storm is over.
      }
    }
  }

  #frame(sender: LoadClient, to: number, run: number, timeUs: number): Buffer {
    let template = this.#templates.get(to);
    if (template === undefined) {
      const { version, prefix, bodyBytes } = this.#setUp;
      template = sendTemplate(version, `${prefix}${to}`, bodyBytes);
      this.#templates.set(to, template);
    }
    return fillTemplate(template, run, timeUs, sender.index, sender.count++);
  }

  #roomFrame(speaker: LoadClient, timeUs: number): Buffer {
    const template = sendTemplate(2, speaker.room ?? '', this.#setUp.bodyBytes);
    return fillTemplate(template, this.#meter.run, timeUs, speaker.index, speaker.count++);
  }

  async #sendOne(sender: LoadClient, to: number, run: number): Promise<void> {
    const single = this.#single;
    if (single === null) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`a message to user ${to} did not arrive`)), PATIENCE_MS);
      const timeUs = Math.floor(nowUs());
      single.current = { timeUs, left: 2, settle: resolve };
      sender.send(this.#frame(sender, to, run, timeUs), timeUs);
    }).finally(() => clearTimeout(timer));
  }
}

function pick(clients: readonly LoadClient[]): LoadClient {
  const client = clients[Math.floor(Math.random() * clients.length)];
  if (client === undefined) throw new Error('nobody is online');
  return client;
}

/** Runs the action for all of them, at most so many at once. */
async function each<T>(
  items: readonly T[],
  atOnce: number,
  action: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const work = async () => {
    for (const item of rest) await action(item);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
