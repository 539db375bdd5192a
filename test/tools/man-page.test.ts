import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { COMMAND_NAMES, COMMANDS } from '../../src/terminal/cli/commands.ts';
import { EXIT } from '../../src/terminal/cli/exit.ts';
import { SETTING_NAMES, TABLE } from '../../src/terminal/setting-table.ts';
import { manPage } from '../../src/tools/man-page.ts';

const FILE = new URL('../../docs/milena.1', import.meta.url).pathname;
const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

test('the page is up to date (npm run docs:man makes it)', () => {
  expect(readFileSync(FILE, 'utf8')).toBe(manPage());
});

test('the page has every command, option, setting and exit code', () => {
  // As it is read: a dash is one, whatever it is in the source.
  const page = manPage().replaceAll('\\-', '-');
  for (const name of COMMAND_NAMES) {
    expect(page).toContain(`milena ${name}`);
    for (const option of Object.keys(COMMANDS[name].options)) expect(page).toContain(`--${option}`);
  }
  for (const name of SETTING_NAMES) expect(page).toContain(TABLE[name].variable);
  for (const code of Object.values(EXIT)) expect(page).toMatch(new RegExp(`^\\.B ${code}\\b`, 'm'));
});

describe.skipIf(!has('mandoc'))('mandoc (needs mandoc)', () => {
  test('finds nothing wrong', () => {
    const { status, stdout } = spawnSync('mandoc', ['-T', 'lint', FILE], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, '']);
  });
});

describe.skipIf(!has('man'))('man (needs man)', () => {
  test('shows it without a warning, every character as it is', () => {
    const env = { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8', MANROFFOPT: '-ww' };
    const { status, stdout, stderr } = spawnSync('man', ['-l', FILE], { encoding: 'utf8', env });
    expect([status, stderr]).toEqual([0, '']);
    const text = stdout;
    expect(text).toMatch(/milena send \[OPTIONS\] NAME TEXT…/);
    expect(text).toMatch(/when the recipient's client has it \(✓✓\)/);
    expect(text).toMatch(/milena send ops "disk full on \$\(hostname\)"/);
  });
});
