import { EngineError } from '../../../core/errors.ts';
import type { LossReason } from '../../../core/inboxes.ts';
import { CommitSchedule } from '../groups/commit-schedule.ts';
import type { TopicCommit } from '../groups/commits.ts';
import { deleteGroup, type GroupMember } from '../groups/group-member.ts';
import type { Commit } from '../groups/position.ts';
import { UntilAssigned } from '../groups/until-assigned.ts';
import { type KafkaError, unavailable } from '../wire/kafka-error.ts';
import { isOfNetwork, now, retry, whyOf } from '../wire/retry.ts';
import type { InboxSurroundings } from './inbox-surroundings.ts';

const CONFIRM_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 5_000;
/**
 * Of what is committed in one request. Kafka writes it as one batch, which is refused as a whole past 1 MiB (`max.message.bytes` of
 * `__consumer_offsets`); somebody in many windows on topics of many partitions may have more.
 */
const MAX_COMMIT_BYTES = 256 * 1024;
/** What a record of one commit has beside the names of its group and topic and its metadata: some 70 bytes with Kafka 4.3.1. */
const COMMIT_OVERHEAD = 100;

/** A log that is read under a lease. */
export interface Leased {
  readonly topic: string;
  /** 0 where it is not said. */
  readonly partition?: number;
  /** What is to be committed, if anything has changed since it was asked last. */
  changes(): Commit | null;
  /** Kafka has what `changes` gave … */
  committed(commit: Commit): void;
  /** … or may not have it: the next `changes` gives it again. */
  uncommitted(): void;
  /** Kafka has said that the lease is held, later than anything that could have made that doubtful. */
  confirmed(): void;
  /** The frontend's lease is known to be good again. */
  wake(): void;
  /** The lease is held no more, or about to be given back, or it is about this log no more. Called once. */
  end(): void;
}

/** What has changed in one of the logs. */
interface Change extends TopicCommit {
  readonly log: Leased;
}

export interface InboxLeaseOptions {
  readonly around: Pick<
    InboxSurroundings,
    | 'cluster'
    | 'commitPace'
    | 'isFrontendAlive'
    | 'frontendAlive'
    | 'doubt'
    | 'log'
    | 'refusedCommits'
    | 'abandon'
    | 'putOutStrangers'
  >;
  readonly member: GroupMember;
  /** It is held no more. Called once. */
  readonly onReleased: () => void;
  /** It was lost. Called at most once. */
  readonly onLost: (reason: LossReason) => void;
  /** Why Kafka does not know the member any more. Never fails. */
  readonly whyUnknown: () => Promise<LossReason>;
}

/**
 * That an inbox is held: its member of the consumer group, whose heartbeats and commits tell so, from the login to its end. What has
 * changed in the logs that are read under it is committed together, in one request nearly always.
 */
export class InboxLease {
  readonly #options: InboxLeaseOptions;
  readonly #around: InboxLeaseOptions['around'];
  readonly #member: GroupMember;
  readonly #commits: CommitSchedule;
  readonly #untilAssigned: UntilAssigned;
  readonly #logs: Leased[] = [];
  #lastHeartbeat = now();
  /** When Kafka was asked for what last showed that the inbox is held. */
  #heldAt = now();
  #ended = false;
  #loss: LossReason | Promise<LossReason> | undefined;
  #closing: Promise<void> | null = null;

  constructor(options: InboxLeaseOptions) {
    const { around, member } = options;
    this.#options = options;
    this.#around = around;
    this.#member = member;
    this.#untilAssigned = new UntilAssigned(member, () => this.check());
    this.#commits = new CommitSchedule({
      pace: around.commitPace,
      commit: () => this.#commit(),
      mayCommit: () => around.isFrontendAlive(),
      onFailed: (error) => this.#onContactFailed('commit', error),
    });
  }

  /** It is about this log, too, from now on. */
  add(log: Leased): void {
    this.#logs.push(log);
  }

  /** It is about this log no more: what was not committed of it is not any more, either. */
  remove(log: Leased): void {
    const at = this.#logs.indexOf(log);
    if (at === -1) return;
    this.#logs.splice(at, 1);
    log.end();
  }

  /** The frontend's lease is known to be good again. */
  wake(): void {
    for (const log of [...this.#logs]) log.wake();
  }

  /** @param askedAt when the lease was asked for, on the clock of `now` */
  begin(askedAt: number): void {
    this.#heldAt = askedAt;
    this.#untilAssigned.start();
  }

  get group(): string {
    return this.#member.group;
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Kafka has said that the inbox is held, later than anything that could have made that doubtful. */
  get isKnownHeld(): boolean {
    return !this.#ended && !this.#around.doubt.covers(this.#heldAt);
  }

  /** There is something to commit. */
  touch(): void {
    this.#commits.touch();
  }

  /**
   * A heartbeat is due, unless one went out within this time.
   * @param heartbeatIntervalMs null: as often as the coordinator wants it
   */
  maintain(heartbeatIntervalMs: number | null): void {
    const intervalMs = heartbeatIntervalMs ?? this.#member.heartbeatIntervalMs;
    if (now() - this.#lastHeartbeat >= intervalMs) void this.check();
  }

  /** A heartbeat, which tells whether the lease is still ours. */
  async check(): Promise<void> {
    if (this.#ended) return;
    const before = this.#lastHeartbeat;
    this.#lastHeartbeat = now();
    try {
      await this.#heartbeat();
    } catch (error) {
      this.#lastHeartbeat = before;
      this.#onContactFailed('heartbeat', error);
      return;
    }
    if (this.#member.mayHaveCompany && !this.#ended) await this.#around.putOutStrangers(this.#member);
  }

  /** Asks Kafka whether it is still held. @throws EngineError `UNAVAILABLE`, `LOST` */
  async confirm(): Promise<void> {
    await this.expect();
    try {
      await retry('confirm lease', now() + CONFIRM_TIMEOUT_MS, () => this.#heartbeat());
    } catch (error) {
      this.#onContactFailed('confirmation', error);
      await this.expect();
      unavailable(error);
    }
    await this.expect();
  }

  /** @throws EngineError `LOST` where it is held no more */
  async expect(): Promise<void> {
    if (!this.#ended) return;
    throw new EngineError('LOST', `${this.#member.group} is not held any more`, { loss: await this.#loss });
  }

  /**
   * The same after waiting for anything: this process may have been frozen meanwhile, and the inbox be somebody else's.
   * @throws EngineError `UNAVAILABLE`, `LOST`
   */
  async expectStill(): Promise<void> {
    if (!this.#around.isFrontendAlive()) await this.#around.frontendAlive(now() + CONFIRM_TIMEOUT_MS);
    if (!this.isKnownHeld) await this.confirm();
    await this.expect();
  }

  /** It is gone, or must be taken for gone. */
  lose(reason: LossReason): void {
    if (!this.#release()) return;
    this.#loss = reason;
    this.#options.onLost(reason);
  }

  /** Commits what is to be committed and gives the inbox back. Never throws. */
  close(): Promise<void> {
    this.#closing ??= this.#close(true);
    return this.#closing;
  }

  /** Gives it back and deletes the group, unless that is another life's by then. Never throws. */
  discard(isTheirs: () => boolean): Promise<void> {
    const { group } = this.#member;
    this.#closing ??= this.#close(false).then(async () => {
      if (!isTheirs()) return;
      await deleteGroup(this.#around.cluster, group).catch((error: unknown) => {
        this.#around.log.warn({ ...whyOf(error), group }, 'group left behind');
      });
    });
    return this.#closing;
  }

  async #heartbeat(): Promise<void> {
    const sentAt = now();
    await this.#member.heartbeat();
    this.#lastHeartbeat = Math.max(this.#lastHeartbeat, sentAt);
    this.#hasContact(sentAt);
  }

  /** Kafka took it for the holder's. */
  #hasContact(sentAt: number): void {
    this.#heldAt = Math.max(this.#heldAt, sentAt);
    if (this.isKnownHeld) for (const log of [...this.#logs]) log.confirmed();
  }

  async #commit(): Promise<void> {
    const changed = this.#logs.flatMap((log) => {
      const commit = log.changes();
      return commit === null ? [] : [{ log, topic: log.topic, partition: log.partition, commit }];
    });
    // Of what has changed nothing may be left; to nothing Kafka says yes without a look at who holds the inbox.
    const left = new Set(changed.map(({ log }) => log));
    try {
      // The inbox was there first, and goes first.
      for (const some of this.#runsOf(changed)) {
        await this.#commitSome(some);
        for (const { log } of some) left.delete(log);
      }
    } finally {
      for (const log of left) log.uncommitted();
    }
  }

  /** As many as one request takes. */
  #runsOf(changed: readonly Change[]): Change[][] {
    const runs: Change[][] = [];
    let bytes = 0;
    for (const change of changed) {
      const { topic, commit } = change;
      const size = COMMIT_OVERHEAD + this.group.length + topic.length + commit.metadata.length;
      const run = runs.at(-1);
      if (run === undefined || bytes + size > MAX_COMMIT_BYTES) runs.push([change]);
      else run.push(change);
      bytes = runs.at(-1) === run ? bytes + size : size;
    }
    return runs;
  }

  async #commitSome(changed: readonly Change[]): Promise<void> {
    const sentAt = now();
    const refusals = await this.#member.commit(changed);
    this.#hasContact(sentAt);
    for (const [at, { log, commit }] of changed.entries()) {
      const refusal = refusals[at];
      if (refusal == null) log.committed(commit);
      else this.#refused(log, refusal);
    }
  }

  /** It goes along with whatever is committed next, and holds up nothing else. */
  #refused(log: Leased, refusal: KafkaError): void {
    log.uncommitted();
    this.#around.refusedCommits.note({
      group: this.#member.group,
      topic: log.topic,
      reason: refusal.message,
    });
  }

  #onContactFailed(what: string, error: unknown): void {
    if (error instanceof EngineError && error.code === 'LOST') this.#unknown();
    else if (!isOfNetwork(error))
      this.#around.log.warn({ ...whyOf(error), group: this.#member.group }, `${what} failed`);
  }

  /** Kafka does not know our member any more: it has ended, and why is to be found out. */
  #unknown(): void {
    if (!this.#release()) return;
    this.#loss = this.#options.whyUnknown();
    void this.#loss.then((reason) => this.#options.onLost(reason));
  }

  /** @returns false when it had ended already */
  #release(): boolean {
    if (!this.#end()) return false;
    this.#around.abandon(this.#member);
    this.#options.onReleased();
    return true;
  }

  /** @returns false when it had ended already */
  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#untilAssigned.stop();
    this.#commits.stop();
    for (const log of this.#logs) log.end();
    return true;
  }

  async #close(commit: boolean): Promise<void> {
    if (!this.#end()) return;
    const deadline = now() + CLOSE_TIMEOUT_MS;
    try {
      await this.#commits.settle();
      if (commit) await retry('last commit', deadline, () => this.#commit());
      await this.#member.leave(deadline);
    } catch (error) {
      this.#around.log.warn({ ...whyOf(error), group: this.#member.group }, 'inbox not closed cleanly');
      this.#around.abandon(this.#member);
    } finally {
      this.#options.onReleased();
    }
  }
}
