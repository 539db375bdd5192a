import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { wordsOf } from '../../src/terminal/command-line.ts';
import { PasswordCommandError, passwordFrom } from '../../src/terminal/password-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'milena-password-command-'));
afterAll(() => rmSync(folder, { recursive: true }));

const HOW = { user: 'maria', hasTerminal: false };
/** Also what has ended and waits for its parent to hear of it is there still. */
const isRunning = (pid: number) =>
  existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
const sh = (script: string) => ['sh', '-c', script];

async function refusal(command: readonly string[], how: Partial<Parameters<typeof passwordFrom>[1]> = {}) {
  const error = await passwordFrom(command, { ...HOW, ...how }).catch((thrown: unknown) => thrown);
  if (!(error instanceof PasswordCommandError)) throw new Error(`no refusal but ${String(error)}`);
  return error.message;
}

test.each([
  ['pass show milena', ['pass', 'show', 'milena']],
  ['  pass\tshow  "two words" ', ['pass', 'show', 'two words']],
  [`sh -c 'pass show "$MILENA_USER" | head -1'`, ['sh', '-c', 'pass show "$MILENA_USER" | head -1']],
  ['a\\ b "c\\"d" \'e\\f\' ""', ['a b', 'c"d', 'e\\f', '']],
  ['$HOME `x` *;|&', ['$HOME', '`x`', '*;|&']],
  ['', undefined],
  ['   ', undefined],
  ['""', undefined],
  ['a "b', undefined],
  ['a\0b', undefined],
])('the words of %j', (line, words) => expect(wordsOf(line)).toEqual(words));

describe.each([true, false])('a command with a terminal: %j', (hasTerminal) => {
  test('gives its first line, without a shell having touched its arguments', async () => {
    expect(await passwordFrom(['printf', '%s\\nurl: x\\n', '$HOME; ü'], { ...HOW, hasTerminal })).toBe(
      '$HOME; ü',
    );
  });

  test('knows whose password is wanted, and has nothing to read', async () => {
    const script = 'cat; printf "%s" "$MILENA_USER"';
    expect(await passwordFrom(sh(script), { ...HOW, hasTerminal })).toBe('maria');
  });

  test('that takes too long is ended', async () => {
    const file = join(folder, `pid-${hasTerminal}`);
    const text = await refusal(sh(`echo $$ > ${file}; exec sleep 1000`), { hasTerminal, patienceMs: 300 });
    expect(text).toBe('The password command sh: no answer within 0.3 s.');
    const pid = Number(readFileSync(file, 'utf8'));
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow());
  });
});

test('in a session of its own it has no terminal to draw on', async () => {
  const own = execFileSync('ps', ['-o', 'sid=', '-p', String(process.pid)], { encoding: 'utf8' }).trim();
  const theirs = await passwordFrom(sh('ps -o sid= -p $$ | tr -d " "'), HOW);
  expect(theirs).not.toBe(own);
});

test('it has none of our secrets', async () => {
  const names = ['MILENA_PASSWORD', 'MILENA_NEW_PASSWORD', 'MILENA_CLUSTER_KEYS', 'MILENA_PASSWORD_FILE'];
  for (const name of names) vi.stubEnv(name, `of ${name}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  const script = `for name in ${names.join(' ')}; do printf '%s;' "$(printenv $name)"; done`;
  expect(await passwordFrom(sh(script), HOW)).toBe(';;;of MILENA_PASSWORD_FILE;');
});

test('what it leaves behind keeps nobody waiting, and is ended with it', async () => {
  const file = join(folder, 'helper');
  expect(await passwordFrom(sh(`sleep 1000 & echo $! > ${file}; echo secret`), HOW)).toBe('secret');
  const pid = Number(readFileSync(file, 'utf8'));
  await vi.waitFor(() => expect(isRunning(pid)).toBe(false));
});

test.each([
  [['/nowhere/pass'], /^The password command \/nowhere\/pass: there is no such program\.$/],
  [[folder], /it may not be run/],
  [sh('echo one >&2; echo "no such key." >&2; exit 2'), /it ended with 2, and said: no such key\.$/],
  [sh('printf "\\033[2Jboo" >&2; exit 1'), /said: ␛\[2Jboo\.$/],
  [sh('exit 3'), /it ended with 3\.$/],
  [sh('kill -9 $$'), /it was ended by SIGKILL\.$/],
  [sh(':'), /it prints no password\.$/],
  [sh('echo; echo second'), /it prints no password\.$/],
  [sh('printf "caf\\351\\n"'), /what it prints is not UTF-8\.$/],
  [sh('exec yes'), /it prints more than a password\.$/],
])('%j says why there is none', async (command, text) => expect(await refusal(command)).toMatch(text));

test('ends with the program that wanted it', async () => {
  const ending = new AbortController();
  const password = passwordFrom(['sleep', '1000'], { ...HOW, signal: ending.signal });
  ending.abort(new Error('enough'));
  await expect(password).rejects.toThrow('enough');
});
