import type { fetchV17 } from '@platformatic/kafka';
import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import { type FetchResponse, wanted } from '../wire/fetch.ts';
import { KafkaCode, nameOfCode } from '../wire/kafka-error.ts';

/** What a fetch session needs to know of a member. */
export interface SessionMember {
  readonly follower: { readonly topic: string; readonly topicId: string };
  /** Next offset to fetch; moved on by `onData`. */
  position: number;
  /** Leader epoch of the record in front of that; -1: not to be checked. */
  epoch: number;
  /** Epoch of the leader that is asked; -1: whoever it is. */
  readonly leaderEpoch: number;
  /** Epoch of the leader that has found the log in front of the position to be the same; -1: none has. */
  provenBy: number;
}

/** Bytes of an answer that are of one member. */
const MAX_PARTITION_BYTES = 256 * 1024;

/** KIP-227: epoch 0 with id 0 asks for a new session, epoch -1 with id 0 fetches without one. */
const NEW_SESSION = { id: 0, epoch: 0 } as const;

/** The members of a fetch session, and what the broker knows of them by now: a request names only what changed. */
export class SessionTopics<M extends SessionMember> {
  readonly #members = new Map<string, M>();
  /** Topic ids that the broker must be told of with the next request: new ones and moved positions. */
  readonly #changed = new Set<string>();
  /** Topic ids that the broker still has in its session and no longer should. */
  readonly #forgotten = new Set<string>();
  /** Topic ids that the broker has in its session, with the offset that it was told to fetch from. */
  readonly #known = new Map<string, number>();
  /** Topic ids whose place the leader of that epoch is looking at now, with the fetch under way. */
  readonly #proving = new Map<string, number>();
  #session: { readonly id: number; readonly epoch: number } = NEW_SESSION;

  get size(): number {
    return this.#members.size;
  }

  members(): M[] {
    return [...this.#members.values()];
  }

  get(topicId: string): M | undefined {
    return this.#members.get(topicId);
  }

  add(member: M): void {
    const id = member.follower.topicId;
    this.#members.set(id, member);
    this.#changed.add(id);
    this.#forgotten.delete(id);
  }

  /** A member's position was moved on: Kafka hears of it with the next request. */
  moved(member: M): void {
    const id = member.follower.topicId;
    if (this.#members.get(id) === member) this.#changed.add(id);
  }

  /** The same, to somewhere that no leader has looked at yet. */
  movedElsewhere(member: M): void {
    if (this.#members.get(member.follower.topicId) === member) this.#proving.delete(member.follower.topicId);
    this.moved(member);
  }

  remove(member: M): void {
    const id = member.follower.topicId;
    if (this.#members.get(id) !== member) return;
    this.#members.delete(id);
    this.#changed.delete(id);
    this.#proving.delete(id);
    if (this.#known.has(id)) this.#forgotten.add(id);
  }

  /** Whether the broker was told to fetch from behind a member's position. */
  isPast({ follower, position }: M): boolean {
    return (this.#known.get(follower.topicId) ?? 0) > position;
  }

  /** The session is gone with its connection. */
  end(): void {
    this.#session = NEW_SESSION;
  }

  /** What the next request says; it counts as said. */
  next(): {
    readonly id: number;
    readonly epoch: number;
    readonly topics: fetchV17.FetchRequestTopic[];
    readonly forgotten: { topicId: string; partitions: number[] }[];
  } {
    const full = this.#session.epoch === 0;
    const topics = (full ? [...this.#members.keys()] : [...this.#changed]).flatMap((id) =>
      this.#describe(id),
    );
    const forgotten = full ? [] : [...this.#forgotten].map((topicId) => ({ topicId, partitions: [0] }));
    this.#changed.clear();
    this.#forgotten.clear();
    if (full) this.#known.clear();
    this.#proving.clear();
    for (const { topicId, partitions } of topics) {
      const [asked] = partitions;
      this.#known.set(topicId, Number(asked?.fetchOffset));
      const { lastFetchedEpoch = UNKNOWN_EPOCH, currentLeaderEpoch = UNKNOWN_EPOCH } = asked ?? {};
      const isAsked = lastFetchedEpoch !== UNKNOWN_EPOCH && currentLeaderEpoch !== UNKNOWN_EPOCH;
      if (isAsked) this.#proving.set(topicId, currentLeaderEpoch);
    }
    for (const { topicId } of forgotten) this.#known.delete(topicId);
    return { ...this.#session, topics, forgotten };
  }

  /**
   * The session's next state; a session that the broker has dropped is begun anew from our own positions.
   * @returns `no slot` where the broker keeps no more sessions: then each request is a full one
   * @throws Error for what it should not answer
   */
  answered(response: FetchResponse): 'goes on' | 'begun anew' | 'no slot' {
    const { errorCode: code, sessionId } = response;
    if (code !== KafkaCode.NONE) {
      this.#session = NEW_SESSION;
      if (code === KafkaCode.FETCH_SESSION_ID_NOT_FOUND || code === KafkaCode.INVALID_FETCH_SESSION_EPOCH) {
        return 'begun anew';
      }
      throw new Error(`Fetch: ${nameOfCode(code)}`);
    }
    // Epochs wrap from 2^31 - 1 to 1 (FetchMetadata.nextEpoch).
    const epoch = this.#session.epoch >= 2 ** 31 - 1 ? 1 : this.#session.epoch + 1;
    this.#session = sessionId === 0 ? NEW_SESSION : { id: sessionId, epoch };
    this.#noteProven(response);
    return sessionId === 0 ? 'no slot' : 'goes on';
  }

  /** Whatever was asked about and is not in the answer as an error, or as parted, is as it should be. */
  #noteProven({ topics }: FetchResponse): void {
    if (this.#proving.size === 0) return;
    for (const topic of topics) {
      if (topic.errorCode !== KafkaCode.NONE || topic.parts !== null) this.#proving.delete(topic.topicId);
    }
    for (const [topicId, leaderEpoch] of this.#proving) {
      const member = this.#members.get(topicId);
      if (member === undefined) continue;
      member.provenBy = leaderEpoch;
      // The broker would look again each time until it is told not to.
      this.#changed.add(topicId);
    }
  }

  #describe(topicId: string): fetchV17.FetchRequestTopic[] {
    const member = this.#members.get(topicId);
    if (!member) return [];
    const { position: offset, leaderEpoch, provenBy } = member;
    // A leader never cuts its own log: what it has looked at once it need not look at with each fetch, which costs it some µs.
    const isProven = leaderEpoch !== UNKNOWN_EPOCH && leaderEpoch === provenBy;
    const epoch = isProven ? UNKNOWN_EPOCH : member.epoch;
    return [wanted(topicId, { offset, epoch }, leaderEpoch, MAX_PARTITION_BYTES)];
  }
}
