import { isSame } from '../history/peers.ts';
import type { Conversation, Peer } from '../history/types.ts';
import { sanitiseName } from '../sanitise.ts';
import { cells, toWidth, unjoined } from './cells.ts';
import { lately } from './days.ts';
import { type Row, span } from './rows.ts';

/** From so many columns on, the list says when something was said last. */
const WITH_TIME = 24;
const MAX_COUNT = 999;

/** What the list shows, and how: `picked` is where the keys are while they belong to the list. */
export interface ListView {
  readonly conversations: readonly Conversation[];
  readonly open: Peer | null;
  readonly picked: number | null;
}

/** The list of conversations in exactly `columns` cells a row; at most `height` rows. */
export function listRows(view: ListView, columns: number, height: number, now: number): Row[] {
  const { conversations, open, picked } = view;
  if (conversations.length === 0) return [[span(toWidth(' Nobody yet', columns), 'dim')]];
  const first = firstShown(view, height);
  return conversations.slice(first, first + height).map((conversation, index): Row => {
    const isPicked = picked === first + index;
    const isOpen = isSame(conversation.peer, open);
    const right = rightOf(conversation, columns, now);
    const { peer } = conversation;
    const name = peer.name === '' ? '(no name)' : unjoined(sanitiseName(peer.name));
    const left = `${isOpen ? '▸' : ' '} ${name}`;
    const text = toWidth(left, columns - cells(right) - 1) + right;
    const unread = conversation.unread > 0 && !conversation.muted;
    const role = isPicked ? 'selected' : unread ? 'unread' : isOpen ? 'strong' : 'text';
    return [span(text, conversation.muted && !isPicked ? 'dim' : role), span(' ')];
  });
}

/** What stands behind a name: `ext`, the time, how many are unread. */
function rightOf({ peer, lastAt, unread, muted }: Conversation, columns: number, now: number): string {
  const parts = [
    ...(peer.kind === 'external' ? ['ext'] : []),
    ...(muted ? ['mute'] : []),
    ...(columns >= WITH_TIME && lastAt > 0 ? [lately(lastAt, now).padStart(5)] : []),
    ...(unread > 0 ? [unread > MAX_COUNT ? `${MAX_COUNT}+` : String(unread)] : []),
  ];
  return parts.length === 0 ? '' : ` ${parts.join(' ')}`;
}

/** Which conversation a row of the list shows; null: none. */
export function conversationInRow(view: ListView, height: number, row: number): number | null {
  const index = firstShown(view, height) + row;
  return index < view.conversations.length ? index : null;
}

/** The first one that is shown so that the current one is in sight, if possible in the middle. */
function firstShown({ conversations, open, picked }: ListView, height: number): number {
  const current = Math.max(0, picked ?? conversations.findIndex(({ peer }) => isSame(peer, open)));
  return Math.max(0, Math.min(current - Math.floor(height / 2), conversations.length - height));
}
