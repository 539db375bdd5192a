import type { Logger } from 'pino';
import { EngineError } from '../../../core/errors.ts';
import { RequestBatcher } from '../../../util/request-batcher.ts';
import type { Trust } from '../inbox/trust.ts';
import type { Cluster } from '../wire/cluster.ts';
import { now, retry, whyOf } from '../wire/retry.ts';
import { RareWarning } from '../wire/trouble.ts';
import { describeManyMembers, HOLDER, holderOf, type Member, removeMember } from './consumer-members.ts';
import { clearForeign, putOutOlder } from './foreign-group.ts';
import { isFrontendAlive } from './frontend-group.ts';
import { deleteGroup, GroupMember, type JoinRequest } from './group-member.ts';
import { newMemberId } from './holder-name.ts';

/** Attempts to undo that go on in the background; past that an attempt ends with its session time-out instead. */
const MAX_RELEASES = 10_000;
/** As long as a lease lives without a heartbeat, where nobody has changed it (kafka/server.properties). */
const RELEASE_TIMEOUT_MS = 1_800_000;

/**
 * Whoever is in the way is put out so many times for one login. A stranger that comes back at once as often wins: the
 * login is refused, and the log says who it was.
 */
const MAX_EVICTIONS = 20;

/** Strangers beside a holder that are put out at once; more of them wait for the next heartbeat, and the holder for none. */
const MAX_SWEPT = 100;
const SWEEP_TIMEOUT_MS = 2_000;

/** Groups in one request. */
const MAX_DESCRIBED = 100;

const STRANGERS = 'other programs are in an inbox’s group';

type Stranger = Pick<Member, 'memberId' | 'clientId' | 'host'>;

export interface AcquireRequest {
  readonly group: string;
  /** Of the inbox. */
  readonly topic: string;
  readonly frontendId: string;
  readonly takeover: boolean;
  /** On the clock of `now`. */
  readonly deadline: number;
}

/** Takes leases of inboxes: who holds an inbox is decided by Kafka's group coordinator and by nothing else. */
export class Leases {
  readonly #cluster: Cluster;
  readonly #log: Logger;
  readonly #trust: Trust;
  /** When a frontend has died, hundreds take its inboxes over at once. */
  readonly #members: RequestBatcher<string, Member[]>;
  #releasing = 0;
  readonly #strangers: RareWarning;

  constructor(cluster: Cluster, log: Logger, trust: Trust) {
    this.#cluster = cluster;
    this.#log = log;
    this.#trust = trust;
    this.#members = new RequestBatcher(MAX_DESCRIBED, (groups) =>
      describeManyMembers(cluster, trust, groups),
    );
    this.#strangers = new RareWarning((fields) => log.warn(fields, STRANGERS));
  }

  /**
   * Takes the lease of an inbox that this process does not hold. Members that no frontend has signed are put out, whatever they
   * are. Of several takeovers at once each gets in, and the last one stays.
   * @throws EngineError `ALREADY_LOGGED_IN`, `UNAVAILABLE`; `BUSY`: others come back faster than they are put out; `REFUSED`: a
   * group of another type has the name, and may not be deleted
   */
  async acquire(request: AcquireRequest): Promise<GroupMember> {
    const { group, topic, frontendId, deadline } = request;
    // One for all tries: where an answer is lost, the member that it would have told of is found by its name.
    const join = { group, topic, deadline, memberId: newMemberId(frontendId), trust: this.#trust };
    try {
      const member = await this.#acquire(request, join);
      if (member.mayHaveCompany) await this.putOutStrangers(member);
      return member;
    } catch (error) {
      // The answer never came, but the join may have: left alone it would lock the owner out for as long as a lease lives.
      const isKnown = error instanceof EngineError && error.code === 'ALREADY_LOGGED_IN';
      if (!isKnown) this.#release(group, join.memberId);
      throw error;
    }
  }

  /**
   * Puts out whoever else is in a held inbox's group: Kafka lets them in beside the holder, and they may commit. The inbox is
   * held all the same, so it never rejects: what fails is tried again after a heartbeat.
   */
  async putOutStrangers(member: GroupMember): Promise<void> {
    const { group, memberId } = member;
    const deadline = now() + SWEEP_TIMEOUT_MS;
    member.mayHaveCompany = false;
    try {
      const members = await this.#describe(group, deadline);
      const others = members.filter((other) => other.memberId !== memberId);
      // Whoever has been taken over from looks late, and would put out who has done that. Beside a holder no other one is let in.
      if (others.length === 0 || others.length === members.length) return;
      this.#report(group, others, 0);
      const some = others.slice(0, MAX_SWEPT);
      await Promise.all(some.map((other) => removeMember(this.#cluster, group, other, deadline)));
      member.mayHaveCompany = some.length < others.length;
    } catch (error) {
      member.mayHaveCompany = true;
      this.#log.warn({ ...whyOf(error), group }, 'others in the group not put out');
    }
  }

  /**
   * Puts out whoever holds an inbox, and deletes its group with all that is committed there.
   * @param isTheirs whether it is still of whom it is deleted for, looked at while nobody else comes in
   * @throws as `acquire`; KafkaError
   */
  async erase(request: AcquireRequest, isTheirs: () => Promise<boolean>): Promise<void> {
    const { group, deadline } = request;
    const member = await this.acquire(request);
    const isToGo = await isTheirs().finally(() => member.leave(deadline));
    if (isToGo) await deleteGroup(this.#cluster, group, deadline);
  }

  /** Gives up a lease in the background, for as long as it takes. */
  abandon({ group, memberId }: GroupMember): void {
    this.#release(group, memberId);
  }

  async #acquire(request: AcquireRequest, join: JoinRequest): Promise<GroupMember> {
    const { group, takeover, deadline } = request;
    // Whoever takes over expects somebody there: to be refused first would be one request more.
    const expected = takeover ? await this.#describe(group, deadline) : [];
    let inTheWay = expected.length > 0 ? await this.#inTheWay(request, expected, 0) : [];
    for (let evictions = 0; ; evictions++) {
      // By their own ids: whoever comes in meanwhile stays, and the join is refused. The broker answers the requests about one
      // group in their order, so the join need not wait for the answers before it.
      const removals = inTheWay.map((other) => removeMember(this.#cluster, group, other, deadline));
      const [member] = await Promise.all([GroupMember.join(this.#cluster, join), ...removals]);
      if (member) return member;
      const members = await this.#describe(group, deadline);
      const own = members.find(({ memberId }) => memberId === join.memberId);
      if (own) return new GroupMember(this.#cluster, join, own.epoch);
      inTheWay = await this.#inTheWay(request, members, evictions);
      if (evictions >= MAX_EVICTIONS || now() > deadline) {
        throw new EngineError('BUSY', `others come into ${group} again and again`);
      }
    }
  }

  /**
   * Whom to put out before a join.
   * @throws EngineError `ALREADY_LOGGED_IN`, `UNAVAILABLE`, `REFUSED`
   */
  async #inTheWay(
    { group, frontendId, takeover, deadline }: AcquireRequest,
    members: readonly Member[],
    evictions: number,
  ): Promise<readonly Member[]> {
    const holder = holderOf(members);
    if (holder !== null && !takeover && !(await this.#isDead(holder, frontendId, deadline))) {
      throw new EngineError('ALREADY_LOGGED_IN', `${group} is held`);
    }
    // Others than the member `holder` are in nobody's way.
    const inTheWay = members.filter(({ instanceId }) => instanceId === HOLDER);
    // Nobody is described where the group is one of another type, or whoever was in it has left meanwhile.
    const others = members.length > 0 ? inTheWay : await this.#putOutOthers(group, deadline);
    const strangers = others.filter((other) => other !== holder);
    if (strangers.length > 0) this.#report(group, strangers, evictions);
    return inTheWay;
  }

  async #putOutOthers(group: string, deadline: number): Promise<Stranger[]> {
    const older = await putOutOlder(this.#cluster, group, deadline);
    if (older.length > 0) return older;
    const type = await clearForeign(this.#cluster, group, deadline);
    if (type !== null)
      this.#log.warn({ group, type }, 'an empty group of another type was deleted for an inbox');
    return [];
  }

  #describe(group: string, deadline: number): Promise<Member[]> {
    return retry(`describe ${group}`, deadline, () => this.#members.ask(group));
  }

  /** A holder is dead when its frontend's own group is empty, or when it is this very process, which holds nothing. */
  async #isDead(holder: Member, frontendId: string, deadline: number): Promise<boolean> {
    if (holder.frontendId === null) return false;
    if (holder.frontendId === frontendId) return true;
    return !(await isFrontendAlive(this.#cluster, this.#trust, holder.frontendId, deadline));
  }

  #report(group: string, strangers: readonly Stranger[], evictions: number): void {
    const who = strangers.slice(0, 3).map(({ memberId, clientId, host }) => ({ memberId, clientId, host }));
    const fields = { group, strangers: strangers.length, who, evictions };
    // Whoever has kept somebody out is told in any case.
    if (evictions >= MAX_EVICTIONS) this.#log.warn(fields, STRANGERS);
    else this.#strangers.note(fields);
  }

  #release(group: string, memberId: string): void {
    if (this.#releasing >= MAX_RELEASES) {
      this.#log.warn({ group }, 'too many leases to give up: this one is left to its time-out');
      return;
    }
    this.#releasing++;
    const self = { memberId, instanceId: HOLDER };
    removeMember(this.#cluster, group, self, now() + RELEASE_TIMEOUT_MS)
      .catch((error: unknown) =>
        this.#log.warn({ ...whyOf(error), group }, 'lease not given up: it is left to its time-out'),
      )
      .finally(() => {
        this.#releasing--;
      });
  }
}
