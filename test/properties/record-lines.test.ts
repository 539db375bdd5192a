/*
 * Filters and templates of every kind, over records of every kind: each record gets a line, a note or is left out, within the time that it
 * may take, and an expression that is refused says where.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BadExpression } from '../../src/storage/kafka/follow/bad-expression.ts';
import { RecordLines } from '../../src/storage/kafka/follow/record-lines.ts';
import { threadMicroseconds } from '../../src/storage/kafka/follow/time-limit.ts';
import { recordOf } from '../follow/records.ts';
import { demand } from '../fuzz/fuzzing.ts';
import { runs } from './checking.ts';

/** Of one record: what it may take, five times over, and what nothing interrupts. */
const MOST_MICROSECONDS = 250_000;

const FIELDS = ['key', 'value', 'headers', 'partition', 'offset', 'timestamp', 'x', 'y'];
const NAMES = ['a', 'b', 'size', '__proto__', 'constructor', 'toString', 'length', 'hasOwnProperty'];
const CONSTANTS = [
  ...[
    '0',
    '1',
    '-1',
    '9223372036854775807',
    '18446744073709551615u',
    '1.5',
    '1e308',
    'true',
    'false',
    'null',
  ],
  ...['"a"', '"é😀"', 'b"\\xff"', '""', 'r"\\d"', "'''x'''", '"2026-01-31T00:00:00Z"', '"1h"', '[]', '{}'],
];
const CALLS = [
  'size',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'bool',
  'timestamp',
  'duration',
  'type',
  'dyn',
];
const METHODS = [
  'size()',
  'startsWith("a")',
  'contains(key)',
  'matches("(a+)+b|\\\\d*$")',
  'getHours()',
  'nothing()',
];
const OPERATORS = ['+', '-', '*', '/', '%', '==', '!=', '<', '>=', '&&', '||', 'in'];
const MACROS = ['exists', 'all', 'map', 'filter', 'exists_one'];

const { filter } = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.constantFrom(...CONSTANTS, ...FIELDS),
    fc.tuple(tie('filter'), fc.constantFrom(...NAMES)).map(([of, name]) => `${of}.${name}`),
    fc.tuple(tie('filter'), tie('filter')).map(([of, at]) => `${of}[${at}]`),
    fc
      .tuple(tie('filter'), fc.constantFrom(...OPERATORS), tie('filter'))
      .map((parts) => `(${parts.join(' ')})`),
    fc.tuple(fc.constantFrom('!', '-'), tie('filter')).map((parts) => parts.join('')),
    fc
      .tuple(tie('filter'), tie('filter'), tie('filter'))
      .map(([is, then, or]) => `(${is} ? ${then} : ${or})`),
    fc.tuple(fc.constantFrom(...CALLS), tie('filter')).map(([call, of]) => `${call}(${of})`),
    fc.tuple(tie('filter'), fc.constantFrom(...METHODS)).map(([of, method]) => `${of}.${method}`),
    fc
      .tuple(tie('filter'), fc.constantFrom(...MACROS), fc.constantFrom('x', 'y'), tie('filter'))
      .map(([of, macro, name, is]) => `${of}.${macro}(${name}, ${is})`),
    fc.array(tie('filter'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc
      .array(tie('filter'), { maxLength: 2 })
      .map((items) => `{${items.map((item) => `"a": ${item}`).join(', ')}}`),
    fc.tuple(tie('filter'), fc.constantFrom(...NAMES)).map(([of, name]) => `has(${of}.${name})`),
  ),
}));

const FILTERS = [
  ...[
    'upcase',
    'size',
    'json',
    'sort',
    'join: "-"',
    'split: ""',
    'replace: "a", value',
    'append: value',
    'date: "%Y"',
  ],
  ...[
    'truncate: 5',
    'slice: 0, 3',
    'times: 1e300',
    'url_encode',
    'base64_encode',
    'where: "a"',
    'map: "a"',
    'default: 1',
  ],
];
const path = fc
  .tuple(fc.constantFrom(...FIELDS), fc.array(fc.constantFrom(...NAMES, 'first', 'last'), { maxLength: 2 }))
  .map(([field, names]) => [field, ...names].join('.'));
const shown = fc
  .tuple(path, fc.array(fc.constantFrom(...FILTERS), { maxLength: 3 }))
  .map(([of, filters]) => `{{ ${[of, ...filters].join(' | ')} }}`);
const { template } = fc.letrec<{ template: string }>((tie) => ({
  template: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    shown,
    fc.string({ maxLength: 5 }),
    fc.tuple(path, tie('template')).map(([of, inner]) => `{% for x in ${of} %}${inner}{% endfor %}`),
    fc.tuple(path, tie('template')).map(([of, inner]) => `{% if ${of} == 1 %}${inner}{% else %}y{% endif %}`),
    fc.tuple(tie('template'), tie('template')).map((parts) => parts.join('')),
    tie('template').map((inner) => `{% capture y %}${inner}{% endcapture %}{{ y }}`),
    fc.nat(10_000_000).map((most) => `{% for x in (1..${most}) %}{{ value }}{% endfor %}`),
  ),
}));

/** Text that is nearly an expression, too. */
const where = fc.oneof(
  { weight: 8, arbitrary: filter },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(filter, fc.nat(), fc.constantFrom('', '(', '"', '\\', '.', '\n', '//'))
      .map(
        ([text, at, odd]) =>
          `${text.slice(0, at % (text.length + 1))}${odd}${text.slice((at % (text.length + 1)) + 1)}`,
      ),
  },
);

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const value = fc.oneof(
  { weight: 6, arbitrary: fc.json({ maxDepth: 4 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 2, arbitrary: bytes },
  {
    weight: 2,
    arbitrary: fc.constantFrom<string | Buffer | null>(
      null,
      '{"a":{"__proto__":{"a":1},"constructor":null},"size":"x","length":1e999}',
      '[1,"a",null,{"a":[true]},123456789012345678901234567890]',
      `${'[1,'.repeat(20_000)}1${']'.repeat(20_000)}`,
      `[${Array(20_000).fill('"ab"').join()}]`,
      `{${Array.from({ length: 5_000 }, (_, n) => `"a${n}":${n}`).join()}}`,
      'ab'.repeat(100_000),
      `"${'\\u0000\\ud800'.repeat(5_000)}"`,
      '9'.repeat(100_000),
      `"${'x'.repeat(1_000_000)}"`,
      Buffer.alloc(200_000, 0xff),
    ),
  },
);
const record = fc
  .record({
    key: fc.oneof(fc.constant(null), fc.string({ maxLength: 9 }), bytes),
    value,
    headers: fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.oneof(fc.string({ maxLength: 9 }), bytes)), {
      maxLength: 3,
    }),
    timestamp: fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 63), 2 ** 63, 253_402_300_800_000)),
    offset: fc.nat(),
  })
  .map(recordOf);

async function opened(one: string | null, other: string | null): Promise<RecordLines | null> {
  try {
    return await RecordLines.open({ where: one, as: other });
  } catch (error) {
    if (!(error instanceof BadExpression)) throw error;
    const text = (error.code === 'BAD_FILTER' ? one : other) ?? '';
    const lines = text.split(/\r\n|\r|\n/);
    demand(error.line >= 1 && error.line <= lines.length, () => `line ${error.line} of ${lines.length}`);
    const { length } = lines[error.line - 1] ?? '';
    demand(error.column >= 1 && error.column <= length + 1, () => `column ${error.column} of ${length}`);
    demand(error.message !== '' && error.message.length < 500, () => `"${error.message}"`);
    return null;
  }
}

async function holds(
  one: string | null,
  other: string | null,
  records: readonly ReturnType<typeof recordOf>[],
): Promise<boolean> {
  const began = threadMicroseconds();
  const room = await opened(one, other);
  if (room === null) return false;
  let left = 3;
  const { lines, count, leftOut, untold } = await room.look(0, records, () => left-- > 0);
  const used = threadMicroseconds() - began;
  demand(used < MOST_MICROSECONDS * (1 + records.length), () => `${used} µs`);
  demand(count === lines.length + leftOut + untold && lines.length <= 3, () => 'counts that are none');
  demand(count === records.length || room.paused !== null, () => `${count} of ${records.length}`);
  for (const { text, note } of lines) {
    demand(text.length <= 4_096, () => `${text.length} characters`);
    demand(note === null || (note !== '' && note.length < 300), () => `"${note}"`);
  }
  return true;
}

test('a filter judges each record, or says why not, in its time', async () => {
  let used = 0;
  const property = fc.asyncProperty(where, fc.array(record, { maxLength: 4 }), async (text, records) => {
    if (await holds(text, null, records)) used += 1;
  });
  await fc.assert(property, runs(200));
  // Most of what the grammar makes is no nonsense.
  expect(used).toBeGreaterThan(40);
});

test('a template makes a line of each record, or says why not, in its time', async () => {
  let used = 0;
  const property = fc.asyncProperty(template, fc.array(record, { maxLength: 4 }), async (text, records) => {
    if (await holds(null, text, records)) used += 1;
  });
  await fc.assert(property, runs(200));
  expect(used).toBeGreaterThan(40);
});
