/** How rooms look: in the list, and who has said what in one. */
import { describe, expect, test } from 'vitest';
import type { Conversation, Peer, StoredMessage } from '../../../src/terminal/history/types.ts';
import { listRows } from '../../../src/terminal/tui/list-rows.ts';
import { layoutFor, messageRows } from '../../../src/terminal/tui/message-rows.ts';
import { rowCells, type Span, textOf } from '../../../src/terminal/tui/rows.ts';

const OPS: Peer = { kind: 'room', name: '#ops' };
const QUIET: Conversation = {
  ...{ peer: OPS, lastId: 1, lastAt: 1, unread: 0, firstUnread: null, highlights: 0, activity: 1 },
  ...{ notify: 'highlights', joined: true, draft: '' },
};

describe('a room in the list', () => {
  test.each<[string, Partial<Conversation>, string, Span['role']]>([
    ['is as any conversation', {}, '#ops', 'text'],
    ['with chatter is quieter than people', { unread: 3 }, '#ops 3', 'strong'],
    ['with a mention stands out', { unread: 3, highlights: 1 }, '#ops !3', 'highlight'],
    ['that is wanted is as loud as people', { unread: 3, notify: 'all' }, '#ops 3', 'unread'],
    ['that is muted says so', { unread: 3, highlights: 1, notify: 'nothing' }, '#ops mute !3', 'dim'],
    ['that was left says so', { joined: false }, '#ops left', 'dim'],
  ])('%s', (_, change, text, role) => {
    const view = { conversations: [{ ...QUIET, ...change }], open: null, picked: null, numbers: [] };
    const [row = []] = listRows(view, 20, 5, 1);
    expect(textOf(row).replace(/ +/g, ' ').trim()).toBe(text);
    expect(row[1]?.role).toBe(role);
    expect(rowCells(row)).toBe(20);
  });
});

describe('what somebody says in a room', () => {
  const said = (author: Peer): StoredMessage => ({
    ...{ id: 1, peer: OPS, author, direction: 'in', at: 0, body: 'soup', fate: null, highlight: false },
  });
  const nameOfRow = (columns: number, author: Peer): Span => {
    const [row = []] = messageRows(said(author), layoutFor(columns, false, OPS), { day: null, unread: 0 }, 0);
    return row[1] ?? { text: '', role: 'text' };
  };

  test('has their name beside it, in a colour that is theirs', () => {
    const bob: Peer = { kind: 'user', name: 'bob' };
    expect(nameOfRow(60, bob)).toEqual({ text: 'bob         ', role: 'name', who: 'bob' });
    expect(nameOfRow(60, { kind: 'user', name: 'me' }).text.trim()).toBe('@me');
    expect(nameOfRow(60, { kind: 'external', name: 'bob' })).toEqual({
      text: 'ext bob     ',
      role: 'external',
    });
  });

  test('of a record is its place, and below it why it is shown as it is', () => {
    const author: Peer = { kind: 'external', name: 'orders.dlq' };
    const record = { partition: 3, offset: 1042, note: 'filter: no\u001b[2J field' };
    const layout = layoutFor(60, false, OPS);
    const rows = messageRows({ ...said(author), record }, layout, { day: null, unread: 0 }, 0);
    expect(rows[0]?.[1]).toEqual({ text: '3/1042      ', role: 'dim' });
    expect(rows.map((row) => textOf(row).trim()).slice(1)).toEqual(['filter: no␛[2J field']);
    expect(rows[1]?.[0]?.role).toBe('dim');
  });

  test('is nobody else’s, however much of the name is cut', () => {
    const names = ['alexandra-of-the-night', 'alexandra-of-the-light', 'alexander-of-the-night'];
    const cut = names.map((name) => nameOfRow(60, { kind: 'user', name }).text);
    expect(new Set(cut).size).toBe(names.length);
    for (const text of cut) expect(text).toMatch(/^alexand.~?.*~[0-9a-f]{2} *$/);
  });
});
