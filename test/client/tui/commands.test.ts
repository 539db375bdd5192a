import { describe, expect, test } from 'vitest';
import { type Command, commandsOf, parseCommand } from '../../../src/client/tui/commands.ts';

describe('entered lines', () => {
  test.each<[string, Command]>([
    ['', { type: 'nothing' }],
    ['   ', { type: 'nothing' }],
    ['hello there', { type: 'say', text: 'hello there' }],
    ['//etc/hosts', { type: 'say', text: '/etc/hosts' }],
    ['/create Alice', { type: 'create', name: 'alice' }],
    [' /LOGIN  bob ', { type: 'login', name: 'bob' }],
    ['/logout', { type: 'logout' }],
    ['/delete', { type: 'delete' }],
    ['/list', { type: 'list', pattern: '' }],
    ['/list a**b?', { type: 'list', pattern: 'a*b?' }],
    ['/msg bob', { type: 'message', to: 'bob', text: '' }],
    ['/msg Bob hi  there /x', { type: 'message', to: 'bob', text: 'hi  there /x' }],
    ['/retrieve', { type: 'retrieve' }],
    ['/passwd', { type: 'passwd' }],
    ['/who bob Carol', { type: 'who', names: ['bob', 'carol'] }],
    ['/block', { type: 'block', name: null }],
    ['/block Bob', { type: 'block', name: 'bob' }],
    ['/unblock bob', { type: 'unblock', name: 'bob' }],
    ['/help', { type: 'help' }],
    ['/quit', { type: 'quit' }],
  ])('%j', (line, command) => expect(parseCommand(line)).toEqual(command));

  test.each([
    ['/create', /Usage: \/create NAME/],
    ['/login', /Usage: \/login NAME/],
    ['/msg', /Usage: \/msg NAME TEXT/],
    ['/logout now', /Usage: \/logout/],
    ['/delete alice', /Usage: \/delete/],
    ['/create no one', /username has 1 to 32/],
    ['/msg - hi', /username has 1 to 32/],
    ['/who', /Usage: \/who NAME/],
    ['/unblock', /Usage: \/unblock NAME/],
    ['/passwd secret', /Usage: \/passwd/],
    ['/list [a]', /pattern has at most/],
    ['/dance', /no command \/dance/],
    ['/', /no command \//],
  ])('%j is a mistake', (line, text) => {
    expect(parseCommand(line)).toEqual({ type: 'mistake', text: expect.stringMatching(text) });
  });

  test('help names every command there is', () => {
    for (const word of commandsOf(2)
      .map(([usage]) => usage.split(' ')[0] ?? '')
      .filter((usage) => usage.startsWith('/'))) {
      expect(parseCommand(word)).not.toMatchObject({ text: expect.stringMatching(/no command/) });
    }
  });
});
