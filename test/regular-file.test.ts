import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readRegularFile, whyNotRead } from '../src/util/regular-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'milena-regular-'));
const file = join(folder, 'file');
const link = join(folder, 'link');
const pipe = join(folder, 'pipe');
writeFileSync(file, 'five\n');
symlinkSync(file, link);
execFileSync('mkfifo', [pipe]);

afterAll(() => rmSync(folder, { recursive: true }));

test('a file is read as a whole, or not at all', () => {
  expect(readRegularFile(file, 5)).toBe('five\n');
  expect(readRegularFile(link, 5)).toBe('five\n');
  expect(why(file, 4)).toBe('it is too large for one');
});

test.each([
  [pipe, 'this is none, but a pipe, a socket or a device'],
  ['/dev/zero', 'this is none, but a pipe, a socket or a device'],
  [folder, 'this is a folder'],
  [join(folder, 'none'), 'there is no such file'],
])('%s is not waited for: %s', (path, reason) => {
  expect(why(path)).toBe(reason);
});

function why(path: string, maxBytes = 100): string {
  try {
    return `read: ${readRegularFile(path, maxBytes)}`;
  } catch (error) {
    return whyNotRead(error);
  }
}
