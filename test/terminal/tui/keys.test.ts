import { describe, expect, test } from 'vitest';
import { Bursts } from '../../../src/terminal/keyboard/bursts.ts';
import { Decoder } from '../../../src/terminal/keyboard/decoder.ts';
import { EMPTY_INPUT, editInput, type InputAction } from '../../../src/terminal/tui/input-line.ts';
import { type KeyAction, keyAction } from '../../../src/terminal/tui/keys.ts';
import { Random } from '../../protocol/random.ts';
import { sized } from '../../size.ts';

/* What terminals send, from the bytes to what a key does. */

/** Longer than anything is waited for. */
const AFTER_ALL_MS = 60_000;

/** What some bytes do, in one read or in several, and nothing behind them. */
function pressed(...reads: string[]): KeyAction[] {
  const [decoder, bursts] = [new Decoder(), new Bursts()];
  const events = reads.flatMap((bytes, index) => bursts.push(decoder.push(Buffer.from(bytes), index), index));
  events.push(...bursts.push(decoder.tick(AFTER_ALL_MS), AFTER_ALL_MS), ...bursts.tick(2 * AFTER_ALL_MS));
  return events.map((event) => keyAction(event)).filter((action) => action !== null);
}

/** Insertions as they are, other actions by their names. */
function inShort(actions: readonly KeyAction[]): string[] {
  return actions.map((action) => {
    if (action.type === 'insert') return JSON.stringify(action.text);
    if (action.type === 'paste') return `paste ${JSON.stringify(action.text)}`;
    return action.type === 'jump' ? `jump ${action.index}` : action.type;
  });
}

describe('keys as terminals send them', () => {
  test.each<[string, string, string | null]>([
    ['Enter', '\r', 'submit'],
    ['Enter of the keypad', '\u001bOM', 'submit'],
    ['Alt+Enter', '\u001b\r', 'newline'],
    ['Alt+Enter as LF', '\u001b\n', 'newline'],
    ['Ctrl+J, and Ctrl+Enter here and there', '\n', 'newline'],
    ['Tab', '\t', 'complete'],
    ['Shift+Tab', '\u001b[Z', 'complete-back'],
    ['Ctrl+A', '\u0001', 'home'],
    ['Ctrl+B', '\u0002', 'toggle-list'],
    ['Ctrl+C', '\u0003', 'quit'],
    ['Ctrl+D', '\u0004', 'end-of-input'],
    ['Ctrl+E', '\u0005', 'end'],
    ['Ctrl+F', '\u0006', 'right'],
    ['Ctrl+K', '\u000b', 'delete-to-end'],
    ['Ctrl+L', '\u000c', 'redraw'],
    ['Ctrl+N', '\u000e', 'down'],
    ['Ctrl+P', '\u0010', 'up'],
    ['Ctrl+R', '\u0012', 'search-entered'],
    ['Ctrl+T', '\u0014', 'transpose-chars'],
    ['Alt+T', '\u001bt', 'transpose-words'],
    ['Alt+U', '\u001bu', 'upcase-word'],
    ['Alt+C', '\u001bc', 'capitalize-word'],
    ['Alt+J', '\u001bj', 'downcase-word'],
    ['Alt+L', '\u001bl', 'bare'],
    ['Alt+O', '\u001bo', 'links'],
    ['Alt+Y', '\u001by', 'copy'],
    ['Alt+R', '\u001br', 'take-back'],
    ['Alt+Z', '\u001bz', 'undo'],
    ['Alt+Shift+Z', '\u001bZ', 'redo'],
    ['Ctrl+G', '\u0007', 'cancel'],
    ['Ctrl+U', '\u0015', 'delete-to-start'],
    ['Ctrl+W', '\u0017', 'delete-word'],
    ['Ctrl+Y', '\u0019', 'yank'],
    ['Ctrl+Z', '\u001a', 'suspend'],
    ['Ctrl+_ and Ctrl+/', '\u001f', 'undo'],
    ['Ctrl+Space', '\u0000', null],
    ['Ctrl+]', '\u001d', null],
    ['Backspace', '\u007f', 'backspace'],
    ['Backspace of other terminals', '\b', 'backspace'],
    ['Alt+Backspace', '\u001b\u007f', 'kill-word-back'],
    ['Alt+Backspace of other terminals', '\u001b\b', 'kill-word-back'],
    ['Delete', '\u001b[3~', 'delete'],
    ['Ctrl+Delete', '\u001b[3;5~', 'kill-word-forward'],
    ['Alt+D', '\u001bd', 'kill-word-forward'],
    ['Left', '\u001b[D', 'left'],
    ['Left in application mode', '\u001bOD', 'left'],
    ['Right', '\u001b[C', 'right'],
    ['Ctrl+Left', '\u001b[1;5D', 'word-left'],
    ['Ctrl+Left of rxvt', '\u001bOd', 'word-left'],
    ['Ctrl+Right', '\u001b[1;5C', 'word-right'],
    ['Alt+Left', '\u001b[1;3D', 'word-left'],
    ['Alt+B', '\u001bb', 'word-left'],
    ['Alt+F', '\u001bf', 'word-right'],
    ['Up', '\u001b[A', 'up'],
    ['Down', '\u001b[B', 'down'],
    ['Ctrl+Up', '\u001b[1;5A', 'older'],
    ['Ctrl+Down', '\u001b[1;5B', 'newer'],
    ['Alt+Up', '\u001b[1;3A', 'previous-conversation'],
    ['Alt+Up of other terminals', '\u001b\u001b[A', 'previous-conversation'],
    ['Alt+Down', '\u001b[1;3B', 'next-conversation'],
    ['Ctrl+PageUp', '\u001b[5;5~', 'previous-conversation'],
    ['Ctrl+PageDown', '\u001b[6;5~', 'next-conversation'],
    ['Ctrl+PageDown of rxvt', '\u001b[6^', 'next-conversation'],
    ['PageUp', '\u001b[5~', 'page-up'],
    ['PageDown', '\u001b[6~', 'page-down'],
    ['Home', '\u001b[H', 'home'],
    ['Home of tmux', '\u001b[1~', 'home'],
    ['End', '\u001b[F', 'end'],
    ['End of tmux', '\u001b[4~', 'end'],
    ['Ctrl+Home', '\u001b[1;5H', 'top'],
    ['Ctrl+End', '\u001b[1;5F', 'bottom'],
    ['Alt+<', '\u001b<', 'top'],
    ['Alt+>', '\u001b>', 'bottom'],
    ['Alt+A', '\u001ba', 'next-unread'],
    ['Alt+A with Caps Lock', '\u001bA', 'next-unread'],
    ['Alt+1', '\u001b1', 'jump 0'],
    ['Alt+9', '\u001b9', 'jump 8'],
    ['Alt+0', '\u001b0', null],
    ['Alt+é', '\u001bé', null],
    ['Alt+Space', '\u001b ', null],
    ['F1', '\u001bOP', null],
    ['F5', '\u001b[15~', null],
    ['Insert', '\u001b[2~', null],
    ['the wheel', '\u001b[<64;1;1M', 'scroll'],
    ['a click', '\u001b[<0;1;1M', 'click'],
    ['a click that ends', '\u001b[<0;1;1m', null],
    ['the answer to a question that nobody asked', '\u001b[?62;c', null],
    ['a click of the right button', '\u001b[<2;1;1M', null],
    ['the terminal is looked at', '\u001b[I', null],
    ['a letter', 'a', '"a"'],
    ['a capital letter', 'A', '"A"'],
    ['a blank', ' ', '" "'],
    ['a letter from elsewhere', 'ř', '"ř"'],
    ['a word by an input method', '漢字', '"漢字"'],
    ['an emoji', '👩‍👩‍👧', '"👩‍👩‍👧"'],
  ])('%s', (_name, bytes, action) => {
    expect(inShort(pressed(bytes))).toEqual(action === null ? [] : [action]);
  });

  test.each<[string, string, string | null]>([
    ['Shift+Enter', '\u001b[13;2u', 'newline'],
    ['Alt+Enter', '\u001b[13;3u', 'newline'],
    ['Ctrl+Enter', '\u001b[13;5u', 'newline'],
    ['Escape', '\u001b[27u', 'cancel'],
    ['Shift+Tab', '\u001b[9;2u', 'complete-back'],
    ['Ctrl+I', '\u001b[105;5u', 'complete'],
    ['Ctrl+J', '\u001b[106;5u', 'newline'],
    ['Ctrl+M', '\u001b[109;5u', 'submit'],
    ['Ctrl+[', '\u001b[91;5u', 'cancel'],
    ['Ctrl+C', '\u001b[99;5u', 'quit'],
    ['Ctrl+-', '\u001b[45;5u', 'undo'],
    ['Ctrl+_', '\u001b[45;6u', 'undo'],
    ['Ctrl+/', '\u001b[47;5u', 'undo'],
    ['Ctrl+Z', '\u001b[122;5u', 'suspend'],
    ['Ctrl+Shift+Z', '\u001b[122;6u', 'redo'],
    ['Ctrl+Backspace', '\u001b[127;5u', 'kill-word-back'],
    ['Alt+Backspace', '\u001b[127;3u', 'kill-word-back'],
    ['Alt+<, an American keyboard', '\u001b[44;4u', 'top'],
    ['Alt+>, an American keyboard', '\u001b[46;4u', 'bottom'],
    ['Alt+<, a German keyboard', '\u001b[60;3u', 'top'],
    ['Alt+>, a German keyboard', '\u001b[60;4u', 'bottom'],
    ['Alt+A', '\u001b[97;3u', 'next-unread'],
    ['Alt+3', '\u001b[51;3u', 'jump 2'],
    ['Super+K', '\u001b[107;9u', null],
    ['a letter', '\u001b[97;1;97u', '"a"'],
    ['a letter that repeats', '\u001b[97;1:2;97u', '"a"'],
    ['a letter that is let go', '\u001b[97;1:3u', null],
    ['Enter that is let go', '\u001b[13;1:3u', null],
  ])('%s by the Kitty protocol', (_name, bytes, action) => {
    expect(inShort(pressed(bytes))).toEqual(action === null ? [] : [action]);
  });

  test('Escape alone, after the moment in which it could have been Alt', () => {
    expect(inShort(pressed('\u001b'))).toEqual(['cancel']);
  });
});

describe('several keys in one read', () => {
  test.each<[string, string, string[]]>([
    ['text and Enter', 'hi\r', ['"hi"', 'submit']],
    ['Enter that is held', '\r\r\r', ['submit', 'submit', 'submit']],
    ['CR and LF are one Enter', 'one\r\n', ['"one"', 'submit']],
    ['LF at the end is a new line', 'one\n', ['"one"', 'newline']],
    ['two lines', 'one\rtwo\r', ['paste "one\\rtwo\\r"']],
    ['two lines that begin with a line break', '\rtwo', ['paste "\\rtwo"']],
    ['lines of LF', 'one\n\ntwo', ['paste "one\\n\\ntwo"']],
    ['lines and a tab', 'a\r\tb', ['paste "a\\r\\tb"']],
    ['control keys among letters', 'ab\u0015c\u0001d', ['"ab"', 'delete-to-start', '"c"', 'home', '"d"']],
    ['a key that is held', '\u007f\u007f\u007f', ['backspace', 'backspace', 'backspace']],
    ['Tab, quickly', '/ms\tbob', ['"/ms"', 'complete', '"bob"']],
    ['a tab in what was pasted', `${'x'.repeat(40)}\ty`, [`"${'x'.repeat(40)}"`, '"\\t"', '"y"']],
    ['Ctrl+C behind text', 'abc\u0003', ['"abc"', 'quit']],
    ['Alt and arrows among letters', 'a\u001bb\u001b[Db', ['"a"', 'word-left', 'left', '"b"']],
    ['Ctrl+_ among letters', 'a\u001fb', ['"a"', 'undo', '"b"']],
    ['keys that mean nothing', 'a\u0000\u001db', ['"a"', '"b"']],
  ])('%s', (_name, bytes, actions) => expect(inShort(pressed(bytes))).toEqual(actions));

  test('an empty line of a paste that comes in a read of its own sends nothing', () => {
    expect(inShort(pressed('first\r', '\r', 'more'))).toEqual(['"first"', 'paste "\\r\\rmore"']);
    expect(inShort(pressed('first\r', '\r'))).toEqual(['"first"', 'submit', 'submit']);
  });

  test('nothing of a paste that is not marked is lost, put elsewhere or sent, however it is cut', () => {
    const seed = Number(process.env.MILENA_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
    const pieces = [
      'word',
      ' ',
      'é',
      '漢字',
      '👩‍👩‍👧',
      '\r',
      'x'.repeat(50),
      '!',
      '[A',
      'O',
      '~',
      '/delete',
      'y',
    ];
    for (let round = 0; round < sized(100, 300); round++) {
      const random = new Random(seed + round);
      const lines = Array.from({ length: 2 + random.below(20) }, () => random.pick(pieces));
      const pasted = `first\r${lines.join('')}`;
      const reads: string[] = [];
      for (let at = 0; at < pasted.length; at += reads.at(-1)?.length ?? 1) {
        reads.push([...pasted.slice(at)].slice(0, 1 + random.below(30)).join(''));
      }
      const actions = pressed(...reads);
      const context = `seed ${seed + round}: ${JSON.stringify(reads)}`;
      // Behind its first line at the latest it is known for a paste.
      const isOneLine = /^[^\r]*\r+$/.test(pasted);
      const submits = actions.filter(({ type }) => type === 'submit').length;
      if (!isOneLine) expect(submits, context).toBe(0);
      let input = EMPTY_INPUT;
      for (const action of actions) {
        const isText = action.type === 'insert' || action.type === 'paste';
        const edit: InputAction = isText ? { type: 'insert', text: action.text } : { type: 'newline' };
        input = editInput(input, edit);
      }
      expect(input.text, context).toBe(pasted.replaceAll('\r', '\n'));
    }
  });
});

describe('Enter in the moment in which text came', () => {
  const [decoder, bursts] = [new Decoder(), new Bursts()];
  const push = (bytes: string, now: number) => bursts.push(decoder.push(Buffer.from(bytes), now), now);

  test('waits for more, and not for long', () => {
    expect(push('one\r', 0)).toEqual([{ type: 'text', text: 'one' }]);
    expect(bursts.dueAt).toBe(30);
    expect(bursts.tick(29)).toEqual([]);
    expect(bursts.tick(30)).toEqual([{ type: 'key', key: 'enter' }]);
    expect(bursts.dueAt).toBeNull();
  });

  test('is a line break when more comes, and so are those after it until nothing comes for a while', () => {
    push('one\r', 1_000);
    expect(push('two\r', 1_010)).toEqual([{ type: 'paste', text: '\rtwo\r' }]);
    expect(push('\r', 1_090)).toEqual([{ type: 'paste', text: '\r' }]);
    expect(push('\r', 1_200)).toEqual([{ type: 'key', key: 'enter' }]);
    // A line all at once is still a part of it; a person's is not.
    expect(push('three\r', 1_900)).toEqual([{ type: 'paste', text: 'three\r' }]);
    expect(push('x', 2_200)).toEqual([{ type: 'text', text: 'x' }]);
    expect(push('\r', 2_300)).toEqual([{ type: 'key', key: 'enter' }]);
  });

  test('of a person is the key at once', () => {
    expect(push('a', 5_000)).toEqual([{ type: 'text', text: 'a' }]);
    expect(push('\r', 5_040)).toEqual([{ type: 'key', key: 'enter' }]);
  });

  test("in front of a paste's end that comes too late is a part of it", () => {
    expect(push('rest\rof it\r\u001b[201~\r', 8_000)).toEqual([
      { type: 'paste', text: 'rest\rof it\r' },
      { type: 'key', key: 'enter' },
    ]);
  });
});
