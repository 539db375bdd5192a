import { type Conversation, isNews, isSame, type Peer, usualLevel } from '../history/types.ts';
import { sanitiseName } from '../sanitise.ts';
import { cells, toWidth, unjoined } from './cells.ts';
import { cutNames } from './cut-names.ts';
import { lately } from './days.ts';
import { numberOf } from './numbers.ts';
import { counted, type Role, type Row, span } from './rows.ts';

/** From so many columns on, the list says when something was said last. */
const WITH_TIME = 24;
/** The mark of the open one, the number, and a blank. */
const LEFT_COLUMNS = 3;

/** What the list shows, and how: `picked` is where the keys are while they belong to the list. */
export interface ListView {
  readonly conversations: readonly Conversation[];
  readonly open: Peer | null;
  readonly picked: number | null;
  /** The keys to conversations: the first is Alt+1. */
  readonly numbers: readonly Peer[];
}

/** The list of conversations in exactly `columns` cells a row; at most `height` rows. */
export function listRows(view: ListView, columns: number, height: number, now: number): Row[] {
  const { conversations, open, picked, numbers } = view;
  if (conversations.length === 0) return [[span(toWidth(' Nobody yet', columns), 'dim')]];
  const first = firstShown(view, height);
  const shown = conversations.slice(first, first + height);
  const rights = shown.map((conversation) => rightOf(conversation, columns, now));
  const rooms = rights.map((right) => columns - LEFT_COLUMNS - cells(right) - 1);
  const names = cutNames(
    shown.map(({ peer: { name } }) => (name === '' ? '(no name)' : unjoined(sanitiseName(name)))),
    rooms,
  );
  return shown.map((conversation, index): Row => {
    const isPicked = picked === first + index;
    const isOpen = isSame(conversation.peer, open);
    const left = `${isOpen ? '▸' : ' '}${numberOf(numbers, conversation.peer) ?? ' '} `;
    const name = toWidth(names[index] ?? '', rooms[index] ?? 0) + rights[index];
    const role = isPicked ? 'selected' : roleOf(conversation, isOpen);
    return [span(left, role === 'highlight' ? 'unread' : role), span(name, role), span(' ')];
  });
}

function roleOf(conversation: Conversation, isOpen: boolean): Role {
  if (conversation.notify === 'nothing' || hasLeft(conversation)) return 'dim';
  if (isNews(conversation)) return conversation.highlights > 0 ? 'highlight' : 'unread';
  // What is said in a room, to nobody in particular, is quieter than what is said to one.
  return isOpen || isChatter(conversation) ? 'strong' : 'text';
}

function hasLeft({ peer, joined }: Conversation): boolean {
  return peer.kind === 'room' && !joined;
}

function isChatter({ peer, unread }: Conversation): boolean {
  return peer.kind === 'room' && unread > 0;
}

/** What stands behind a name: `ext`, the time, how many are unread; `!` if one of those is highlighted. */
function rightOf(conversation: Conversation, columns: number, now: number): string {
  const { peer, lastAt, unread, highlights, notify } = conversation;
  const count = counted(unread);
  const parts = [
    ...(peer.kind === 'external' ? ['ext'] : []),
    ...(hasLeft(conversation) ? ['left'] : []),
    ...(notify === 'nothing'
      ? ['mute']
      : notify === 'highlights' && notify !== usualLevel(peer)
        ? ['!']
        : []),
    ...(columns >= WITH_TIME && lastAt > 0 ? [lately(lastAt, now).padStart(5)] : []),
    ...(unread > 0 ? [highlights > 0 ? `!${count}` : count] : []),
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
