import { readFileSync } from 'node:fs';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { COMMAND_NAMES, COMMANDS } from '../../../src/terminal/cli/commands.ts';
import { HELP, OVERVIEW } from '../../../src/terminal/cli/help.ts';

const ROWS = 24;
const COLUMNS = 80;

describe.each([
  ['milena --help', OVERVIEW] as const,
  ...COMMAND_NAMES.map((name) => [name, HELP[name]] as const),
])('the help of %s', (_name, text) => {
  test('fits a screen, with a row for the prompt', () => {
    const rows = text.split('\n');
    expect(rows.at(-1)).toBe('');
    expect(rows.length).toBeLessThanOrEqual(ROWS);
    for (const row of rows) expect(stringWidth(row), row).toBeLessThanOrEqual(COLUMNS);
  });

  test('begins with how it is used', () => expect(text).toMatch(/^Usage: milena /));
});

test('the overview has every command', () => {
  for (const name of COMMAND_NAMES) {
    if (name !== 'help') expect(OVERVIEW).toMatch(new RegExp(`^ .*\\b${name}\\b`, 'm'));
  }
});

test.each(COMMAND_NAMES)(
  'the help of %s has all its options, and the documentation has them, too',
  (name) => {
    const documented = readFileSync(new URL('../../../docs/commands.md', import.meta.url), 'utf8');
    for (const option of Object.keys(COMMANDS[name].options)) {
      expect(HELP[name]).toContain(`--${option}`);
      expect(documented).toContain(`--${option}`);
    }
    expect(documented).toMatch(new RegExp(`\`milena ${name}\\b`));
  },
);
