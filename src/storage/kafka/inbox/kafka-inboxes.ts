import type { Logger } from 'pino';
import type { Config } from '../../../config/config.ts';
import { type Account, type Accounts, isAnothers, isSameLife } from '../../../core/accounts.ts';
import { type DeviceState, deviceKey } from '../../../core/devices.ts';
import { EngineError } from '../../../core/errors.ts';
import type {
  Accepted,
  Fate,
  Inbox,
  Inboxes,
  OpenOptions,
  OutgoingMessage,
  Receipt,
} from '../../../core/inboxes.ts';
import type { Note } from '../../../core/notes.ts';
import { feedsOf } from '../fetch/feeds.ts';
import { Fetcher } from '../fetch/fetcher.ts';
import { CommitPace } from '../groups/commit-schedule.ts';
import { Doubt } from '../groups/doubt.ts';
import { FrontendLease } from '../groups/frontend-lease.ts';
import { HeartbeatPace } from '../groups/heartbeat-pace.ts';
import { type AcquireRequest, Leases } from '../groups/lease.ts';
import { LeaseChecks } from '../groups/lease-checks.ts';
import type { Appender } from '../produce/appender.ts';
import type { Cluster } from '../wire/cluster.ts';
import { unavailable } from '../wire/kafka-error.ts';
import { now } from '../wire/retry.ts';
import { RareWarning } from '../wire/trouble.ts';
import { DeviceGroups } from './device-groups.ts';
import { eraseGroup } from './erase-group.ts';
import { readFates } from './fates.ts';
import { KafkaInbox } from './inbox.ts';
import type { InboxSurroundings } from './inbox-surroundings.ts';
import { LocalInboxes } from './local-inboxes.ts';
import { MailboxLimits } from './mailbox-limits.ts';
import { MailboxStatsReader } from './mailbox-stats.ts';
import { Notes } from './notes.ts';
import { encodeRecord } from './record.ts';
import { findStartingPoint } from './starting-point.ts';
import { TakeoverHints } from './takeover-hints.ts';
import type { Trust } from './trust.ts';
import { Walk } from './walk.ts';
import { demandThere, whyGone, whyUnknown } from './why-lost.ts';

const OPEN_TIMEOUT_MS = 10_000;
const HEARTBEAT_TICK_MS = 1_000;
/** Heartbeats of inboxes that are in doubt: all of a thousand may be wanted at the same moment. */
const CONFIRMATIONS = { perSecond: 4_000, atOnce: 64 };
/** Inboxes closed at the same time when the engine stops. */
const CLOSE_CONCURRENCY = 64;

export interface KafkaInboxesOptions extends Pick<InboxSurroundings, 'roomFollowers' | 'roomWindows'> {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly trust: Trust;
  /** Tells an account that is gone from one whose topic is. */
  readonly accounts: Pick<Accounts, 'findEvenly' | 'get'>;
  readonly appender: Appender;
  readonly inboxPrefix: string;
  readonly replicationFactor: number;
  readonly frontendLeaseMs: number;
  /** Limits of every inbox. */
  readonly mailbox: Config['mailbox'];
  /** Acknowledged messages stay in the topic for this long. */
  readonly historyMs: number;
}

/** All inboxes, in Kafka. */
export class KafkaInboxes implements Inboxes {
  readonly #options: KafkaInboxesOptions;
  readonly #cluster: Cluster;
  readonly #appender: Appender;
  readonly #groups: DeviceGroups;
  readonly #notes: Notes;
  readonly #stats: MailboxStatsReader;
  readonly #limits: MailboxLimits;
  readonly #hints: TakeoverHints;
  readonly #noInbox: RareWarning;
  readonly #checks = new LeaseChecks<KafkaInbox>((inbox) => inbox.checkLease());
  readonly #doubt = new Doubt();
  /** Inboxes with something to push that are in doubt. */
  readonly #unconfirmed = new Set<KafkaInbox>();
  readonly #confirmations = new LeaseChecks<KafkaInbox>((inbox) => this.#confirm(inbox), CONFIRMATIONS);
  readonly #fetcher: Fetcher;
  readonly #leases: Leases;
  readonly #frontend: FrontendLease;
  readonly #pace: HeartbeatPace;
  readonly #around: InboxSurroundings;
  readonly #local = new LocalInboxes();
  #heartbeats: NodeJS.Timeout | null = null;
  readonly #walk = new Walk(this.#local.byDevice);
  /** An inbox may rest because this frontend's lease was in doubt. */
  #someRest = false;

  constructor(options: KafkaInboxesOptions) {
    const { cluster, log } = options;
    this.#options = options;
    this.#cluster = cluster;
    this.#appender = options.appender;
    this.#groups = new DeviceGroups(options);
    this.#notes = new Notes({ ...options, topicOf: (account) => this.#groups.topic(account) });
    this.#stats = new MailboxStatsReader(cluster, (account) => this.#groups.all(account));
    this.#limits = new MailboxLimits({ ...options.mailbox, readStats: (to) => this.#stats.read(to) });
    this.#noInbox = new RareWarning((fields) => log.warn(fields, NO_INBOX));
    this.#fetcher = new Fetcher(cluster, log);
    this.#leases = new Leases(cluster, log, options.trust);
    this.#pace = new HeartbeatPace(cluster, log);
    this.#hints = new TakeoverHints({
      ...options,
      fetcher: this.#fetcher,
      onReplaced: (inbox) => this.#checkLease(inbox),
    });
    this.#frontend = new FrontendLease({
      cluster,
      log,
      trust: options.trust,
      sessionTimeoutMs: options.frontendLeaseMs,
      onAsked: () => this.#doubt.asked(),
      onAlive: () => this.#wakeAll(),
      onLost: () => this.#local.each((inbox) => inbox.lose('lost')),
    });
    this.#around = {
      cluster,
      log,
      steppedOver: new RareWarning((fields) => log.warn(fields, 'stepped over what is no message')),
      refusedCommits: new RareWarning((fields) => log.warn(fields, 'Kafka does not take a position')),
      fetcher: this.#fetcher,
      feeds: feedsOf(cluster, this.#fetcher),
      ...{ roomFollowers: options.roomFollowers, roomWindows: options.roomWindows },
      commitPace: new CommitPace(),
      stats: this.#stats,
      trust: options.trust,
      historyMs: options.historyMs,
      isFrontendAlive: () => {
        const { isValid } = this.#frontend;
        if (!isValid) this.#someRest = true;
        return isValid;
      },
      current: (account) => {
        const now = options.accounts.get(account.name);
        return isSameLife(now, account) ? now : account;
      },
      isAnothers: (account) => isAnothers(options.accounts.get(account.name), account),
      whyGone: async (owner) => {
        const reason = await whyGone(options.accounts, owner);
        if (reason === 'no inbox') this.#noteNoInbox(owner);
        return reason;
      },
      frontendAlive: (deadline) => this.#frontend.ready(deadline),
      doubt: this.#doubt,
      confirmSoon: (inbox) => {
        this.#unconfirmed.add(inbox);
        if (!this.#doubt.isGoingOn) this.#confirmations.ask(inbox);
      },
      whyUnknown: (inbox) =>
        whyUnknown(options.accounts, inbox, async () => (await this.#groups.held([inbox.group]))[0] === true),
      onReleased: (inbox) => {
        this.#unconfirmed.delete(inbox);
        const key = deviceKey(inbox.owner, inbox.device);
        if (this.#local.byDevice.get(key) === inbox) this.#local.byDevice.delete(key);
      },
      abandon: (member) => this.#leases.abandon(member),
      putOutStrangers: (member) => this.#leases.putOutStrangers(member),
    };
  }

  /** @throws EngineError `UNAVAILABLE` */
  async start(): Promise<void> {
    await this.#hints.start();
    await this.#pace.start();
    await this.#frontend.start();
    this.#doubt.start();
    this.#heartbeats = setInterval(() => {
      const { lookMs, intervalMs } = this.#pace;
      for (const inbox of this.#walk.next(lookMs / HEARTBEAT_TICK_MS))
        if (inbox !== 'opening') inbox.maintain(intervalMs);
    }, HEARTBEAT_TICK_MS);
  }

  /** Gives back every inbox, and leaves. */
  async close(): Promise<void> {
    if (this.#heartbeats) clearInterval(this.#heartbeats);
    this.#hints.close();
    this.#doubt.stop();
    this.#checks.close();
    this.#pace.close();
    this.#confirmations.close();
    const inboxes: KafkaInbox[] = [];
    this.#local.each((inbox) => inboxes.push(inbox));
    const closeSome = async () => {
      for (let inbox = inboxes.pop(); inbox; inbox = inboxes.pop()) await inbox.close();
    };
    await Promise.all(Array.from({ length: CLOSE_CONCURRENCY }, closeSome));
    await this.#fetcher.close();
    await this.#frontend.close();
  }

  /** Names of those whose inboxes this process holds, or is about to. */
  ownersHere(): string[] {
    return [...new Set([...this.#local.byDevice.keys()].map((key) => key.replace(/\..*/, '')))];
  }

  append(to: Account, message: OutgoingMessage): Promise<Accepted> {
    return this.#append(to, message).catch(async (error: unknown) => {
      if (!isNoInbox(error)) throw error;
      const current = await demandThere(this.#options.accounts, to);
      // The inbox has got another topic meanwhile.
      if (current.topicId !== to.topicId) return this.#append(current, message);
      this.#noteNoInbox(to);
      throw error;
    });
  }

  #append(to: Account, message: OutgoingMessage): Promise<Accepted> {
    const sender = message.from;
    const known = this.#local.next(to);
    return this.#limits.run(to, sender, (mailbox) => {
      const { signer, clock, recent } = this.#options.trust;
      const record = encodeRecord(signer, to, message, new Date(clock.now()));
      return this.#appender.append(this.#groups.topic(to), record, to.topicId).then((accepted) => {
        recent.note(record.signature, accepted.offset);
        this.#limits.stored(mailbox, sender.name, record.value.length, accepted.offset);
        if (message.copyFrom !== undefined)
          this.#notes.copy(this.#around.current(sender), message.copyFrom.device, to, message);
        this.#local.wroteTo(sender, to);
        this.#local.handOver(to, message, accepted, known);
        return accepted;
      });
    });
  }

  note(owner: Account, device: string | undefined, note: Note): Promise<void> {
    return this.#notes.append(owner, device, note);
  }

  async open(owner: Account, options: OpenOptions): Promise<Inbox> {
    const { byDevice } = this.#local;
    const key = deviceKey(owner, options.device);
    const present = byDevice.get(key);
    if (present === 'opening' && options.takeover) {
      throw new EngineError('BUSY', `another login of ${key} is under way`);
    }
    if (present === 'opening' || (present && !options.takeover)) {
      throw new EngineError('ALREADY_LOGGED_IN', `${key} is held by this frontend`);
    }
    byDevice.set(key, 'opening');
    try {
      present?.lose('fenced');
      const askedAt = now();
      const inbox = await this.#open(owner, options);
      byDevice.set(key, inbox);
      inbox.start(askedAt);
      return inbox;
    } catch (error) {
      byDevice.delete(key);
      if (isNoInbox(error)) await demandThere(this.#options.accounts, owner);
      return unavailable(error);
    }
  }

  async held(accounts: readonly Account[]): Promise<boolean[]> {
    const elsewhere = accounts.filter((account) => !this.#local.has(account));
    const groups = elsewhere.flatMap((account) => this.#groups.all(account).map(({ group }) => group));
    const found = await this.#groups.held(groups);
    const held = new Set(groups.filter((_, index) => found[index]));
    return accounts.map(
      (account) => this.#local.has(account) || this.#groups.all(account).some(({ group }) => held.has(group)),
    );
  }

  devices(account: Account): Promise<DeviceState[]> {
    return this.#groups.states(account, this.#stats).catch(unavailable);
  }

  async forget(account: Account, device: string | undefined, { takeover }: Pick<AcquireRequest, 'takeover'>) {
    const key = deviceKey(account, device);
    const inbox = this.#local.byDevice.get(key);
    // Kafka would let this very frontend in.
    if (inbox && !takeover) throw new EngineError('ALREADY_LOGGED_IN', `${key} is held by this frontend`);
    if (inbox && inbox !== 'opening' && isSameLife(inbox.owner, account)) inbox.lose('fenced');
    const around = { groups: this.#groups, frontend: this.#frontend, leases: this.#leases };
    const erasing = { ...this.#options, ...around, takeover };
    const group = await eraseGroup(erasing, account, device).catch(unavailable);
    if (group !== null) this.#hints.tellHeld(group);
  }

  fates(receipts: readonly Receipt[], { inLog }: { readonly inLog: boolean }): Promise<Fate[]> {
    // Others may have come since it was sent.
    const groupsOf = (account: Account) => this.#groups.all(this.#around.current(account));
    const options = { cluster: this.#cluster, groupsOf };
    return readFates(options, receipts, inLog).catch(unavailable);
  }

  #noteNoInbox(account: Account): void {
    this.#noInbox.note({ user: account.name, topic: this.#groups.topic(account), topicId: account.topicId });
  }

  /** Lease first, then where things stand: nobody else can move the position in between. */
  async #open(owner: Account, options: OpenOptions): Promise<KafkaInbox> {
    const topic = this.#groups.topic(owner);
    const deadline = now() + OPEN_TIMEOUT_MS;
    await this.#frontend.ready(deadline);
    const frontendId = this.#frontend.id;
    const takeover = options.takeover ?? false;
    const group = this.#groups.group(owner, options.device);
    const member = await this.#leases.acquire({ group, topic, frontendId, takeover, deadline });
    // Also where nobody was put out: of a group whose state was lost there may be a holder who does not know.
    this.#hints.tellHeld(group);
    try {
      const how = { group, last: options.last };
      const start = await findStartingPoint(this.#around, owner, topic, how, deadline);
      // The frontend's lease was lost meanwhile: others take what was joined under its old id for free.
      if (this.#frontend.id !== frontendId)
        throw new EngineError('UNAVAILABLE', 'this frontend has lost its lease');
      const liveStart = options.deliver === 'all' ? start.position.delivered.low : start.end;
      return new KafkaInbox(this.#around, owner, topic, member, options, start, liveStart);
    } catch (error) {
      this.#leases.abandon(member);
      throw error;
    }
  }

  #wakeAll(): void {
    this.#doubt.answered();
    for (const inbox of this.#unconfirmed) this.#confirmations.ask(inbox);
    if (!this.#someRest) return;
    this.#someRest = false;
    this.#local.each((inbox) => inbox.wake());
  }

  async #confirm(inbox: KafkaInbox): Promise<void> {
    await inbox.checkLease();
    // Otherwise it is asked again with the frontend's next sign of life.
    if (inbox.isKnownHeld) this.#unconfirmed.delete(inbox);
  }

  /** Somebody says that one of our inboxes has a new holder: a heartbeat tells. */
  #checkLease(group: string): void {
    const inbox = this.#local.byDevice.get(this.#groups.keyOf(group) ?? '');
    if (inbox && inbox !== 'opening') this.#checks.ask(inbox);
  }
}

const NO_INBOX =
  'the topic of an inbox was deleted or replaced: the next login of its owner, or milena doctor --repair, gives it another one';

function isNoInbox(error: unknown): boolean {
  return error instanceof EngineError && error.code === 'NO_INBOX';
}
