import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Clipboard, type ClipboardChoice, copying } from '../../src/terminal/clipboard.ts';

let directory: string;
const written: string[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'milena-clipboard-'));
  written.length = 0;
});
afterEach(() => rmSync(directory, { recursive: true }));

function clipboard(choice: ClipboardChoice, folder: string | null = directory): Clipboard {
  return new Clipboard({
    choice,
    directory: folder,
    isInTmux: false,
    write: (bytes) => void written.push(bytes),
  });
}

test('a yes holds for good, and is in a file of nobody else', () => {
  expect(clipboard('ask').isAllowed).toBeNull();
  clipboard('ask').allow();
  expect(clipboard('ask').isAllowed).toBe(true);
  expect(statSync(join(directory, 'clipboard.json')).mode & 0o777).toBe(0o600);
  expect(clipboard('off').isAllowed).toBe(false);
});

test('without a folder it holds as long as the process', () => {
  const own = clipboard('ask', null);
  own.allow();
  expect(own.isAllowed).toBe(true);
  expect(clipboard('ask', null).isAllowed).toBeNull();
});

test('the setting counts before any answer', () => {
  expect(clipboard('on').isAllowed).toBe(true);
  expect(clipboard('off').isAllowed).toBe(false);
});

test.each(['', '{', '[]', 'null', '{"allowed":"yes"}', '{"allowed":false}'])(
  'a file with %j is no yes',
  (text) => {
    writeFileSync(join(directory, 'clipboard.json'), text);
    expect(clipboard('ask').isAllowed).toBeNull();
    expect(readFileSync(join(directory, 'clipboard.json'), 'utf8')).toBe(text);
  },
);

test('a text goes in base64, in tmux both ways', () => {
  const bytes = '\u001b]52;c;w7w=\u0007';
  clipboard('on').copy('ü');
  expect(written).toEqual([bytes]);
  expect(copying('ü', true)).toBe(`${bytes}\u001bPtmux;\u001b\u001b]52;c;w7w=\u0007\u001b\\`);
});
