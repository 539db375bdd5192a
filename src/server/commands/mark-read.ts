/*
 * mark-read {conversation, upTo} → marked: up to where a conversation was read with this device, for the account's others. Written
 * down at most every two seconds for each conversation, the last word of that time; where there are no others, not at all.
 * Failures: RATE_LIMITED (too many conversations at once).
 */
import type { ServerFrameOf } from '../../protocol/v2/replies.ts';
import type { RequestFor } from './command.ts';
import { accountNow, type Holder, type Services } from './context.ts';

/** @throws ProtocolError */
export function markRead(
  services: Services,
  principal: Holder,
  { conversation, upTo }: RequestFor<'mark-read'>,
): ServerFrameOf<'marked'> {
  const { devices = [] } = accountNow(services, principal);
  if (devices.length > 0) principal.markRead(conversation, upTo);
  return { type: 'marked' };
}
