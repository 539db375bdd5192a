/*
 * ack {up to, ranges, room, its incarnation} → nothing: the client has these messages, of its inbox or of a life of a room. Only what
 * it was given counts, by push or retrieve.
 */
import type { OffsetRange } from '../../core/inboxes.ts';
import type { RequestFor } from './command.ts';
import type { Holder, Services } from './context.ts';

export function ack(_services: Services, principal: Holder, request: RequestFor<'ack'>): null {
  const { upTo, ranges, room: name, roomIncarnation: incarnation } = request;
  const acknowledged: OffsetRange[] = ranges?.map(([first, last]) => ({ first, last })) ?? [];
  if (upTo !== undefined) acknowledged.push({ first: 0, last: upTo });
  const room = name !== undefined && incarnation !== undefined ? { name, incarnation } : undefined;
  principal.acknowledge(acknowledged, room);
  return null;
}
