import { describe, expect, test } from 'vitest';
import {
  sanitiseCopied,
  sanitiseLine,
  sanitiseName,
  sanitiseText,
  sanitiseTyped,
} from '../../src/terminal/sanitise.ts';
import { Random } from '../protocol/random.ts';
import { sized } from '../size.ts';

describe('what people write stays as it is', () => {
  test.each([
    'hello, world',
    'two\nlines',
    'a\n\nparagraph',
    'Grüße, déjà vu',
    'e\u0301 a\u0302\u0301',
    '漢字かな交じり文',
    'שָׁלוֹם עולם',
    'مرحبا',
    'می\u200cخواهم', // Persian needs the non-joiner
    'क्\u200dष', // and Devanagari the joiner
    '👩‍👩‍👧‍👦 👍🏽 ❤️ 1️⃣ ☺︎',
    '🇨🇿',
    'สวัสดีครับ ที่นี่',
    'ཧཱུྃ',
    '   indented',
    'a\tb',
    '\tindented',
    'one\n\n\n \t \n\nsix\n\n',
  ])('%j', (text) => expect(sanitiseText(text)).toBe(text));
});

describe('hostile text', () => {
  test.each([
    ['colours', '\u001b[31mred\u001b[0m', '␛[31mred␛[0m'],
    ['clear screen', '\u001b[2J\u001b[H', '␛[2J␛[H'],
    ['window title', '\u001b]0;owned\u0007', '␛]0;owned␇'],
    ['title by C1', '\u009d0;owned\u009c', '�0;owned�'],
    ['CSI by C1', '\u009b2J', '�2J'],
    ['clipboard write', '\u001b]52;c;cm0gLXJm\u001b\\', '␛]52;c;cm0gLXJm␛\\'],
    ['hyperlink', '\u001b]8;;http://x\u0007click\u001b]8;;\u0007', '␛]8;;http://x␇click␛]8;;␇'],
    ['device control', '\u001bP$q"p\u001b\\', '␛P$q"p␛\\'],
    ['carriage return', 'bob: hi\rmallory', 'bob: hi\nmallory'],
    ['backspaces', 'no\b\byes', 'no␈␈yes'],
    ['delete', 'a\u007fb', 'a␡b'],
    ['bell', '\u0007\u0007', '␇␇'],
    ['null', 'a\u0000b', 'a␀b'],
    ['many blank lines', `a${'\n'.repeat(1_000)}b`, `a${'\n'.repeat(11)}b`],
    ['blank lines of spaces', `a${'\n \t '.repeat(1_000)}\nb`, `a${'\n'.repeat(11)}b`],
    ['vertical tab, form feed', 'a\vb\fc', 'a\nb\nc'],
    ['next line, separators', 'a\u0085b\u2028c\u2029d', 'a\nb\nc\nd'],
    ['bidi override', 'abc\u202egpj.exe', 'abcgpj.exe'],
    ['bidi isolates', '\u2066a\u2069\u2067b\u2069\u2068c\u2069', 'abc'],
    ['bidi marks', '\u200ea\u200fb\u061cc', 'abc'],
    ['tag characters', 'hi\u{e0048}\u{e0049}\u{e007f}', 'hi'],
    ['variation selector smuggling', 'a\ufe00\ufe01\u{e0100}\u{e01ef}', 'a'],
    ['zero-width spaces', 'a\u200b\u2060\ufeffb', 'ab'],
    ['joiners in Latin', 'pay\u200dpal\u200c', 'paypal'],
    ['a pile of joiners', '👩\u200d\u200d\u200d👩', '👩👩'],
    ['a joiner at the end', '👩\u200d', '👩'],
    ['soft hyphens', 'a\u00adb', 'ab'],
    ['Hangul fillers', 'a\u3164\u115f\u1160\uffa0b', 'ab'],
    ['grapheme joiner, Mongolian separator', 'a\u034f\u180eb', 'ab'],
    ['interlinear annotation', '\ufff9a\ufffab\ufffb', 'ab'],
    ['musical and shorthand controls', 'a\u{1d173}\u{1bca0}b', 'ab'],
    ['lone surrogates', 'a\ud800b\udc00c', 'a�b�c'],
    ['noncharacters', 'a\uffffb\ufdd0', 'a�b�'],
    ['a tower of marks', `a${'\u0301'.repeat(500)}b`, `a${'\u0301'.repeat(4)}b`],
    ['a mark at the start', '\u0301a', '\u25cc\u0301a'],
    ['a mark after a line break', 'a\n\u20dda', 'a\n\u25cc\u20dda'],
    ['a mark after a space', 'a \u0336', 'a \u25cc\u0336'],
    ['selectors on nothing', '\ufe0f\ufe0f\ufe0f', ''],
  ])('%s', (_name, text, shown) => {
    expect(sanitiseText(text)).toBe(shown);
    expect(sanitiseText(shown)).toBe(shown);
  });

  test('names are of one line, and short', () => {
    expect(sanitiseName('bob\n12:00 carol')).toBe('bob 12:00 carol');
    expect(sanitiseName('')).toBe('?');
    expect(sanitiseName('\u200b\u202e')).toBe('?');
    expect(sanitiseName('x'.repeat(1_000_000))).toBe(`${'x'.repeat(63)}…`);
    expect(sanitiseName('x'.repeat(64))).toBe('x'.repeat(64));
    expect(sanitiseLine(' a\r\n\tb ')).toBe('a b');
  });

  test.each([
    ['lines stay lines', 'one\r\n  two\n\nthree\rfour\u2028five\n', 'one\n  two\n\nthree\nfour\nfive\n'],
    ['tabs stay', 'if x:\n\treturn\t', 'if x:\n\treturn\t'],
    ['controls go', '\u001b[31mx\u0007\u009b\u007f', '[31mx'],
    ['what reorders or hides goes', 'a\u202eb\u2066c\u200b\ufeffd\u{e0041}', 'abcd'],
    ['half a character is none', 'a\ud800b', 'a\ufffdb'],
    ['a mark alone may belong to what was typed before', '\u0301', '\u0301'],
    ['so may a joiner', '\u200d', '\u200d'],
    ['and a selector', '\ufe0f', '\ufe0f'],
    ['a family stays together', '👩‍👧', '👩‍👧'],
  ])('typed and pasted: %s', (_name, text, typed) => {
    expect(sanitiseTyped(text)).toBe(typed);
    expect(sanitiseTyped(typed)).toBe(typed);
  });

  test('nothing that acts on a terminal ever comes out, and a second time changes nothing', () => {
    const seed = Number(process.env.MILENA_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
    const pieces = [
      'a',
      '\n',
      ' ',
      '\u0301',
      '\u200d',
      '\u200c',
      '\ufe0f',
      '👩',
      '🏽',
      '\u0915',
      '\u094d',
      '1',
      '\u20e3',
    ];
    const ranges: [number, number][] = [
      [0, 0xff],
      [0x300, 0x36f],
      [0x600, 0x6ff],
      [0x900, 0x97f],
      [0x2000, 0x206f],
      [0xd7f0, 0xe010],
      [0xfe00, 0xffff],
      [0xe0000, 0xe01ff],
      [0, 0x10ffff],
    ];
    for (let round = 0; round < sized(1_000, 3_000); round++) {
      const random = new Random(seed + round);
      const text = Array.from({ length: random.below(30) }, () => {
        const [from, to] = random.pick(ranges);
        return random.below(2) === 0
          ? random.pick(pieces)
          : String.fromCodePoint(from + random.below(to - from + 1));
      }).join('');
      const shown = sanitiseText(text);
      const context = `seed ${seed + round}: ${JSON.stringify(text)} -> ${JSON.stringify(shown)}`;
      const copied = sanitiseCopied(text);
      expect(sanitiseCopied(copied), context).toBe(copied);
      expect(copied, context).not.toMatch(
        /(?!\n|\t)\p{Cc}|\p{Cs}|\p{Bidi_Control}|\p{Noncharacter_Code_Point}/u,
      );
      expect(shown, context).not.toMatch(/(?!\n|\t)\p{Cc}|\p{Cs}|\p{Bidi_Control}|[\u2028\u2029]/u);
      expect(shown, context).not.toMatch(/(?:\p{M}|\u200c|\u200d){5}/u);
      expect(shown, context).not.toMatch(/(?!\u200c|\u200d|\ufe0e|\ufe0f)\p{Default_Ignorable_Code_Point}/u);
      expect(sanitiseText(shown), context).toBe(shown);
    }
  });

  test('takes linear time', () => {
    const began = performance.now();
    for (const unit of [
      '  ',
      '\u0301',
      '\n ',
      '\u200d',
      '👩\u200d',
      ' \n',
      '\u001b[',
      '\ufe0f',
      '\u0915\u200d',
    ]) {
      sanitiseText(unit.repeat(200_000));
      sanitiseTyped(unit.repeat(200_000));
    }
    // Quadratic work on these would take minutes.
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});
