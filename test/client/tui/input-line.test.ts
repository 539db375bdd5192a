import { describe, expect, test } from 'vitest';
import {
  EMPTY_INPUT,
  editInput,
  type InputAction,
  type InputLine,
  MAX_INPUT_BYTES,
  viewInput,
} from '../../../src/client/tui/input-line.ts';
import { Random } from '../../protocol/random.ts';

type Step = InputAction | Exclude<InputAction['type'], 'insert'>;

function edit(steps: readonly Step[], from: InputLine = EMPTY_INPUT): InputLine {
  return steps.reduce<InputLine>(
    (input, step) => editInput(input, typeof step === 'string' ? { type: step } : step),
    from,
  );
}

function insert(text: string): InputAction {
  return { type: 'insert', text };
}

/** The text with a bar where the cursor is. */
function shown(input: InputLine): string {
  return `${input.text.slice(0, input.cursor)}|${input.text.slice(input.cursor)}`;
}

const FAMILY = '👩‍👩‍👧';
const THUMB = '👍🏽';

describe('editing', () => {
  test.each<[string, Step[], string]>([
    ['typing', [insert('he'), insert('y')], 'hey|'],
    ['inserting within', [insert('hy'), 'left', insert('e')], 'he|y'],
    ['backspace', [insert('hey'), 'backspace'], 'he|'],
    ['backspace at the start', [insert('hey'), 'home', 'backspace'], '|hey'],
    ['delete', [insert('hey'), 'home', 'delete'], '|ey'],
    ['delete at the end', [insert('hey'), 'delete'], 'hey|'],
    ['left and right at the ends', [insert('a'), 'right', 'left', 'left'], '|a'],
    ['home and end', [insert('hey'), 'home', 'end'], 'hey|'],
    ['a word to the left', [insert('one  two '), 'word-left'], 'one  |two '],
    ['two words to the left', [insert('one  two'), 'word-left', 'word-left', 'word-left'], '|one  two'],
    ['a word to the right', [insert('one  two'), 'home', 'word-right'], 'one|  two'],
    [
      'two words to the right',
      [insert('one  two'), 'home', 'word-right', 'word-right', 'word-right'],
      'one  two|',
    ],
    ['deleting a word', [insert('one two'), 'delete-word'], 'one |'],
    ['deleting a word from within', [insert('one two'), 'left', 'delete-word'], 'one |o'],
    ['deleting to the start', [insert('one two'), 'word-left', 'delete-to-start'], '|two'],
    ['deleting to the end', [insert('one two'), 'word-left', 'delete-to-end'], 'one |'],
    ['backspace over an emoji', [insert(`a${FAMILY}`), 'backspace'], 'a|'],
    ['left over an emoji', [insert(`a${FAMILY}b`), 'left', 'left'], `a|${FAMILY}b`],
    ['right over an emoji with a skin tone', [insert(`${THUMB}b`), 'home', 'right'], `${THUMB}|b`],
    ['delete of a flag', [insert('🇨🇿x'), 'home', 'delete'], '|x'],
    ['backspace over a letter with marks', [insert('xe\u0301\u0302'), 'backspace'], 'x|'],
    ['a mark that joins what stands before', [insert('ea'), 'left', insert('\u0301')], 'e\u0301|a'],
    ['an emoji that comes in pieces', [insert('👩'), insert('\u200d'), insert('👧'), 'backspace'], '|'],
    ['a joiner that joins both sides', [insert('👩👧x'), 'left', 'left', insert('\u200d')], '👩\u200d👧|x'],
    ['a paste of lines', [insert('one\r\n  two\n\nthree\n')], 'one two three |'],
    ['controls in a paste', [insert('a\u001b[31mb\u0007\u202ec')], 'a[31mbc|'],
    ['a tab', [insert('a\tb')], 'a b|'],
  ])('%s', (_name, steps, result) => expect(shown(edit(steps))).toBe(result));

  test('takes no more bytes than a send can carry, and no half grapheme', () => {
    const full = edit([insert('x'.repeat(MAX_INPUT_BYTES - 3))]);
    expect(edit([insert('é')], full).text).toHaveLength(MAX_INPUT_BYTES - 2);
    expect(edit([insert(FAMILY)], full)).toBe(full);
    expect(Buffer.byteLength(edit([insert('漢'.repeat(100_000))]).text)).toBeLessThanOrEqual(MAX_INPUT_BYTES);
  });
});

test('a full line is edited without delay', () => {
  const began = performance.now();
  for (const full of [
    `${'x'.repeat(MAX_INPUT_BYTES - 2)} y`,
    ' '.repeat(MAX_INPUT_BYTES),
    '漢'.repeat(21_000),
  ]) {
    let input = edit([insert(full), 'word-left', 'word-left', 'word-right', 'end', 'delete-word', 'up']);
    for (let count = 0; count < 50; count++) input = edit(['left', 'backspace', insert('z')], input);
    viewInput(input, 80);
  }
  // Quadratic work would take minutes.
  expect(performance.now() - began).toBeLessThan(20_000);
});

describe('history', () => {
  const used = edit([insert('one'), 'submit', insert('two'), 'submit']);

  test('goes up and down, and keeps what was being written', () => {
    expect(shown(edit([insert('dra'), 'up'], used))).toBe('two|');
    expect(shown(edit([insert('dra'), 'up', 'up', 'up'], used))).toBe('one|');
    expect(shown(edit([insert('dra'), 'up', 'up', 'down', 'down', 'down'], used))).toBe('dra|');
  });

  test('does not keep the same line twice in a row, nor an empty one', () => {
    expect(edit([insert('two'), 'submit', 'submit'], used).history).toEqual(['one', 'two']);
  });

  test('is bounded', () => {
    let input = EMPTY_INPUT;
    for (let count = 0; count < 250; count++) input = edit([insert(`line ${count}`), 'submit'], input);
    expect(input.history).toHaveLength(100);
    expect(shown(edit(['up'], input))).toBe('line 249|');
  });

  test('an edited line of the history is a line of its own', () => {
    expect(edit(['up', insert('!'), 'submit'], used).history).toEqual(['one', 'two', 'two!']);
  });
});

describe('the visible part', () => {
  test.each<[string, Step[], number, string, number]>([
    ['what fits', [insert('hey')], 10, 'hey', 3],
    ['the end of a long line', [insert('0123456789')], 5, '6789', 4],
    ['the start of a long line', [insert('0123456789'), 'home'], 5, '01234', 0],
    ['wide characters', [insert('漢字漢字')], 6, '漢字'.slice(1) + '漢字'.slice(1), 4],
    ['an emoji is whole or absent', [insert(`abc${FAMILY}`)], 3, FAMILY, 2],
    ['no room at all', [insert('abc')], 0, '', 0],
  ])('%s', (name, steps, columns, text, cursorColumn) => {
    const view = viewInput(edit(steps), columns);
    expect(view.cursorColumn).toBe(cursorColumn);
    if (name === 'wide characters') expect(view.text).toBe('漢字');
    else expect(view.text).toBe(text);
  });
});

test('whatever is done, the cursor stays between graphemes and within the bounds', () => {
  const seed = Number(process.env.MILENA_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
  const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  const plain = [
    'backspace',
    'delete',
    'left',
    'right',
    'word-left',
    'word-right',
    'home',
    'end',
    'up',
    'down',
  ] as const;
  const cuts = ['delete-word', 'delete-to-start', 'delete-to-end', 'submit'] as const;
  for (let round = 0; round < 300; round++) {
    const random = new Random(seed + round);
    let input = EMPTY_INPUT;
    for (let step = 0; step < 40; step++) {
      const type = random.pick([...plain, ...cuts, 'insert', 'insert', 'insert'] as const);
      input = editInput(input, type === 'insert' ? insert(random.text(4)) : { type });
      const bounds = [...Array.from(graphemes.segment(input.text), (part) => part.index), input.text.length];
      expect(bounds, `seed ${seed + round}, after ${type}: ${JSON.stringify(input)}`).toContain(input.cursor);
      const view = viewInput(input, 12);
      expect(view.cursorColumn).toBeLessThan(12);
    }
  }
});
