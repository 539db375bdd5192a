import type { BackoffLimits } from '../util/backoff.ts';
import type { Link, TransportOptions } from './transport.ts';

export interface ClientState {
  readonly link: Link;
  /** The account that the server confirmed on this connection. */
  readonly account: string | null;
  /** The account that the client means to be logged in to, and tries to be again after a reconnect. */
  readonly wanted: string | null;
}

export interface ClientOptions extends TransportOptions {
  /** Between tries to log in again: a killed server's hold on the account ends only after some seconds. */
  readonly relogin: BackoffLimits & { readonly tries: number };
}

export const DEFAULT_OPTIONS: Omit<ClientOptions, 'servers'> = {
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  deadAfterMs: 30_000,
  // The server ends a connection without a login after five minutes: until then its place in the line is worth keeping.
  deadInLineAfterMs: 310_000,
  reconnect: { firstMs: 500, maxMs: 15_000 },
  relogin: { firstMs: 1_000, maxMs: 8_000, tries: 6 },
  stableAfterMs: 5_000,
};
