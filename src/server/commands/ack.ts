/*
 * ack {up to, ranges, room} → nothing: the client has these messages, of its inbox or of a room. Only what it was given counts, by
 * push or retrieve.
 */
import type { OffsetRange } from '../../core/inboxes.ts';
import type { RequestFor } from './command.ts';
import type { Holder, Services } from './context.ts';

export function ack(_services: Services, principal: Holder, { upTo, ranges, room }: RequestFor<'ack'>): null {
  const acknowledged: OffsetRange[] = ranges?.map(([first, last]) => ({ first, last })) ?? [];
  if (upTo !== undefined) acknowledged.push({ first: 0, last: upTo });
  principal.acknowledge(acknowledged, room);
  return null;
}
