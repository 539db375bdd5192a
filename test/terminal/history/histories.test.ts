import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Histories } from '../../../src/terminal/history/histories.ts';
import { BOB, bodies, closedAfterwards, newDirectory, receive, SERVER, send } from './harness.ts';

function historiesIn(directory: string | null, problems: string[] = []): Histories {
  const onProblem = (sentence: string) => problems.push(sentence);
  return closedAfterwards(new Histories({ directory, server: SERVER, onProblem }));
}

function begin(histories: Histories, name: string, incarnation = `life of ${name}`): void {
  histories.begin({ name, incarnation, inbox: `inbox of ${name}` });
}

test('knows nothing before an account is logged in to', () => {
  const histories = historiesIn(newDirectory());
  expect([histories.current, histories.lastAccount()]).toEqual([null, null]);
  expect(histories.hasSeen('k')).toBe(false);
  expect(histories.unsettled()).toEqual([]);
});

test.each([
  ['on disk', () => newDirectory()],
  ['in memory', () => null],
])('%s: each account has its own history, and none is lost by turning to another', (_, where) => {
  const histories = historiesIn(where());
  begin(histories, 'maria');
  const history = histories.current;
  if (history === null) throw new Error('no history');
  receive(history, BOB, 'for maria', 'k');
  send(history, 'bob', 'x', 'a1');
  begin(histories, 'jonas');
  expect([histories.hasSeen('k'), histories.unsettled()]).toEqual([false, []]);
  expect(histories.current?.conversations()).toEqual([]);
  // Events of the earlier account may still come.
  expect(history.fate('a1', { kind: 'waiting' }, null)?.fate?.kind).toBe('waiting');
  expect(histories.open('Maria')).toBe(history);
  begin(histories, 'maria');
  expect(histories.hasSeen('k')).toBe(true);
  expect(histories.unsettled()).toMatchObject([{ id: 'a1', body: 'x', state: { kind: 'waiting' } }]);
});

test('the next process takes up what this one left, unless the account lives anew', () => {
  const directory = newDirectory();
  const first = historiesIn(directory);
  begin(first, 'maria');
  first.current?.sent({ messageId: 'a1', to: 'bob', at: 1, body: 'x', fate: { kind: 'waiting' } });
  first.close();
  expect(first.current).toBeNull();
  const second = historiesIn(directory);
  expect(bodies(second.open('maria').all(BOB))).toEqual(['x']);
  begin(second, 'maria');
  expect(second.unsettled()).toMatchObject([{ id: 'a1' }]);
  begin(second, 'maria', 'another life');
  expect(second.unsettled()).toEqual([]);
  expect(second.current?.before(BOB, null, 1)[0]?.fate).toEqual({ kind: 'unsure' });
});

test('the last account is the one that somebody was logged in to, whatever names were tried since', () => {
  const directory = newDirectory();
  const first = historiesIn(directory);
  first.entered('maria');
  first.open('mraia');
  expect(historiesIn(directory).lastAccount()).toBe('maria');
  historiesIn(directory).entered('bert');
  expect(historiesIn(directory).lastAccount()).toBe('bert');
  expect(historiesIn(null).lastAccount()).toBeNull();
  expect(statSync(join(directory, 'accounts.json')).mode & 0o777).toBe(0o600);
});

test('each server has its last account, and a list that of its first one', () => {
  const directory = newDirectory();
  const on = (server: string, ...others: string[]) =>
    new Histories({ directory, server, others, onProblem: () => undefined });
  on('a.example:1', 'b.example:2').entered('maria');
  on('C.example:3').entered('bert');
  expect(on('c.example:3').lastAccount()).toBe('bert');
  expect(on('d.example:4').lastAccount()).toBeNull();
  expect(on('d.example:4', 'b.example:2').lastAccount()).toBe('maria');
  writeFileSync(join(directory, 'accounts.json'), '{"a.example:1": "Not A Name", "b.example:2": 7');
  expect(on('a.example:1').lastAccount()).toBeNull();
});

test('a directory that cannot be used is told once, and histories go on in memory', () => {
  const path = join(newDirectory(), 'x');
  writeFileSync(path, '');
  const problems: string[] = [];
  const histories = historiesIn(path, problems);
  for (const name of ['maria', 'jonas', 'maria']) begin(histories, name);
  expect(problems).toEqual([
    expect.stringMatching(
      /Name another directory\. Until the client is started again, messages are kept only/,
    ),
  ]);
  const history = histories.open('maria');
  expect(history.file).toBeNull();
  receive(history, BOB, 'x');
  expect(bodies(history.all(BOB))).toEqual(['x']);
});
