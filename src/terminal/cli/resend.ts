import { ClientError } from '../../client/errors.ts';
import { isPassing } from '../../client/identity.ts';
import type { Unsettled } from '../../client/store.ts';
import type { ProtocolErrorCode } from '../../protocol/errors.ts';
import type { RequestOf } from '../../protocol/v2/requests.ts';
import { sanitiseLine } from '../sanitise.ts';
import type { Journal } from './journal.ts';
import type { Link } from './link.ts';

/** So many messages at a time go out beside what the command itself asks: a connection takes 16 requests. */
const AT_ONCE = 8;
/** So long a message is this command's, unless it is answered before. */
const CARRIED_MS = 30_000;
/** Refusals of which another connection may know nothing. */
export const NOT_HERE: ReadonlySet<ProtocolErrorCode> = new Set([
  'NOT_LOGGED_IN',
  'REPLACED',
  'INBOX_LOST',
  'SHUTTING_DOWN',
]);

/*
 * What earlier commands, or the screen, have sent without an answer goes again under the same id, so that it arrives
 * once. What is refused for now waits for the next login.
 */

/** Sends what waits for one recipient; resolves when it is answered, since nothing may overtake it on its way. */
export async function resendTo(link: Link, journal: Journal, to: string): Promise<void> {
  for (const entry of waiting(journal)) if (entry.to === to) await resend(link, journal, entry);
}

/** Sends what waits; its answers come before those to the connection's later requests. */
export function resendAll(link: Link, journal: Journal): void {
  // In their order: one connection's sends to one recipient are stored so.
  for (const entry of waiting(journal).slice(0, AT_ONCE)) void resend(link, journal, entry);
}

function waiting(journal: Journal): Unsettled[] {
  return journal.unsettled().filter(({ receipt }) => receipt === null);
}

async function resend(link: Link, journal: Journal, entry: Unsettled): Promise<void> {
  const { id, to, body } = entry;
  // Several commands of one account may be at it at the same time.
  if (!journal.carry(id, CARRIED_MS)) return;
  if (!entry.mayBeStored) {
    journal.fate({ id, state: { kind: 'on-its-way' }, receipt: null, mayBeStored: true });
    journal.commit();
  }
  const request: RequestOf<'send'> = { type: 'send', id: Buffer.from(id, 'hex'), to, body };
  try {
    const { receipt } = await link.connection.ask(request);
    journal.fate({ id, state: { kind: 'stored' }, receipt });
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (!isFinal(error)) {
      // What the server had no room for is as little stored as before.
      if (isUnstored(error)) journal.fate({ ...entry, state: { kind: 'waiting' } });
      journal.letGo(id);
      return;
    }
    const reason = sanitiseLine(error.message);
    journal.fate({ id, state: { kind: 'refused', reason }, receipt: null });
  }
}

/** Whether this try surely stored nothing. */
export function isUnstored({ nothingSent, refusal }: ClientError): boolean {
  if (refusal === undefined) return nothingSent;
  return refusal.stored === false || !UNSURE.has(refusal.code);
}

/** Refusals after which a message may be stored all the same, unless they say more. */
const UNSURE: ReadonlySet<ProtocolErrorCode> = new Set(['UNAVAILABLE', 'INTERNAL']);

/** Whether it stays so until somebody mends the server's Kafka, or the recipient's inbox: nothing to wait for. */
export function isStuck({ refusal }: ClientError): boolean {
  return refusal?.stored === false;
}

/** Whether a message that was refused so will never be taken. */
export function isFinal({ code, refusal }: ClientError): boolean {
  if (code !== 'REFUSED' || refusal === undefined) return false;
  return !isPassing(refusal.code) && !NOT_HERE.has(refusal.code);
}
