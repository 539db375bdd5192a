import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { notifyWords, parseNotifyCommand } from '../../../src/terminal/command-line.ts';
import { notifyByCommand } from '../../../src/terminal/notify/command.ts';

describe('a command line', () => {
  test.each([
    ['notify-send {from} {text}', ['notify-send', '{from}', '{text}']],
    ['sh -c \'say "$1"\' - {text}', ['sh', '-c', 'say "$1"', '-', '{text}']],
    ['  say   "{from} says"\t\'{text}\' ', ['say', '{from} says', '{text}']],
    [String.raw`a\ b "c\"d" 'e\f' "" $HOME;&|`, ['a b', 'c"d', String.raw`e\f`, '', '$HOME;&|']],
  ])('%j is words', (line, words) => expect(parseNotifyCommand(line)).toEqual(words));

  test.each([
    '',
    '  ',
    'say "{from}',
    "say '",
    'say {who}',
    'say {}',
    '{text}',
    'x{from}',
    'a\0b',
    ' "" a',
    'a '.repeat(51),
    "sh -c 'echo {text}'",
    'bash -c "say {from}" - {text}',
  ])('%j is none', (line) => expect(parseNotifyCommand(line)).toBeUndefined());
});

test('no sender adds a word, an option or a control character', () => {
  const command = parseNotifyCommand('send -u low {from} --body={text} "{text}!"') ?? [];
  const evil = { from: '--help', text: '-x "; rm {from} \u001b[2J' };
  expect(notifyWords(command, evil)).toEqual([
    'send',
    '-u',
    'low',
    ' --help',
    '--body=-x "; rm {from}  [2J',
    ' -x "; rm {from}  [2J!',
  ]);
});

/** A command that leaves a file with its arguments, and may take its time. */
function leaving(seconds = 0): { folder: string; command: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'milena-notify-'));
  // A command that is still under way may leave its file meanwhile.
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  const script =
    'f=$(mktemp "$1/XXXXXX"); printf "%s\\n" "$2" "$3" "$(printenv MILENA_PASSWORD || echo none)" > "$f"; mv "$f" "$f.done"; exec sleep "$4"';
  return { folder, command: ['sh', '-c', script, 'sh', folder, '{from}', '{text}', String(seconds)] };
}

/** Programs take their time to start where the machine has other work. */
const eventually = (check: () => unknown) => vi.waitFor(check, { timeout: 30_000, interval: 20 });

/** Also what has ended and waits for its parent to hear of it is there still. */
const isRunning = (pid: number | undefined) =>
  existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

const done = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.done'));

describe('a command that runs', () => {
  test('has the texts as they are, and no password in its environment', async () => {
    vi.stubEnv('MILENA_PASSWORD', 'hunter2');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { folder, command } = leaving();
    notifyByCommand(command, () => undefined)({ from: 'bob', text: '$(touch /tmp/x) `y` "z"' });
    await eventually(() => expect(done(folder)).toHaveLength(1));
    const [name = ''] = done(folder);
    expect(readFileSync(join(folder, name), 'utf8')).toBe('bob\n$(touch /tmp/x) `y` "z"\nnone\n');
  });

  test('has no terminal, and is ended with all that it has started when it takes too long', async () => {
    const { folder } = leaving();
    const file = join(folder, 'pids');
    const script = `sleep 1000 & echo $! $$ $(ps -o sid= -p $$) > ${file}.new; mv ${file}.new ${file}; wait`;
    const told: string[] = [];
    const notify = notifyByCommand(['sh', '-c', script], (text) => void told.push(text), 3_000);
    notify({ from: 'bob', text: 'hi' });
    await eventually(() => expect(existsSync(file)).toBe(true));
    const [helper, shell, session] = readFileSync(file, 'utf8').trim().split(' ').map(Number);
    expect(session).toBe(shell);
    await eventually(() => expect(told).toEqual(['The command of "notify" fails: sh was ended by SIGKILL.']));
    await eventually(() => expect(isRunning(helper)).toBe(false));
  });

  test('never runs more than three times at once', async () => {
    const { folder, command } = leaving(1);
    const notify = notifyByCommand(command, () => undefined);
    for (let count = 0; count < 20; count++) notify({ from: 'bob', text: String(count) });
    await eventually(() => expect(done(folder)).toHaveLength(3));
    // When these have ended there is room again, and of the others nothing comes.
    await eventually(() => {
      notify({ from: 'bob', text: 'later' });
      expect(done(folder).length).toBeGreaterThan(3);
    });
    const texts = done(folder).map((name) => readFileSync(join(folder, name), 'utf8').split('\n')[1]);
    expect(texts.filter((text) => text !== 'later').sort()).toEqual(['0', '1', '2']);
  });

  test.each([
    [
      ['/nowhere/notify-send', '{text}'],
      'The command of "notify" fails: /nowhere/notify-send cannot be run (ENOENT).',
    ],
    [['sh', '-c', 'exit 3'], 'The command of "notify" fails: sh ends with 3.'],
  ])('%j says once what is wrong', async (command, sentence) => {
    const told: string[] = [];
    const notify = notifyByCommand(command, (text) => void told.push(text));
    notify({ from: 'bob', text: 'hi' });
    await eventually(() => expect(told).toEqual([sentence]));
    notify({ from: 'bob', text: 'hi' });
    notify({ from: 'bob', text: 'hi' });
    expect(told).toHaveLength(1);
  });
});
