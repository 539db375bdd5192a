import type { Logger } from 'pino';
import type { Config } from '../../../config/config.ts';
import { type Account, type Accounts, isSameLife } from '../../../core/accounts.ts';
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
import { Fetcher } from '../fetch/fetcher.ts';
import { CommitPace } from '../groups/commit-schedule.ts';
import { describeMembers, holderOf } from '../groups/consumer-members.ts';
import { Doubt } from '../groups/doubt.ts';
import { FrontendLease } from '../groups/frontend-lease.ts';
import { HeartbeatPace } from '../groups/heartbeat-pace.ts';
import { Leases } from '../groups/lease.ts';
import { LeaseChecks } from '../groups/lease-checks.ts';
import type { Appender } from '../produce/appender.ts';
import type { Cluster } from '../wire/cluster.ts';
import { unavailable } from '../wire/kafka-error.ts';
import { now } from '../wire/retry.ts';
import { RareWarning } from '../wire/trouble.ts';
import { readFates } from './fates.ts';
import { KafkaInbox } from './inbox.ts';
import type { InboxSurroundings } from './inbox-surroundings.ts';
import { MailboxLimits } from './mailbox-limits.ts';
import { MailboxStatsReader } from './mailbox-stats.ts';
import { encodeRecord, messageAsStored } from './record.ts';
import { findStartingPoint } from './starting-point.ts';
import { TakeoverHints } from './takeover-hints.ts';
import type { Trust } from './trust.ts';
import { Walk } from './walk.ts';
import { demandThere, whyGone, whyUnknown } from './why-lost.ts';

const OPEN_TIMEOUT_MS = 10_000;
const CHECK_TIMEOUT_MS = 5_000;
const HEARTBEAT_TICK_MS = 1_000;
/** Heartbeats of inboxes that are in doubt: all of a thousand may be wanted at the same moment. */
const CONFIRMATIONS = { perSecond: 4_000, atOnce: 64 };
/** Inboxes closed at the same time when the engine stops. */
const CLOSE_CONCURRENCY = 64;

export interface KafkaInboxesOptions {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly trust: Trust;
  /** Tells an account that is gone from one whose topic is. */
  readonly accounts: Pick<Accounts, 'findEvenly'>;
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
  /** Inboxes that this process holds or is about to hold, by owner's name. Bounded by the frontend's connections. */
  readonly #local = new Map<string, KafkaInbox | 'opening'>();
  #heartbeats: NodeJS.Timeout | null = null;
  readonly #walk = new Walk(this.#local);
  /** An inbox may rest because this frontend's lease was in doubt. */
  #someRest = false;

  constructor(options: KafkaInboxesOptions) {
    const { cluster, log } = options;
    this.#options = options;
    this.#cluster = cluster;
    this.#appender = options.appender;
    this.#stats = new MailboxStatsReader(cluster, (account) => this.#topic(account));
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
      onLost: () => this.#each((inbox) => inbox.lose('lost')),
    });
    this.#around = {
      cluster,
      log,
      steppedOver: new RareWarning((fields) => log.warn(fields, 'stepped over what is no message')),
      fetcher: this.#fetcher,
      commitPace: new CommitPace(),
      stats: this.#stats,
      trust: options.trust,
      historyMs: options.historyMs,
      isFrontendAlive: () => {
        const { isValid } = this.#frontend;
        if (!isValid) this.#someRest = true;
        return isValid;
      },
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
      whyUnknown: ({ owner }) => whyUnknown(async () => (await this.held([owner]))[0] === true),
      onReleased: (inbox) => {
        this.#unconfirmed.delete(inbox);
        if (this.#local.get(inbox.owner.name) === inbox) this.#local.delete(inbox.owner.name);
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
    this.#each((inbox) => inboxes.push(inbox));
    const closeSome = async () => {
      for (let inbox = inboxes.pop(); inbox; inbox = inboxes.pop()) await inbox.close();
    };
    await Promise.all(Array.from({ length: CLOSE_CONCURRENCY }, closeSome));
    await this.#fetcher.close();
    await this.#frontend.close();
  }

  /** Names of those whose inboxes this process holds, or is about to. */
  ownersHere(): string[] {
    return [...this.#local.keys()];
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
    const known = this.#heldBy(to)?.cursor.progress.next ?? 0;
    return this.#limits.run(to, sender, (mailbox) => {
      const { signer, clock, recent } = this.#options.trust;
      const record = encodeRecord(signer, to, message, new Date(clock.now()));
      return this.#appender.append(this.#topic(to), record, to.topicId).then((accepted) => {
        recent.note(record.signature, accepted.offset);
        this.#limits.stored(mailbox, sender.name, record.value.length, accepted.offset);
        this.#noteCorrespondent(sender, to);
        this.#handOver(to, message, accepted, known);
        return accepted;
      });
    });
  }

  /** In the sender's own inbox, which is held where the sender is logged in. */
  #noteCorrespondent(sender: Account, to: Account): void {
    this.#heldBy(sender)?.wroteTo(to);
  }

  /** To the recipient, if this process holds the very inbox that the message went into: no need to wait for a fetch. */
  #handOver(to: Account, message: OutgoingMessage, accepted: Accepted, known: number): void {
    const inbox = this.#heldBy(to);
    if (inbox === null) return;
    // What was there before it was sent has its offset: the log has lost that.
    if (accepted.offset < known) inbox.cutAt(accepted);
    else inbox.cursor.handOver(messageAsStored(message, accepted), accepted.epoch);
  }

  /** The very inbox of this life of a name, if this process holds it. */
  #heldBy(account: Account): KafkaInbox | null {
    const inbox = this.#local.get(account.name);
    if (!inbox || inbox === 'opening') return null;
    // Nearly always it is the same object, as the accounts have it.
    if (inbox.owner === account) return inbox;
    return inbox.owner.topicId === account.topicId && isSameLife(inbox.owner, account) ? inbox : null;
  }

  async open(owner: Account, options: OpenOptions): Promise<Inbox> {
    const present = this.#local.get(owner.name);
    if (present === 'opening' && options.takeover) {
      throw new EngineError('BUSY', `another login of ${owner.name} is under way`);
    }
    if (present === 'opening' || (present && !options.takeover)) {
      throw new EngineError('ALREADY_LOGGED_IN', `${owner.name} is held by this frontend`);
    }
    this.#local.set(owner.name, 'opening');
    try {
      present?.lose('fenced');
      const askedAt = now();
      const inbox = await this.#open(owner, options);
      this.#local.set(owner.name, inbox);
      inbox.start(askedAt);
      return inbox;
    } catch (error) {
      this.#local.delete(owner.name);
      if (isNoInbox(error)) await demandThere(this.#options.accounts, owner);
      return unavailable(error);
    }
  }

  async held(accounts: readonly Account[]): Promise<boolean[]> {
    const elsewhere = accounts.filter((account) => !this.#local.has(account.name));
    const groups = elsewhere.map((account) => this.#topic(account));
    const { trust } = this.#options;
    const deadline = now() + CHECK_TIMEOUT_MS;
    const members = await describeMembers(this.#cluster, trust, groups, deadline).catch(unavailable);
    const isHeld = (index: number) => holderOf(members[index] ?? []) !== null;
    const held = new Set(elsewhere.filter((_, index) => isHeld(index)).map(({ name }) => name));
    return accounts.map((account) => this.#local.has(account.name) || held.has(account.name));
  }

  fates(receipts: readonly Receipt[], { inLog }: { readonly inLog: boolean }): Promise<Fate[]> {
    const options = { cluster: this.#cluster, topicOf: (account: Account) => this.#topic(account) };
    return readFates(options, receipts, inLog).catch(unavailable);
  }

  #noteNoInbox(account: Account): void {
    this.#noInbox.note({ user: account.name, topic: this.#topic(account), topicId: account.topicId });
  }

  /** An inbox topic and its group have the same name. */
  #topic(account: Account): string {
    return this.#options.inboxPrefix + account.name;
  }

  /** Lease first, then where things stand: nobody else can move the position in between. */
  async #open(owner: Account, options: OpenOptions): Promise<KafkaInbox> {
    const topic = this.#topic(owner);
    const deadline = now() + OPEN_TIMEOUT_MS;
    await this.#frontend.ready(deadline);
    const frontendId = this.#frontend.id;
    const takeover = options.takeover ?? false;
    const wanted = { group: topic, frontendId, takeover, deadline };
    const member = await this.#leases.acquire(wanted);
    // Also where nobody was put out: of a group whose state was lost there may be a holder who does not know.
    this.#hints.tellHeld(topic);
    try {
      const start = await findStartingPoint(this.#around, owner, topic, deadline);
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
    this.#each((inbox) => inbox.cursor.wake());
  }

  async #confirm(inbox: KafkaInbox): Promise<void> {
    await inbox.checkLease();
    // Otherwise it is asked again with the frontend's next sign of life.
    if (inbox.isKnownHeld) this.#unconfirmed.delete(inbox);
  }

  /** Somebody says that one of our inboxes has a new holder: a heartbeat tells. */
  #checkLease(topic: string): void {
    const { inboxPrefix } = this.#options;
    const inbox = topic.startsWith(inboxPrefix) && this.#local.get(topic.slice(inboxPrefix.length));
    if (inbox && inbox !== 'opening') this.#checks.ask(inbox);
  }

  #each(action: (inbox: KafkaInbox) => void): void {
    for (const inbox of [...this.#local.values()]) if (inbox !== 'opening') action(inbox);
  }
}

const NO_INBOX =
  'the topic of an inbox was deleted or replaced: the next login of its owner, or milena doctor --repair, gives it another one';

function isNoInbox(error: unknown): boolean {
  return error instanceof EngineError && error.code === 'NO_INBOX';
}
