import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RecordLines } from '../../src/storage/kafka/follow/record-lines.ts';
import { endsWithin, threadMicroseconds } from '../../src/storage/kafka/follow/time-limit.ts';
import { ROOT } from '../e2e/script.ts';
import { recordOf } from './records.ts';

const ALL = () => true;
/** Takes as long as the record has items, squared: some 10 µs each, so for some it never ends. */
const DEAR = 'value.exists(a, value.exists(b, a + b < 0.0))';
const endless = recordOf({ value: Array.from({ length: 30_000 }, (_, i) => i) });
const cheap = recordOf({ value: [1] });

describe('lines of records', () => {
  it('are those that the filter wants, as the template says', async () => {
    const room = await RecordLines.open({ where: 'value.n >= 8', as: '{{ key }} has {{ value.n }}' });
    const records = Array.from({ length: 10 }, (_, n) =>
      recordOf({ key: `k${n}`, value: { n }, offset: 100 + n, timestamp: n }),
    );
    expect(await room.look(2, records, ALL)).toEqual({
      lines: [
        { partition: 2, offset: 108, timestamp: 8, text: 'k8 has 8', note: null },
        { partition: 2, offset: 109, timestamp: 9, text: 'k9 has 9', note: null },
      ],
      ...{ count: 10, leftOut: 8, untold: 0, firstUntold: null },
    });
  });

  it('are the records as they are, where nothing is said of them', async () => {
    const room = await RecordLines.open({ where: null, as: null });
    const { lines } = await room.look(
      0,
      [
        recordOf({ key: 'k', value: '{ "a": 1,\n  "b":\t[true] }' }),
        recordOf({ value: 'plain' }),
        recordOf({ key: 'gone', value: null }),
        recordOf({ value: Buffer.of(0, 0xff, 0x10) }),
        recordOf({ key: Buffer.alloc(40, 0xff), value: '' }),
        recordOf({ value: `a${'é'.repeat(600_000)}` }),
      ],
      ALL,
    );
    expect(lines.map(({ text }) => text)).toEqual([
      'k: { "a": 1, "b": [true] }',
      'plain',
      'gone: (null)',
      '(3 bytes) 00 ff 10',
      `(40 bytes) ${'ff '.repeat(32)}…: `,
      `a${'é'.repeat(4_094)}…`,
    ]);
    expect(lines.every(({ note }) => note === null)).toBe(true);
  });

  it('show a record as it is, and why, where filter or template fail', async () => {
    const filtered = await RecordLines.open({ where: 'value.total > 5', as: null });
    const { lines, leftOut } = await filtered.look(
      0,
      [
        recordOf({ value: { total: 1 } }),
        recordOf({ value: { sum: 1 } }),
        recordOf({ value: { total: 'x' } }),
      ],
      ALL,
    );
    expect(leftOut).toBe(1);
    expect(lines.map(({ text }) => text)).toEqual(['{"sum":1}', '{"total":"x"}']);
    expect(lines[0]?.note).toMatch(/^filter: .*total/);
    expect(lines[1]?.note).toMatch(/^filter: .*no matching overload/);

    const made = await RecordLines.open({ where: null, as: '{% for i in (1..99999999) %}{% endfor %}' });
    expect((await made.look(0, [recordOf({ value: 'raw' })], ALL)).lines).toMatchObject([
      { text: 'raw', note: expect.stringMatching(/^template: .*memory/) },
    ]);
  });

  it('are so many at once, the others are counted', async () => {
    const room = await RecordLines.open({ where: 'value != 3', as: null });
    const records = Array.from({ length: 10 }, (_, n) => recordOf({ value: n, offset: n }));
    let left = 2;
    const looked = await room.look(0, records, () => left-- > 0);
    expect(looked.lines.map(({ offset }) => offset)).toEqual([0, 1]);
    expect(looked).toMatchObject({ count: 10, leftOut: 1, untold: 7, firstUntold: 2 });
  });

  it('of several rooms come in turns, and none holds up the event loop', async () => {
    const rooms = await Promise.all(
      ['value.n == 1', 'value.n == 2', 'key == "x"'].map((where) => RecordLines.open({ where, as: null })),
    );
    const records = Array.from({ length: 20_000 }, (_, n) => recordOf({ value: { n: n % 7 }, offset: n }));
    let turns = 0;
    let isDone = false;
    const others = (): void => {
      turns += 1;
      if (!isDone) setImmediate(others);
    };
    setImmediate(others);
    const looked = await Promise.all(rooms.map((room) => room.look(0, records, ALL)));
    isDone = true;
    expect(looked.map(({ lines }) => lines.length)).toEqual([2_857, 2_857, 0]);
    // Nobody's 20,000 were looked at in one go.
    expect(turns).toBeGreaterThan(6);
  });
});

describe('an expression that takes too long', () => {
  it('is ended, and the room paused once it has used up its share', async () => {
    const room = await RecordLines.open({ where: DEAR, as: null });
    const began = threadMicroseconds();
    const looked = await room.look(
      4,
      Array.from({ length: 100 }, () => endless),
      ALL,
    );
    // Each is ended after 10 ms, and 50 ms were saved up; a hundred endless ones would be for ever.
    expect(threadMicroseconds() - began).toBeLessThan(2_000_000);
    expect(looked.count).toBeGreaterThan(1);
    expect(looked.count).toBeLessThan(20);
    expect(looked.lines).toHaveLength(looked.count);
    expect(looked.lines[0]).toMatchObject({ partition: 4, note: 'it takes longer than 10 ms' });
    expect(looked.lines[0]?.text.startsWith('[0,1,2,')).toBe(true);
    expect(room.paused).toMatch(/more than 0.25 ms for each record, as at 4\/7/);
    expect(await room.look(4, [cheap], ALL)).toMatchObject({ count: 0, lines: [] });

    room.resume();
    expect(room.paused).toBeNull();
    expect(await room.look(4, [cheap], ALL)).toMatchObject({ count: 1, leftOut: 1 });
  });

  // What a busy machine takes meanwhile counts as the room's: not each time.
  it('for one record in many is none: the room goes on', { retry: 4 }, async () => {
    const room = await RecordLines.open({ where: DEAR, as: null });
    const records = Array.from({ length: 5_000 }, (_, n) => (n % 2_500 === 7 ? endless : cheap));
    const looked = await room.look(0, records, ALL);
    expect(room.paused).toBeNull();
    expect(looked).toMatchObject({ count: 5_000, leftOut: 4_998 });
    expect(looked.lines.map(({ note }) => note)).toEqual(Array(2).fill('it takes longer than 10 ms'));
  });

  it.each<[what: string, where: string | null, as: string | null, value: unknown]>([
    [
      'a pattern over much text',
      'value.matches("(a|b|ab)*(a|ba)*[^c]*c(ab|a)*d")',
      null,
      'ab'.repeat(120_000),
    ],
    ['a pattern with many states', 'value.matches("(a|b)*a(a|b){12}c")', null, 'abbabaab'.repeat(30_000)],
    ['lists within lists', 'value.map(a, value.map(b, [a, b])).size() < 0', null, Array(30_000).fill(1)],
    [
      'loops of a template',
      null,
      '{% for a in value %}{% for b in value %}{% endfor %}{% endfor %}',
      Array(30_000).fill(1),
    ],
    [
      'a template that sorts',
      null,
      '{% for a in value %}{{ value | sort | size }}{% endfor %}',
      Array(30_000).fill(1),
    ],
  ])('%s: the event loop has it back', async (_, where, as, value) => {
    const room = await RecordLines.open({ where, as });
    const record = recordOf({ value });
    for (let times = 0; times < 12; times++) {
      const began = threadMicroseconds();
      await room.look(0, [record], ALL);
      // Five tries on a busy machine, and what no interruption reaches.
      expect(threadMicroseconds() - began).toBeLessThan(200_000);
    }
  });

  it('ends a loop, and hands on what is thrown', () => {
    expect(
      endsWithin(5, () => {
        for (;;);
      }),
    ).toBe(false);
    expect(endsWithin(5_000, () => {})).toBe(true);
    expect(() =>
      endsWithin(5_000, () => {
        throw new Error('thrown');
      }),
    ).toThrow('thrown');
  });
});

it('loads the libraries when a room has an expression, and not before', () => {
  const folder = mkdtempSync(join(tmpdir(), 'milena-follow-'));
  const file = join(folder, 'modules');
  const recorder = join(folder, 'recorder.mjs');
  writeFileSync(
    recorder,
    `import { registerHooks } from 'node:module';
     import { appendFileSync } from 'node:fs';
     registerHooks({
       load(url, context, next) {
         appendFileSync(${JSON.stringify(file)}, url + '\\n');
         return next(url, context);
       },
     });`,
  );
  const loadedBy = (script: string): string[] => {
    writeFileSync(file, '');
    const args = ['--import', recorder, '--input-type=module', '-e', script];
    execFileSync(process.execPath, args, { cwd: ROOT });
    const found = readFileSync(file, 'utf8').matchAll(/\/node_modules\/(@bufbuild\/[^/]+|liquidjs)\//g);
    return [...new Set(Array.from(found, ([, name = '']) => name))].sort();
  };
  const open = (where: string, as: string): string =>
    `const { RecordLines } = await import('${ROOT}src/storage/kafka/follow/record-lines.ts');
     await RecordLines.open({ where: ${where}, as: ${as} });`;
  try {
    expect(
      loadedBy(
        `await import('${ROOT}src/storage/kafka/index.ts'); await import('${ROOT}src/server/index.ts');`,
      ),
    ).toEqual([]);
    expect(loadedBy(open('null', 'null'))).toEqual([]);
    expect(loadedBy(open('null', '"x"'))).toEqual(['liquidjs']);
    expect(loadedBy(open('"true"', 'null'))).toEqual(expect.arrayContaining(['@bufbuild/cel']));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
