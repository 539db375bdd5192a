import { type Conversation, isSame, type Peer } from '../history/types.ts';

/** There are keys for so many: Alt+1 to Alt+9. */
const MAX_NUMBERS = 9;

/**
 * Conversations by their numbers, from 1 at index 0. One that has a number keeps it, whatever becomes of the list; new
 * ones get what is free, from the top of the list.
 * @returns the same array if nothing has changed
 */
export function numbered(before: readonly Peer[], conversations: readonly Conversation[]): readonly Peer[] {
  if (before.length >= MAX_NUMBERS) return before;
  const without = conversations
    .slice(0, MAX_NUMBERS)
    .filter(({ peer }) => numberOf(before, peer) === null)
    .slice(0, MAX_NUMBERS - before.length);
  return without.length === 0 ? before : [...before, ...without.map(({ peer }) => peer)];
}

/** From 1; null for one without. */
export function numberOf(numbers: readonly Peer[], peer: Peer): number | null {
  const index = numbers.findIndex((other) => isSame(other, peer));
  return index < 0 ? null : index + 1;
}
