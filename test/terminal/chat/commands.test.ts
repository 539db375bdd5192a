import { describe, expect, test } from 'vitest';
import {
  asText,
  type ChatCommand,
  COMMAND_USAGES,
  commandWords,
  helpRows,
  parseCommand,
} from '../../../src/terminal/chat/commands.ts';
import { DEFAULT_BINDINGS } from '../../../src/terminal/tui/bindings.ts';
import { usualKeys } from '../../../src/terminal/tui/key-rows.ts';

describe('entered lines', () => {
  test.each<[string, ChatCommand]>([
    ['', { type: 'nothing' }],
    ['   ', { type: 'nothing' }],
    ['hello there', { type: 'say', text: 'hello there' }],
    ['\t two  blanks \n', { type: 'say', text: '\t two  blanks \n' }],
    ['//etc/hosts', { type: 'say', text: '/etc/hosts' }],
    ['  //etc/hosts ', { type: 'say', text: '  /etc/hosts ' }],
    ['  /help', { type: 'help' }],
    ['/help keys', { type: 'keys' }],
    ['/msg bob   indented\n ', { type: 'message', to: 'bob', text: '  indented\n ' }],
    ['/msg bob  ', { type: 'message', to: 'bob', text: '' }],
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
    ['/search lunch  soup', { type: 'search', words: 'lunch  soup' }],
    ['/export', { type: 'export', file: '' }],
    ['/export a b.jsonl', { type: 'export', file: 'a b.jsonl' }],
    ['/who', { type: 'who', names: [] }],
    ['/mute', { type: 'mute' }],
    ['/forget', { type: 'forget' }],
    ['/next', { type: 'next' }],
    ['/help', { type: 'help' }],
    ['/quit', { type: 'quit' }],
    ['/q', { type: 'quit' }],
    ['/exit see you', { type: 'quit' }],
    ['/query Bob hi', { type: 'message', to: 'bob', text: 'hi' }],
    ['/dm bob', { type: 'message', to: 'bob', text: '' }],
    ['/close', { type: 'close' }],
    ['/clear', { type: 'clear' }],
    ['/whois bob', { type: 'who', names: ['bob'] }],
    ['/ignore bob', { type: 'block', name: 'bob' }],
    ['/help msg', { type: 'help' }],
  ])('%j', (line, command) => expect(parseCommand(line)).toEqual(command));

  test.each([
    ['/create', /Usage: \/create NAME/],
    ['/login', /Usage: \/login NAME/],
    ['/msg', /Usage: \/msg NAME \[TEXT\]/],
    ['/logout now', /Usage: \/logout/],
    ['/delete alice', /Usage: \/delete/],
    ['/create no one', /username has 1 to 32/],
    ['/msg - hi', /username has 1 to 32/],
    ['/mute bob', /Usage: \/mute/],
    ['/unblock', /Usage: \/unblock NAME/],
    ['/passwd secret', /Usage: \/passwd/],
    ['/list [a]', /pattern has at most/],
    ['/dance', /no command \/dance\. \/help shows them all/],
    ['/serch x', /no command \/serch\. Is \/search meant\?/],
    ['/qiut', /Is \/quit meant\?/],
    ['/constructor', /no command \/constructor/],
    ['/query', /Usage: \/msg NAME \[TEXT\]/],
    ['/me waves', /no \/me: a text says/],
    ['/clear all', /Usage: \/clear/],
    ['/topic x', /\/room set about TEXT/],
    ['/nick bob', /\/create NAME/],
    ['/connect x', /--server HOST:PORT/],
    ['/', /no command \//],
  ])('%j is a mistake', (line, text) => {
    expect(parseCommand(line)).toEqual({ type: 'mistake', text: expect.stringMatching(text) });
  });

  test.each(['/var/log/x', '  /help', '//x', '/', 'plain', ' ', '/msg bob hi\n'])(
    '%j as a text is said',
    (text) => {
      expect(parseCommand(asText(text))).toEqual(
        text.trim() === '' ? { type: 'nothing' } : { type: 'say', text },
      );
    },
  );

  test('help names only commands that there are, and Tab knows each', () => {
    const words = commandWords();
    expect(words).toContain('/unblock');
    for (const word of words) {
      expect(parseCommand(word)).not.toMatchObject({ text: expect.stringMatching(/no command/) });
    }
  });

  test('help fits a screen of 80×24', () => {
    const rows = helpRows(COMMAND_USAGES, usualKeys(DEFAULT_BINDINGS));
    expect(rows.length).toBeLessThanOrEqual(18);
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(79);
  });
});
