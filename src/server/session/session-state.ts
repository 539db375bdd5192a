import type { InboxMessage, LossReason } from '../../core/inboxes.ts';
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

type StateName = State['name'];

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
