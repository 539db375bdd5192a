import type { History } from '../history/history.ts';
import type { Conversation } from '../history/types.ts';
import { type HitPage, hitOf } from './hits.ts';

/** Highlighted messages on the page, read or not. */
const MAX_HIGHLIGHTED = 100;

/**
 * What is unread, and what held the person's name or words: of all conversations, newest first; null without any. Of what
 * is unread in one conversation it has the first ones, where somebody would begin to read.
 */
export function activityPage(history: History, conversations: readonly Conversation[]): HitPage | null {
  const unread = history.unread();
  const all = new Map([...unread, ...history.highlighted(MAX_HIGHLIGHTED)].map((one) => [one.id, one]));
  if (all.size === 0) return null;
  const messages = [...all.values()].toSorted((one, other) => other.id - one.id);
  const highlights = messages.filter(({ highlight }) => highlight).length;
  const count = conversations.reduce((sum, one) => sum + (one.notify === 'all' ? one.unread : 0), 0);
  const title = `Activity: ${count} unread (●), ${highlights} with your name or words (!)`;
  return {
    type: 'hits',
    title,
    hits: messages.map((message) => hitOf(message, [])),
    picked: 0,
    query: null,
    unread: new Set(unread.map(({ id }) => id)),
  };
}
