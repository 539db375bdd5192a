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
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { exportTo } from '../../../src/terminal/chat/export-file.ts';
import { History } from '../../../src/terminal/history/history.ts';

const NO_PAUSE = async () => undefined;
const BOB = { kind: 'user', name: 'bob' } as const;

let folder: string;
let history: History;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'milena-export-'));
  for (const name of ['home', 'here', 'data']) mkdirSync(join(folder, name));
  vi.stubEnv('HOME', join(folder, 'home'));
  vi.spyOn(process, 'cwd').mockReturnValue(join(folder, 'here'));
  history = History.open({ directory: join(folder, 'data'), server: '127.0.0.1:1', account: 'anna' });
});
afterEach(() => {
  history.close();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

describe('/export without a name', () => {
  test('goes to the home folder, never to the current one, and is told by its whole path', async () => {
    const { file } = await exportTo('', history, BOB, NO_PAUSE);
    expect(file).toMatch(new RegExp(`^${join(folder, 'home')}/milena-bob-\\d{4}-\\d\\d-\\d\\d\\.txt$`));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'here'))).toEqual([]);
  });

  test('takes the next name where one is there, whatever that is', async () => {
    const { file } = await exportTo('', history, BOB, NO_PAUSE);
    writeFileSync(file, 'mine');
    const second = file.replace('.txt', '-2.txt');
    symlinkSync(join(folder, 'made'), second);
    mkdirSync(file.replace('.txt', '-3.txt'));
    expect((await exportTo('', history, BOB, NO_PAUSE)).file).toBe(file.replace('.txt', '-4.txt'));
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(readdirSync(folder).sort()).toEqual(['data', 'here', 'home']);
  });

  test('makes no path of what a program calls itself', async () => {
    const { file } = await exportTo('', history, { kind: 'external', name: '../../etc/\x1b[31m' }, NO_PAUSE);
    expect(file).toMatch(new RegExp(`^${join(folder, 'home')}/milena-[\\w-]+\\.txt$`));
  });
});

describe('/export with a name', () => {
  test('is meant from the current folder, or from the home folder', async () => {
    vi.restoreAllMocks();
    expect((await exportTo(join(folder, 'here/a.txt'), history, BOB, NO_PAUSE)).file).toBe(
      join(folder, 'here/a.txt'),
    );
    expect((await exportTo('~/b.jsonl', history, BOB, NO_PAUSE)).file).toBe(join(folder, 'home/b.jsonl'));
  });

  test('never writes over anything', async () => {
    const file = join(folder, 'here/diary');
    writeFileSync(file, 'mine');
    await expect(exportTo(file, history, BOB, NO_PAUSE)).rejects.toThrow(/diary: it exists already/);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    await expect(exportTo(join(folder, 'nowhere/x'), history, BOB, NO_PAUSE)).rejects.toThrow(
      /there is no such folder/,
    );
  });
});
