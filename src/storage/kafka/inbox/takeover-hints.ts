import { ListOffsetTimestamps } from '@platformatic/kafka';
import type { Logger } from 'pino';
import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import type { Fetcher, Follower, Subscription } from '../fetch/fetcher.ts';
import { listOffset } from '../fetch/log-reader.ts';
import type { Appender } from '../produce/appender.ts';
import { judgeRecord, signRecord } from '../tables/signed-record.ts';
import type { Cluster } from '../wire/cluster.ts';
import { expectTopic } from '../wire/kafka-error.ts';
import type { RawRecord } from '../wire/log-batch.ts';
import { now, reasonOf, retry, whyOf } from '../wire/retry.ts';
import { ensureNoticesTopic, NOTICES_TOPIC } from '../wire/topics.ts';
import { RareWarning } from '../wire/trouble.ts';
import type { Trust } from './trust.ts';

/*
  A notice on the topic milena.notices:
    key    "replaced", or "hello" of a frontend that starts: its append time tells it what time it is
    value  name of the group that has a new holder, or nothing
*/

/** Notices of this process that have not come back to it; past that they are taken for others'. */
const MAX_OWN = 10_000;

const REPLACED = 'replaced';
const HELLO = 'hello';
const START_TIMEOUT_MS = 60_000;
const MAX_NAME_BYTES = 249;

export interface TakeoverHintsOptions {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly fetcher: Fetcher;
  readonly appender: Appender;
  readonly trust: Trust;
  readonly replicationFactor: number;
  /** Somebody says that an inbox has a new holder. A hint and no more: the lease tells. Once for all that come together. */
  readonly onReplaced: (inbox: string) => void;
}

/**
 * Says hello, whose answer tells the appender's clock what time it is for brokers: before anything is signed.
 * @throws EngineError `UNAVAILABLE`
 */
export async function greet(trust: Trust, appender: Pick<Appender, 'append'>): Promise<void> {
  await append(trust, appender, HELLO, '');
}

async function append(
  trust: Trust,
  appender: Pick<Appender, 'append'>,
  key: string,
  value: string,
): Promise<void> {
  await appender.append(NOTICES_TOPIC, signRecord(trust, NOTICES_TOPIC, key, Buffer.from(value), 0));
}

/** Hints between frontends: a takeover is heard of at once, and not at the next heartbeat. */
export class TakeoverHints implements Follower {
  readonly topic = NOTICES_TOPIC;
  #topicId = '';
  readonly #options: TakeoverHintsOptions;
  readonly #untold: RareWarning;
  #subscription: Subscription | null = null;
  /** How many of ours are to come back, by inbox: whoever wrote them knows what they say. */
  readonly #own = new Map<string, number>();

  constructor(options: TakeoverHintsOptions) {
    this.#options = options;
    this.#untold = new RareWarning((fields) => options.log.warn(fields, 'a login was not announced'));
  }

  get topicId(): string {
    return this.#topicId;
  }

  /** @throws EngineError `UNAVAILABLE` */
  async start(): Promise<void> {
    const { cluster, replicationFactor } = this.#options;
    const deadline = now() + START_TIMEOUT_MS;
    await ensureNoticesTopic(cluster, replicationFactor, deadline);
    await greet(this.#options.trust, this.#options.appender);
    await this.#follow(deadline);
  }

  close(): void {
    this.#subscription?.close();
    this.#subscription = null;
  }

  /** Tells the other frontends. Best effort: without it an old holder finds out by its next heartbeat. */
  tellHeld(inbox: string): void {
    if (this.#own.size < MAX_OWN) this.#own.set(inbox, (this.#own.get(inbox) ?? 0) + 1);
    this.#append(REPLACED, inbox).catch((error: unknown) => {
      this.#isOwn(inbox);
      this.#untold.note({ reason: reasonOf(error), inbox });
    });
  }

  /** Whether one of ours was to come, which it has now. */
  #isOwn(inbox: string): boolean {
    const left = this.#own.get(inbox);
    if (left === undefined) return false;
    if (left > 1) this.#own.set(inbox, left - 1);
    else this.#own.delete(inbox);
    return true;
  }

  onRecords(records: readonly RawRecord[]): void {
    const { trust } = this.#options;
    const replaced = new Set<string>();
    for (const record of records) {
      const { key, value } = record;
      if (key?.toString() !== REPLACED || !value || value.length > MAX_NAME_BYTES) continue;
      const { proof } = judgeRecord(trust, NOTICES_TOPIC, record);
      if (proof === 'forged' || (proof === 'unproven' && !trust.acceptsUnsigned)) continue;
      const inbox = value.toString('utf8');
      if (!this.#isOwn(inbox)) replaced.add(inbox);
    }
    for (const inbox of replaced) this.#options.onReplaced(inbox);
  }

  /** The topic was removed by hand: until it is there again takeovers are found later. */
  onGone(): void {
    this.#subscription = null;
    this.#options.log.warn({ topic: NOTICES_TOPIC }, 'the topic of notices was gone: it is made again');
    const { cluster, replicationFactor } = this.#options;
    const deadline = now() + START_TIMEOUT_MS;
    this.#followAgain(() =>
      ensureNoticesTopic(cluster, replicationFactor, deadline).then(() => this.#follow(deadline)),
    );
  }

  onParted(): void {
    this.onOutOfRange();
  }

  /** Hints are good for a moment only: from the end on. */
  onOutOfRange(): void {
    this.#subscription = null;
    this.#followAgain(() => this.#follow(now() + START_TIMEOUT_MS));
  }

  #followAgain(follow: () => Promise<void>): void {
    follow().catch((error: unknown) => {
      this.#options.log.error(whyOf(error), 'notices are not heard any more');
    });
  }

  async #append(key: string, value: string): Promise<void> {
    const { appender, trust } = this.#options;
    await append(trust, appender, key, value);
  }

  async #follow(deadline: number): Promise<void> {
    const { cluster, fetcher } = this.#options;
    cluster.forgetLeader(NOTICES_TOPIC);
    this.#own.clear();
    const askEnd = () => listOffset(cluster, NOTICES_TOPIC, ListOffsetTimestamps.LATEST);
    const end = await retry('end of notices', deadline, () => expectTopic(NOTICES_TOPIC, askEnd()));
    this.#topicId = (await cluster.leader(NOTICES_TOPIC)).topicId;
    this.#subscription = fetcher.follow(this, { offset: end, epoch: UNKNOWN_EPOCH });
  }
}
