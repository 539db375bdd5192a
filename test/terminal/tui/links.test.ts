import { describe, expect, it, test } from 'vitest';
import { asLink, knowsLinks, linkedRows } from '../../../src/terminal/tui/links.ts';
import { wrapText } from '../../../src/terminal/tui/wrap.ts';

/** The addresses in a text, in their order. */
function linksIn(text: string): string[] {
  return linkedRows([text], text, 'text')
    .flat()
    .flatMap(({ link }) => link ?? []);
}

describe('addresses in a text', () => {
  test.each([
    ['see https://example.org/a?b=c#d for more', ['https://example.org/a?b=c#d']],
    ['(https://example.org/a), and http://b.example!', ['https://example.org/a', 'http://b.example']],
    [
      'https://en.wikipedia.org/wiki/Kafka_(disambiguation)',
      ['https://en.wikipedia.org/wiki/Kafka_(disambiguation)'],
    ],
    ['[one](https://example.org/x).', ['https://example.org/x']],
    ['https://exämple.org/ü', ['https://ex%C3%A4mple.org/%C3%BC']],
    ['<https://example.org>', ['https://example.org']],
    ['xhttps://example.org', []],
    ['javascript:alert(1) file:///etc/passwd ssh://host', []],
    ['https:// and http://', []],
    [`https://example.org/${'x'.repeat(3_000)}`, []],
    ['https://one.example\nhttps://two.example', ['https://one.example', 'https://two.example']],
  ])('%j', (text, urls) => {
    expect(linksIn(text)).toEqual(urls);
  });

  it('are never more than a hundred', () => {
    expect(linksIn('http://a.example '.repeat(1_000))).toHaveLength(100);
  });

  it('have nothing in their sequence that ends it', () => {
    for (let code = 0; code < 0x3000; code++) {
      for (const url of linksIn(`https://a.example/${String.fromCharCode(code)}x`)) {
        expect(url).toMatch(/^[\u0021-\u007e]+$/);
      }
    }
  });
});

describe('rows with links', () => {
  const url = 'https://example.org/a/long/way/to/go';

  it('hold the pieces of one address together', () => {
    const text = `look:  ${url}, then\n\nagain ${url}`;
    const rows = linkedRows(wrapText(text, 12, 12), text, 'text');
    expect(rows.map((row) => row.map(({ text }) => text).join(''))).toEqual(wrapText(text, 12, 12));
    const linked = rows.flat().filter(({ link }) => link !== undefined);
    expect(linked.map(({ text }) => text).join('')).toBe(url + url);
    expect(new Set(linked.map(({ link }) => link))).toEqual(new Set([url]));
  });

  it('have what was looked for in pieces of their own, also within an address', () => {
    const text = `way to ${url} or away`;
    const rows = linkedRows(wrapText(text, 20, 20), text, 'text', [{ tokens: ['way'], isWhole: false }]);
    expect(rows.map((row) => row.map(({ text }) => text).join(''))).toEqual(wrapText(text, 20, 20));
    const found = rows.flat().filter(({ role }) => role === 'found');
    expect(found.map(({ text, link }) => [text, link])).toEqual([
      ['way', undefined],
      ['way', url],
    ]);
  });

  it('are as wide and as many, whatever the text', () => {
    const texts = [
      '',
      'a',
      '\n\n',
      'http://a.example',
      ` ${url} ${url}\n${url}`,
      'aaa aaa aaa http://a.example/aaa',
    ];
    for (const text of texts) {
      for (const columns of [1, 2, 7, 20, 80]) {
        const wrapped = wrapText(text, columns, columns);
        const rows = linkedRows(wrapped, text, 'text');
        expect(rows.map((row) => row.map((span) => span.text).join(''))).toEqual(wrapped);
      }
    }
  });

  it('say the whole address in each piece', () => {
    expect(asLink('way', url)).toBe(
      `\u001b]8;id=${/id=(\w+)/.exec(asLink('', url))?.[1]};${url}\u001b\\way\u001b]8;;\u001b\\`,
    );
  });
});

test.each([
  [{ TERM: 'xterm-kitty' }, true],
  [{ TERM: 'xterm-256color', TERM_PROGRAM: 'iTerm.app' }, true],
  [{ TERM: 'xterm-256color', VTE_VERSION: '7600' }, true],
  [{ TERM: 'xterm-256color', VTE_VERSION: '4900' }, false],
  [{ TERM: 'xterm-256color', WT_SESSION: 'x' }, true],
  [{ TERM: 'xterm-256color' }, false],
  [{ TERM: 'tmux-256color', TERM_PROGRAM: 'tmux', VTE_VERSION: '7600', TMUX: '/tmp/x' }, false],
  [{ TERM: 'linux' }, false],
  [{}, false],
])('%j knows links: %s', (env, known) => {
  expect(knowsLinks(env)).toBe(known);
});
