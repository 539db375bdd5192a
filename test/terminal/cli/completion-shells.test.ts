/** The completion scripts in the shells themselves, as a person's Tab drives them. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { bashCompletion } from '../../../src/terminal/cli/completion/bash.ts';
import { fishCompletion } from '../../../src/terminal/cli/completion/fish.ts';
import { zshCompletion } from '../../../src/terminal/cli/completion/zsh.ts';
import { TestTerminal } from '../../e2e/terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'milena-shells-'));
const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
let terminal: TestTerminal | undefined;

/** Each begins without anybody's own settings. */
const SHELLS = [
  { shell: 'bash', make: bashCompletion, start: 'bash --norc --noprofile -i', load: 'source', before: '' },
  {
    shell: 'zsh',
    make: zshCompletion,
    start: 'zsh -f -i',
    load: 'source',
    before: 'autoload -U compinit; compinit -u -D; ',
  },
  { shell: 'fish', make: fishCompletion, start: 'fish --no-config -i', load: 'source', before: '' },
] as const;

beforeAll(() => {
  const fake = join(folder, 'milena');
  writeFileSync(fake, `#!/bin/sh\ncase $2 in 'a*') echo alice; echo anna ;; esac\n`);
  chmodSync(fake, 0o755);
});
afterEach(() => terminal?.close());
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

for (const { shell, make, start, load, before } of SHELLS) {
  describe.skipIf(!has(shell))(`${shell} (needs ${shell})`, () => {
    async function open(): Promise<TestTerminal> {
      const file = join(folder, `completion.${shell}`);
      writeFileSync(file, make());
      const env = {
        PATH: `${folder}:${process.env.PATH}`,
        HOME: folder,
        INPUTRC: '/dev/null',
        PS1: '> ',
        PROMPT: '> ',
      };
      terminal = new TestTerminal(`exec ${start}`, { columns: 100, rows: 40, cwd: folder, env });
      await terminal.settled();
      terminal.type(`${before}${load} ${file}; clear; echo 'it is' ready\r`);
      await terminal.shows(/^it is ready$/m);
      await terminal.settled();
      return terminal;
    }

    test('completes an option, and lists several with what they do', async () => {
      const shown = await open();
      shown.type('milena send --wa\t');
      await shown.shows(/milena send --wait-delivered/);
      shown.type('\u0015milena send --t\t\t');
      await shown.shows(
        /--timeout .*give up after that/,
        /--takeover .*end another login of the account first/,
      );
    });

    test('lists commands with what they do, and completes names from the server', async () => {
      const shown = await open();
      shown.type('milena se\t\t');
      await shown.shows(/search .*search the local history/, /send .*send a message/);
      shown.type('\u0015milena send al\t');
      await shown.shows(/milena send (alice|al$)/m);
      shown.type('\u0015milena send a\t\t');
      await shown.shows(/alice/, /anna/);
    });

    test('an option with a value in quotes harms nothing', async () => {
      const shown = await open();
      shown.type("milena --password-command 'pass show milena' se\t\t");
      await shown.shows(/search .*search the local history/);
      expect(shown.text).not.toMatch(/error|not found|unknown/i);
    });
  });
}
