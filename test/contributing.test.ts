/*
 * The walk of CONTRIBUTING.md, as it is written there: its blocks are applied to a copy of the tree, which type checks, is as
 * the linter wants it, starts, and answers an echo.
 */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FULL, inFull } from './size.ts';

const ROOT = join(import.meta.dirname, '..');
const COPIED = 'src test bench docs package.json tsconfig.json vitest.config.ts rolldown.config.ts'.split(
  ' ',
);

interface Block {
  readonly language: string;
  readonly file: string;
  readonly text: string;
}

/** The blocks that name a file. */
function blocks(): Block[] {
  const text = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
  return [...text.matchAll(/^```(\w+) (\S+)\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', file = '', body = '']) => ({
      language,
      file,
      text: body,
    }),
  );
}

/** A text with the hunks of a diff without line numbers: what stands before each change must stand there once. */
function patched(text: string, diff: string): string {
  return diff.split(/^@@\n/m).reduce((before, hunk) => {
    const lines = hunk.trimEnd().split('\n');
    const side = (mark: string) =>
      lines
        .filter((line) => line.startsWith(' ') || line.startsWith(mark))
        .map((line) => `${line.slice(1)}\n`);
    const old = side('-').join('');
    expect(before.split(old)).toHaveLength(2);
    return before.replace(old, () => side('+').join(''));
  }, text);
}

const walk = blocks();
const files = [...new Set(walk.map(({ file }) => file))];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'milena-walk-'));
  for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const { vcs, ...rules }: { vcs?: unknown } = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8'));
  expect(vcs).toBeDefined();
  writeFileSync(join(folder, 'biome.json'), JSON.stringify(rules));
  for (const { language, file, text } of walk) {
    const path = join(folder, file);
    expect(existsSync(path), file).toBe(language === 'diff');
    writeFileSync(path, language === 'diff' ? patched(readFileSync(path, 'utf8'), text) : text);
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a tool of ours in the copy. @throws with what it said, when it fails */
function run(tool: string, ...args: string[]): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')));
  return new Promise((resolve, reject) => {
    execFile(join(folder, 'node_modules/.bin', tool), args, { cwd: folder, env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${tool}: ${stdout}${stderr}`));
    });
  });
}

test('is five files and a test', () => {
  const [tests, others] = [true, false].map((is) => files.filter((file) => file.startsWith('test/') === is));
  expect(tests).toHaveLength(1);
  expect(others?.length).toBeLessThanOrEqual(5);
  expect(others?.length).toBeGreaterThan(2);
});

// What the code of the walk does is seen below each day, by running it.
inFull(
  'type checks',
  async () => {
    const { include, ...rest }: { include?: unknown } = JSON.parse(
      readFileSync(join(folder, 'tsconfig.json'), 'utf8'),
    );
    expect(include).toContain('src');
    const own = files.filter((file) => file.startsWith('test/'));
    writeFileSync(join(folder, 'tsconfig.walk.json'), JSON.stringify({ ...rest, include: ['src', ...own] }));
    await run('tsc', '--noEmit', '-p', 'tsconfig.walk.json');
  },
  120_000,
);

test('is as the linter wants it', async () => {
  await run('biome', 'check', '--error-on-warnings', ...files.filter((file) => file.endsWith('.ts')));
}, 120_000);

test('starts and answers an echo, and the description is still true', async () => {
  const config = 'export default { test: { include: ["test/**/*.test.ts"], testTimeout: 30_000 } };\n';
  writeFileSync(join(folder, 'walk.config.mjs'), config);
  const own = files.filter((file) => file.startsWith('test/'));
  const others = ['protocol-document/sentences', ...(FULL ? ['protocol/description', 'protocol/v2'] : [])];
  const all = [...own, ...others.map((name) => `test/${name}.test.ts`)];
  await run(
    'vitest',
    'run',
    '--config',
    'walk.config.mjs',
    '--reporter=json',
    '--outputFile=walk.json',
    ...all,
  );
  const said: { numTotalTests: number; testResults: unknown[] } = JSON.parse(
    readFileSync(join(folder, 'walk.json'), 'utf8'),
  );
  expect(said.testResults).toHaveLength(all.length);
  expect(said.numTotalTests).toBeGreaterThan(FULL ? 100 : 1);
}, 120_000);
