import type { Logger } from 'pino';
import { type Accounts, isSameLife } from '../../../core/accounts.ts';
import { MemberIndex } from '../../../core/member-index.ts';
import type { Life, Members, Membership, Room } from '../../../core/rooms.ts';
import type { Trust } from '../inbox/trust.ts';
import type { Appender } from '../produce/appender.ts';
import { CompactedTable } from '../tables/compacted-table.ts';
import type { Cluster } from '../wire/cluster.ts';
import { unavailable } from '../wire/kafka-error.ts';
import { now } from '../wire/retry.ts';
import { MEMBERS_TOPIC } from '../wire/topics.ts';
import { encodeMember, memberKey, packMember, unpackMember } from './room-record.ts';

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

/** Who is in which room, in a compacted topic. What was written last counts, so no transaction is needed. */
export class KafkaMembers implements Members {
  readonly #options: KafkaMembersOptions;
  readonly #table: CompactedTable<Membership>;
  readonly #index = new MemberIndex();

  constructor(options: KafkaMembersOptions) {
    this.#options = options;
    this.#table = new CompactedTable({
      ...options,
      topic: MEMBERS_TOPIC,
      pack: packMember,
      unpack: unpackMember,
      changed: (key, packed, before) => {
        const read = (text: string | null) => (text === null ? null : unpackMember(key, text));
        this.#index.replace(read(before), read(packed));
      },
      encode: encodeMember,
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
    return isSameLife(found?.room, room) && isSameLife(found?.person, person) ? found : undefined;
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
    return this.#index.rooms(person, role).size;
  }

  ofPerson(person: Life, role: Membership['role']): Membership[] {
    return [...this.#index.rooms(person, role)].flatMap((name) => {
      const room = this.#options.roomOf(name);
      const found = room && this.get(room, person);
      return found === undefined ? [] : [found];
    });
  }

  watch(person: Life, changed: (room: string) => void): () => void {
    return this.#index.watch(person, changed);
  }

  put(membership: Membership): Promise<void> {
    return this.#write(memberKey(membership), membership);
  }

  async remove(membership: Pick<Membership, 'room' | 'person'>): Promise<void> {
    const key = memberKey(membership);
    await this.#table.catchUpSoon().catch(unavailable);
    // Another life's is not theirs to end.
    if (this.get(membership.room, membership.person) !== undefined) await this.#write(key, null);
  }

  async #write(key: string, value: Membership | null): Promise<void> {
    const deadline = now() + WRITE_TIMEOUT_MS;
    // A change has to be newer than what others have written.
    await this.#table.catchUpSoon().catch(unavailable);
    await this.#options.appender.append(MEMBERS_TOPIC, this.#table.signed(key, value));
    await this.#table.catchUp(deadline).catch(unavailable);
  }
}
