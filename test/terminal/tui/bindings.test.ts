import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseKeyName, shownKey } from '../../../src/terminal/keyboard/key-names.ts';
import { SettingsError } from '../../../src/terminal/settings.ts';
import { BINDING_NAMES, DEFAULT_BINDINGS } from '../../../src/terminal/tui/bindings.ts';
import { readBindings } from '../../../src/terminal/tui/key-file.ts';
import { keyRows, usualKeys } from '../../../src/terminal/tui/key-rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'milena-keys-'));
const file = join(folder, 'keys.conf');

afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string) {
  writeFileSync(file, text);
  return readBindings(file);
}

function mistakes(text: string): string[] {
  try {
    read(text);
  } catch (error) {
    if (error instanceof SettingsError)
      return error.message.split('\n').map((line) => line.replace(file, 'FILE'));
    throw error;
  }
  return [];
}

test.each([
  ['alt+n', 'alt+n'],
  ['Alt+N', 'alt+n'],
  ['shift+alt+n', 'alt+shift+n'],
  ['Meta-x', undefined],
  ['PageUp', 'page-up'],
  ['ctrl+PgDn', 'ctrl+page-down'],
  ['esc', 'escape'],
  ['ctrl+i', 'tab'],
  ['ctrl+/', 'ctrl+_'],
  ['alt++', 'alt++'],
  ['alt+space', 'alt+space'],
  ['f12', 'f12'],
  ['f25', undefined],
  ['alt+', undefined],
  ['alt+alt+x', undefined],
  ['hyper+x', undefined],
  ['', undefined],
])('a key written %j is %j', (written, name) => expect(parseKeyName(written)).toBe(name));

test('keys as people read them', () => {
  expect(['alt+a', 'ctrl+up', 'page-down', 'alt++', 'escape', 'f5'].map(shownKey)).toEqual([
    'Alt+A',
    'Ctrl+↑',
    'PageDown',
    'Alt++',
    'Esc',
    'F5',
  ]);
});

test('no key is given twice, each is written as terminals are read', () => {
  const keys = DEFAULT_BINDINGS.rows.flatMap(({ keys: shown }) => shown.split(', '));
  expect(new Set(keys).size).toBe(keys.length);
  expect(new Set(BINDING_NAMES).size).toBe(BINDING_NAMES.length);
  expect(DEFAULT_BINDINGS.actionOf('alt+shift+a')).toEqual({ type: 'next-unread' });
});

describe('the file', () => {
  test('is not needed', () => {
    expect(readBindings(join(folder, 'none')).rows).toEqual(DEFAULT_BINDINGS.rows);
  });

  test('takes keys from what has them otherwise', () => {
    const bindings = read('\ufeff# mine\r\n\n  list =  ctrl+a   F2 \nredo=none\n');
    expect(bindings.actionOf('ctrl+a')).toEqual({ type: 'toggle-list' });
    expect(bindings.actionOf('f2')).toEqual({ type: 'toggle-list' });
    expect(bindings.actionOf('ctrl+b')).toBeNull();
    expect(bindings.actionOf('home')).toEqual({ type: 'home' });
    expect(bindings.shown('beginning-of-line')).toBe('Home');
    expect(bindings.shown('redo')).toBeNull();
    expect(bindings.actionOf('ctrl+c')).toEqual({ type: 'quit' });
    expect(read('quit = f10').actionOf('ctrl+c')).toEqual({ type: 'quit' });
  });

  test.each([
    [
      'next-unread = alt+',
      /^FILE:1: next-unread = alt\+: it must be keys .* For example: next-unread = alt\+n$/,
    ],
    [
      '\n\nnext-unraed = f5',
      /^FILE:3: next-unraed = f5: nothing is called next-unraed: is next-unread meant\?/,
    ],
    ['qqqqqqqqqq = f5', /nothing is called qqqqqqqqqq; there are accept-line, /],
    ['yank = x', /x is text that one types/],
    ['yank = shift+x', /shift\+x is text that one types/],
    ['yank = space', /space is text that one types/],
    ['yank = ctrl+c', /Ctrl\+C always leaves/],
    ['yank', /it must be a name, = and keys/],
    ['yank = ', /it must be keys/],
    ['yank = f5\nyank = f6', /^FILE:2: yank = f6: yank stands there twice/],
    ['yank = f5\nundo = f5', /^FILE:2: undo = f5: f5 is given to yank already/],
    ['yank = \u001b[2J', /^FILE:1: yank = .*\[2J.*: it must be keys/],
  ])('%j is a mistake', (text, sentence) => {
    expect(mistakes(text)).toEqual([expect.stringMatching(sentence)]);
  });

  test('that cannot be read is told', () => {
    expect(() => readBindings(folder)).toThrow(/it must be a file of keys, and this is a folder/);
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    // Nobody writes to it, and nobody waits for that.
    expect(() => readBindings(pipe)).toThrow(/it must be a file of keys, and this is none, but a pipe/);
  });
});

test.each([200, 80, 60, 40, 20])('/help keys in %i columns: nothing is cut', (columns) => {
  const rows = keyRows(DEFAULT_BINDINGS, '/home/anna/.config/milena/keys.conf', columns);
  for (const row of rows) expect(row.length).toBeLessThanOrEqual(columns);
  const all = rows.join('').replaceAll(' ', '');
  for (const { does, name } of DEFAULT_BINDINGS.rows) {
    expect(all).toContain(`${does}(${name})`.replaceAll(' ', ''));
  }
});

test('/help names the keys that hold', () => {
  expect(usualKeys(DEFAULT_BINDINGS)).toEqual([
    'Enter sends · Alt+Enter new line · Tab completes · Ctrl+_ takes back a change',
    'Alt+A next unread · Alt+M what concerns you · Ctrl+B list · Alt+↑ Alt+↓ other',
    'PageUp PageDown scroll · Ctrl+R looks back · Ctrl+C leaves · /help keys: all',
  ]);
  const own = read('next-unread = f2\nlist = none\nprevious-conversation = none\ncancel = f10\n');
  expect(usualKeys(own)[1]).toBe('F2 next unread · Alt+M what concerns you');
  expect(own.cancelKey).toBe('F10');
  expect(read('cancel = none').cancelKey).toBe('Ctrl+C');
});
