import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Cluster } from './cluster.ts';
import { EngineError } from './errors.ts';
import { describeHolders, evict, GroupMember, type Holder, releaseAttempt } from './group-member.ts';
import { now } from './retry.ts';
import { FRONTEND_GROUP_PREFIX } from './topics.ts';

/**
 * Session time-out of an inbox's lease. Long, since each heartbeat of each inbox costs; a dead frontend is
 * recognised much sooner by its own lease.
 */
export const INBOX_SESSION_TIMEOUT_MS = 1_800_000;

/** Attempts to undo that go on in the background; past that an attempt ends with its session time-out instead. */
const MAX_RELEASES = 10_000;
const RELEASE_TIMEOUT_MS = INBOX_SESSION_TIMEOUT_MS;

export interface AcquireRequest {
  readonly group: string;
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
  #releasing = 0;

  constructor(cluster: Cluster, log: Logger) {
    this.#cluster = cluster;
    this.#log = log;
  }

  /**
   * Takes the lease of an inbox that this process does not hold. `evicted` tells whether a living frontend held it.
   * Of several takeovers at once each gets in, and the last one stays.
   * @throws EngineError `ALREADY_LOGGED_IN`, `BUSY` (takeovers without end), `UNAVAILABLE`
   */
  async acquire(request: AcquireRequest): Promise<{ member: GroupMember; evicted: boolean }> {
    const first = await this.#join(request);
    if (first) return { member: first, evicted: false };
    let evicted = false;
    do {
      const [holder] = await describeHolders(this.#cluster, [request.group], request.deadline);
      const isDead = holder ? await this.#isDead(holder, request) : true;
      if (!isDead && !request.takeover) throw alreadyHeld(request);
      // By its own id: whoever comes in meanwhile stays, and the join below is refused.
      if (holder) await evict(this.#cluster, request.group, holder.memberId, request.deadline);
      evicted ||= !isDead;
      const member = await this.#join(request);
      if (member) return { member, evicted };
    } while (request.takeover && now() < request.deadline);
    if (request.takeover) throw new EngineError('BUSY', `${request.group} is taken over again and again`);
    throw alreadyHeld(request);
  }

  /** Gives up a lease in the background, for as long as it takes. */
  abandon(member: GroupMember): void {
    this.#inBackground(member.group, () => member.leave(now() + RELEASE_TIMEOUT_MS));
  }

  async #join(request: AcquireRequest): Promise<GroupMember | null> {
    const nonce = randomUUID();
    try {
      return await GroupMember.join(this.#cluster, {
        ...request,
        nonce,
        sessionTimeoutMs: INBOX_SESSION_TIMEOUT_MS,
        lane: 'group',
      });
    } catch (error) {
      // The answer never came, but the join may have: left alone it would lock the owner out for minutes.
      const { group } = request;
      this.#inBackground(group, () =>
        releaseAttempt(this.#cluster, group, nonce, now() + RELEASE_TIMEOUT_MS),
      );
      throw error;
    }
  }

  /** A holder is dead when its frontend's own group is empty, or when it is this very process, which holds nothing. */
  async #isDead(holder: Holder, request: AcquireRequest): Promise<boolean> {
    if (holder.frontendId === null) return false;
    if (holder.frontendId === request.frontendId) return true;
    const group = FRONTEND_GROUP_PREFIX + holder.frontendId;
    const [frontend] = await describeHolders(this.#cluster, [group], request.deadline);
    this.#cluster.forgetCoordinator('group', group);
    return !frontend;
  }

  #inBackground(group: string, release: () => Promise<void>): void {
    if (this.#releasing >= MAX_RELEASES) {
      this.#log.warn({ group }, 'too many leases to give up: this one is left to its time-out');
      return;
    }
    this.#releasing++;
    release()
      .catch((error: unknown) =>
        this.#log.warn({ err: error, group }, 'lease not given up: it is left to its time-out'),
      )
      .finally(() => {
        this.#releasing--;
      });
  }
}

function alreadyHeld(request: AcquireRequest): EngineError {
  return new EngineError('ALREADY_LOGGED_IN', `${request.group} is held`);
}
