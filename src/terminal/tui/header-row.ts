import type { ChatState } from '../chat/display.ts';
import { cells, shorten, toWidth } from './cells.ts';
import { type Role, type Row, rowCells, span } from './rows.ts';

const LINKS: Record<ChatState['link']['kind'], { text: string; role: Role }> = {
  connecting: { text: '◌ connecting', role: 'connecting' },
  online: { text: '● online', role: 'online' },
  waiting: { text: '○ no connection', role: 'offline' },
  closed: { text: '○ closed', role: 'offline' },
};

/**
 * Who, on which server, in which state, and how many conversations have something unread. Where it is narrow, first the
 * server gives way, then the program's name, then the words around the count.
 */
export function headerRow(state: ChatState, unread: number, columns: number): Row {
  const link = LINKS[state.link.kind];
  const counts =
    unread === 0
      ? ['']
      : [`${unread} ${unread === 1 ? 'conversation' : 'conversations'} unread`, `${unread} unread`];
  const who = whoIs(state);
  for (const count of counts) {
    const right = [...(count === '' ? [] : [span(count, 'unread'), span('   ')]), span(link.text, link.role)];
    const used = rowCells(right);
    for (const name of [` milena · ${who}`, ` ${who}`]) {
      for (const server of [`  ${state.server}`, '']) {
        const blank = columns - 1 - cells(name) - cells(server) - used;
        if (blank < 2) continue;
        return [span(name, 'strong'), span(server, 'dim'), span(' '.repeat(blank)), ...right, span(' ')];
      }
    }
  }
  const room = Math.max(0, columns - cells(link.text) - 1);
  return [
    span(toWidth(` ${shorten(who, room - 2)}`, room), 'strong'),
    span(shorten(link.text, columns), link.role),
  ];
}

function whoIs({ account, wanted }: ChatState): string {
  return account ?? (wanted === null ? 'not logged in' : `${wanted}, not logged in`);
}
