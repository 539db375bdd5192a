import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readEntries, writeEntries } from '../../src/terminal/small-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'milena-small-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const isText = (value: unknown): value is string => typeof value === 'string';

test('what is written is read again, the newest of it, by nobody else', () => {
  const file = join(folder, 'deeper', 'x.json');
  writeEntries(file, new Map([...'abc'].map((letter) => [letter, letter.toUpperCase()])), 2);
  expect([...readEntries(file, isText)]).toEqual([
    ['b', 'B'],
    ['c', 'C'],
  ]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(folder, 'deeper'))).toEqual(['x.json']);
});

test('nothing is written to where a link of somebody else leads', () => {
  const [file, theirs] = [join(folder, 'x.json'), join(folder, 'theirs')];
  writeFileSync(theirs, 'precious');
  for (const name of [file, `${file}.${process.pid}`]) symlinkSync(theirs, name);
  writeEntries(file, new Map([['a', 'A']]), 1);
  expect(readFileSync(theirs, 'utf8')).toBe('precious');
  expect([...readEntries(file, isText)]).toEqual([['a', 'A']]);
});

test('what cannot be put there leaves nothing behind', () => {
  const file = join(folder, 'x.json');
  mkdirSync(join(file, 'full'), { recursive: true });
  writeEntries(file, new Map([['a', 'A']]), 1);
  expect(readdirSync(folder)).toEqual(['x.json']);
});

test.each(['no JSON', '[]', 'null', '{"a":1}'])('%s has no entries', (text) => {
  const file = join(folder, 'x.json');
  writeFileSync(file, text);
  expect([...readEntries(file, isText)]).toEqual([]);
});
