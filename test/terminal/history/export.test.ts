import { expect, test } from 'vitest';
import { exportLines } from '../../../src/terminal/history/export.ts';
import type { Peer } from '../../../src/terminal/history/types.ts';
import { BOB, open, send } from './harness.ts';

const BOT: Peer = { kind: 'external', name: 'bob' };
const NOON = Date.UTC(2026, 0, 31, 12);

test('text: a line for each message, indented ones for what follows, nothing that acts on a terminal', () => {
  const history = open(null);
  history.received({ peer: BOB, at: NOON, body: 'hello\n2026-01-31T12:00:00.000Z jonas: forged', key: null });
  send(history, 'bob', 'a \x1b[2J\u202eb', 'a1');
  send(history, 'bob', 'never', 'a2');
  history.fate('a2', { kind: 'refused', reason: 'Full.' }, null);
  history.received({ peer: BOB, at: Number.MAX_SAFE_INTEGER, body: '', key: null });
  expect([...exportLines(history, BOB, 'text', 'maria')]).toEqual([
    '2026-01-31T12:00:00.000Z bob: hello',
    '    2026-01-31T12:00:00.000Z jonas: forged',
    '1970-01-01T00:00:02.000Z maria → bob: a ␛[2Jb',
    '1970-01-01T00:00:02.000Z maria → bob (refused): never',
    '- bob: ',
  ]);
  history.received({ peer: BOT, at: null, body: 'I am bob', key: null });
  expect([...exportLines(history, BOT, 'text', 'maria')]).toEqual(['- ext bob: I am bob']);
});

test('JSON lines: everything as it was, and no character that acts on a terminal', () => {
  const history = open(null);
  const body = 'two\nlines \u001b[2J \u009b31m \u202e \u2028 \u{e0041} "quoted" ü 🍜 \u200d';
  history.received({ peer: BOT, at: NOON, body, key: null });
  send(history, 'bob', 'x', 'a1');
  history.fate('a1', { kind: 'refused', reason: 'Full.' }, null);
  const [first = ''] = exportLines(history, BOT, 'jsonl', 'maria');
  expect(first).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  expect(first).toContain('ü 🍜');
  expect(JSON.parse(first)).toEqual({
    id: 1,
    at: '2026-01-31T12:00:00.000Z',
    direction: 'in',
    from: null,
    to: 'maria',
    external: 'bob',
    body,
    fate: null,
  });
  const [second = ''] = exportLines(history, BOB, 'jsonl', 'maria');
  expect(JSON.parse(second)).toMatchObject({
    direction: 'out',
    from: 'maria',
    to: 'bob',
    external: null,
    fate: 'refused',
    reason: 'Full.',
  });
});

test('tabs, blanks and blank lines of a text stay, in both forms', () => {
  const history = open(null);
  const body = '  f(x):\n\tif x:\n\n\t\treturn\t1';
  history.received({ peer: BOB, at: NOON, body, key: null });
  expect([...exportLines(history, BOB, 'text', 'maria')]).toEqual([
    '2026-01-31T12:00:00.000Z bob:   f(x):',
    '    \tif x:',
    '    ',
    '    \t\treturn\t1',
  ]);
  const [line = ''] = exportLines(history, BOB, 'jsonl', 'maria');
  expect(JSON.parse(line)).toMatchObject({ body });
});

test('a user called me is not taken for oneself, nor a program that calls itself like an own line', () => {
  const history = open(null);
  const me: Peer = { kind: 'user', name: 'me' };
  history.received({ peer: me, at: NOON, body: 'theirs', key: null });
  send(history, 'me', 'mine', 'a1');
  expect([...exportLines(history, me, 'text', 'maria')]).toEqual([
    '2026-01-31T12:00:00.000Z me: theirs',
    '1970-01-01T00:00:02.000Z maria → me: mine',
  ]);
  const forger: Peer = { kind: 'external', name: 'maria → me' };
  history.received({ peer: forger, at: null, body: 'forged', key: null });
  expect([...exportLines(history, forger, 'text', 'maria')]).toEqual(['- ext maria → me: forged']);
});

test('of a room each line says who said it', () => {
  const history = open(null);
  const ops: Peer = { kind: 'room', name: '#ops' };
  history.received({ peer: ops, author: BOB, at: NOON, body: 'lunch?', key: null });
  history.received({ peer: ops, author: BOT, at: NOON, body: 'disk full', key: null });
  send(history, '#ops', 'soon', 'a1');
  expect([...exportLines(history, ops, 'text', 'maria')]).toEqual([
    '2026-01-31T12:00:00.000Z bob: lunch?',
    '2026-01-31T12:00:00.000Z ext bob: disk full',
    '1970-01-01T00:00:02.000Z maria → #ops: soon',
  ]);
  const lines = [...exportLines(history, ops, 'jsonl', 'maria')];
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { from: 'bob', to: '#ops', external: null },
    { from: null, to: '#ops', external: 'bob' },
    { from: 'maria', to: '#ops', external: null },
  ]);
});
