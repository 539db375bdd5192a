/** Every measured figure of docs/scaling.md is that of the run which it names. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../e2e/script.ts';

const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');
const [text = '', table = ''] = read('docs/scaling.md').split('\n## Runs\n');
const rows = [...table.matchAll(/^\| (\d+) \| (\S+) \| (\S+) (\S+) \| (.+) \|$/gm)].map(
  ([, number = '', figure = '', file = '', at = '', field = '']) => ({ number, figure, file, at, field }),
);

/** What the run has in that field, as a document writes it: 1,447. */
function measured(file: string, at: string, field: string): string {
  const results = read(`bench/results/${file}`);
  if (file.endsWith('.md')) {
    expect(results).toContain(at);
    return new RegExp(`^\\| ${field}.*\\| × (\\S+) \\|$`, 'm').exec(results)?.[1] ?? 'nothing';
  }
  const lines: Record<string, unknown>[] = results
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const runs = lines.filter((line) => line.at === at);
  expect(runs, `runs of ${at} in ${file}`).toHaveLength(1);
  return Number(runs[0]?.[field]).toLocaleString('en');
}

describe('docs/scaling.md', () => {
  it('has a table of runs', () => {
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.map(({ number }) => Number(number))).toEqual(rows.map((_, index) => index + 1));
  });

  it.each(rows)('$number: $figure is what $file has for $at', ({ figure, file, at, field }) => {
    expect(figure).toBe(measured(file, at, field));
  });

  it('names in the text the figures that the runs have', () => {
    const named = [...text.matchAll(/([\d.,]*\d)[^\d[\]]*\[(\d+)\]\(#runs\)/g)];
    expect(named.map(([, figure, number]) => [number, figure])).toEqual(
      rows.map(({ number, figure }) => [number, figure]),
    );
  });

  it('calls nothing measured without a run', () => {
    const sentences = text.replace(/^[\s\S]*?\n## /, '').split(/(?<=\.)\s|\n\n|\|/);
    const bare = sentences.filter((part) => /\bmeasured\b/i.test(part) && !/\[\d+\]\(#runs\)/.test(part));
    expect(bare).toEqual([]);
  });
});
