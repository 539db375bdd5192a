import { describe, expect, test } from 'vitest';
import { sanitiseTyped } from '../../../src/terminal/sanitise.ts';
import {
  EMPTY_INPUT,
  editAnswer,
  editInput,
  type InputAction,
  type InputLine,
  MAX_INPUT_BYTES,
  maskInput,
} from '../../../src/terminal/tui/input-line.ts';
import { viewInput } from '../../../src/terminal/tui/input-view.ts';
import { Random } from '../../protocol/random.ts';
import { share, sized } from '../../size.ts';
import { cpuMs } from '../growth.ts';

type Plain = Exclude<InputAction['type'], 'insert' | 'replace' | 'set'>;
type Step = InputAction | Plain;

const SEED = Number(process.env.MILENA_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
const FAMILY = '👩‍👩‍👧';
const THUMB = '👍🏽';

function edit(steps: readonly Step[], from: InputLine = EMPTY_INPUT, columns?: number): InputLine {
  return steps.reduce<InputLine>(
    (input, step) => editInput(input, typeof step === 'string' ? { type: step } : step, columns),
    from,
  );
}

function insert(text: string): InputAction {
  return { type: 'insert', text };
}

/** As from a keyboard, one character after the other. */
function typed(text: string): InputAction[] {
  return Array.from(text, insert);
}

/** The text with a bar where the cursor is. */
function shown(input: InputLine): string {
  return `${input.text.slice(0, input.cursor)}|${input.text.slice(input.cursor)}`;
}

describe('characters', () => {
  test.each<[string, Step[], string]>([
    ['typing', [insert('he'), insert('y')], 'hey|'],
    ['inserting within', [insert('hy'), 'left', insert('e')], 'he|y'],
    ['backspace', [insert('hey'), 'backspace'], 'he|'],
    ['backspace at the start', [insert('hey'), 'home', 'backspace'], '|hey'],
    ['delete', [insert('hey'), 'home', 'delete'], '|ey'],
    ['delete at the end', [insert('hey'), 'delete'], 'hey|'],
    ['left and right at the ends', [insert('a'), 'right', 'left', 'left'], '|a'],
    ['backspace over an emoji', [insert(`a${FAMILY}`), 'backspace'], 'a|'],
    ['left over an emoji', [insert(`a${FAMILY}b`), 'left', 'left'], `a|${FAMILY}b`],
    ['right over an emoji with a skin tone', [insert(`${THUMB}b`), 'home', 'right'], `${THUMB}|b`],
    ['delete of a flag', [insert('🇨🇿x'), 'home', 'delete'], '|x'],
    ['left among flags', [insert('🇨🇿🇸🇰🇵🇱'), 'left', 'left'], '🇨🇿|🇸🇰🇵🇱'],
    ['half a flag regroups the rest', [insert('🇨🇿🇸🇰'), 'home', insert('🇵')], '🇵🇨|🇿🇸🇰'],
    ['backspace over a letter with marks', [insert('xe\u0301\u0302'), 'backspace'], 'x|'],
    ['a mark that joins what stands before', [insert('ea'), 'left', insert('\u0301')], 'e\u0301|a'],
    ['an emoji that comes in pieces', [insert('👩'), insert('\u200d'), insert('👧'), 'backspace'], '|'],
    ['a joiner that joins both sides', [insert('👩👧x'), 'left', 'left', insert('\u200d')], '👩\u200d👧|x'],
    ['a text selector', [insert('☺\ufe0e!'), 'left', 'left'], '|☺\ufe0e!'],
    ['Hebrew goes by letters, points along', [insert('שָׁלוֹם'), 'left', 'left'], 'שָׁל|וֹם'],
    ['a syllable of Devanagari', [insert('नमस्ते'), 'backspace'], 'नम|'],
    ['cutting makes neighbours one', [insert('🇨x🇿!'), 'home', 'right', 'delete'], '🇨🇿|!'],
  ])('%s', (_name, steps, result) => expect(shown(edit(steps))).toBe(result));
});

describe('several lines', () => {
  test.each<[string, Step[], string]>([
    ['a new line', [insert('one'), 'newline', insert('two')], 'one\ntwo|'],
    ['a new line within', [insert('onetwo'), 'left', 'left', 'left', 'newline'], 'one\n|two'],
    ['backspace joins', [insert('one\ntwo'), 'home', 'backspace'], 'one|two'],
    ['delete joins', [insert('one\ntwo'), 'up', 'end', 'delete'], 'one|two'],
    ['home and end are of the line', [insert('one\ntwo'), 'home'], 'one\n|two'],
    ['home at a start stays', [insert('one\n'), 'home'], 'one\n|'],
    ['end on an earlier line', [insert('one\ntwo'), 'up', 'home', 'end'], 'one|\ntwo'],
    ['left and right go over the break', [insert('a\nb'), 'left', 'left', 'left', 'right'], 'a|\nb'],
    ['words over the break', [insert('one\ntwo'), 'word-left', 'word-left'], '|one\ntwo'],
    ['a paste of lines', [insert('one\r\n  two\n\nthree\rfour\n')], 'one\n  two\n\nthree\nfour\n|'],
    ['controls in a paste', [insert('a\u001b[31mb\u0007\u202ec')], 'a[31mbc|'],
    ['a tab', [insert('a\tb')], 'a\tb|'],
    ['killing to the start', [insert('one\ntwo'), 'delete-to-start'], 'one\n|'],
    ['and once more, the break', [insert('one\ntwo'), 'delete-to-start', 'delete-to-start'], 'one|'],
    ['killing to the end', [insert('one\ntwo'), 'up', 'home', 'delete-to-end'], '|\ntwo'],
    ['and then the break', [insert('one\ntwo'), 'up', 'home', 'delete-to-end', 'delete-to-end'], '|two'],
    ['nothing is left to kill', [insert('one'), 'delete-to-end'], 'one|'],
  ])('%s', (_name, steps, result) => expect(shown(edit(steps))).toBe(result));
});

describe('words', () => {
  test.each<[string, Step[], string]>([
    ['to the left', [insert('one  two '), 'word-left'], 'one  |two '],
    ['to the left, twice and more', [insert('one  two'), 'word-left', 'word-left', 'word-left'], '|one  two'],
    ['to the right', [insert('one  two'), 'home', 'word-right'], 'one|  two'],
    [
      'to the right, twice and more',
      [insert('one  two'), 'home', 'word-right', 'word-right', 'word-right'],
      'one  two|',
    ],
    ['from within a word', [insert('one two'), 'left', 'word-left'], 'one |two'],
    ['punctuation parts them', [insert('see src/client'), 'word-left'], 'see src/|client'],
    ['a hyphen parts them', [insert('deploy-bot'), 'word-left'], 'deploy-|bot'],
    ['an apostrophe does not', [insert("I don't"), 'word-left'], "I |don't"],
    ['punctuation at the end is passed', [insert('well... '), 'word-left'], '|well... '],
    ['no word at all', [insert('?! ...'), 'word-left'], '|?! ...'],
    ['no word to the right', [insert('a ?!'), 'word-left', 'word-right', 'word-right'], 'a ?!|'],
    ['Japanese by its words', [insert('日本語の文章'), 'word-left'], '日本語の|文章'],
    ['Chinese to the right', [insert('汉字可以分开'), 'home', 'word-right'], '汉字|可以分开'],
    ['Thai', [insert('ภาษาไทย'), 'word-left'], 'ภาษา|ไทย'],
    ['Korean has blanks', [insert('한국어 문장'), 'word-left'], '한국어 |문장'],
    ['deleting to the blank', [insert('see src/client'), 'delete-word'], 'see |'],
    ['deleting to the blank from within', [insert('one two'), 'left', 'delete-word'], 'one |o'],
    ['deleting with the blanks behind', [insert('one two  '), 'delete-word'], 'one |'],
    ['deleting where no blanks are', [insert('日本語の文章'), 'delete-word'], '日本語の|'],
    ['deleting Latin behind CJK', [insert('日本語API'), 'delete-word'], '日本語|'],
    ['deleting CJK behind Latin', [insert('API文章'), 'delete-word'], 'API|'],
    ['deleting a word with a long vowel', [insert('毎日コーヒー'), 'delete-word'], '毎日|'],
    ['deleting at the start', [insert('one'), 'home', 'delete-word'], '|one'],
    ['killing a word back', [insert('see src/client'), 'kill-word-back'], 'see src/|'],
    ['killing a word forward', [insert('one two three'), 'home', 'kill-word-forward'], '| two three'],
    ['killing the rest', [insert('one ...'), 'word-left', 'word-right', 'kill-word-forward'], 'one|'],
    ['a blank with a mark on it', [insert('a \u0301'), 'delete-word'], 'a|'],
  ])('%s', (_name, steps, result) => expect(shown(edit(steps))).toBe(result));

  test('however long they are', () => {
    const long = 'x'.repeat(5_000);
    const input = edit([insert(`a ${long} ${' '.repeat(3_000)}`)]);
    expect(edit(['word-left'], input).cursor).toBe(2);
    expect(edit(['home', 'word-right', 'word-right'], input).cursor).toBe(5_002);
    expect(edit(['delete-word'], input).text).toBe('a ');
  });
});

describe('yank', () => {
  test.each<[string, Step[], string]>([
    ['what was killed', [insert('one two'), 'delete-word', 'home', 'yank'], 'two|one '],
    ['as often as one likes', [insert('ab'), 'delete-to-start', 'yank', 'yank'], 'abab|'],
    ['kills in a row are one', [insert('a b c'), 'delete-word', 'delete-word', 'yank'], 'a b c|'],
    ['in both directions', [insert('a b c'), 'word-left', 'delete-word', 'delete-to-end', 'yank'], 'a b c|'],
    ['kills apart are not', [insert('a b c'), 'delete-word', 'left', 'delete-word', 'yank'], 'a b| '],
    ['lines', [insert('one\ntwo'), 'delete-to-start', 'delete-to-start', 'home', 'yank'], '\ntwo|one'],
    ['nothing', [insert('a'), 'yank'], 'a|'],
    ['backspace is no kill', [insert('ab'), 'delete-to-start', 'yank', 'backspace', 'yank'], 'aab|'],
    ['after entering', [insert('one two'), 'delete-word', 'submit', 'yank'], 'two|'],
    ['not after a clear', [insert('one two'), 'delete-word', 'clear', 'yank'], '|'],
  ])('%s', (_name, steps, result) => expect(shown(edit(steps))).toBe(result));
});

describe('undo', () => {
  test.each<[string, Step[], string]>([
    ['of a clear', [insert('all of it'), 'delete-to-start', 'undo'], 'all of it|'],
    ['word by word', [...typed('one two'), 'undo'], 'one |'],
    ['and word by word', [...typed('one two'), 'undo', 'undo'], '|'],
    ['of a paste alone', [...typed('a'), insert('pasted text'), 'undo'], 'a|'],
    ['of a kill', [insert('one two'), 'delete-word', 'undo'], 'one two|'],
    ['of two kills', [insert('one two'), 'delete-word', 'delete-word', 'undo'], 'one |'],
    ['of backspaces in a row', [insert('one'), 'backspace', 'backspace', 'undo'], 'one|'],
    ['of typing behind backspaces', [insert('one'), 'backspace', insert('x'), 'undo'], 'on|'],
    ['of a new line', [...typed('a'), 'newline', ...typed('b'), 'undo', 'undo'], 'a|'],
    ['of a yank', [insert('ab'), 'delete-to-start', 'yank', 'yank', 'undo'], 'ab|'],
    ['of a recall', [insert('old'), 'submit', insert('new'), 'up', 'undo'], 'new|'],
    [
      'of several recalls',
      [insert('a'), 'submit', insert('b'), 'submit', insert('c'), 'up', 'up', 'up', 'undo'],
      'c|',
    ],
    [
      'of what was done to a recalled text',
      [insert('old'), 'submit', 'up', insert('!'), 'down', 'undo'],
      'old!|',
    ],
    [
      'of a replacement',
      [insert('/m bob'), { type: 'replace', from: 0, to: 2, text: '/msg' }, 'undo'],
      '/m bob|',
    ],
    ['with the cursor where it was', [insert('abc'), 'left', 'delete-to-start', 'undo'], 'ab|c'],
    ['typing elsewhere is another step', [...typed('ab'), 'left', ...typed('c'), 'undo'], 'a|b'],
    ['of nothing', ['undo'], '|'],
    ['not over what was entered', [insert('sent'), 'submit', 'undo'], '|'],
    ['not over a clear', [insert('/login bob secret'), 'clear', 'undo'], '|'],
    ['not into another draft', [insert('for bob'), { type: 'set', text: 'for carol' }, 'undo'], 'for carol|'],
    ['and redo', [...typed('one two'), 'undo', 'undo', 'redo', 'redo'], 'one two|'],
    ['redo of nothing', [insert('a'), 'redo'], 'a|'],
    ['no redo behind an edit', [insert('a'), 'undo', insert('b'), 'redo'], 'b|'],
  ])('%s', (_name, steps, result) => expect(shown(edit(steps))).toBe(result));

  test('goes back so far and no further', () => {
    let input = EMPTY_INPUT;
    for (let count = 0; count < 150; count++) input = edit([insert('a '), 'left', 'right'], input);
    for (let count = 0; count < 150; count++) input = edit(['undo'], input);
    expect(input.text).toBe('a '.repeat(50));
    for (let count = 0; count < 150; count++) input = edit(['redo'], input);
    expect(input.text).toBe('a '.repeat(150));
  });
});

describe('history', () => {
  const used = edit([insert('one'), 'submit', insert('two'), 'submit']);

  test('goes up and down, and keeps what was being written', () => {
    expect(shown(edit([insert('dra'), 'up'], used))).toBe('two|');
    expect(shown(edit([insert('dra'), 'up', 'up', 'up'], used))).toBe('one|');
    expect(shown(edit([insert('dra'), 'up', 'up', 'down', 'down', 'down'], used))).toBe('dra|');
  });

  test('does not keep the same text twice in a row, nor an empty one', () => {
    expect(edit([insert('two'), 'submit', 'submit'], used).history).toEqual(['one', 'two']);
  });

  test('is bounded', () => {
    let input = EMPTY_INPUT;
    for (let count = 0; count < 250; count++) input = edit([insert(`line ${count}`), 'submit'], input);
    expect(input.history).toHaveLength(100);
    expect(shown(edit(['up'], input))).toBe('line 249|');
  });

  test('an edited text of the history is a text of its own', () => {
    expect(edit(['up', insert('!'), 'submit'], used).history).toEqual(['one', 'two', 'two!']);
  });

  test('comes behind the rows of the text, both ways', () => {
    const input = edit([insert('first\nsecond'), 'submit', insert('a\nb')], used);
    expect(shown(edit(['up'], input))).toBe('a|\nb');
    expect(shown(edit(['up', 'up'], input))).toBe('first\nsecond|');
    expect(shown(edit(['up', 'up', 'up', 'up'], input))).toBe('two|');
    expect(shown(edit(['up', 'up', 'down'], input))).toBe('a\nb|');
    expect(shown(edit(['older'], input))).toBe('first\nsecond|');
    expect(shown(edit(['older', 'older', 'newer'], input))).toBe('first\nsecond|');
  });

  test('a draft that is set is what one comes back to', () => {
    const input = edit([insert('x'), 'up', { type: 'set', text: 'for carol' }], used);
    expect(shown(edit(['up', 'down'], input))).toBe('for carol|');
  });
});

describe('rows of the screen', () => {
  test.each<[string, Step[], number, string]>([
    ['up within a long line', [insert('0123456789'), 'up'], 4, '012345|6789'],
    ['down again', [insert('0123456789'), 'up', 'down'], 4, '0123456789|'],
    ['to the nearest column', [insert('ab\ncdefg'), 'up'], 9, 'ab|\ncdefg'],
    ['the column is kept over shorter rows', [insert('abcd\nx\nefgh'), 'up', 'up'], 9, 'abcd|\nx\nefgh'],
    ['but not over other keys', [insert('abcd\nx\nefgh'), 'up', 'left', 'up'], 9, '|abcd\nx\nefgh'],
    ['wide characters are not divided', [insert('漢字漢\nabc'), 'up'], 9, '漢|字漢\nabc'],
    ['a broken row ends before the break', [insert('漢字漢\nabcd'), 'up', 'up'], 5, '漢|字漢\nabcd'],
    ['behind a full row there is another', [insert('abcd'), 'up'], 4, '|abcd'],
    [
      'without columns a line is a row',
      [insert('0123456789\nab'), 'up'],
      Number.POSITIVE_INFINITY,
      '01|23456789\nab',
    ],
  ])('%s', (_name, steps, columns, result) => expect(shown(edit(steps, EMPTY_INPUT, columns))).toBe(result));
});

describe('a text from elsewhere', () => {
  test.each<[string, Step[], string]>([
    ['replaces a part', [insert('/m bob'), { type: 'replace', from: 0, to: 2, text: '/msg' }], '/msg| bob'],
    [
      'wherever the cursor was',
      [insert('@bo'), { type: 'replace', from: 1, to: 3, text: 'bobby ' }],
      '@bobby |',
    ],
    ['is made safe', [{ type: 'replace', from: 0, to: 0, text: 'a\u001bb\u202e' }], 'ab|'],
    [
      'never divides a character',
      [insert(`${FAMILY}x`), { type: 'replace', from: 2, to: 3, text: 'y' }],
      'y|x',
    ],
    ['within the text that there is', [insert('a'), { type: 'replace', from: -5, to: 99, text: 'b' }], 'b|'],
    ['in the right order', [insert('abc'), { type: 'replace', from: 2, to: 1, text: 'x' }], 'abx|c'],
    ['sets all of it', [insert('a'), { type: 'set', text: 'b\r\nc\u0007' }], 'b\nc|'],
  ])('%s', (_name, steps, result) => expect(shown(edit(steps))).toBe(result));
});

describe('the bound', () => {
  const full = edit([insert('x'.repeat(MAX_INPUT_BYTES - 3))]);

  test('takes no more bytes than a send can carry, and no half character', () => {
    expect(edit([insert('é')], full).text).toHaveLength(MAX_INPUT_BYTES - 2);
    expect(edit([insert(FAMILY)], full).text).toBe(full.text);
    expect(Buffer.byteLength(edit([insert('漢'.repeat(100_000))]).text)).toBeLessThanOrEqual(MAX_INPUT_BYTES);
    expect(edit([insert(`${'\u0000'.repeat(MAX_INPUT_BYTES - 1)}👩`)]).text).toBe('');
    expect(edit([insert('x'.repeat(40_000)), 'delete-to-start', 'yank', 'yank']).text).toHaveLength(
      MAX_INPUT_BYTES,
    );
    expect(edit([{ type: 'replace', from: 0, to: 2, text: '漢漢漢' }], full).text).toHaveLength(
      MAX_INPUT_BYTES - 4,
    );
  });

  test('is told', () => {
    expect(full.isFull).toBe(false);
    const more = edit([insert(FAMILY)], full);
    expect(more.isFull).toBe(true);
    expect(edit(['left'], more).isFull).toBe(false);
    expect(edit(['redo'], more).isFull).toBe(false);
    expect(edit([insert('x'.repeat(MAX_INPUT_BYTES + 1))]).isFull).toBe(true);
    expect(edit([{ type: 'replace', from: 0, to: 0, text: FAMILY }], full).isFull).toBe(true);
  });
});

describe('answers', () => {
  const answer = (...steps: readonly Step[]) =>
    steps.reduce<InputLine>(
      (input, step) => editAnswer(input, typeof step === 'string' ? { type: step } : step),
      EMPTY_INPUT,
    );

  test('are of one line', () => {
    expect(shown(answer(insert('a'), 'newline', insert('b')))).toBe('ab|');
    expect(shown(answer(insert('secret\n')))).toBe('secret|');
    expect(shown(answer(insert('\r\none\n\ntwo\r\n')))).toBe('one two|');
    expect(shown(answer(insert('one two'), 'delete-word', insert('x')))).toBe('one x|');
  });

  test('have nothing in them when they are passwords', () => {
    const masked = maskInput(answer(insert(`a漢${FAMILY}b`), 'left'));
    expect(shown(masked)).toBe('•••|•');
    expect(JSON.stringify(masked)).not.toContain('漢');
    expect(shown(maskInput({ text: 'a\nb', cursor: 3 }))).toBe('•••|');
    expect(shown(maskInput(EMPTY_INPUT))).toBe('|');
  });
});

/** What the keys do, said as plainly as possible: all of the text is looked at again each time. */
function model(text: string, cursor: number, action: InputAction): { text: string; cursor: number } | null {
  const bounds = [...Array.from(graphemes.segment(text), ({ index }) => index), text.length];
  const left = bounds.findLast((place) => place < cursor) ?? 0;
  const right = bounds.find((place) => place > cursor) ?? text.length;
  const start = text.slice(0, cursor).lastIndexOf('\n') + 1;
  const end = cursor + (text.slice(cursor).split('\n')[0] ?? '').length;
  const put = (from: number, to: number, piece: string) => {
    const whole = text.slice(0, from) + piece + text.slice(to);
    const places = [...Array.from(graphemes.segment(whole), ({ index }) => index), whole.length];
    return { text: whole, cursor: places.find((place) => place >= from + piece.length) ?? whole.length };
  };
  switch (action.type) {
    case 'insert':
      // Half a character at the end is cut off.
      return put(cursor, cursor, sanitiseTyped(action.text.replace(/[\ud800-\udbff]$/, '')));
    case 'newline':
      return put(cursor, cursor, '\n');
    case 'backspace':
      return put(left, cursor, '');
    case 'delete':
      return put(cursor, right, '');
    case 'left':
      return { text, cursor: left };
    case 'right':
      return { text, cursor: right };
    case 'home':
      return { text, cursor: start };
    case 'end':
      return { text, cursor: end };
    case 'delete-to-start':
      return put(start === cursor ? Math.max(0, start - 1) : start, cursor, '');
    case 'delete-to-end':
      return put(cursor, end === cursor ? Math.min(text.length, end + 1) : end, '');
    case 'submit':
    case 'clear':
      return { text: '', cursor: 0 };
    default:
      return null;
  }
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

const PIECES = [
  'a',
  'B',
  ' ',
  '.',
  '-',
  '\n',
  '漢',
  'ひ',
  FAMILY,
  THUMB,
  '👩',
  '\u200d',
  '🏽',
  '🇨',
  '🇿',
  '🇨🇿',
].concat(
  ['e\u0301', '\u0301', '❤\ufe0f', '\ufe0e', 'क्षि', '\u094d', 'ष', 'กำ', 'שָׁ', 'م', '\u0600', '각', 'ᄀ', 'ᅡ'],
  ['\u001b[2J', '\u202e', '\u200b', '\r\n', '\t', '\ud800', '\uffff', '🏴\u{e0067}\u{e007f}', 'word '],
);

const PLAIN: readonly Plain[] = [
  ...(['backspace', 'delete', 'left', 'right', 'home', 'end', 'newline'] as const),
  ...(['word-left', 'word-right', 'up', 'down', 'older', 'newer', 'yank', 'undo', 'redo'] as const),
];
const CUTS: readonly Plain[] = [
  ...(['delete-word', 'kill-word-back', 'kill-word-forward', 'delete-to-start', 'delete-to-end'] as const),
  ...(['submit', 'clear'] as const),
];

function randomAction(random: Random, longText: boolean): InputAction {
  const piece = () => Array.from({ length: 1 + random.below(4) }, () => random.pick(PIECES)).join('');
  const dice = random.below(20);
  if (dice < 9) return insert(piece());
  if (dice === 9 && longText) return insert(piece().repeat(1 + random.below(60)));
  if (dice < 17) return { type: random.pick(PLAIN) };
  if (dice === 17) return { type: 'replace', from: random.below(40), to: random.below(60), text: piece() };
  if (dice === 18) return random.below(5) === 0 ? { type: 'set', text: piece() } : { type: 'left' };
  return { type: random.pick(longText ? CUTS.slice(0, 3) : CUTS) };
}

describe('whatever is done', () => {
  // Longer texts are the ones of which the graphemes are remembered and mended.
  test.each([
    ['short texts', sized(40, 300), 50, false],
    ['long texts', sized(5, 40), 150, true],
  ] as const)('it is what the plain model says: %s', (_name, rounds, steps, longText) => {
    for (let round = 0; round < rounds; round++) {
      const random = new Random(SEED + round);
      let input = EMPTY_INPUT;
      for (let step = 0; step < steps; step++) {
        const action = randomAction(random, longText);
        const expected = model(input.text, input.cursor, action);
        const before = input;
        input = editInput(input, action, 2 + random.below(30));
        const context = `seed ${SEED + round}, step ${step}: ${JSON.stringify(action)} on ${JSON.stringify(shown(before))}`;
        if (expected !== null) expect(shown(input), context).toBe(shown({ ...input, ...expected }));
        const places = [
          ...Array.from(graphemes.segment(input.text), ({ index }) => index),
          input.text.length,
        ];
        expect(places, context).toContain(input.cursor);
        expect(input.text, context).toBe(sanitiseTyped(input.text));
        expect(Buffer.byteLength(input.text), context).toBeLessThanOrEqual(MAX_INPUT_BYTES);
      }
    }
  });

  test('undo leads back to where it began, and redo to where it ended', () => {
    for (let round = 0; round < sized(25, 200); round++) {
      const random = new Random(SEED + round);
      const began = edit([insert('one\ntwo'), 'submit', insert('old'), 'submit']);
      let input = began;
      for (let step = 0; step < 60; step++) {
        const action = randomAction(random, false);
        if (!['submit', 'clear', 'set', 'undo', 'redo'].includes(action.type))
          input = editInput(input, action, 10);
      }
      const back = edit(Array<Plain>(100).fill('undo'), input);
      expect(shown(back), `seed ${SEED + round}`).toBe('|');
      expect(back.historyAt).toBe(began.historyAt);
      const again = edit(Array<Plain>(100).fill('redo'), back);
      expect(again.text, `seed ${SEED + round}`).toBe(input.text);
    }
  });
});

describe('speed', () => {
  const units: [string, string][] = [
    ['one long word', 'x'],
    ['blanks', ' '],
    ['line breaks', '\n'],
    ['words', 'hello world '],
    ['CJK', '漢字かな'],
    ['emoji', `${FAMILY}${THUMB}🇨🇿`],
    ['flags', '🇨🇿'],
    ['marks', '\u0301'],
    ['Thai', 'สวัสดีครับ'],
  ];
  test.each(share(units, 3, SEED))('a full input is edited without delay: %s', (_name, unit) => {
    const began = cpuMs();
    const rounds = sized(40, 100);
    let input = edit([insert(unit.repeat(MAX_INPUT_BYTES)), 'up', 'down'], EMPTY_INPUT, 80);
    for (let count = 0; count < rounds; count++) {
      input = edit(['left', 'backspace', insert('z'), 'up', 'word-left', 'word-right'], input, 80);
      viewInput(input, 80, 8);
    }
    edit(['home', 'kill-word-forward', 'undo', 'delete-word', 'undo', 'yank'], input, 80);
    // Looking through all of it each time would take minutes.
    expect(cpuMs() - began).toBeLessThan(rounds * 200);
  });
});
