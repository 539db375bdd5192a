import { describe, expect, it } from 'vitest';
import { printable, printableBytes } from '../src/util/printable.ts';

describe('printable', () => {
  it('leaves text as it is, in any script', () => {
    for (const text of ['plain text, 1 2 3', 'grüße', '日本語', 'می‌خواهم', '👩‍👩‍👧 🇩🇪 👍🏽', '']) {
      expect(printable(text)).toBe(text);
    }
  });

  it('shows what a terminal would obey', () => {
    expect(printable('a\nb\r\tc\0')).toBe(String.raw`a\nb\r\tc\0`);
    expect(printable('\x1b[2J\x1b]0;t\x07')).toBe(String.raw`\x1b[2J\x1b]0;t\x07`);
    expect(printable('\u009b31m\x7f')).toBe(String.raw`\x9b31m\x7f`);
    expect(printable('\u2028\u2029\u202e\u2066\ufeff')).toBe(String.raw`\u2028\u2029\u202e\u2066\ufeff`);
    expect(printable('\u{e0041}\ud800')).toBe(String.raw`\u{e0041}\ud800`);
  });

  it('lets no control or format character through but the joiners', () => {
    for (let code = 0; code <= 0x10ffff; code += code < 0x3000 ? 1 : 0x7f) {
      expect(printable(String.fromCodePoint(code))).toMatch(
        /^(?:[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|\u200c|\u200d)+$/u,
      );
    }
  });
});

describe('printableBytes', () => {
  it('tells a missing value from an empty one', () => {
    expect(printableBytes(null)).toBe('(null)');
    expect(printableBytes(undefined)).toBe('(null)');
    expect(printableBytes(Buffer.alloc(0))).toBe('');
  });

  it('shows bytes that are not UTF-8 as U+FFFD', () => {
    expect(printableBytes(Buffer.from([0x61, 0xff, 0x1b]))).toBe('a\ufffd\\x1b');
  });
});
