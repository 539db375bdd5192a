import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { parseOpenCommand } from '../../src/terminal/command-line.ts';
import { openerBy, usualOpen } from '../../src/terminal/opener.ts';

const folder = mkdtempSync(join(tmpdir(), 'milena-open-'));
afterAll(() => rmSync(folder, { recursive: true }));

function program(name: string, script = 'exit 0', mode = 0o755): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, mode);
  return file;
}

describe('a command that opens', () => {
  test.each([
    ['firefox', ['firefox', '{url}']],
    ['firefox --new-tab {url}', ['firefox', '--new-tab', '{url}']],
    ['"my opener" --to={url} --then x', ['my opener', '--to={url}', '--then', 'x']],
    [`sh -c 'exec w3m "$1"' sh {url}`, ['sh', '-c', 'exec w3m "$1"', 'sh', '{url}']],
  ])('%j', (line, words) => expect(parseOpenCommand(line)).toEqual(words));

  test.each(['', ' ', '{url}', 'x {text}', 'x "{url}', `sh -c 'firefox {url}'`, 'a\0b'])(
    '%j is none',
    (line) => expect(parseOpenCommand(line)).toBeUndefined(),
  );
});

describe('without a setting it is', () => {
  const PATH = `relative::${folder}:/nowhere`;
  program('xdg-open');
  program('open');
  program('wslview', '', 0o644);

  test.each<[NodeJS.Platform, Record<string, string>, string | null]>([
    ['linux', { DISPLAY: ':0', PATH }, 'xdg-open'],
    ['linux', { WAYLAND_DISPLAY: 'wayland-0', PATH }, 'xdg-open'],
    ['linux', { PATH }, null],
    ['linux', { DISPLAY: ':0', PATH: '/nowhere' }, null],
    ['linux', { DISPLAY: ':0' }, null],
    // It may not be run.
    ['linux', { WSL_DISTRO_NAME: 'Debian', DISPLAY: ':0', PATH }, null],
    ['darwin', { PATH }, 'open'],
    ['darwin', { PATH, SSH_CONNECTION: '1 2 3 4' }, null],
  ])('on %s with %j %j', (platform, env, name) => {
    expect(usualOpen(env, platform)).toEqual(name === null ? null : [join(folder, name), '{url}']);
  });
});

test('an address is one argument, whatever stands in it', async () => {
  const file = join(folder, 'called');
  const own = program('own', `printf '%s\\n' "$#" "$@" > '${file}.new'; mv '${file}.new' '${file}'`);
  const url = `https://a.example/$(touch${'$'}{IFS}x);'&--help`;
  openerBy([own, '{url}'])(url, () => undefined);
  await vi.waitFor(() => expect(existsSync(file)).toBe(true));
  expect(readFileSync(file, 'utf8')).toBe(`1\n${url}\n`);
});

test.each([
  [[join(folder, 'none'), '{url}'], /none cannot be run \(ENOENT\)\.$/],
  [['sh', '-c', 'exit 4', '{url}'], /: sh ends with 4\.$/],
  [['\u001b[2J', '{url}'], /: \[2J cannot be run \(ENOENT\)\.$/],
])('%j fails in one sentence', async (command, sentence) => {
  const told: string[] = [];
  openerBy(command)('http://a.example', (text) => void told.push(text));
  await vi.waitFor(() => expect(told).toEqual([expect.stringMatching(sentence)]));
});
