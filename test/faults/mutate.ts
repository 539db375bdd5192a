/**
 * Switches off one safeguard after the other in a copy of the source, and shows that a row or a test notices.
 *
 *     npm run test:mutations -- [--only TEXT]
 *
 * The table goes into docs/guarantees.md unless `--only` was given. Exit code 1 where one went unnoticed, or could not be made.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { kafkaClassPath } from '../broker/java.ts';
import { MUTATIONS, type Mutation } from './mutations.ts';
import { replaceBetween } from './report.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** All that a run needs. */
const PARTS = [
  'src',
  'test',
  'bench',
  'kafka',
  'scripts',
  'docs',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
];
const LONGEST_MS = 10 * 60_000;

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const lines: string[] = [];
let unnoticed = 0;
for (const mutation of MUTATIONS.filter(({ name }) => name.includes(values.only))) {
  const found = await tryOut(mutation);
  if (found === null) unnoticed += 1;
  const by = mutation.row ?? mutation.test ?? '';
  console.log(`${found === null ? '✗' : '✓'} ${mutation.name} → ${by}: ${found ?? 'NOTHING WAS NOTICED'}`);
  lines.push(`| ${mutation.name} | ${by} | ${found?.replaceAll('|', '/') ?? '**nothing**'} |`);
}
if (values.only === '') {
  const head = '| switched off | row or test | what it said |\n| --- | --- | --- |';
  replaceBetween('mutations', [head, ...lines].join('\n'));
}
process.exitCode = unnoticed > 0 ? 1 : 0;

/** @returns what was said of it; null where nothing was, or something else */
async function tryOut({ name, patches, row, test, says }: Mutation): Promise<string | null> {
  const copy = mkdtempSync(join(tmpdir(), 'milena-mutation-'));
  try {
    for (const part of PARTS) cpSync(join(ROOT, part), join(copy, part), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    for (const { file, find, replace } of patches) {
      const path = join(copy, 'src', file);
      const text = readFileSync(path, 'utf8');
      if (text.split(find).length !== 2) throw new Error(`${name}: src/${file} has not one "${find}"`);
      writeFileSync(
        path,
        text.replace(find, () => replace),
      );
    }
    const command =
      row === undefined
        ? [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', test ?? '', '-t', says]
        : ['test/faults/run.ts', '--row', row, '--build', join(copy, 'src')];
    const { code, output } = await run(command, copy);
    const line = output.split('\n').find((text) => text.includes(says));
    if (code !== 0 && line !== undefined) return line.trim().slice(0, 160);
    console.log(output.slice(-2_000));
    return null;
  } finally {
    rmSync(copy, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function run(command: readonly string[], cwd: string): Promise<{ code: number; output: string }> {
  const { FORCE_COLOR: _, ...own } = process.env;
  const env = { ...own, NO_COLOR: '1', MILENA_TEST_CLASS_PATH: await kafkaClassPath() };
  return new Promise((resolve) => {
    const options = { cwd, env, timeout: LONGEST_MS, maxBuffer: 2 ** 26 };
    execFile(process.execPath, command, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : 1, output: stdout + stderr });
    });
  });
}
