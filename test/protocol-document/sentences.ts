/*
 * docs/protocol.md as sentences and rows of tables, so that each test says which of them it holds, and none is without
 * one: see sentences.test.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const DOCUMENT = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');

/** The whole text with single blanks: what a test quotes stands in it word for word. */
const TEXT = plain(DOCUMENT);

function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** A test that holds sentences, or parts of them, or rows of tables; it fails when the document says something else. */
export function holds(quotes: string | readonly string[], check: () => Promise<void> | void): void {
  const all = typeof quotes === 'string' ? [quotes] : quotes;
  it(all.join(' … '), async () => {
    for (const quote of all) expect(TEXT).toContain(quote);
    await check();
  });
}

/** Every sentence outside of tables, examples and headings, and every row of a table. */
export function sentences(): string[] {
  const [text = ''] = DOCUMENT.replace(/^```[\s\S]*?^```$/gm, '').split(/^### Version 2 by the byte$/m);
  const found: string[] = [];
  let paragraph = '';
  const end = () => {
    if (paragraph !== '') found.push(...plain(paragraph).split(/(?<=[.;]) (?=\S)/));
    paragraph = '';
  };
  for (const line of text.split('\n')) {
    if (/^(#| {4,}|\| (-|(frame|request|push|requests|code) \|)|$)/.test(line)) {
      end();
    } else if (line.startsWith('|')) {
      end();
      found.push(plain(line));
    } else {
      if (line.startsWith('- ')) end();
      paragraph += `${line.replace(/^- /, '')} `;
    }
  }
  end();
  return found;
}

/** Everything that tests of this folder quote. */
export function quoted(): string[] {
  const folder = new URL('./', import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.test.ts'));
  return files.flatMap((name) => {
    const source = readFileSync(new URL(name, folder), 'utf8');
    const heads = source.matchAll(
      /(?:holds\(|row:|rows:)([\s\S]*?)(?:async \(|\(\) =>|,\n {2,}(?:\w+:|\}))/g,
    );
    return [...heads].flatMap(([, head = '']) => literals(head));
  });
}

function literals(source: string): string[] {
  const found = source.matchAll(/'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"|`((?:\\.|[^`\\])*)`/g);
  return [...found].map(([, single, double, back]) =>
    (single ?? double ?? back ?? '').replace(/\\(.)/g, '$1'),
  );
}

/** Whether one of the quotes is the sentence, a part of it, or more than it. */
export function isQuoted(sentence: string, quotes: readonly string[]): boolean {
  return quotes.some((quote) => quote.includes(sentence) || (quote.length > 10 && sentence.includes(quote)));
}
