import type { Entry } from '../../protocol/v1/entries.ts';
import type { ServerFrame } from '../../protocol/v2/replies.ts';
import type { Request } from '../../protocol/v2/requests.ts';
import { type ClientError, retryHint } from '../errors.ts';
import { sanitiseLine, sanitiseName, sanitiseText } from '../sanitise.ts';
import type { EntryState } from '../v2/outbox.ts';

/** Names of a list reply that are shown; of more, only their number. */
const MAX_NAMES = 100;
/** A retrieve reply this large, in bytes, may have been cut by the server's limit of 1 MiB. */
const MAYBE_CUT = 768 * 1024;

export interface Said {
  readonly kind: 'incoming' | 'info';
  readonly who: string;
  readonly text: string;
}

/** What a person reads about a request that failed. After a time-out it asks for the next instruction. */
export function wordsFor(error: ClientError): string {
  switch (error.code) {
    case 'TIMEOUT':
      return `${error.message} What next?`;
    case 'REFUSED':
      return `${error.message || 'The server refused.'}${retryHint(error.refusal?.retryAfterMs)}`;
    case 'OFFLINE':
    case 'BUSY':
      return `${error.message} ↑ brings the line back.`;
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
  return `${names.length === 1 ? '1 account' : `${names.length} accounts`}: ${shown}${more}`;
}

/** A retrieve reply: its messages, which have no time in version 1, and their number. */
export function wordsForEntries(entries: readonly Entry[]): Said[] {
  if (entries.length === 0) return [{ kind: 'info', who: '', text: 'No undelivered messages.' }];
  const bytes = entries.reduce((sum, entry) => sum + Buffer.byteLength(entry.body), 0);
  const more = bytes > MAYBE_CUT ? ' There may be more: /retrieve again.' : '';
  const count = entries.length === 1 ? '1 message that waited.' : `${entries.length} messages that waited.`;
  return [
    ...entries.map((entry) => ({
      kind: 'incoming' as const,
      who: sanitiseName(entry.sender),
      text: sanitiseText(entry.body),
    })),
    { kind: 'info', who: '', text: `${count}${more}` },
  ];
}

/** What the server said about a message that was sent, in short where it is the usual. */
export function wordsForSent(text: string): string {
  if (/^delivered\b/i.test(text)) return '✓ delivered';
  if (/^queued\b/i.test(text)) return '✓ queued';
  const line = sanitiseLine(text.slice(0, 200));
  return line === '' ? '✓' : `✓ ${line}`;
}

/** Ticks: what became of a message, version 2. */
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
      return `✗ ${sanitiseLine(state.reason.slice(0, 500))}`;
    case 'unsure':
      return '? not confirmed';
  }
}

/** Who of those that were asked for is logged in. */
export function wordsForPresence(asked: readonly string[], present: readonly string[]): string {
  return asked.map((name) => `${name} ${present.includes(name) ? '● logged in' : '○ away'}`).join('; ');
}

/** The answer to a request that the person was told had timed out, version 2. */
export function wordsForLate(request: Request, reply: ServerFrame): string {
  if (reply.type === 'listed') return `Late answer: ${wordsForNames(reply.names, reply.more)}`;
  const text = reply.type === 'failure' ? reply.message : 'done.';
  return `The answer to the ${request.type} request came late: ${text}`;
}

/** A day as a person names it, in their own time zone: `Mon 21 Nov 2026`. */
export function wordsForDay(at: number): string {
  const [weekday, month, day, year] = new Date(at).toDateString().split(' ');
  return `${weekday} ${Number(day)} ${month} ${year}`;
}
