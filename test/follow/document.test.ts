/* docs/follow.md: each filter, template, tag and limit in it is so. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFilter } from '../../src/storage/kafka/follow/filter.ts';
import { MAX_LINE_CHARACTERS } from '../../src/storage/kafka/follow/raw-line.ts';
import { FIELD_NAMES, MAX_FIELD_BYTES } from '../../src/storage/kafka/follow/record-fields.ts';
import { MAX_RECORD_MS } from '../../src/storage/kafka/follow/record-lines.ts';
import { FILTERS, makeTemplate, TAGS } from '../../src/storage/kafka/follow/template.ts';
import { ROOT } from '../e2e/script.ts';

const text = readFileSync(join(ROOT, 'docs/follow.md'), 'utf8');
const section = (title: string): string => text.split(/^## /m).find((part) => part.startsWith(title)) ?? '';

it('has filters that can be', () => {
  const filters = Array.from(section('Filters').matchAll(/^\| `(.*)` \| /gm), ([, one = '']) =>
    one.replaceAll('\\|', '|'),
  );
  expect(filters.length).toBeGreaterThan(6);
  for (const filter of filters) expect(() => makeFilter(filter), filter).not.toThrow();
  for (const [, option, one = ''] of text.matchAll(/--(where|as) '([^']*)'/g)) {
    if (option === 'where') expect(() => makeFilter(one), one).not.toThrow();
    else expect(() => makeTemplate(one), one).not.toThrow();
  }
});

it('names the fields, the tags and the filters that there are', () => {
  const listed = (list: string): string[] =>
    Array.from(list.matchAll(/`([\w#]+)`/g), ([, name = '']) => name).sort();
  const fields = Array.from(
    section('What a record says').matchAll(/^\| (`.*?`) \|/gm),
    ([, row = '']) => row,
  );
  expect(listed(fields.join())).toEqual([...FIELD_NAMES].sort());
  const [, tags = '', filters = ''] =
    /Tags: ([\s\S]*?)\. Filters: ([\s\S]*?)\. /.exec(section('Templates')) ?? [];
  expect(listed(tags)).toEqual([...TAGS].sort());
  expect(listed(filters)).toEqual([...FILTERS].sort());
});

it('says the bounds that there are', () => {
  expect(text).toContain(`more than ${MAX_FIELD_BYTES / 1024} KiB`);
  expect(text).toContain(`A line has ${MAX_LINE_CHARACTERS.toLocaleString('en-US')} characters`);
  expect(text).toContain(`within ${MAX_RECORD_MS} ms`);
});
