import { type Account, inboxLifeOf } from '../../../core/accounts.ts';
import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import type {
  Accepted,
  Inbox,
  InboxMessage,
  LossReason,
  OpenOptions,
  Surprise,
} from '../../../core/inboxes.ts';
import type { FollowedRoom, Room, RoomListener } from '../../../core/rooms.ts';
import type { TopicWindow } from '../../../core/windows.ts';
import type { Correspondents } from '../groups/correspondents.ts';
import type { GroupMember } from '../groups/group-member.ts';
import { KafkaFollowedRoom } from '../rooms/followed-room.ts';
import { TopicPositions } from '../windows/topic-positions.ts';
import { isUnknownTopic, unavailable } from '../wire/kafka-error.ts';
import { now } from '../wire/retry.ts';
import { noRoom, roomTopic } from '../wire/topics.ts';
import { Backlog } from './backlog.ts';
import { Cursor } from './cursor.ts';
import { HistoryTrimming } from './history.ts';
import { InboxLease } from './inbox-lease.ts';
import type { InboxSurroundings } from './inbox-surroundings.ts';
import type { StartingPoint } from './starting-point.ts';

/** One held inbox: a lease, a cursor in the inbox's log under it, and what waits to be read there. */
export class KafkaInbox implements Inbox {
  readonly owner: Account;
  readonly device: string | undefined;
  readonly id: Uint8Array;
  readonly surprise: Surprise;
  readonly topic: string;
  readonly group: string;
  readonly cursor: Cursor;
  readonly #around: InboxSurroundings;
  readonly #options: OpenOptions;
  readonly #correspondents: Correspondents;
  readonly #rooms = new Set<FollowedRoom>();
  readonly #openedAt = Date.now();
  /** Where this device is in topics that rooms show, by topic. */
  readonly #topics = new Map<string, TopicPositions>();
  readonly #lease: InboxLease;
  readonly #backlog: Backlog;
  readonly #history: HistoryTrimming;

  constructor(
    around: InboxSurroundings,
    owner: Account,
    topic: string,
    member: GroupMember,
    options: OpenOptions,
    { position, correspondents, surprise, isNew, epoch }: StartingPoint,
    liveStart: number,
  ) {
    this.#around = around;
    this.owner = owner;
    this.device = options.device;
    this.topic = topic;
    this.group = member.group;
    this.#options = options;
    this.surprise = surprise;
    this.id = position.inboxId(owner.topicId);
    this.#correspondents = correspondents;
    const lease = new InboxLease({
      ...{ around, member },
      onReleased: () => {
        for (const room of this.#rooms) room.leave();
        around.onReleased(this);
      },
      onLost: options.onLost,
      whyUnknown: () => around.whyUnknown(this),
    });
    this.#lease = lease;
    this.cursor = new Cursor({
      ...{ around, lease, owner, topic, position, liveStart, epoch },
      ...{ device: options.device, isPaused: options.isPaused },
      ...{ onMessage: options.onMessage, onNote: options.onNote },
      commit: () => position.commit(inboxLifeOf(owner), correspondents.encode()),
      confirmSoon: () => around.confirmSoon(this),
      onChanged: (found) => this.#changed(found),
      onGone: () => void around.whyGone(owner).then((reason) => this.lose(reason)),
    });
    lease.add(this.cursor);
    this.#backlog = new Backlog({
      ...{ around, owner, topic, group: member.group, progress: this.cursor.progress },
      expectHeld: () => lease.expectStill(),
      onOutOfRange: (place) => this.cursor.changed({ ...place }),
    });
    this.#history = new HistoryTrimming(around, owner, topic);
    // Senders of what is gone, or was cut away, are told by what is committed; and until something is committed, Kafka's
    // tools show no lag of this inbox.
    if (isNew) this.cursor.touch();
  }

  /**
   * Begins to push. Apart from the constructor so that the caller can note the inbox first.
   * @param askedAt when the lease was asked for
   */
  start(askedAt = now()): void {
    this.#lease.begin(askedAt);
    this.cursor.start();
  }

  // ---- the owner's side

  async undelivered(): Promise<number> {
    await this.#lease.expect();
    return this.#backlog.count();
  }

  async read(limits: { maxBytes: number; maxMessages?: number }): Promise<InboxMessage[]> {
    await this.#lease.expect();
    const { isFollowing, progress } = this.cursor;
    // What is not followed now is not about to be pushed either, so it can be read up to the log's end.
    return this.#backlog.read(limits, isFollowing ? progress.liveStart : Number.POSITIVE_INFINITY);
  }

  confirm(): Promise<void> {
    return this.#lease.confirm();
  }

  epochAt(offset: number): number {
    return this.cursor.progress.position.epochs.at(offset);
  }

  acknowledge(first: number, last: number): boolean {
    if (this.#lease.hasEnded) return false;
    this.cursor.acknowledge(first, last);
    return this.#lease.isKnownHeld;
  }

  async follow(room: Room, since: number, listener: RoomListener): Promise<FollowedRoom> {
    await this.#lease.expect();
    if (room.window !== undefined) return this.#followWindow(room, room.window, since, listener);
    const confirmSoon = () => this.#around.confirmSoon(this);
    const how = { around: this.#around, lease: this.#lease, group: this.group, confirmSoon };
    const options = { ...how, room, since, listener, topic: roomTopic(room) };
    const onLeft = () => this.#rooms.delete(followed);
    const onCut = (found: Record<string, unknown>) => this.#changed({ room: room.name, ...found });
    const followed: KafkaFollowedRoom = await KafkaFollowedRoom.follow({ ...options, onLeft, onCut }).catch(
      (error) => (isUnknownTopic(error) ? noRoom(room, error) : unavailable(error)),
    );
    this.#rooms.add(followed);
    if (this.#lease.hasEnded) followed.leave();
    return followed;
  }

  #followWindow(room: Room, window: TopicWindow, at: number, listener: RoomListener): FollowedRoom {
    const { topic } = window;
    const { roomWindows, cluster } = this.#around;
    const how = { around: this.#around, lease: this.#lease };
    let positions = this.#topics.get(topic);
    if (positions === undefined) {
      const isIn = () => roomWindows.isIn(this.owner);
      positions = new TopicPositions({ cluster, lease: this.#lease, group: this.group, topic, isIn });
      this.#topics.set(topic, positions);
    }
    const followed: FollowedRoom = roomWindows.follow({
      ...{ ...how, room, window, at, positions, listener },
      cameNow: at >= this.#openedAt,
      confirmSoon: () => this.#around.confirmSoon(this),
      onLeft: () => this.#rooms.delete(followed),
    });
    this.#rooms.add(followed);
    return followed;
  }

  pause(): void {
    this.cursor.pause();
  }

  resume(): void {
    this.cursor.resume();
  }

  close(): Promise<void> {
    return this.#lease.close();
  }

  discard(): Promise<void> {
    return this.#lease.discard(() => !this.#around.isAnothers(this.owner));
  }

  // ---- the engine's side

  /**
   * What is due from time to time: a heartbeat, unless one went out within this time, and trimming the history.
   * @param heartbeatIntervalMs null: as often as the coordinator wants it
   */
  maintain(heartbeatIntervalMs: number | null): void {
    if (this.#lease.hasEnded) return;
    this.#lease.maintain(heartbeatIntervalMs);
    // Only below what is committed: if this process dies now, nothing that must be delivered again is gone.
    this.#history.maintain(this.cursor.committedTo);
  }

  /** The frontend's lease is known to be good again. */
  wake(): void {
    this.#lease.wake();
  }

  /** A heartbeat, which tells whether the lease is still ours. */
  checkLease(): Promise<void> {
    return this.#lease.check();
  }

  /** The owner has written to somebody, who is no stranger from now on. */
  wroteTo(account: Account): void {
    if (!this.#lease.hasEnded && this.#correspondents.add(account.incarnation)) this.cursor.touch();
  }

  /** A message was stored where the log had another one before. */
  cutAt({ offset, epoch }: Accepted): void {
    if (this.#lease.hasEnded) return;
    if (epoch === UNKNOWN_EPOCH) {
      this.cursor.onOutOfRange();
      return;
    }
    this.cursor.progress.position.cut(offset, epoch);
    this.cursor.touch();
    this.#changed({ stored: offset });
  }

  /** Kafka has said that the inbox is held, later than anything that could have made that doubtful. */
  get isKnownHeld(): boolean {
    return this.#lease.isKnownHeld;
  }

  /** The lease is gone, or must be taken for gone. */
  lose(reason: LossReason): void {
    this.#lease.lose(reason);
  }

  /** What was acknowledged is committed with its epoch, and the next login begins by that (`Position.resume`). */
  #changed(found: Record<string, unknown>): void {
    const { topic } = this;
    const { next: position, epoch } = this.cursor.progress;
    this.#around.log.warn({ topic, position, epoch, ...found }, 'an inbox has changed');
    void this.close();
    this.#options.onLost('changed');
  }
}
