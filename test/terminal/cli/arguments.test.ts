import { describe, expect, test } from 'vitest';
import {
  argumentsOf,
  type Invocation,
  invocationOf,
  limitOf,
  timeoutOf,
} from '../../../src/terminal/cli/arguments.ts';
import { Failure } from '../../../src/terminal/cli/exit.ts';

function mistake(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure && error.code === 64) return error.message;
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('a command line', () => {
  test.each<[string[], Partial<Invocation>]>([
    [[], { type: 'screen', flags: {} }],
    [['--plain', '--server', 'h:1'], { type: 'screen', flags: { plain: true, server: 'h:1' } }],
    [['--no-bell'], { type: 'screen', flags: { bell: false } }],
    [['--invite', 'list'], { type: 'screen', flags: { invite: 'list' } }],
    [['--invite', 'x', 'create', 'bob'], { type: 'command', name: 'create', args: ['--invite', 'x', 'bob'] }],
    [['--help'], { type: 'help', command: null }],
    [['-h'], { type: 'help', command: null }],
    [['--version'], { type: 'version' }],
    [['send', '--help'], { type: 'help', command: 'send' }],
    [['--help', 'send'], { type: 'help', command: 'send' }],
    [['send', 'bob', '--', '--help'], { type: 'command', name: 'send', args: ['bob', '--', '--help'] }],
    [['list', 'b*'], { type: 'command', name: 'list', args: ['b*'] }],
    // An option's value is no command.
    [['--user', 'send', 'list'], { type: 'command', name: 'list', args: ['--user', 'send'] }],
    [['--user=send', 'list'], { type: 'command', name: 'list', args: ['--user=send'] }],
    [['--user', 'list'], { type: 'screen', flags: { user: 'list' } }],
    [['--tls', 'list'], { type: 'command', name: 'list', args: ['--tls'] }],
    [['--no-history', 'list'], { type: 'command', name: 'list', args: ['--no-history'] }],
  ])('%j', (args, invocation) => expect(invocationOf(args)).toEqual(invocation));

  test.each([
    [['tango'], /no command "tango"\. milena --help/],
    [['snd', 'bob'], /no command "snd"\. Is "send" meant\?/],
    [['--dance=now'], /no option "--dance"\./],
    [['--sever', 'x:1'], /no option "--sever"\. Is --server meant\?/],
    [['--pasword', 'hunter2', 'list'], /no option "--pasword"\. Text/],
    [['list', '--pasword=hunter2'], /no option "--pasword/],
    [['--server'], /--server/],
    [['--tls=yes'], /--tls/],
    [['--password', 'hunter2'], /never taken from an argument/],
    [['send', '--password=hunter2', 'bob', 'x'], /never taken from an argument/],
  ])('%j is a mistake', (args, text) => {
    const message = mistake(() => {
      const invocation = invocationOf(args);
      if (invocation.type === 'command') argumentsOf(invocation.name, invocation.args);
    });
    expect(message).toMatch(text);
    expect(message).not.toContain('hunter2');
  });
});

describe('the arguments of a command', () => {
  test('may stand in any order', () => {
    const { values, positionals, flags } = argumentsOf('send', [
      'bob',
      '--json',
      'hi',
      'there',
      '--user',
      'a',
    ]);
    expect({ json: values.json, positionals, user: flags.user }).toEqual({
      json: true,
      positionals: ['bob', 'hi', 'there'],
      user: 'a',
    });
  });

  test('may begin with a dash behind two of them', () => {
    expect(argumentsOf('send', ['bob', '--', '-5', '--json']).positionals).toEqual(['bob', '-5', '--json']);
    expect(argumentsOf('send', ['bob', '-']).positionals).toEqual(['bob', '-']);
    expect(mistake(() => argumentsOf('send', ['bob', '-5']))).toMatch(/goes behind "--"/);
  });

  test.each([
    ['list', '--jsn', /Is --json meant/],
    ['list', '--once', /no option "--once"/],
    ['retrieve', '--limit', /--limit/],
  ] as const)('%s %s is a mistake', (name, arg, text) => {
    expect(mistake(() => argumentsOf(name, [arg]))).toMatch(text);
  });

  test('are quoted safely', () => {
    expect(mistake(() => argumentsOf('list', ['--\u001b]0;x\u0007\u009b\u202e']))).toMatch(
      /"--\\u001b\]0;x\\u0007\\u009b\\u202e"/,
    );
  });

  test('count and time in numbers', () => {
    expect([timeoutOf(undefined, 7), timeoutOf('0.5', 7), timeoutOf('60', 7)]).toEqual([7, 500, 60_000]);
    expect([limitOf(undefined, 7), limitOf('12', 7)]).toEqual([7, 12]);
    for (const wrong of ['0', '-1', 'x', '', '1e3', '99999999']) {
      expect(mistake(() => timeoutOf(wrong, 7))).toMatch(/--timeout .* For example: --timeout 30/);
    }
    for (const wrong of ['0', '-1', 'x', '', '1.5']) {
      expect(mistake(() => limitOf(wrong, 7))).toMatch(/--limit .* For example: --limit 10/);
    }
  });
});
