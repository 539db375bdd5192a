import { describe, expect, it } from 'vitest';
import { BadExpression } from '../../src/storage/kafka/follow/bad-expression.ts';
import { RecordFields } from '../../src/storage/kafka/follow/record-fields.ts';
import { makeTemplate } from '../../src/storage/kafka/follow/template.ts';
import { recordOf, type Said } from './records.ts';

function lineOf(as: string, said: Said): string {
  return makeTemplate(as)(new RecordFields(3, recordOf(said)));
}

const order = { id: 4711, level: 'error', tags: ['eu', 'pay'], user: { name: 'Zoë' }, none: null };

describe('a template', () => {
  it.each<[as: string, said: Said, line: string]>([
    [
      '{{ value.level | upcase }} in {{ key }}: {{ value.id }}',
      { key: 'db-3', value: order },
      'ERROR in db-3: 4711',
    ],
    ['{{ value.user.name }}, {{ value.tags | join: "+" }}', { value: order }, 'Zoë, eu+pay'],
    ['{{ value.tags }} {{ value.user }}', { value: order }, '["eu","pay"] {"name":"Zoë"}'],
    ['{{ value.user | json }}', { value: order }, '{"name":"Zoë"}'],
    ['{{ value.none }}{{ value.nothing }}|{{ value.nothing | default: "?" }}', { value: order }, '|?'],
    ['{% if value.level == "error" %}!{% else %}.{% endif %}', { value: order }, '!'],
    ['{% for tag in value.tags %}<{{ tag }}>{% endfor %}', { value: order }, '<eu><pay>'],
    ['{{ partition }}/{{ offset }} {{ headers.trace }}', { headers: [['trace', 'on']] }, '3/7 on'],
    [
      '{{ timestamp | date: "%Y-%m-%d %H:%M" }}',
      { timestamp: Date.UTC(2026, 0, 31, 12) },
      '2026-01-31 12:00',
    ],
    ['{{ timestamp }}', { timestamp: 0 }, '1970-01-01T00:00:00.000Z'],
    ['{{ timestamp }}', { timestamp: 2 ** 60 }, '1152921504606847000'],
    ['{{ value }}', { value: 'plain text' }, 'plain text'],
    ['{{ value }}', { value: Buffer.of(0x61, 0xff) }, 'a\ufffd'],
    ['{{ value }}|{{ key }}', {}, '|'],
    ['no names', {}, 'no names'],
    ['  {{ key }}\n', { key: 'trimmed' }, 'trimmed'],
    // What every object has is not shown: only what is in the record.
    [
      '{{ value.constructor }}{{ value.toString }}{{ value.__proto__ }}{{ headers.constructor }}',
      { value: order },
      '',
    ],
    ['{{ value.constructor }}{{ value.__proto__ }}', { value: '{"constructor":"c","__proto__":"p"}' }, 'cp'],
    ['{{ headers.__proto__ }}', { headers: [['__proto__', 'p']] }, 'p'],
  ])('%s', (as, said, line) => {
    expect(lineOf(as, said)).toBe(line);
  });

  it('is cut, not between the halves of a character', () => {
    const line = lineOf('{{ value }}', { value: `x${'😀'.repeat(5_000)}` });
    expect(line.length).toBeLessThanOrEqual(4_096);
    expect(line.isWellFormed()).toBe(true);
    expect(line.endsWith('😀…')).toBe(true);
  });

  const long = 'x'.repeat(100_000);
  it.each<[as: string, said: Said, why: RegExp]>([
    ['{% for i in (1..100000000) %}{{ i }}{% endfor %}', {}, /memory/],
    ['{% for i in (1..1000) %}{{ value }}{% endfor %}', { value: long }, /more than 524288 characters/],
    [
      '{% capture a %}{% for i in (1..1000) %}{{ value }}{% endfor %}{% endcapture %}{% if a contains "q" %}{% endif %}',
      { value: long },
      /more than 524288 characters/,
    ],
    [`{{ value ${'| append: value '.repeat(40)}}}`, { value: long }, /memory/],
    [`{{ value ${'| json '.repeat(80)}}}`, { value: '"'.repeat(50_000) }, /more than 524288 characters/],
    ['{{ value }}', { value: Buffer.alloc(300_000) }, /300000 bytes/],
    [
      '{{ value | json }}',
      { value: `${'['.repeat(60_000)}${']'.repeat(60_000)}` },
      /nested too deeply|stack/,
    ],
  ])('fails, and says why: %s', (as, said, why) => {
    expect(() => lineOf(as, said)).toThrow(why);
  });
});

describe('a template that cannot be', () => {
  it.each<[as: string, line: number, column: number, why: RegExp]>([
    ['{{ valu.level }}', 1, 4, /no name valu: there are key, value/],
    ['{{ key }}\n{{ value | shout }}', 2, 1, /undefined filter: shout/],
    ['{% if value %}', 1, 1, /not closed/],
    ['{{ value', 1, 1, /not closed/],
    ['{% include "x" %}', 1, 1, /tag "include" not found/],
    ['{% render "x" %}', 1, 1, /tag "render" not found/],
    ['{% layout "x" %}', 1, 1, /tag "layout" not found/],
    ['{{ value.tags | concat: value.tags }}', 1, 1, /undefined filter: concat/],
    ['x'.repeat(1_025), 1, 1, /limit/],
  ])('%s', (as, line, column, why) => {
    let thrown: unknown;
    try {
      makeTemplate(as);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(BadExpression);
    expect(thrown).toMatchObject({ code: 'BAD_TEMPLATE', line, column, message: expect.stringMatching(why) });
  });

  it.each([
    '{% if value contains key %}x{% endif %}',
    ...['split', 'remove', 'remove_first', 'replace_first'].map((name) => `{{ value | ${name}: key, "x" }}`),
    '{{ value | replace: key, "x" }}',
  ])('looks for no long text in a long one, which nothing could end: %s', (as) => {
    const half = 'a'.repeat(30_000);
    const began = performance.now();
    expect(() => lineOf(as, { key: `${half}b${half}`, value: 'a'.repeat(250_000) })).toThrow(
      /60001 characters looked for in 250000/,
    );
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(lineOf(as, { key: 'b', value: 'abba' })).toBeTypeOf('string');
  });
});
