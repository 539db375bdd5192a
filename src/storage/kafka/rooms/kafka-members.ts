import type { Logger } from 'pino';
import { type Accounts, isSameLife } from '../../../core/accounts.ts';
import { EngineError } from '../../../core/errors.ts';
import { MemberIndex } from '../../../core/member-index.ts';
import type { Life, Members, Membership, MembershipChange, Room } from '../../../core/rooms.ts';
import type { Trust } from '../inbox/trust.ts';
import type { Appender } from '../produce/appender.ts';
import { CompactedTable } from '../tables/compacted-table.ts';
import type { Cluster } from '../wire/cluster.ts';
import { unavailable } from '../wire/kafka-error.ts';
import { now } from '../wire/retry.ts';
import { MEMBERS_TOPIC } from '../wire/topics.ts';
import { encodeMember, knownRevision, memberKey, packMember, roomKey, unpackMember } from './room-record.ts';

const WRITE_TIMEOUT_MS = 5_000;

export interface KafkaMembersOptions {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly trust: Trust;
  readonly appender: Pick<Appender, 'append'>;
  readonly accounts: Pick<Accounts, 'get'>;
  readonly replicationFactor: number;
  /** The room that has a name now. */
  readonly roomOf: (name: string) => Room | undefined;
}

/** Somebody decides by what is there as of so long ago at the latest: others' records are not on their way for longer. */
const FLIGHT_MS = 60_000;
/** So often a change is decided anew where others are quicker each time. */
const MAX_TRIES = 10;

/** A record that is being written. */
interface Write {
  readonly packed: string | null;
  /** What it took the place of, once it counts. */
  replaced: Membership | null | undefined;
}

/**
 * Who is in which room, in a compacted topic. A record counts only behind what its writer knew when it was decided: so of several at
 * once the first does, everywhere, without a transaction. The end of a membership counts in any case.
 */
export class KafkaMembers implements Members {
  readonly #options: KafkaMembersOptions;
  readonly #table: CompactedTable<Membership>;
  readonly #index = new MemberIndex();
  /** What this process is writing, by key. */
  readonly #writes = new Map<string, Set<Write>>();

  constructor(options: KafkaMembersOptions) {
    this.#options = options;
    this.#table = new CompactedTable({
      ...options,
      topic: MEMBERS_TOPIC,
      pack: packMember,
      unpack: unpackMember,
      changed: (key, packed, before) => {
        const read = (text: string | null) => (text === null ? null : unpackMember(key, text));
        const replaced = read(before);
        this.#index.replace(replaced, read(packed));
        for (const write of this.#writes.get(key) ?? [])
          if (write.packed === packed && write.replaced === undefined) write.replaced = replaced;
      },
      encode: (membership) => encodeMember(membership),
      knownRevision,
    });
  }

  /** Makes the topic if need be and reads all of it. @throws EngineError `UNAVAILABLE` */
  async start(deadline: number): Promise<void> {
    await this.#table.open(this.#options.replicationFactor, deadline);
  }

  async close(): Promise<void> {
    await this.#table.close();
  }

  get(room: Life, person: Life): Membership | undefined {
    const found = this.#table.get(memberKey({ room, person }));
    return found !== undefined && isOf(found, room, person) ? found : undefined;
  }

  async find(room: Life, person: Life): Promise<Membership | undefined> {
    const known = this.get(room, person);
    if (known !== undefined) return known;
    await this.#table.catchUpSoon().catch(unavailable);
    return this.get(room, person);
  }

  inRoom(room: Life, role: Membership['role']): Membership[] {
    const { accounts } = this.#options;
    return [...this.#index.people(room, role)].flatMap((name) => {
      const account = accounts.get(name);
      const found = account && this.get(room, account);
      return found === undefined ? [] : [found];
    });
  }

  countIn(room: Life, role: Membership['role']): number {
    return this.#index.people(room, role).size;
  }

  countOf(person: Life, role: Membership['role']): number {
    return this.ofPerson(person, role).length;
  }

  ofPerson(person: Life, role: Membership['role']): Membership[] {
    return [...this.#index.rooms(person, role)].flatMap((name) => {
      const room = this.#options.roomOf(name);
      const found = room && this.get(room, person);
      return found === undefined ? [] : [found];
    });
  }

  /** Whoever is in a room or invited, also once that is gone. @throws EngineError `UNAVAILABLE` */
  async everybody(room: Life): Promise<Membership[]> {
    await this.#table.catchUpSoon().catch(unavailable);
    return [...this.inRoom(room, 'member'), ...this.inRoom(room, 'invited')];
  }

  /** A room has come, or is gone. */
  roomChanged(room: Life): void {
    const find = (name: string) => this.#table.get(`${roomKey(room.name)}/${name}`);
    this.#index.roomChanged(room, find);
  }

  watch(person: Life, changed: (room: string) => void): () => void {
    return this.#index.watch(person, changed);
  }

  async change(room: Life, person: Life, decide: MembershipChange): Promise<Membership | undefined> {
    const key = memberKey({ room, person });
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      await this.#table.catchUpSoon().catch(unavailable);
      const current = this.get(room, person);
      const wanted = decide(current);
      if (wanted === current) return current;
      const replaced = await this.#write(key, wanted ?? null);
      if (replaced === undefined) continue;
      if (wanted !== undefined || replaced === null || isOf(replaced, room, person)) return wanted;
      // Another life's has come in between, which is not theirs to end.
      await this.#write(key, replaced);
    }
    throw new EngineError('BUSY', `${key} is being changed by others`);
  }

  async put(membership: Membership): Promise<void> {
    await this.change(membership.room, membership.person, () => membership);
  }

  async remove({ room, person }: Pick<Membership, 'room' | 'person'>): Promise<void> {
    await this.change(room, person, () => undefined);
  }

  /** @returns what it took the place of; undefined where somebody else was quicker, and it does not count */
  async #write(key: string, value: Membership | null): Promise<Membership | null | undefined> {
    const deadline = now() + WRITE_TIMEOUT_MS;
    const { trust, appender } = this.#options;
    const after = Math.max(this.#table.revisionOf(key), trust.clock.now() - FLIGHT_MS);
    const record = this.#table.signed(key, value, (membership) => encodeMember(membership, after));
    const packed = value === null ? null : packMember(key, encodeMember(value));
    const write: Write = { packed, replaced: undefined };
    const writes = this.#writes.get(key) ?? new Set();
    this.#writes.set(key, writes.add(write));
    try {
      await appender.append(MEMBERS_TOPIC, record);
      await this.#table.catchUp(deadline).catch(unavailable);
      return write.replaced;
    } finally {
      writes.delete(write);
      if (writes.size === 0) this.#writes.delete(key);
    }
  }
}

function isOf(membership: Membership, room: Life, person: Life): boolean {
  return isSameLife(membership.room, room) && isSameLife(membership.person, person);
}
