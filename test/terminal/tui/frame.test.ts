/** Whole screens as text, drawn from a real history in memory. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChatState } from '../../../src/terminal/chat/display.ts';
import { History } from '../../../src/terminal/history/history.ts';
import type { Peer } from '../../../src/terminal/history/types.ts';
import { cells } from '../../../src/terminal/tui/cells.ts';
import { frameOf, messageColumns } from '../../../src/terminal/tui/frame.ts';
import { searchPage } from '../../../src/terminal/tui/hits.ts';
import { layoutFor } from '../../../src/terminal/tui/message-rows.ts';
import { textOf } from '../../../src/terminal/tui/rows.ts';
import { emptyScreen, isWide, type Screen, updateScreen } from '../../../src/terminal/tui/screen.ts';
import { Timeline } from '../../../src/terminal/tui/timeline.ts';
import { Random } from '../../protocol/random.ts';
import { sized } from '../../size.ts';
import { found } from '../history/harness.ts';

const CAROL: Peer = { kind: 'user', name: 'carol' };
const BOB: Peer = { kind: 'user', name: 'bob' };
const BOT: Peer = { kind: 'external', name: 'deploy-bot' };
const NOON = new Date(2026, 10, 21, 12, 0, 7).getTime();
const MINUTE = 60_000;
let history: History;

function come(peer: Peer, body: string, at = NOON): number {
  return history.received({ peer, at, body, key: null })?.id ?? 0;
}

function talk(part: Partial<ChatState> = {}): ChatState {
  return {
    server: '127.0.0.1:8080',
    link: { kind: 'online', server: 'test:1' },
    account: 'alice',
    wanted: 'alice',
    to: CAROL,
    ...part,
  };
}

function screenOf(columns: number, rows: number, part: Partial<ChatState> = {}): Screen {
  const screen = emptyScreen(talk(part), columns, rows);
  return updateScreen(screen, { type: 'conversations', conversations: history.conversations() });
}

function timelineOf(screen: Screen): Timeline {
  const layout = layoutFor(messageColumns(screen), isWide(screen), screen.chat.to);
  return new Timeline(history, screen.chat.to, layout, NOON);
}

function drawn(screen: Screen, timeline = timelineOf(screen)): string[] {
  return frameOf(screen, timeline, NOON).rows.map((row) => textOf(row).trimEnd());
}

function typed(screen: Screen, text: string): Screen {
  return updateScreen(screen, { type: 'edit', action: { type: 'insert', text } });
}

beforeEach(() => {
  history = History.open({ directory: null, server: 'test:1', account: 'alice' });
  come(BOT, 'build 7 is out', NOON - 3 * MINUTE);
  come(CAROL, 'are we still on for lunch?', NOON - 86_400_000);
  const sent = { messageId: 'ab', to: 'carol', at: NOON - 86_340_000, body: 'yes, 12:30' };
  history.sent({ ...sent, fate: { kind: 'delivered' } });
  history.read(CAROL, 3);
  come(CAROL, 'running late, start without me', NOON - MINUTE);
  come(CAROL, 'and order the soup', NOON);
  come(BOB, 'hello', NOON - MINUTE);
  come(BOB, 'hello?', NOON);
  history.read(BOT, 1);
});

afterEach(() => history.close());

describe('a conversation', () => {
  test('at 80×24', () => {
    const screen = typed(screenOf(80, 24), 'see you there');
    const timeline = timelineOf(screen);
    timeline.markUnread(4, 2);
    expect(drawn(screen, timeline)).toEqual([
      ' milena · alice  127.0.0.1:8080               2 conversations unread   ● online',
      '────────────────────┬───────────────────────────────────────────────────────────',
      ' 1 bob            2 │',
      '▸2 carol          2 │',
      ' 3 deploy-bot   ext │',
      ...Array(9).fill('                    │'),
      '                    │                                                 Yesterday',
      '                    │ 12:00  carol  are we still on for lunch?',
      '                    │ 12:01  me     yes, 12:30                               ✓✓',
      '                    │                                                     Today',
      '                    │ ───────────────────────── 2 new ─────────────────────────',
      '                    │ 11:59  carol  running late, start without me',
      '                    │ 12:00  carol  and order the soup',
      '────────────────────┴───────────────────────────────────────────────────────────',
      ' carol › see you there',
      ' Enter send · Alt+Enter newline · Alt+A next unread · Ctrl+B list · /help',
    ]);
  });

  test('at 60×20 the list is folded away, until the keys are given to it', () => {
    const screen = screenOf(60, 20);
    expect(drawn(screen)).toEqual([
      ' milena · alice           2 conversations unread   ● online',
      '─'.repeat(60),
      ...Array(9).fill(''),
      '                                                  Yesterday',
      ' 12:00  carol  are we still on for lunch?',
      ' 12:01  me     yes, 12:30                                ✓✓',
      '                                                      Today',
      ' 11:59  carol  running late, start without me',
      ' 12:00  carol  and order the soup',
      '─'.repeat(60),
      ' carol ›',
      ' Enter send · Alt+Enter newline · Alt+A next unread',
    ]);
    const list = updateScreen(screen, { type: 'list' });
    expect(drawn(list).slice(2, 5)).toEqual([
      expect.stringMatching(/^ 1 bob .* 2$/),
      expect.stringMatching(/^▸. carol .* 2$/),
      expect.stringMatching(/^ 3 deploy-bot .*ext +\S+$/),
    ]);
  });

  test('at 120×40 times have seconds and the list says when', () => {
    const rows = drawn(screenOf(120, 40));
    expect(rows[2]).toMatch(/^ [\d ] bob +\S+ 2 │$/);
    expect(rows[36]).toMatch(/^ {30}│ 12:00:07 {2}carol {2}and order the soup$/);
    expect(rows).toHaveLength(40);
  });

  test('too small a terminal says so', () => {
    expect(drawn(screenOf(19, 24))).toEqual(['19x24: needs 20x6']);
    expect(drawn(screenOf(20, 6))).toHaveLength(6);
  });
});

describe('what is to be done next', () => {
  const NOBODY: Partial<ChatState> = { account: null, wanted: null, to: null };
  const asking = (prompt: string, orCommand: boolean) => (screen: Screen) =>
    updateScreen(screen, {
      type: 'ask',
      question: { prompt, hint: '', masked: false, orCommand },
      keepsTyped: false,
    });

  function words(screen: Screen): string {
    return drawn(screen, new Timeline(null, null, layoutFor(60, false, null), NOON))
      .map((row) => row.slice(21))
      .join(' ')
      .replace(/\s+/g, ' ');
  }

  test.each<[string, Partial<ChatState>, (screen: Screen) => Screen, RegExp]>([
    [
      'not connected',
      { ...NOBODY, link: { kind: 'waiting', reason: 'no', retryInMs: 1 } },
      (screen) => screen,
      /Welcome.*cannot reach 127\.0\.0\.1:8080.*goes on trying/,
    ],
    ['asked for a name', NOBODY, asking('your name', true), /Welcome.*Enter a name below/],
    ['asked for what belongs to it', NOBODY, asking('password', false), /Welcome[^/]*read\. [^/]*$/],
    ['asked for nothing', NOBODY, (screen) => screen, /Welcome.*\/create NAME makes/],
    ['nobody to talk to yet', { to: null }, (screen) => screen, /\/list shows .*; \/msg NAME/],
  ])('%s', (_, part, change, expected) => {
    expect(words(change({ ...screenOf(80, 24, part), conversations: [] }))).toMatch(expected);
  });

  test('no conversation open', () => {
    expect(words(screenOf(80, 24, { to: null }))).toMatch(/Alt\+A opens the next unread/);
    expect(words(screenOf(80, 24, NOBODY))).toMatch(/Alt\+A opens the next unread/);
  });
});

describe('questions and pages', () => {
  test('a password is dots, and what was being written comes back', () => {
    const writing = typed(screenOf(80, 24), 'half a thought');
    const question = { prompt: 'password of alice', hint: 'Enter logs in', masked: true };
    const asking = typed(updateScreen(writing, { type: 'ask', question, keepsTyped: false }), 'hünter2');
    expect(drawn(asking).slice(-2)).toEqual([' password of alice › •••••••', ' Enter logs in']);
    const left = updateScreen(asking, { type: 'edit', action: { type: 'clear' } });
    const after = updateScreen(left, { type: 'ask', question: null, keepsTyped: false });
    expect(drawn(after).at(-2)).toBe(' carol › half a thought');
  });

  test.each([true, false])('after half a password the next question is asked whole, masked: %s', (masked) => {
    const question = { prompt: 'old password', hint: '', masked: true };
    const next = { prompt: 'the next', hint: 'says what to do', masked };
    const half = typed(updateScreen(screenOf(80, 24), { type: 'ask', question, keepsTyped: false }), 'hünt');
    const over = typed(updateScreen(half, { type: 'ask', question: next, keepsTyped: false }), 'er2');
    expect(drawn(over).slice(-2)).toEqual([
      ' old password › •••',
      expect.stringMatching(/^ this question has ended/),
    ]);
    // Another one may come before the person has gone on.
    const changed = { ...next, hint: 'says otherwise' };
    const still = updateScreen(over, { type: 'ask', question: changed, keepsTyped: true });
    expect(drawn(still).at(-2)).toBe(' old password › •••');
    expect(drawn(updateScreen(still, { type: 'go-on' })).slice(-2)).toEqual([
      ' the next ›',
      ' says otherwise',
    ]);
  });

  test('what a search has found, newest first, one of them chosen', () => {
    const page = searchPage(found(history, 'hello'));
    const screen = updateScreen(screenOf(80, 24), { type: 'page', page });
    const rows = drawn(screen).map((row) => row.slice(21));
    expect(rows.slice(2, 5)).toEqual([' 1 of 2 with hello', ' 12:00  bob  hello?', ' 11:59  bob  hello']);
    const down = updateScreen(screen, { type: 'pick', by: 5 });
    expect(down.page).toMatchObject({ picked: 1 });
  });
});

test('whatever is said, and whatever the size: as many rows as the terminal has, and none too wide', () => {
  const random = new Random(7);
  for (let i = 0; i < 60; i++) come(CAROL, random.text(80));
  come(CAROL, 'x'.repeat(5_000));
  come(CAROL, '漢字かな '.repeat(40));
  come(CAROL, 'مرحبا بالعالم שלום 👩‍👩‍👧‍👦🏳️‍🌈🇩🇪 e\u0301\u0301\u0301\u0301\u0301\u0301\u0301');
  come(CAROL, 'a\tb\u001b[31mred\u0007\u202eevil\u2066');
  for (let round = 0; round < sized(80, 200); round++) {
    const [columns, rows] = [20 + random.below(150), 6 + random.below(50)];
    let screen = typed(screenOf(columns, rows), random.text(100));
    if (random.below(4) === 0) screen = updateScreen(screen, { type: 'list' });
    const timeline = timelineOf(screen);
    if (random.below(2) === 0) timeline.scroll(-random.below(200), 5);
    const frame = frameOf(screen, timeline, NOON);
    expect(frame.rows).toHaveLength(rows);
    for (const row of frame.rows) expect(cells(textOf(row))).toBeLessThanOrEqual(columns);
    expect(frame.cursor?.x).toBeLessThan(columns);
    expect(frame.cursor?.y).toBeLessThan(rows);
  }
});
