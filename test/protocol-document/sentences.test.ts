/* No sentence of docs/protocol.md, and no row of its tables, is without a test or a reason. */
import { describe, expect, it } from 'vitest';
import { isQuoted, quoted, sentences } from './sentences.ts';

const REASONS = new Map<string, readonly string[]>([]);

describe('docs/protocol.md', () => {
  const quotes = [...quoted(), ...[...REASONS.values()].flat()];

  it('has sentences and rows', () => expect(sentences().length).toBeGreaterThan(200));

  it('has none that nothing holds', () => {
    expect(sentences().filter((sentence) => !isQuoted(sentence, quotes))).toEqual([]);
  });

  it('still has each that needs no test', () => {
    const text = sentences().join(' ');
    for (const sentence of [...REASONS.values()].flat()) expect(text).toContain(sentence);
  });
});
