import type { InboxMessage, LossReason } from '../../core/inboxes.ts';
import { ProtocolError, type ProtocolErrorCode } from '../../protocol/errors.ts';
import type { Request } from '../commands/requests.ts';
import type { ActiveSession } from './active-session.ts';

/** Everything a session can be. */
export type State =
  | { readonly name: 'anonymous' }
  /** A create or login is under way; the inbox may already speak. */
  | { readonly name: 'entering'; readonly early: InboxMessage[]; trouble: LossReason | 'too much' | null }
  | { readonly name: 'loggedIn'; readonly active: ActiveSession }
  /** The account is being removed, so the loss of its inbox is no surprise. */
  | { readonly name: 'deleting'; readonly active: ActiveSession; loss: LossReason | null }
  /** The inbox is given back, the last words are written. */
  | { readonly name: 'leaving' }
  | { readonly name: 'closed' };

export type StateName = State['name'];

/** Where each state may go. Anything else is a fault of ours. */
const TRANSITIONS: Readonly<Record<StateName, readonly StateName[]>> = {
  anonymous: ['entering', 'leaving'],
  entering: ['anonymous', 'loggedIn'],
  loggedIn: ['deleting', 'leaving'],
  deleting: ['loggedIn', 'leaving'],
  leaving: ['closed'],
  closed: [],
};

/** @throws Error for a transition that is not in the table */
export function demandTransition(from: State, to: State): void {
  if (!TRANSITIONS[from.name].includes(to.name)) {
    throw new Error(`a session cannot go from ${from.name} to ${to.name}`);
  }
}

/**
 * Who may ask for what: a request is looked at only while nobody is logged in, or somebody, with an inbox or only to send;
 * otherwise it waits.
 */
const REQUESTS: Readonly<
  Record<
    'anonymous' | 'loggedIn' | 'sending',
    Readonly<Record<Request['type'], 'allowed' | ProtocolErrorCode>>
  >
> = {
  anonymous: {
    hello: 'allowed',
    ping: 'allowed',
    create: 'allowed',
    login: 'allowed',
    // Names are no secret between people who can all make an account: list needs no login.
    list: 'allowed',
    logout: 'NOT_LOGGED_IN',
    delete: 'NOT_LOGGED_IN',
    retrieve: 'NOT_LOGGED_IN',
    send: 'NOT_LOGGED_IN',
    ack: 'NOT_LOGGED_IN',
    status: 'NOT_LOGGED_IN',
    password: 'NOT_LOGGED_IN',
    receipts: 'NOT_LOGGED_IN',
    block: 'NOT_LOGGED_IN',
  },
  loggedIn: {
    hello: 'allowed',
    ping: 'allowed',
    create: 'ALREADY_LOGGED_IN',
    login: 'ALREADY_LOGGED_IN',
    list: 'allowed',
    logout: 'allowed',
    delete: 'allowed',
    retrieve: 'allowed',
    send: 'allowed',
    ack: 'allowed',
    status: 'allowed',
    password: 'allowed',
    receipts: 'allowed',
    block: 'allowed',
  },
  sending: {
    hello: 'allowed',
    ping: 'allowed',
    create: 'ALREADY_LOGGED_IN',
    login: 'ALREADY_LOGGED_IN',
    list: 'allowed',
    logout: 'allowed',
    // What changes the account, or its token, is for who holds the inbox.
    delete: 'ONLY_SENDS',
    retrieve: 'ONLY_SENDS',
    send: 'allowed',
    ack: 'ONLY_SENDS',
    status: 'allowed',
    password: 'ONLY_SENDS',
    receipts: 'allowed',
    block: 'allowed',
  },
};

/** @throws ProtocolError for a request that does not belong to the state */
export function demandAllowed(state: State, request: Request): void {
  if (state.name !== 'anonymous' && state.name !== 'loggedIn') {
    throw new Error(`a request was looked at while ${state.name}`);
  }
  const { name } = state;
  const rule =
    REQUESTS[name === 'loggedIn' && state.active.principal.inbox === null ? 'sending' : name][request.type];
  if (rule === 'allowed') return;
  if (rule !== 'ALREADY_LOGGED_IN' || name === 'anonymous') throw new ProtocolError(rule);
  throw new ProtocolError(
    rule,
    `You are logged in as ${state.active.principal.account.name}: log out first.`,
  );
}
