import { MAX_REPLY_PAYLOAD } from '../frame.ts';
import { cborLength } from './cbor-writer.ts';
import type { Message } from './replies.ts';
import { MAX_PAGE } from './requests.ts';

/** What a page has besides its items: the map, two keys, the array's head, `more`. */
const PAGE_OVERHEAD = 32;

/**
 * How many messages from the front fit into one retrieve reply of at most `limit` bytes; the others stay for the
 * next one. At least one if there is any, or a message over the limit would stand in the way for ever (an inbox
 * takes no record over 128 KiB, so with the default limit that cannot happen).
 */
export function fitMessages(messages: readonly Message[], limit: number = MAX_REPLY_PAYLOAD): number {
  return Math.max(countFitting(messages, limit), Math.min(1, messages.length));
}

/** How many names from the front fit into one list reply of at most `limit` bytes. */
export function fitNames(names: readonly string[], limit: number = MAX_REPLY_PAYLOAD): number {
  return countFitting(names, limit);
}

function countFitting(items: readonly (Message | string)[], limit: number): number {
  let bytes = PAGE_OVERHEAD;
  let fitting = 0;
  for (const item of items.slice(0, MAX_PAGE)) {
    bytes += cborLength(item);
    if (bytes > limit) break;
    fitting += 1;
  }
  return fitting;
}
