import type { RequestOf } from '../../protocol/v2/requests.ts';
import { ClientError } from '../errors.ts';
import { sanitiseLine } from '../sanitise.ts';
import { ask } from '../v2/dialect.ts';
import type { Unsettled } from '../v2/memory.ts';
import { EXIT, exitOf } from './exit.ts';
import type { Journal } from './journal.ts';
import type { Link } from './link.ts';

/** So many messages at a time go out beside what the command itself asks: a connection takes 16 requests. */
const AT_ONCE = 8;

/**
 * Sends again what earlier commands, or the screen, have sent without an answer: under the same ids, so that it arrives
 * once. What is refused for now waits for the next login. Resolves when those to `first` are answered, since nothing
 * may overtake them on their way to that recipient; the others are answered before the connection's later requests.
 */
export async function resendWaiting(link: Link, journal: Journal, first: string | null): Promise<void> {
  const waiting = journal.unsettled().filter(({ receipt }) => receipt === null);
  for (const entry of waiting.filter(({ to }) => to === first)) await resend(link, journal, entry);
  // In their order: one connection's sends to one recipient are stored so.
  const others = waiting.filter(({ to }) => to !== first).slice(0, AT_ONCE);
  for (const entry of others) void resend(link, journal, entry);
}

async function resend(link: Link, journal: Journal, { id, to, body }: Unsettled): Promise<void> {
  const request: RequestOf<'send'> = { type: 'send', id: Buffer.from(id, 'hex'), to, body };
  try {
    const { receipt } = await ask(link.connection, request);
    journal.fate({ id, state: { kind: 'stored' }, receipt });
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (!isFinal(error)) return;
    const reason = sanitiseLine(error.message);
    journal.fate({ id, state: { kind: 'refused', reason }, receipt: null });
  }
}

/** Whether a message that was refused so will never be taken. */
export function isFinal(error: ClientError): boolean {
  if (error.refusal?.code === 'MAILBOX_FULL') return true;
  const code = exitOf(error);
  return error.code === 'REFUSED' && code !== EXIT.TRY_LATER && code !== EXIT.FAULT;
}
