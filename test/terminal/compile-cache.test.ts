/* What starts again is not compiled again; where that cannot be kept, all goes on. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { milena } from './cli/running-command.ts';

let base: string;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'milena-cache-'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const version = async (cache: string, HOME = base): Promise<void> => {
  // Not the tests' own one, which Node would take before it.
  const settings = { XDG_CACHE_HOME: cache, HOME, NODE_COMPILE_CACHE: '' };
  const done = await milena(['--version'], { settings });
  expect(done, done.stderr).toMatchObject({ code: 0, stderr: '' });
  expect(done.stdout).toMatch(/^milena \d/);
};

test('it is in a folder of the user, which nobody else may look into', async () => {
  await version(base);
  const folder = join(base, 'milena');
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(readdirSync(folder)).not.toEqual([]);
  // Also where it was open to be looked into: what Node makes in it has the modes of the umask.
  chmodSync(folder, 0o755);
  await version(base);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test('without XDG_CACHE_HOME, or with one that is no path, it is in the home folder', async () => {
  for (const cache of ['', 'relative']) {
    await version(cache);
    expect(readdirSync(join(base, '.cache/milena'))).not.toEqual([]);
  }
});

describe('nothing is kept, and nothing read,', () => {
  test('where there can be no folder', async () => {
    writeFileSync(join(base, 'file'), '');
    await version(join(base, 'file'));
    await version('', '/dev/null');
  });

  test('where others may write', async () => {
    const folder = join(base, 'milena');
    mkdirSync(folder);
    for (const mode of [0o777, 0o770]) {
      chmodSync(folder, mode);
      await version(base);
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  test('behind a link, which may lead to somebody else', async () => {
    const elsewhere = join(base, 'elsewhere');
    mkdirSync(elsewhere);
    symlinkSync(elsewhere, join(base, 'milena'));
    await version(base);
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(existsSync(join(base, 'milena'))).toBe(true);
  });
});
