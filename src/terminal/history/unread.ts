import type { Conversation } from './types.ts';

/** Whether the conversation has something unread that the person wants to be told of. */
export function isNews({ unread, highlights, notify }: Conversation): boolean {
  if (notify === 'nothing') return false;
  return (notify === 'all' ? unread : highlights) > 0;
}

/** Conversations with something unread that the person wants to be told of: what the header and the title say. */
export function countNews(conversations: readonly Conversation[]): number {
  return conversations.filter(isNews).length;
}

/** The conversation to read next, of a list with the newest activity first: the oldest news, then what is unread besides. */
export function nextToRead(conversations: readonly Conversation[]): Conversation | undefined {
  return conversations.findLast(isNews) ?? conversations.findLast(({ unread }) => unread > 0);
}
