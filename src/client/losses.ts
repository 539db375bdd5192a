import type { ServerFrameOf } from '../protocol/v2/replies.ts';

/** What a login says of messages that Kafka has lost: sentences for the person. */
export function wordsForLosses({ again = 0, gone = 0 }: ServerFrameOf<'created' | 'logged-in'>): string[] {
  const said: string[] = [];
  if (again > 0) said.push(`a part of your inbox was lost; ${count(again)} may come twice.`);
  if (gone > 0) said.push(`${count(gone)} had been deleted before you could read them.`);
  return said;
}

function count(messages: number): string {
  return messages === 1 ? 'one message' : `${messages} messages`;
}
