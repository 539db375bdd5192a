/** Each safeguard is still where the run that switches it off looks for it. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { MUTATIONS } from './mutations.ts';
import { ROWS } from './rows/index.ts';

it.each(MUTATIONS)('$name', ({ patches, row, test }) => {
  for (const { file, find, replace } of patches) {
    const source = readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8');
    expect(source.split(find), `${find} in ${file}`).toHaveLength(2);
    expect(replace).not.toBe(find);
  }
  const isPlayed = ROWS.some(({ name }) => name === row);
  expect(isPlayed || (test !== undefined && existsSync(new URL(`../../${test}`, import.meta.url)))).toBe(
    true,
  );
});
