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
import { History } from '../../../src/client/history/history.ts';
import { exportTo } from '../../../src/client/talk/export-file.ts';

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
  test('goes to the home folder, never to the current one, and is told by its whole path', () => {
    const { file } = exportTo('', history, BOB);
    expect(file).toMatch(new RegExp(`^${join(folder, 'home')}/milena-bob-\\d{4}-\\d\\d-\\d\\d\\.txt$`));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'here'))).toEqual([]);
  });

  test('takes the next name where one is there, whatever that is', () => {
    const { file } = exportTo('', history, BOB);
    writeFileSync(file, 'mine');
    const second = file.replace('.txt', '-2.txt');
    symlinkSync(join(folder, 'made'), second);
    mkdirSync(file.replace('.txt', '-3.txt'));
    expect(exportTo('', history, BOB).file).toBe(file.replace('.txt', '-4.txt'));
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(readdirSync(folder).sort()).toEqual(['data', 'here', 'home']);
  });

  test('makes no path of what a program calls itself', () => {
    const { file } = exportTo('', history, { kind: 'external', name: '../../etc/\x1b[31m' });
    expect(file).toMatch(new RegExp(`^${join(folder, 'home')}/milena-[\\w-]+\\.txt$`));
  });
});

describe('/export with a name', () => {
  test('is meant from the current folder, or from the home folder', () => {
    vi.restoreAllMocks();
    expect(exportTo(join(folder, 'here/a.txt'), history, BOB).file).toBe(join(folder, 'here/a.txt'));
    expect(exportTo('~/b.jsonl', history, BOB).file).toBe(join(folder, 'home/b.jsonl'));
  });

  test('never writes over anything', () => {
    const file = join(folder, 'here/diary');
    writeFileSync(file, 'mine');
    expect(() => exportTo(file, history, BOB)).toThrow(/diary: it exists already/);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(() => exportTo(join(folder, 'nowhere/x'), history, BOB)).toThrow(/there is no such folder/);
  });
});
