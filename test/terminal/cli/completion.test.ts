import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMAND_NAMES, COMMANDS } from '../../../src/terminal/cli/commands.ts';
import { bashCompletion } from '../../../src/terminal/cli/completion/bash.ts';
import { fishCompletion } from '../../../src/terminal/cli/completion/fish.ts';
import { zshCompletion } from '../../../src/terminal/cli/completion/zsh.ts';
import { SETTING_NAMES, TABLE } from '../../../src/terminal/setting-table.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'milena-completion-'));

function isInstalled(shell: string): boolean {
  try {
    execFileSync(shell, ['-c', 'exit 0'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

beforeAll(() => {
  // Stands in for the client: names that begin as asked for, and a note of how it was asked.
  const fake = join(folder, 'milena');
  writeFileSync(
    fake,
    `#!/bin/sh
     echo "$@" >>${folder}/asked
     case $2 in 'a*') echo alice; echo anna ;; '*') echo alice; echo anna; echo bob ;; esac`,
  );
  chmodSync(fake, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([
  ['bash', bashCompletion] as const,
  ['zsh', zshCompletion] as const,
  ['fish', fishCompletion] as const,
])('%s', (shell, make) => {
  test.runIf(isInstalled(shell))('accepts the script', async () => {
    const file = join(folder, `completion.${shell}`);
    writeFileSync(file, make());
    await run(shell, ['-n', file]);
  });

  test('has every command and every option', () => {
    const script = make();
    for (const name of COMMAND_NAMES) {
      expect(script).toMatch(new RegExp(`\\b${name}\\b`));
      for (const option of Object.keys(COMMANDS[name].options)) expect(script).toContain(option);
    }
    for (const name of SETTING_NAMES) expect(script).toContain(TABLE[name].flag);
  });
});

describe('bash really completes', () => {
  /** What bash offers for the last of the words. */
  async function offered(...words: string[]): Promise<string[]> {
    const file = join(folder, 'really.bash');
    writeFileSync(file, bashCompletion());
    const script = `. "$1"; shift
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}
      _milena milena; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
    const { stdout } = await run('bash', ['--norc', '-c', script, 'bash', file, 'milena', ...words], { env });
    return stdout.split('\n').filter((word) => word !== '');
  }

  test.each<[string[], string[]]>([
    [['se'], ['send', 'search']],
    [
      ['--user', 'a'],
      ['alice', 'anna'],
    ],
    [
      ['send', 'a'],
      ['alice', 'anna'],
    ],
    [['send', 'alice', 'a'], []],
    [
      ['status', 'alice', 'a'],
      ['alice', 'anna'],
    ],
    [
      ['send', ''],
      ['alice', 'anna', 'bob'],
    ],
    [
      ['listen', '--from', 'a'],
      ['alice', 'anna'],
    ],
    [['send', '--wa'], ['--wait-delivered']],
    [['list', '--j'], ['--json']],
    [['list', '--wa'], []],
    [['room', 'm'], ['members']],
    [
      ['room', 'join', '--ba'],
      ['--back', '--backlog'],
    ],
    [['--theme', 'd'], ['dark']],
    [
      ['--server', '127.0.0.1', ':', '80', 'li'],
      ['listen', 'list'],
    ],
    [['--timeout', ''], []],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['help', 'doc'], ['doctor']],
    // Nothing of it reaches a shell or a pattern.
    [['send', '$(touch x)'], []],
    [['send', '*'], []],
  ])('%j', async (words, expected) => expect(await offered(...words)).toEqual(expected));

  test('through the shell itself', async () => {
    const file = join(folder, 'really.bash');
    writeFileSync(file, bashCompletion());
    // The shell's own editor, as a person's Tab key drives it.
    const { stdout } = await run('bash', ['--norc', '-c', `. ${file}; complete -p milena`]);
    expect(stdout).toContain('-F _milena milena');
  });
});
