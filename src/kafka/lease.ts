import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Cluster } from './cluster.ts';
import { consumerMembers } from './consumer-members.ts';
import { EngineError } from './errors.ts';
import {
  describeGroups,
  evict,
  GroupMember,
  type GroupState,
  holderOf,
  type Member,
  releaseAttempt,
} from './group-member.ts';
import { RareWarning } from './rare-warning.ts';
import { now } from './retry.ts';
import { FRONTEND_GROUP_PREFIX } from './topics.ts';
import type { Trust } from './trust.ts';

/**
 * Session time-out of an inbox's lease. Long, since each heartbeat of each inbox costs; a dead frontend is
 * recognised much sooner by its own lease.
 */
export const INBOX_SESSION_TIMEOUT_MS = 1_800_000;

/** Attempts to undo that go on in the background; past that an attempt ends with its session time-out instead. */
const MAX_RELEASES = 10_000;
const RELEASE_TIMEOUT_MS = INBOX_SESSION_TIMEOUT_MS;

/**
 * Strangers in a group are put out so many times for one login. One that comes back at once as often wins: the login is
 * refused, and the log says who it was.
 */
const MAX_EVICTIONS = 20;
/** A group that is not settled after so long is not a login under way: brokers wait for 3 s by default. */
const SETTLE_MS = 5_000;
const LOOK_AGAIN_MS = 50;

const STRANGERS = 'other programs are in an inbox’s group';

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
  readonly #trust: Trust;
  #releasing = 0;
  readonly #strangers: RareWarning;

  constructor(cluster: Cluster, log: Logger, trust: Trust) {
    this.#cluster = cluster;
    this.#log = log;
    this.#trust = trust;
    this.#strangers = new RareWarning((fields) => log.warn(fields, STRANGERS));
  }

  /**
   * Takes the lease of an inbox that this process does not hold. `evicted` tells whether a living frontend held it. Members
   * that no frontend has signed are put out, whatever they are. Of several takeovers at once each gets in, and the last
   * one stays.
   * @throws EngineError `ALREADY_LOGGED_IN`, `UNAVAILABLE`; `BUSY`: others come back faster than they are put out
   */
  async acquire(request: AcquireRequest): Promise<{ member: GroupMember; evicted: boolean }> {
    let evicted = false;
    const patience = Math.min(now() + SETTLE_MS, request.deadline);
    for (let evictions = 0; ; evictions++) {
      const member = await this.#join(request);
      if (member) return { member, evicted };
      const state = await this.#settled(request, patience);
      const holder = holderOf(state);
      if (holder !== null) {
        const isDead = await this.#isDead(holder, request);
        if (!isDead && !request.takeover) throw alreadyHeld(request);
        evicted ||= !isDead;
      }
      const strangers = state.members.filter((other) => other !== holder);
      if (strangers.length > 0) this.#report(request.group, strangers, evictions);
      if (evictions >= MAX_EVICTIONS || now() > request.deadline) {
        throw new EngineError('BUSY', `others come into ${request.group} again and again`);
      }
      if (state.members.length === 0) continue;
      // By their own ids: whoever comes in meanwhile stays, and the join is refused.
      await evict(this.#cluster, request.group, state.members, request.deadline);
    }
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
        trust: this.#trust,
        sessionTimeoutMs: INBOX_SESSION_TIMEOUT_MS,
        lane: 'group',
      });
    } catch (error) {
      // The answer never came, but the join may have: left alone it would lock the owner out for minutes.
      const { group } = request;
      this.#inBackground(group, () =>
        releaseAttempt(this.#cluster, this.#trust, group, nonce, now() + RELEASE_TIMEOUT_MS),
      );
      throw error;
    }
  }

  /** Who is in the group once it is known who they are: a login under way shows no signature yet. */
  async #settled({ group, deadline }: AcquireRequest, patience: number): Promise<GroupState> {
    for (;;) {
      const [state] = await describeGroups(this.#cluster, this.#trust, [group], deadline);
      if (!state || state.members.length === 0) {
        return { members: await consumerMembers(this.#cluster, group, deadline), isSettled: true };
      }
      if (state.isSettled || holderOf(state) === null) return state;
      // Nothing that is ours takes so long: strangers.
      if (now() > patience) return { ...state, isSettled: true };
      await sleep(LOOK_AGAIN_MS);
    }
  }

  /** A holder is dead when its frontend's own group is empty, or when it is this very process, which holds nothing. */
  async #isDead({ login }: Member, request: AcquireRequest): Promise<boolean> {
    if (login === null) return false;
    if (login.frontendId === request.frontendId) return true;
    const group = FRONTEND_GROUP_PREFIX + login.frontendId;
    const [frontend] = await describeGroups(this.#cluster, this.#trust, [group], request.deadline);
    this.#cluster.forgetCoordinator('group', group);
    return !frontend || holderOf(frontend) === null;
  }

  #report(group: string, strangers: readonly Member[], evictions: number): void {
    const who = strangers.slice(0, 3).map(({ memberId, clientId, host }) => ({ memberId, clientId, host }));
    const fields = { group, strangers: strangers.length, who, evictions };
    // Whoever has kept somebody out is told in any case.
    if (evictions >= MAX_EVICTIONS) this.#log.warn(fields, STRANGERS);
    else this.#strangers.note(fields);
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
