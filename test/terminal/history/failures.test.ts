import { closeSync, openSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { historyError } from '../../../src/terminal/history/errors.ts';
import { fileName } from '../../../src/terminal/history/files.ts';
import { BOB, bodies, CAROL, found, newDirectory, open, receive, SERVER, send } from './harness.ts';

const LONG = 'words '.repeat(1_000);

test('a disk that fills up: told once, nothing is thrown, nothing that was told is lost', () => {
  const directory = newDirectory();
  const problems: string[] = [];
  const history = open(directory, { maxPages: 100, onProblem: (sentence) => problems.push(sentence) });
  history.begin('life 1');
  history.notify(CAROL, 'nothing');
  const expected: { id: number; body: string }[] = [];
  for (let count = 0; problems.length === 0; count++) {
    const { id, body } = receive(history, BOB, `${count} ${LONG}`, `key ${count}`);
    expected.push({ id, body });
    history.draft(BOB, `half ${count}`);
    if (count % 7 === 6) history.commit();
    if (count % 10 === 9) {
      const sent = send(history, 'bob', `mine ${count}`, `a${count}`);
      expected.push({ id: sent.id, body: sent.body });
    }
    expect(count).toBeLessThan(1_000);
  }
  expect(problems).toEqual([
    `There is no room on the disk for the history in ${join(directory, fileName(SERVER, 'maria'))}. Make room.`,
  ]);
  expect(history.file).toBeNull();
  // Also what the failed transaction held, under the ids that were told, and nothing twice.
  expect([...history.all(BOB)].map(({ id, body }) => ({ id, body }))).toEqual(expected);
  expect(history.conversation(BOB)).toMatchObject({ draft: expect.stringContaining('half') });
  expect(history.conversation(CAROL)?.notify).toBe('nothing');
  expect([history.hasSeen('key 0'), history.hasSeen('key 3')]).toEqual([true, true]);
  expect(history.fate('a9', { kind: 'stored' }, Uint8Array.of(1))?.fate?.kind).toBe('stored');
  expect(found(history, 'mine').count).toBe(expected.filter(({ body }) => /mine/.test(body)).length);
  // Everything goes on.
  const next = receive(history, BOB, 'after it');
  expect(next.id).toBe((expected.at(-1)?.id ?? 0) + 1);
  history.commit();
  expect(history.received({ peer: BOB, at: 1, body: 'again', key: 'key 0' })).toBeNull();
  history.close();
  // What was committed is on the disk.
  const kept = bodies(open(directory).all(BOB));
  expect(kept.length).toBeGreaterThan(10);
  expect(expected.slice(0, kept.length).map(({ body }) => body)).toEqual(kept);
});

test('a message that is sent into a full disk is in memory', () => {
  const problems: string[] = [];
  const history = open(newDirectory(), { maxPages: 60, onProblem: (sentence) => problems.push(sentence) });
  history.begin('life 1');
  for (let count = 0; problems.length === 0; count++) send(history, 'bob', `${count} ${LONG}`, `a${count}`);
  const unsettled = history.unsettled();
  expect(unsettled.map(({ id }) => id)).toEqual(unsettled.map((_, count) => `a${count}`));
  expect([...history.all(BOB)]).toHaveLength(unsettled.length);
});

test('a file that is damaged in the middle: reading goes on with what there is', () => {
  const directory = newDirectory();
  const path = join(directory, fileName(SERVER, 'maria'));
  const before = open(directory);
  for (let count = 0; count < 500; count++) receive(before, BOB, `${count} ${LONG}`);
  before.close();
  const file = openSync(path, 'r+');
  // All but the page that has the schema.
  const garbage = Buffer.alloc(statSync(path).size - 3 * 4_096, 0xa5);
  writeSync(file, garbage, 0, garbage.length, 3 * 4_096);
  closeSync(file);
  const problems: string[] = [];
  const history = open(directory, { onProblem: (sentence) => problems.push(sentence) });
  expect(() => [
    ...history.all(BOB),
    ...found(history, 'words').messages,
    ...history.conversations(),
  ]).not.toThrow();
  receive(history, BOB, 'new');
  history.commit();
  expect(problems).toEqual([expect.stringContaining('is damaged. Move it away')]);
  expect(bodies(history.before(BOB, null, 1))).toEqual(['new']);
});

test('a file that is cut off while it is open does no harm', () => {
  const directory = newDirectory();
  const problems: string[] = [];
  const history = open(directory, { onProblem: (sentence) => problems.push(sentence) });
  for (let count = 0; count < 3_000; count++) receive(history, BOB, `${count} ${LONG}`);
  history.commit();
  truncateSync(join(directory, fileName(SERVER, 'maria')), 8_192);
  expect(() => [...history.all(BOB)]).not.toThrow();
  receive(history, BOB, 'new');
  history.commit();
  expect(problems).toHaveLength(1);
  expect(bodies(history.before(BOB, null, 1))).toEqual(['new']);
});

test('another program that keeps the file locked is told after a while', { timeout: 30_000 }, () => {
  const directory = newDirectory();
  const problems: string[] = [];
  const history = open(directory, { onProblem: (sentence) => problems.push(sentence) });
  receive(history, BOB, '1');
  history.commit();
  const other = new DatabaseSync(join(directory, fileName(SERVER, 'maria')));
  other.exec('BEGIN IMMEDIATE');
  receive(history, BOB, '2');
  expect(problems).toEqual([expect.stringMatching(/^Another program holds the history/)]);
  expect(bodies(history.all(BOB))).toEqual(['1', '2']);
  other.close();
});

test('each error says what to do, and faults of the program stay what they are', () => {
  const sqlite = (errcode: number) => Object.assign(new Error('some text'), { errcode });
  const system = (code: string) => Object.assign(new Error('some text'), { code, syscall: 'open' });
  const sentence = (error: unknown) => {
    const told = historyError(error, '/h/f');
    return told instanceof Error ? [told.name, told.message] : [];
  };
  const errors = [...[3, 5, 8, 10, 11, 13, 14, 26, 266, 778, 1].map(sqlite), ...['EACCES', 'X'].map(system)];
  for (const error of errors) {
    expect(sentence(error)).toEqual(['HistoryError', expect.stringMatching(/\/h\/f.*\. [A-Z].*\.$/)]);
  }
  const fault = new TypeError('x is not a function');
  expect(historyError(fault, '/h/f')).toBe(fault);
});
