import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { History } from '../../../src/terminal/history/history.ts';
import { parseSearch, type Search } from '../../../src/terminal/history/search.ts';
import { placesOf } from '../../../src/terminal/history/terms.ts';
import { Random } from '../../protocol/random.ts';
import { sized } from '../../size.ts';
import { BOB, bodies, CAROL, found, newDirectory, open, receive, send } from './harness.ts';

const NOON = new Date(2026, 10, 21, 12).getTime();
const HOUR = 3_600_000;
const BOT = { kind: 'external', name: 'Deploy Bot' } as const;
const seed = Number(process.env.MILENA_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));

function searchOf(entered: string): Search {
  const search = parseSearch(entered, 'maria', NOON);
  if (typeof search === 'string') throw new Error(search);
  return search;
}

function findIn(history: History, entered: string, limit = 10): string[] {
  return bodies(found(history, entered, limit, NOON).messages);
}

/** The same, from the disk and without it. */
describe.each([
  ['on disk', () => newDirectory()],
  ['in memory', () => null],
])('%s', (_, where) => {
  function filled(): History {
    const history = open(where());
    for (const body of ['Über die Brücke', 'a bridge, too far', 'e-mail to Zoë', 'BRIDGES', 'nothing'])
      receive(history, BOB, body);
    receive(history, CAROL, 'the bridge');
    return history;
  }

  test('newest first; whole words and beginnings, whatever their case and accents', () => {
    const history = filled();
    expect(findIn(history, 'bridge')).toEqual(['the bridge', 'BRIDGES', 'a bridge, too far']);
    expect(findIn(history, 'bridge', 2)).toEqual(['the bridge', 'BRIDGES']);
    expect(findIn(history, 'uber BRU')).toEqual(['Über die Brücke']);
    expect(findIn(history, 'zoe mail')).toEqual(['e-mail to Zoë']);
    expect(findIn(history, 'e-mail')).toEqual(['e-mail to Zoë']);
    expect(findIn(history, 'far bridge too')).toEqual(['a bridge, too far']);
    expect(findIn(history, 'bridge nothing')).toEqual([]);
    expect(findIn(history, 'ridge')).toEqual([]);
  });

  test('quoted words as they stand, and no longer ones', () => {
    const history = filled();
    expect(findIn(history, '"bridge too"')).toEqual(['a bridge, too far']);
    expect(findIn(history, '"too bridge"')).toEqual([]);
    expect(findIn(history, '"bridge"')).toEqual(['the bridge', 'a bridge, too far']);
    expect(findIn(history, '"a bri" far')).toEqual([]);
    expect(findIn(history, 'far "a bridge')).toEqual(['a bridge, too far']);
  });

  test('by who wrote it, and with whom', () => {
    const history = open(where());
    receive(history, BOB, 'disk full, says bob');
    receive(history, CAROL, 'disk full, says carol');
    receive(history, BOT, 'disk full, says a program');
    send(history, 'bob', 'disk full, I know', 'a1');
    receive(history, { kind: 'user', name: 'me' }, 'disk full, says one called me');
    receive(history, { kind: 'user', name: 'maria' }, 'disk full, to myself');
    expect(findIn(history, 'disk from:bob')).toEqual(['disk full, says bob']);
    expect(findIn(history, 'from:BOB disk')).toEqual(['disk full, says bob']);
    expect(findIn(history, 'disk in:bob')).toEqual(['disk full, I know', 'disk full, says bob']);
    expect(findIn(history, 'disk in:@bob from:me')).toEqual(['disk full, I know']);
    expect(findIn(history, 'from:maria')).toEqual(['disk full, to myself', 'disk full, I know']);
    expect(findIn(history, 'from:@Maria')).toEqual(['disk full, to myself', 'disk full, I know']);
    expect(findIn(history, 'from:@me')).toEqual(['disk full, says one called me']);
    expect(findIn(history, 'from:"deploy bot"')).toEqual(['disk full, says a program']);
    expect(findIn(history, 'in:nobody')).toEqual([]);
  });

  test('by days of this time zone: after takes the day in, before does not', () => {
    const history = open(where());
    const sent = (at: number | null, body: string) => history.received({ peer: BOB, at, body, key: body });
    sent(null, 'nobody knows when');
    sent(new Date(2025, 11, 31, 23, 59).getTime(), 'last year');
    sent(new Date(2026, 9, 31, 23, 59).getTime(), 'last month');
    sent(NOON - 24 * HOUR, 'yesterday');
    sent(NOON - 12 * HOUR, 'since midnight');
    expect(findIn(history, 'after:today')).toEqual(['since midnight']);
    expect(findIn(history, 'before:today after:yesterday')).toEqual(['yesterday']);
    expect(findIn(history, 'before:2026')).toEqual(['last year']);
    expect(findIn(history, 'after:2026 before:2026-11')).toEqual(['last month']);
    expect(findIn(history, 'after:2026-11-20 before:2026-11-21')).toEqual(['yesterday']);
  });

  test('the number is the true one', () => {
    const history = open(where());
    for (let count = 0; count < 500; count++) receive(history, CAROL, `disk again ${count}`);
    receive(history, BOB, 'disk full');
    const { count, messages } = found(history, 'disk', 7);
    expect([count, messages.length]).toEqual([501, 7]);
    expect(found(history, 'disk in:bob')).toMatchObject({ count: 1 });
    expect(found(open(where()), 'disk')).toMatchObject({ count: 0, messages: [] });
  });

  test('what is syntax elsewhere is none here', () => {
    const history = filled();
    expect(findIn(history, '"bridge OR (')).toEqual([]);
    expect(findIn(history, 'too* AND')).toEqual([]);
    expect(findIn(history, '!!! bridges ***')).toEqual(['BRIDGES']);
    expect(findIn(history, 'x '.repeat(100_000))).toEqual([]);
    expect(findIn(history, 'x'.repeat(1_000_000))).toEqual([]);
  });

  test('no query throws', () => {
    const history = filled();
    const random = new Random(seed);
    const pieces = [
      '"',
      "'",
      '*',
      '(',
      ')',
      'NEAR',
      'AND',
      'body:',
      'from:',
      'in:',
      'after:',
      '2026',
      '^',
      '+',
      '\0',
      'b',
    ];
    for (let count = 0; count < sized(600, 2_000); count++) {
      const query = Array.from({ length: random.below(12) }, () =>
        random.below(4) === 0 ? String.fromCharCode(random.below(0x10000)) : random.pick([...pieces, ' ']),
      ).join('');
      const search = parseSearch(query, 'maria', NOON);
      if (typeof search === 'string') continue;
      expect(() => history.search(search, 5), `seed ${seed}: ${JSON.stringify(query)}`).not.toThrow();
    }
  });
});

test('all steps of a long search are taken', () => {
  const directory = newDirectory();
  for (const id of [1, 100_000, 100_001, 250_000, 400_001]) {
    const history = open(directory);
    // As if so many messages had been there and were forgotten.
    const db = new DatabaseSync(history.file ?? '');
    db.exec(`UPDATE sqlite_sequence SET seq = ${id - 1} WHERE name = 'messages'`);
    db.close();
    expect(receive(history, id % 2 === 0 ? BOB : CAROL, `disk ${id}`).id).toBe(id);
    history.close();
  }
  const history = open(directory);
  expect(findIn(history, 'disk')).toEqual([400_001, 250_000, 100_001, 100_000, 1].map((id) => `disk ${id}`));
  expect(findIn(history, 'disk in:bob', 1)).toEqual(['disk 250000']);
  expect(found(history, 'disk in:bob', 1).count).toBe(2);
  const steps = [...history.find(searchOf('disk'), 7)].map(({ done }) => done);
  expect(steps).toEqual([100_000, 200_000, 300_000, 400_000, 400_001]);
});

test('what cannot be looked for is told in a sentence', () => {
  for (const nothing of ['', ' ', '"', '!?', '🍜', '\ud800', '\0'])
    expect(parseSearch(nothing, 'maria', NOON)).toMatch(/^Letters and digits/);
  for (const day of ['2026-13', '2026-02-30', '21.11.', 'soon', '', '0', '0050', '2026-11-21T12:00'])
    expect(parseSearch(`disk before:"${day}"`, 'maria', NOON)).toMatch(/^before: takes a day such as/);
  expect(parseSearch('disk from: bob', 'maria', NOON)).toBe(
    'from: takes a name right behind it, such as from:bob.',
  );
  expect(parseSearch('After: today', 'maria', NOON)).toMatch(/^after: takes a day right behind it/);
});

describe('where the words stand', () => {
  const marked = (text: string, entered: string) =>
    [...placesOf(text, searchOf(entered).terms)].map(({ start, end }) => text.slice(start, end));

  test.each([
    ['The disks of disk-3: DISK!', 'disk', ['disks', 'disk', 'DISK']],
    ['über U\u0308BER uber', 'uber', ['über', 'U\u0308BER', 'uber']],
    ['a disk is full, disk full', '"disk full"', ['disk full']],
    ['disk full full', 'full "disk full"', ['disk full', 'full']],
    ['e-mail, e mail, email', 'e-mail', ['e-mail', 'e mail']],
    ['a b c', '"a b" "b c"', ['a b', ' c']],
    ['nothing of it', 'disk', []],
    ['anything', 'from:bob', []],
  ])('%j: %j', (text, entered, places) => {
    expect(marked(text, entered)).toEqual(places);
  });

  test('SQLite finds a text where a word is marked, and no other', () => {
    const history = open(null);
    const random = new Random(seed);
    const letters = [...'aaabbbcé\u0301äÄ日本кКß1٣ -_.,!\t\n\u0308\u200d👍'];
    const text = (length: number) => Array.from({ length }, () => random.pick(letters)).join('');
    const texts = Array.from({ length: 400 }, (_, at) => `${text(random.below(20))} ${at + 1_000}`);
    for (const body of texts) receive(history, BOB, body);
    for (let count = 0; count < sized(100, 300); count++) {
      const word = text(1 + random.below(3));
      const entered = random.below(3) === 0 ? `"${word}"` : word.replace(/\s/g, '');
      const search = parseSearch(entered, 'maria', NOON);
      if (typeof search === 'string') continue;
      const all = texts.filter((body) =>
        search.terms.every((term) => [...placesOf(body, [term])].length > 0),
      );
      expect(
        bodies(history.search(search, 1_000).messages).toSorted(),
        `seed ${seed}: ${JSON.stringify(entered)}`,
      ).toEqual(all.toSorted());
    }
  });
});
