/* What start_frontend.sh --background tells of the log of a frontend that has just started. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../e2e/script.ts';

function told(lines: readonly string[]): string {
  const program = join(ROOT, 'src/tools/log-warnings.ts');
  const input = lines.map((line) => `${line}\n`).join('');
  return spawnSync(process.execPath, [program, './milena doctor --kafka'], { input, encoding: 'utf8' })
    .stdout;
}

const entry = (level: number, msg: string, more = {}) => JSON.stringify({ level, msg, ...more });

test('nothing, where all is well', () => {
  expect(told([entry(30, 'listening'), 'no JSON', 'null', '[]', '{"level":"50"}'])).toBe('');
});

test('how many warnings there are, each error with what to do about it, and what shows all', () => {
  const lines = [
    entry(40, 'a'),
    entry(40, 'b'),
    entry(50, 'accounts\u001b[2J lost', { remedy: 'find them' }),
    entry(60, 'c'),
  ];
  expect(told(lines)).toBe(
    'Its log has 2 errors and 2 warnings since it started. All of them:  ./milena doctor --kafka\n' +
      '  ✗ accounts\\x1b[2J lost\n    → find them\n  ✗ c\n',
  );
  expect(told([entry(40, 'a')])).toMatch(/^Its log has 1 warning since/);
});
