/** Whole screens of the built client in a real terminal, at several sizes and on the way between them. */
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { cutName } from '../../src/terminal/tui/cut-names.ts';
import { fitHints } from '../../src/terminal/tui/hints.ts';
import { wrapRows } from '../../src/terminal/tui/wrap.ts';
import { share } from '../size.ts';
import {
  closeClients,
  create,
  LARGE,
  NARROW,
  openClient,
  openServerHere,
  person,
  removeFolders,
  type ServerHere,
  screenOf,
  WIDE,
} from './client-terminal.ts';
import { Friend } from './friend.ts';
import { built } from './running-frontend.ts';
import type { TestTerminal } from './terminal.ts';

interface Size {
  readonly columns: number;
  readonly rows: number;
}

const SMALL = { columns: 20, rows: 6 };
const TOO_SMALL = { columns: 19, rows: 5 };
const HINT = ' Enter send · Alt+Enter newline · Alt+A next unread · Ctrl+B list · /help';
let frontend: ServerHere;

beforeAll(async () => {
  await built();
  frontend = await openServerHere();
});

afterEach(closeClients);

afterAll(async () => {
  removeFolders();
  await frontend.remove();
});

interface Drawn {
  readonly header: string;
  /** Beside the messages; undefined: there is no list. */
  readonly list?: readonly string[];
  /** From the top of what is beside the list, and down to its end. */
  readonly top?: readonly string[];
  readonly bottom?: readonly string[];
  readonly input: string;
  readonly hint: string;
}

/** All rows of a screen. */
function whole({ columns, rows }: Size, drawn: Drawn): string[] {
  const { header, list, top = [], bottom = [], input, hint } = drawn;
  const height = rows - 5;
  const beside = columns < 120 ? 20 : 30;
  const blank = Array<string>(height - top.length - bottom.length).fill('');
  const body = [...top, ...blank, ...bottom].map((row, index) =>
    list === undefined ? row : `${(list[index] ?? '').padEnd(beside)}│${row}`,
  );
  const rule = (joint: string) =>
    list === undefined
      ? '─'.repeat(columns)
      : `${'─'.repeat(beside)}${joint}${'─'.repeat(columns - beside - 1)}`;
  return [header, rule('┬'), ...body, rule('┴'), input, hint];
}

/** Left and right ends of a row. */
function ends(columns: number, left: string, right: string): string {
  return left + right.padStart(columns - 1 - left.length);
}

/** Resizes, and waits until every row is what it has to be. */
async function becomes(
  terminal: TestTerminal,
  size: Size,
  names: readonly string[],
  rows: readonly string[],
): Promise<void> {
  terminal.resize(size.columns, size.rows);
  await terminal.until(() => expect(screenOf(terminal, ...names)).toEqual(rows));
}

/** Down to where nothing fits, and back. */
async function shrinks(
  terminal: TestTerminal,
  names: readonly string[],
  small: readonly string[],
  wide: readonly string[],
): Promise<void> {
  await becomes(terminal, SMALL, names, small);
  await becomes(terminal, TOO_SMALL, names, ['19x5: needs 20x6', '', '', '', '']);
  await terminal.until(() => expect(terminal.showsCursor).toBe(false));
  await becomes(terminal, SMALL, names, small);
  await terminal.until(() => expect(terminal.showsCursor).toBe(true));
  await becomes(terminal, TOO_SMALL, names, ['19x5: needs 20x6', '', '', '', '']);
  await becomes(terminal, WIDE, names, wide);
}

test.each(share([0, 10, 23], 3, 2))('the first start, below %d lines of the shell', async (lines) => {
  const before = `for i in $(seq ${lines}); do echo line $i; done`;
  const terminal = openClient(frontend.address.port, { before });
  const who = ' milena · not logged in  127.0.0.1:PPPPP';
  const input = ' your name ›';
  const hint = ' a name that you have, or a new one · Esc looks around first';
  const wide = whole(WIDE, {
    header: ends(80, who, '● online'),
    list: [' Nobody yet'],
    top: [
      '',
      ' Welcome to Milena: messages that wait until they are',
      ' read.',
      '',
      ' Enter a name below. One that nobody has becomes your',
      ' account.',
    ],
    bottom: [' hh:mm  ·  Connected to 127.0.0.1:PPPPP.'],
    input,
    hint,
  });
  await becomes(terminal, WIDE, [], wide);
  await terminal.until(() => expect(terminal.cursor).toEqual({ column: 13, row: 22 }));
  await becomes(
    terminal,
    NARROW,
    [],
    whole(NARROW, {
      header: ends(60, who, '● online'),
      top: [
        '',
        ' Welcome to Milena: messages that wait until they are read.',
        '',
        ' Enter a name below. One that nobody has becomes your',
        ' account.',
      ],
      bottom: [' hh:mm  ·  Connected to 127.0.0.1:PPPPP.'],
      input,
      hint: ` ${fitHints(hint.slice(1), 58)}`,
    }),
  );
  await becomes(
    terminal,
    LARGE,
    [],
    whole(LARGE, {
      header: ends(120, who, '● online'),
      list: [' Nobody yet'],
      top: [
        '',
        ' Welcome to Milena: messages that wait until they are read.',
        '',
        ' Enter a name below. One that nobody has becomes your account.',
      ],
      bottom: [' hh:mm:ss  ·  Connected to 127.0.0.1:PPPPP.'],
      input,
      hint,
    }),
  );
  const small = [
    ' not logg… ● online',
    ' hh:mm · Connected',
    '         to 127.0.0',
    '         .1:PPPPP.',
    ' your … ›',
    ' a name that you…',
  ];
  await shrinks(terminal, [], small, wide);
  terminal.type('\u001b');
  await terminal.shows(/\/create NAME makes an account/);
});

describe('with two conversations', () => {
  let names: string[];
  let terminal: TestTerminal;
  const LIST = ['▸1 ben······', ' 2 cat······      1'];
  const LARGE_LIST = ['▸1 ben······            hh:mm', ' 2 cat······          hh:mm 1'];
  const header = (size: Size) =>
    ends(
      size.columns,
      size.columns < 80 ? ' milena · ann······' : ' milena · ann······  127.0.0.1:PPPPP',
      '1 conversation unread   ● online',
    );
  const said = (columns: number, time: string) => [
    'Today'.padStart(columns - 1),
    ` ${time}  ben······  are we still on for lunch?`,
    ends(columns, ` ${time}  me         yes, half past`, '✓✓'),
  ];

  /** Ann, whom ben and cat have written to, with ben's conversation open. */
  async function open(): Promise<void> {
    names = ['ann', 'ben', 'cat'].map(person);
    const [ann = '', ben = '', cat = ''] = names;
    terminal = openClient(frontend.address.port);
    await create(terminal, ann);
    const friends = await Promise.all([ben, cat].map((name) => Friend.create(name, frontend.address)));
    for (const friend of friends) onTestFinished(() => friend.close());
    const [other, third] = friends;
    other?.write(ann, 'are we still on for lunch?');
    await terminal.shows(/1 conversation unread/);
    third?.write(ann, "Lunch is at the usual place, isn't it?");
    await terminal.shows(/2 conversations unread/);
    terminal.type(`/msg ${ben}\r`);
    await terminal.shows(/are we still on/);
    terminal.type('yes, half past\r');
    await terminal.shows(/half past +✓✓$/m);
  }

  test('a conversation, with something half written', async () => {
    await open();
    terminal.type('half a thought');
    const input = ' ben······ › half a thought';
    const wide = whole(WIDE, {
      header: header(WIDE),
      list: LIST,
      bottom: said(59, 'hh:mm'),
      input,
      hint: HINT,
    });
    await becomes(terminal, WIDE, names, wide);
    await terminal.until(() => expect(terminal.cursor).toEqual({ column: 27, row: 22 }));
    const narrow = whole(NARROW, {
      header: header(NARROW),
      bottom: said(60, 'hh:mm'),
      input,
      hint: ' Enter send · Alt+Enter newline · Alt+A next unread',
    });
    await becomes(terminal, NARROW, names, narrow);
    const large = whole(LARGE, {
      header: header(LARGE),
      list: LARGE_LIST,
      bottom: said(89, 'hh:mm:ss'),
      input,
      hint: HINT,
    });
    await becomes(terminal, LARGE, names, large);
    const small = [
      ' ann······ ● online',
      '   for lunch?',
      ' hh:mm me',
      '   yes, half past ✓✓',
      ' ben··… › thought',
      ' ↑ 1 more above',
    ];
    await shrinks(terminal, names, small, wide);
    // Back and forth, faster than it is drawn.
    for (const size of [NARROW, SMALL, LARGE, TOO_SMALL, WIDE, NARROW, TOO_SMALL, LARGE]) {
      terminal.resize(size.columns, size.rows);
    }
    await becomes(terminal, LARGE, names, large);
    await becomes(terminal, NARROW, names, narrow);
  });

  test('the list, with the keys in it', async () => {
    await open();
    terminal.type('\u0002');
    const [input, hint] = [' ben······ ›', ' ↑ ↓ choose · Enter opens · Esc back'];
    const wide = whole(WIDE, { header: header(WIDE), list: LIST, bottom: said(59, 'hh:mm'), input, hint });
    await becomes(terminal, WIDE, names, wide);
    await terminal.until(() => expect(terminal.inverseRows).toEqual([2]));
    terminal.type('\u001b[B');
    await terminal.until(() => expect(terminal.inverseRows).toEqual([3]));
    await terminal.until(() => expect(screenOf(terminal, ...names)).toEqual(wide));
    const folded = [ends(60, '▸1 ben······', 'hh:mm'), ends(60, ' 2 cat······', 'hh:mm 1')];
    await becomes(
      terminal,
      NARROW,
      names,
      whole(NARROW, { header: header(NARROW), top: folded, input, hint }),
    );
    await terminal.until(() => expect(terminal.inverseRows).toEqual([3]));
    await becomes(
      terminal,
      LARGE,
      names,
      whole(LARGE, { header: header(LARGE), list: LARGE_LIST, bottom: said(89, 'hh:mm:ss'), input, hint }),
    );
    const small = [
      ' ann······ ● online',
      '▸1 ben······',
      ' 2 cat······      1',
      '',
      ' ben··… ›',
      ' ↑ ↓ choose',
    ];
    await shrinks(terminal, names, small, wide);
    terminal.type('\u001b');
    await terminal.shows(/^ Enter send/m);
    await terminal.until(() => expect(terminal.inverseRows).toEqual([]));
  });

  test('help', async () => {
    await open();
    terminal.type('/help\r');
    const [input, hint] = [' ben······ ›', ' Esc back · PageUp PageDown'];
    const help = [
      ' What you can type',
      ' /msg NAME [TEXT]               open the conversation with NAME, and say TEXT',
      ' /join #ROOM, /leave, /members  go into a room; out of it; who is in it',
      ' /room, /invite, /kick NAME     about rooms; let into this one; put out of it',
      ' /holders, /raw [PLACE]         who has this message; the record that it shows',
      ' /list [PATTERN], /who NAME…    accounts (* any characters); who is there',
      ' /next, /read, /close, /clear   next unread; all here read; leave; empty window',
      ' /search WORDS, /activity       look for words, from: in: …; what concerns you',
      ' /open [N], /copy               an address said here; the last code block',
      ' /export [FILE], /forget        this conversation to a file; out of the history',
      ' /notify LEVEL, /mute           bell and count here: all, highlights or nothing',
      ' /block [NAME], /unblock NAME   take no messages, or again',
      ' /create NAME, /login NAME      make an account, or enter it',
      ' /passwd, /devices, /retrieve   your password; your devices; what has waited',
      ' /logout, /delete, /quit        log out; delete the account; leave',
      '',
      ' Enter sends · Alt+Enter new line · Tab completes · Ctrl+_ takes back a change',
      ' Alt+A next unread · Alt+M what concerns you · Ctrl+B list · Alt+↑ Alt+↓ other',
      ' PageUp PageDown scroll · Ctrl+R looks back · Ctrl+C leaves · /help keys: all',
    ];
    const wide = whole(WIDE, { header: header(WIDE), top: help, input, hint });
    await becomes(terminal, WIDE, names, wide);
    // Too wide rows go on below: nothing of it is cut.
    const wrapped = help.slice(1).flatMap((row) => wrapRows([row.slice(1)], NARROW.columns - 2));
    const narrow = [help[0] ?? '', ...wrapped.map((row) => ` ${row}`.trimEnd())].slice(0, 15);
    await becomes(
      terminal,
      NARROW,
      names,
      whole(NARROW, { header: header(NARROW), top: narrow, input, hint }),
    );
    await becomes(terminal, LARGE, names, whole(LARGE, { header: header(LARGE), top: help, input, hint }));
    const small = [
      ' ann······ ● online',
      ' What you can type',
      ' /msg NAME [TEXT]',
      '     open the',
      ' ben··… ›',
      ' Esc back',
    ];
    await shrinks(terminal, names, small, wide);
  });

  test('what a search has found', async () => {
    await open();
    terminal.type('/search lunch\r');
    const [input, hint] = [' ben······ ›', ' ↑ ↓ choose · Enter goes there · Esc back'];
    const found = [
      ' 1 of 2 with lunch',
      " hh:mm  cat······  Lunch is at the usual place, isn't it?",
      ' hh:mm  ben······  are we still on for lunch?',
    ];
    const wide = whole(WIDE, { header: header(WIDE), list: LIST, top: found, input, hint });
    await becomes(terminal, WIDE, names, wide);
    // The picked one, and what was looked for in the other.
    await terminal.until(() => expect(terminal.inverseRows).toEqual([3, 4]));
    const narrow = whole(NARROW, { header: header(NARROW), top: found, input, hint });
    await becomes(terminal, NARROW, names, narrow);
    const large = whole(LARGE, { header: header(LARGE), list: LARGE_LIST, top: found, input, hint });
    await becomes(terminal, LARGE, names, large);
    const small = [
      ' ann······ ● online',
      ' 1 of 2 with lunch',
      ` ${cutName(names[2] ?? '', 6)}  Lunch is …`,
      ` ${cutName(names[1] ?? '', 6)}  …or lunch?`,
      ' ben··… ›',
      ' ↑ ↓ choose',
    ];
    await shrinks(terminal, names, small, wide);
    // From hit to hit, each of them marked where it stands: bold, inverse and in its colour.
    const marked = (word: string) => `\u001b[1m\u001b[7m\u001b[32m${word}\u001b`;
    terminal.type('\r');
    await terminal.shows(/^ cat\w{6} › *$/m, /^ hit 1 of 2 · Alt\+N older · Esc ends it$/m);
    await terminal.until(() => expect(terminal.output).toContain(marked('Lunch')));
    terminal.type('\u001bn');
    await terminal.shows(
      /^ ben\w{6} › *$/m,
      /^ hit 2 of 2, the oldest · Alt\+Shift\+N newer · Esc ends it$/m,
    );
    await terminal.until(() => expect(terminal.output).toContain(marked('lunch')));
    terminal.type('\u001bN');
    await terminal.shows(/^ cat\w{6} › *$/m, /^ hit 1 of 2/m);
  });
});
