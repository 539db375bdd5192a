import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cells } from '../../../src/terminal/tui/cells.ts';
import { span } from '../../../src/terminal/tui/rows.ts';
import { signsFor, textInAscii, withSigns } from '../../../src/terminal/tui/signs.ts';

describe('signs', () => {
  it('are ASCII on the console, and wherever somebody says so', () => {
    const xterm = { TERM: 'xterm-256color' };
    expect(signsFor('auto', { TERM: 'linux', LANG: 'C.UTF-8' })).toBe('ascii');
    expect(signsFor('auto', xterm)).toBe('unicode');
    expect(signsFor('auto', {})).toBe('unicode');
    expect(signsFor('ascii', xterm)).toBe('ascii');
    expect(signsFor('unicode', { TERM: 'linux' })).toBe('unicode');
  });

  it.each([
    ['unicode', { LANG: 'de_DE.UTF-8' }],
    ['unicode', { LANG: 'C', LC_CTYPE: 'C.utf8' }],
    ['unicode', { LANG: '' }],
    ['ascii', { LANG: 'C' }],
    ['ascii', { LANG: 'de_DE@euro' }],
    ['ascii', { LANG: 'de_DE.UTF-8', LC_ALL: 'POSIX' }],
  ] as const)('are %s in the locale of %j', (signs, locale) => {
    expect(signsFor('auto', { TERM: 'xterm-256color', ...locale })).toBe(signs);
  });

  it('are only our own: what people wrote stays', () => {
    const row = [
      span('✓✓', 'tick'),
      span('done ✓ …', 'text'),
      span('ext ✓', 'external'),
      { text: 'me → bo…', role: 'name', who: 'bob' } as const,
    ];
    expect(withSigns(row, 'ascii').map(({ text }) => text)).toEqual(['++', 'done ✓ …', 'ext ✓', 'me > bo_']);
    expect(withSigns(row, 'unicode')).toBe(row);
  });

  it('have one of ASCII, of the same width, for each that the screen draws', () => {
    const folders = ['tui', 'chat'].map((name) => join(import.meta.dirname, '../../../src/terminal', name));
    const sources = folders.flatMap((folder) =>
      readdirSync(folder)
        .filter((file) => file !== 'signs.ts')
        .map((file) => readFileSync(join(folder, file), 'utf8')),
    );
    // Within a text, not in a comment or an expression.
    const texts = sources.flatMap((source) =>
      source
        .split('\n')
        .filter((line) => !/^\s*(?:\*|\/\*|\/\/)/.test(line))
        .flatMap((line) => line.match(/(['`])(?:(?!\1).)*\1/gu) ?? []),
    );
    const signs = new Set(texts.join('').match(/[^\p{ASCII}]/gu));
    expect(signs.size).toBeGreaterThan(8);
    for (const sign of signs) {
      const ascii = textInAscii(sign);
      expect(ascii, sign).toMatch(/^[ -~]$/);
      expect(cells(ascii)).toBe(cells(sign));
    }
  });
});
