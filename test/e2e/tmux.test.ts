/** The client in a pane of tmux, which is a terminal of its own kind. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  CLIENT,
  openServerHere,
  ownFolder,
  PASSWORD,
  person,
  removeFolders,
  type ServerHere,
} from './client-terminal.ts';
import { built } from './running-frontend.ts';
import { scriptEnvironment } from './script.ts';

const NO_TMUX = hasTmux() ? null : 'tmux is not installed';
const folder = ownFolder();
const socket = person('milena-');
let frontend: ServerHere;
let isRunning = false;

beforeAll(async () => {
  if (NO_TMUX !== null) return;
  await built();
  frontend = await openServerHere();
});

afterAll(async () => {
  if (NO_TMUX === null) {
    if (isRunning) tmux('kill-server');
    await frontend?.remove();
  }
  removeFolders();
});

function hasTmux(): boolean {
  try {
    execFileSync('tmux', ['-V']);
    return true;
  } catch {
    return false;
  }
}

/** On a server of its own, without the settings of whoever runs the tests. */
function tmux(...args: readonly string[]): string {
  const ours = { MILENA_DATA_DIR: folder, HOME: folder, TMUX: '', TMUX_TMPDIR: folder, PS1: '$ ', CI: '' };
  const env = { ...scriptEnvironment(ours), TERM: 'xterm-256color', LC_ALL: 'C.UTF-8' };
  return execFileSync('tmux', ['-L', socket, '-f', '/dev/null', ...args], { encoding: 'utf8', env });
}

function rows(pane: number): string[] {
  return tmux('capture-pane', '-p', '-t', `:0.${pane}`)
    .split('\n')
    .slice(0, -1)
    .map((row) => row.trimEnd());
}

async function shows(pane: number, ...patterns: readonly RegExp[]): Promise<void> {
  await vi.waitFor(
    () => {
      for (const pattern of patterns) expect(rows(pane).join('\n')).toMatch(pattern);
    },
    { timeout: 40_000, interval: 50 },
  );
}

function type(text: string, ...keys: readonly string[]): void {
  tmux('send-keys', '-t', ':0.0', '-l', text);
  if (keys.length > 0) tmux('send-keys', '-t', ':0.0', ...keys);
}

function titleOf(pane: number): string {
  return tmux('display-message', '-p', '-t', `:0.${pane}`, '#{pane_title}').trimEnd();
}

test.skipIf(NO_TMUX !== null)(
  `in one of two panes: talks, follows its size, and leaves the shell as it was${NO_TMUX === null ? '' : ` (skipped: ${NO_TMUX})`}`,
  async () => {
    tmux('new-session', '-d', '-x', '161', '-y', '24', 'sh');
    isRunning = true;
    tmux('split-window', '-h', '-t', ':0.0', 'sh');
    tmux('send-keys', '-t', ':0.1', '-l', "printf 'the other pane\\n'");
    tmux('send-keys', '-t', ':0.1', 'Enter');
    tmux('select-pane', '-t', ':0.0');
    type("printf '\\033]2;the shell\\007'; echo said before", 'Enter');
    await shows(0, /^said before$/m);
    await shows(1, /^(?:\S+ )?the other pane$/m);
    const other = rows(1);
    const server = `127.0.0.1:${frontend.address.port}`;
    type(`"${process.execPath}" "${CLIENT}" --server ${server}; echo "code $?"`, 'Enter');
    await shows(0, /● online$/m, /^ your name › *$/m);

    const ann = person('ann');
    type(`/create ${ann}`, 'Enter');
    await shows(0, /^ password for .*› *$/m);
    type(PASSWORD, 'Enter');
    await shows(0, /^ the same again › *$/m);
    type(PASSWORD, 'Enter');
    await shows(0, new RegExp(`^ milena · ${ann} .*● online$`, 'm'));
    type(`/msg ${ann} note to myself`, 'Enter');
    await shows(0, /me +note to myself +✓✓$/m, new RegExp(`${ann} {2}note to myself$`, 'm'));
    type('half a tho');
    await shows(0, /› half a tho$/m);
    expect(rows(0)).toHaveLength(24);
    expect(rows(0)[1]).toMatch(/^─+┬─+$/);
    expect(titleOf(0)).toBe(`milena · ${ann}`);
    expect(rows(1)).toEqual(other);

    for (const [columns, height] of [
      [101, 20],
      [240, 50],
      [161, 24],
    ] as const) {
      tmux('resize-window', '-t', ':0', '-x', String(columns), '-y', String(height));
      await vi.waitFor(
        () => {
          const shown = rows(0);
          expect(shown).toHaveLength(height);
          const width = Number(tmux('display-message', '-p', '-t', ':0.0', '#{pane_width}'));
          expect(shown[0]).toMatch(new RegExp(`^ milena · ${ann} .*● online$`));
          expect(shown[0]).toHaveLength(width - 1);
          expect(shown[1]).toHaveLength(width);
          expect(shown.at(-2)).toBe(` ${ann} › half a tho`);
          expect(shown.join('\n').match(/note to myself/g)).toHaveLength(2);
        },
        { timeout: 40_000, interval: 50 },
      );
    }

    tmux('send-keys', '-t', ':0.0', 'C-u');
    type('/quit', 'Enter');
    await shows(0, /^code 0$/m, /^said before$/m);
    expect(rows(0).join('\n')).not.toMatch(/milena ·|note to myself/);
    expect(titleOf(0)).toBe('the shell');
    expect(rows(1).filter(Boolean)).toEqual(other.filter(Boolean));
    type('echo still a shell', 'Enter');
    await shows(0, /^still a shell$/m);
  },
  120_000,
);
