import {
  type AccountDevice,
  type Address,
  brief,
  type ClientError,
  type ClientEvent,
  type EntryState,
  noConnection,
  type Presence,
  retryHint,
} from '../../client/index.ts';
import type { Peer, StoredMessage } from '../history/types.ts';
import { placeText } from '../record-text.ts';
import { isoTime, sanitiseLine, sanitiseName } from '../sanitise.ts';
import type { Display } from './display.ts';

/** Names of a list reply that are shown; of more, only their number. */
const MAX_NAMES = 100;

export const NOT_LOGGED_IN = 'Not logged in: /login NAME, or /create NAME for a new account.';
export const HISTORY_STAYS = 'the history on this machine stays';
export const NO_ANSWERS = 'A program wrote this, and nobody reads answers to it. /msg NAME writes to a user.';

/** Before the question whether to make it. */
export function noneYet(name: string): string {
  return `There is no account ${name} yet. Type yes to make it.`;
}

/** What a person reads about a request that failed. After a time-out it asks for the next instruction. */
export function wordsFor(error: ClientError): string {
  switch (error.code) {
    case 'TIMEOUT':
      return `${error.message} What next?`;
    case 'REFUSED':
      return `${error.message || 'The server refused.'}${retryHint(error.refusal?.retryAfterMs)}`;
    default:
      return error.message;
  }
}

/** A list reply; `hasMore` if the server knows others that match. */
export function wordsForNames(names: readonly string[], hasMore = false): string {
  if (names.length === 0) return 'No accounts match.';
  const shown = names.slice(0, MAX_NAMES).map(sanitiseName).join('; ');
  const hidden = names.length - MAX_NAMES;
  const more =
    hidden > 0 || hasMore
      ? `; and ${Math.max(0, hidden)}${hasMore ? '+' : ''} more: a pattern shows fewer`
      : '';
  return `${countOf(names.length, 'account')}: ${shown}${more}`;
}

/** How far work is: `12,000 of 100,000 messages`. */
export function progress(done: number, all: number): string {
  return `${done.toLocaleString('en')} of ${Math.max(done, all).toLocaleString('en')} messages`;
}

/** `1 message`, `2 messages`. */
export function countOf(count: number, what: string, several = `${what}s`): string {
  return count === 1 ? `1 ${what}` : `${count} ${several}`;
}

/** Ticks: what became of a message. */
export function wordsForFate(state: EntryState): string {
  switch (state.kind) {
    case 'on-its-way':
      return '…';
    case 'waiting':
      return '⧖';
    case 'stored':
      return '✓';
    case 'delivered':
      return '✓✓';
    case 'undeliverable':
      return '✗ nobody will read it: the account is gone';
    case 'refused':
      return `✗ not sent: ${sanitiseLine(state.reason.slice(0, 500))}`;
    case 'unsure':
      return '? not confirmed';
  }
}

const PRESENCE: Readonly<Record<Presence, string>> = {
  'logged-in': '● logged in',
  away: '○ away',
  'no-such-user': '? no such account',
};

/** Who of those that were asked for is logged in. @param unread messages from each that are not read yet */
export function wordsForPresence(
  presence: ReadonlyMap<string, Presence>,
  unread: (name: string) => number,
): string {
  const words = ([name, state]: [string, Presence]) => {
    const count = unread(name);
    return `${name} ${PRESENCE[state]}${count === 0 ? '' : `, ${count} unread`}`;
  };
  return [...presence].map(words).join('; ');
}

/** An account's devices, one a line. */
export function wordsForDevices(devices: readonly AccountDevice[]): string {
  const line = ({ name, lastLogin, isLoggedIn, waiting }: AccountDevice) => {
    const login = lastLogin === null ? '' : ` since ${isoTime(lastLogin.getTime())?.slice(0, 10) ?? '?'}`;
    const there = isLoggedIn ? '● logged in' : `○ away${login}`;
    return `${name === null ? '(main)' : sanitiseName(name)} ${there}, ${waiting} undelivered`;
  };
  return [countOf(devices.length, 'device'), ...devices.map(line)].join('\n');
}

export type LateReply = Extract<ClientEvent, { type: 'late-reply' }>;

/** The answer to a request that the person was told had timed out. */
export function wordsForLate({ request, reply }: LateReply): string {
  if (reply.type === 'listed') return `Late answer: ${wordsForNames(reply.names, reply.more)}`;
  const text = reply.type === 'failure' ? brief(reply.message) : 'done.';
  return `The answer to the ${request.type} request came late: ${text}`;
}

/** Who wrote the person's own messages. */
export const ME = 'me';

/**
 * A conversation's name as text. A room's has a `#` in front, as no user's has. A program's never looks like a user's; and a user's, whatever it is, never like `me`:
 * no username has an `@`.
 */
export function nameOf({ kind, name }: Peer): string {
  if (kind === 'room') return sanitiseName(name);
  if (kind === 'user') return name === ME ? `@${ME}` : sanitiseName(name);
  return name === '' ? 'ext (no name)' : `ext ${sanitiseName(name)}`;
}

type Said = Pick<StoredMessage, 'direction' | 'peer' | 'author' | 'record'>;

/** Who said it; of a record where it lies. */
export function whoSaid({ direction, peer, author = peer, record }: Said): string {
  if (direction === 'out') return ME;
  return record === undefined ? nameOf(author) : placeText(record, author.name);
}

/** The same where the conversation is not to be seen: whom one wrote to, and in which room. */
export function whoSaidWhere(message: Said): string {
  const { direction, peer, author } = message;
  if (direction === 'out') return `${ME} → ${nameOf(peer)}`;
  return author === undefined ? nameOf(peer) : `${nameOf(peer)} ${whoSaid(message)}`;
}

/** Tells of the connection: each reason once, not once for each attempt, since the header shows that it goes on. */
export class LinkWords {
  readonly #display: Display;
  readonly #servers: readonly Address[];
  #lastComplaint = '';
  #wasOnline = false;
  /** The server that one was on last. */
  #last = '';

  constructor(display: Display, servers: readonly Address[]) {
    this.#display = display;
    this.#servers = servers;
  }

  connected(again: boolean): void {
    const { server } = this.#display.state;
    const isSame = server === this.#last;
    this.#lastComplaint = '';
    this.#wasOnline = true;
    this.#last = server;
    if (again) this.#display.say('info', isSame ? 'Connected again.' : `Connected again, to ${server}.`);
    else this.#display.say('info', `Connected to ${server}.`);
  }

  /** @param lost `retryInMs` 0: another server is tried at once */
  disconnected({ reason, retryInMs }: { readonly reason: string; readonly retryInMs: number }): void {
    if (reason === this.#lastComplaint) return;
    this.#lastComplaint = reason;
    const what = this.#wasOnline
      ? `The connection to ${this.#last} is lost: ${reason}`
      : noConnection(this.#servers, reason);
    this.#wasOnline = false;
    const next = retryInMs > 0 ? 'Trying again until it works.' : 'Trying the next server.';
    this.#display.say('error', `${what}. ${next}`);
  }

  notRestored({ name, reason, retryInMs }: { name: string; reason: string; retryInMs: number | null }): void {
    const next = retryInMs === null ? `/login ${name} tries again.` : 'Trying again shortly.';
    this.#display.say('error', `Not logged in again as ${name}: ${reason} ${next}`);
  }
}
