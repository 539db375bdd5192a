/*
 * retrieve {limit} → retrieved {messages, more}: the undelivered messages that were not pushed, oldest first, as many
 * as fit into one reply. In version 1 they count as delivered once the reply has gone out, in version 2 once they are
 * acknowledged: until then they are retrieved again.
 * Failures: UNAVAILABLE, REPLACED, INBOX_LOST (that happened meanwhile).
 */
import type { InboxMessage } from '../../core/inboxes.ts';
import { MAX_PAGE } from '../../protocol/v2/requests.ts';
import type { RequestFor } from './command.ts';
import type { Caller, Holder, Services } from './context.ts';

export interface Retrieved {
  readonly type: 'retrieved';
  readonly messages: readonly InboxMessage[];
  /** There are more than these. */
  readonly more: boolean;
}

/** More than any body in an inbox has: reading stops only where that many bytes too many have come. */
const LARGEST_BODY = 128 * 1024;

/** @throws EngineError */
export async function retrieve(
  services: Services,
  { principal, version }: Caller<Holder>,
  { limit = MAX_PAGE }: RequestFor<'retrieve'>,
): Promise<Retrieved> {
  const { retrieveBytes, retrieveMessages } = services.limits;
  const most = Math.min(limit, retrieveMessages);
  // A little more than can be answered: what is left over says that there is more.
  const found = await services.reading.pass(principal.account.name, () =>
    principal.inbox.read({ maxBytes: retrieveBytes + LARGEST_BODY, maxMessages: most + 1 }),
  );
  const messages = found.slice(0, Math.min(most, version.fitRetrieved(found)));
  return { type: 'retrieved', messages, more: found.length > messages.length };
}
