import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { EngineError } from '../../../core/errors.ts';
import type { Trust } from '../inbox/trust.ts';
import type { Cluster } from '../wire/cluster.ts';
import { now } from '../wire/retry.ts';
import { Trouble } from '../wire/trouble.ts';
import { FrontendGroup } from './frontend-group.ts';

export interface FrontendLeaseOptions {
  readonly cluster: Cluster;
  readonly trust: Trust;
  /** Milliseconds without a heartbeat after which Kafka takes this frontend for dead. */
  readonly sessionTimeoutMs: number;
  readonly log: Logger;
  /** A heartbeat goes out. */
  readonly onAsked: () => void;
  /** A heartbeat succeeded: whatever was held back may go on. */
  readonly onAlive: () => void;
  /** Kafka took this frontend for dead, so others may have taken its inboxes: drop them all. */
  readonly onLost: () => void;
}

/** Heartbeats in one session time-out: one may be lost without harm. */
const HEARTBEATS_PER_TIMEOUT = 4;
/** Not rarer than this, milliseconds, so that it is soon known that Kafka is silent. */
const LONGEST_INTERVAL_MS = 1_000;
/** How long before the session time-out this process stops trusting its lease, milliseconds. */
const MARGIN_MS = 1_000;
/** After a heartbeat without an answer the next one comes this soon: Kafka may be back any moment. */
const RETRY_MS = 500;
const JOIN_TIMEOUT_MS = 15_000;
const LEAVE_TIMEOUT_MS = 2_000;
const POLL_MS = 50;

/**
 * This frontend's sign of life: a group of its own with a short session time-out. Other frontends take over the
 * inboxes of a frontend whose group is empty, so nothing may be pushed to a client once `isValid` is false: the
 * process may have been frozen for longer than the time-out and not know it yet.
 */
export class FrontendLease {
  readonly #options: FrontendLeaseOptions;
  readonly #trouble: Trouble;
  #id = randomUUID();
  #member: FrontendGroup | null = null;
  /** On the clock of `now`; moved on by every heartbeat that succeeded, counted from when it was sent. */
  #validUntil = 0;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: FrontendLeaseOptions) {
    this.#options = options;
    this.#trouble = new Trouble(options.log, 'frontend lease: no heartbeat');
  }

  /** Changes when the lease was lost: inboxes held under the old id are lost with it. */
  get id(): string {
    return this.#id;
  }

  get isValid(): boolean {
    return now() < this.#validUntil;
  }

  /** Waits until the lease is valid. @throws EngineError `UNAVAILABLE` */
  async ready(deadline: number): Promise<void> {
    while (!this.isValid) {
      if (this.#closed || now() > deadline)
        throw new EngineError('UNAVAILABLE', 'this frontend has no lease now');
      await sleep(POLL_MS);
    }
  }

  /** @throws EngineError `UNAVAILABLE` */
  async start(): Promise<void> {
    await this.#join();
    this.#schedule(this.#interval);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#validUntil = 0;
    await this.#member?.leave(now() + LEAVE_TIMEOUT_MS).catch(() => {});
    this.#member = null;
  }

  get #interval(): number {
    return Math.min(LONGEST_INTERVAL_MS, this.#options.sessionTimeoutMs / HEARTBEATS_PER_TIMEOUT);
  }

  #schedule(delayMs: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#beat(), delayMs);
  }

  async #join(): Promise<void> {
    this.#id = randomUUID();
    const sentAt = now();
    const { cluster, trust, sessionTimeoutMs } = this.#options;
    const deadline = sentAt + JOIN_TIMEOUT_MS;
    this.#member = await FrontendGroup.join(cluster, trust, this.#id, sessionTimeoutMs, deadline);
    this.#renewed(sentAt);
  }

  /** One heartbeat, or a new lease after the old one was lost; then the next one is scheduled. */
  async #beat(): Promise<void> {
    const started = now();
    this.#options.onAsked();
    try {
      if (this.#member) {
        await this.#member.heartbeat();
        this.#renewed(started);
      } else {
        await this.#join();
        this.#options.log.info({ frontend: this.#id }, 'frontend lease taken anew');
      }
    } catch (error) {
      if (error instanceof EngineError && error.code === 'LOST') {
        this.#member = null;
        this.#validUntil = 0;
        this.#options.log.error({ frontend: this.#id }, 'frontend lease lost: dropping all sessions');
        this.#options.onLost();
        this.#schedule(0);
        return;
      }
      this.#trouble.failed(error);
      this.#schedule(RETRY_MS);
      return;
    }
    this.#schedule(this.#interval);
  }

  #renewed(sentAt: number): void {
    if (this.#closed) return;
    this.#trouble.over();
    this.#validUntil = sentAt + this.#options.sessionTimeoutMs - MARGIN_MS;
    this.#options.onAlive();
  }
}
