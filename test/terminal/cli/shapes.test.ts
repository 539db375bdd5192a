import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SHAPES } from './shapes.ts';

test('the documentation has the fields of every object, and no others', () => {
  const text = readFileSync(new URL('../../../docs/commands.md', import.meta.url), 'utf8');
  const table = text.slice(text.indexOf('## JSON'), text.indexOf('## Settings'));
  const documented: Record<string, string[]> = {};
  let command = '';
  for (const [, first = '', fields = ''] of table.matchAll(/^\| ?(.*?) ?\| (`.*?`) \| /gm)) {
    command = first.replace(/^`|`$/g, '') || command;
    documented[command] = [
      ...(documented[command] ?? []),
      ...[...fields.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
    ];
  }
  expect(documented).toEqual(
    Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, Object.keys(shape.shape)])),
  );
});
