/*
 * ack {up to, ranges} → nothing: the client has these messages. Only what it was given counts, by push or retrieve.
 */
import type { OffsetRange } from '../../core/inboxes.ts';
import type { RequestFor } from './command.ts';
import type { Holder, Services } from './context.ts';

export function ack(_services: Services, principal: Holder, { upTo, ranges }: RequestFor<'ack'>): null {
  const acknowledged: OffsetRange[] = ranges?.map(([first, last]) => ({ first, last })) ?? [];
  if (upTo !== undefined) acknowledged.push({ first: 0, last: upTo });
  principal.acknowledge(acknowledged);
  return null;
}
