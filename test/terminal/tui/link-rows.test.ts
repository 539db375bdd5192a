import { describe, expect, test } from 'vitest';
import type { SaidLink } from '../../../src/terminal/chat/display.ts';
import { linkRows } from '../../../src/terminal/tui/link-rows.ts';
import { textOf } from '../../../src/terminal/tui/rows.ts';

const NOW = Date.UTC(2026, 10, 24, 12);

function link(url: string, name = 'bob'): SaidLink {
  const message = {
    id: 1,
    peer: { kind: 'user', name },
    direction: 'in',
    at: NOW,
    body: '',
    fate: null,
  } as const;
  return { url, message: { ...message, highlight: false } };
}

const rows = (links: readonly SaidLink[], picked: number, columns: number, height: number) =>
  linkRows(links, picked, columns, height, NOW).map(textOf);

describe('addresses to choose from', () => {
  test('are whole, and numbered', () => {
    const long = `https://example.org/${'abcdefghi/'.repeat(12)}`;
    const shown = rows([link('http://a.example'), link(long)], 0, 60, 10);
    expect(shown[0]).toMatch(/^ {2}1 {2}\d\d:\d\d {2}bob {2}http:\/\/a\.example +$/);
    expect(
      shown
        .slice(1)
        .map((row) => row.slice(17).trim())
        .join(''),
    ).toBe(long);
    for (const row of shown) expect(row.length).toBeLessThanOrEqual(60);
  });

  test('stand under who said them where there is little room', () => {
    expect(rows([link('http://a.example')], 0, 30, 10).map((row) => row.trim())).toEqual([
      expect.stringMatching(/^1 .* bob$/),
      'http://a.example',
    ]);
  });

  test.each([
    ['http://good.example@evil.example/x', 'leads to evil.example'],
    ['https://ex%C3%A4mple.org', 'leads to xn--exmple-cua.org'],
    ['http://0x7f.1/', 'leads to 127.0.0.1'],
    ['http://EXAMPLE.org:80/@x', null],
    ['https://example.org:8443?q', null],
  ])('%s %s', (url, warning) => {
    const [, second] = rows([link(url)], 0, 100, 10);
    expect(second?.trim() ?? null).toBe(warning);
  });

  test('the chosen one is in sight from its beginning, and what has no room is told', () => {
    const many = Array.from({ length: 200 }, (_, index) => link(`http://a.example/${index}`));
    for (const picked of [0, 1, 100, 199]) {
      const shown = linkRows(many, picked, 80, 9, NOW);
      expect(shown).toHaveLength(9);
      expect(shown.filter((row) => row[0]?.role === 'selected').map(textOf)).toEqual([
        expect.stringContaining(`http://a.example/${picked} `),
      ]);
    }
    const huge = rows([link('http://a.example'), link(`http://b.example/${'x'.repeat(2_000)}`)], 1, 60, 8);
    expect(huge).toHaveLength(8);
    expect(huge[0]).toContain('http://b.example/');
    expect(huge[7]).toMatch(/… \d+ rows more/);
  });

  test.each([1, 2, 20, 21])('never wider than %i columns', (columns) => {
    for (const row of rows([link(`http://u@b.example/${'x'.repeat(99)}`, 'm'.repeat(32))], 0, columns, 50)) {
      expect(row.length).toBeLessThanOrEqual(Math.max(columns, 5));
    }
  });
});
