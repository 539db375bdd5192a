import { ProtocolError, type ProtocolErrorCode } from '../../protocol/errors.ts';
import type { Feature } from '../../protocol/v2/features.ts';
import type { Version } from '../adapters/version.ts';
import type { Caller, Principal } from '../commands/context.ts';
import type { Connection } from '../net/connection.ts';

/** Failures by which a client shows that it may be guessing. */
const ERRORS: ReadonlySet<ProtocolErrorCode> = new Set(['BAD_CREDENTIALS']);

/** A session as the one who asks: what handlers of requests may know of it. */
export class SessionCaller {
  readonly #connection: Connection;
  readonly #isEnding: () => boolean;
  readonly #delivery: Caller['delivery'];
  #features: ReadonlySet<Feature> = new Set();
  /** Logins and other proofs that failed here. */
  #errors = 0;
  /** Takes the request that is being carried out, out of the line that it waits in, if it does. */
  #leaveLine: (() => void) | null = null;

  /** @param delivery where messages go once somebody is logged in */
  constructor(connection: Connection, isEnding: () => boolean, delivery: Caller['delivery']) {
    this.#connection = connection;
    this.#isEnding = isEnding;
    this.#delivery = delivery;
  }

  /** For one request. */
  as(version: Version, principal: Principal | null): Caller {
    const connection = this.#connection;
    return {
      principal,
      version,
      peer: connection.peer,
      address: connection.caller,
      isGone: () => connection.isGone || this.#isEnding(),
      whenGone: (leave) => {
        this.#leaveLine = leave;
      },
      hasEnded: () => connection.hasEnded,
      // Once may happen to everybody: a typing error, a token that has run out.
      hasErred: () => this.#errors > 1,
      features: this.#features,
      announce: (features) => {
        this.#features = new Set(features);
      },
      delivery: this.#features.has('devices') ? this.#delivery : { ...this.#delivery, onNote: undefined },
    };
  }

  /** A request has failed. */
  failed(error: unknown): void {
    if (error instanceof ProtocolError && ERRORS.has(error.code)) this.#errors += 1;
  }

  /** The answer would be for nobody: whatever waits in a line leaves it. */
  leave(): void {
    this.#leaveLine?.();
  }
}
