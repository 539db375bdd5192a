import { ProtocolError } from '../../protocol/errors.ts';
import { TokenBucket } from '../../util/token-buckets.ts';
import type { Limits } from '../limits.ts';
import { type Place, Places } from '../net/places.ts';

/** Who has had to make room comes again after this, milliseconds. */
const AGAIN_MS = 1_000;

/** One login that only sends. */
export interface SendOnlyLogin {
  /** What all such logins of the account together may send. */
  readonly rate: TokenBucket;
  /** It asks for something: others make room before it. */
  used(): void;
  /** It is over. */
  leave(): void;
}

/** The logins of one name. */
interface Group {
  readonly rate: TokenBucket;
  size: number;
}

/**
 * Logins that only send. No inbox is taken for them, so no takeover ends them: they end with what they were let in by (`LoginGrounds`).
 * Bounded for each account and in all: where there are as many as may be, the
 * one that was idle for longest makes room, of the account that has most.
 */
export class Senders {
  readonly #limits: Limits;
  readonly #places: Places;
  readonly #groups = new Map<string, Group>();

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#places = new Places({ all: limits.senders, perAddress: limits.sendersPerAccount });
  }

  /** @param end called at most once, when the login has to make room */
  enter(name: string, end: (farewell: ProtocolError) => void): SendOnlyLogin {
    const place = this.#place(name, () =>
      end(new ProtocolError('BUSY', NO_ROOM, { retryAfterMs: AGAIN_MS })),
    );
    const group = this.#groups.get(name) ?? this.#newGroup();
    this.#groups.set(name, group);
    group.size += 1;
    return {
      rate: group.rate,
      used: () => place.isStrangers(true),
      leave: () => {
        place.leave();
        group.size -= 1;
        if (group.size === 0 && this.#groups.get(name) === group) this.#groups.delete(name);
      },
    };
  }

  #place(name: string, evict: () => void): Place {
    const place = this.#places.take(name, evict);
    // Everybody here makes room, so there always is some.
    if (typeof place === 'string') throw new Error('logins that only send are not allowed here');
    return place;
  }

  #newGroup(): Group {
    const { sendBurst: burst, sendsPerSecond: perSecond } = this.#limits;
    return { rate: new TokenBucket({ burst, perSecond }), size: 0 };
  }
}

const NO_ROOM = 'Others that only send needed the place.';
