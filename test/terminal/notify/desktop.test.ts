import { describe, expect, test } from 'vitest';
import { desktopNotification, sequenceFor } from '../../../src/terminal/notify/desktop.ts';

test.each([
  [{ TERM: 'xterm-kitty' }, 'osc99'],
  [{ TERM: 'foot' }, 'osc777'],
  [{ TERM: 'foot-extra' }, 'osc777'],
  [{ TERM: 'rxvt-unicode-256color' }, 'osc777'],
  [{ TERM: 'xterm-256color', TERM_PROGRAM: 'iTerm.app' }, 'osc9'],
  [{ TERM: 'xterm-256color', TERM_PROGRAM: 'WezTerm' }, 'osc777'],
  [{ TERM: 'xterm-ghostty', TERM_PROGRAM: 'ghostty' }, 'osc777'],
  [{ TERM: 'xterm-256color', TERM_PROGRAM: 'constructor' }, null],
  [{ TERM: 'xterm-256color' }, null],
  [{ TERM: 'linux' }, null],
  [{}, null],
  [{ TERM: 'xterm-kitty', TMUX: '/tmp/tmux-0/default,1,0' }, null],
])('auto with %j is %s', (environment, sequence) => {
  expect(sequenceFor('auto', environment)).toBe(sequence);
  expect(sequenceFor('off', environment)).toBeNull();
  expect(sequenceFor('osc9', environment)).toBe('osc9');
});

describe('the bytes', () => {
  const one = { from: 'ext a;b', text: '4;3;50 done' };

  test('are those of the terminal', () => {
    expect(desktopNotification('osc9', one, false)).toBe('\u001b]9;Milena: ext a;b: 4;3;50 done\u0007');
    expect(desktopNotification('osc777', one, false)).toBe('\u001b]777;notify;ext a,b;4;3;50 done\u0007');
    expect(desktopNotification('osc99', one, false)).toBe(
      '\u001b]99;i=milena:d=0;ext a;b\u001b\\\u001b]99;i=milena:d=1:p=body;4;3;50 done\u001b\\',
    );
  });

  test('go through tmux as a whole', () => {
    expect(desktopNotification('osc777', { from: 'bob', text: 'hi' }, true)).toBe(
      '\u001bPtmux;\u001b\u001b]777;notify;bob;hi\u0007\u001b\\',
    );
  });

  test.each(['osc9', 'osc777', 'osc99'] as const)(
    'of %s end where they end, whatever is in the texts',
    (which) => {
      const evil = '\u0007\u001b]0;x\u0007\u001b\\\u009c\n';
      const bytes = desktopNotification(which, { from: evil, text: evil }, false);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
      const sequences = bytes.match(/\u001b\](?:9|777|99);\P{Cc}*(?:\u0007|\u001b\\)/gu);
      expect(sequences?.join('')).toBe(bytes);
    },
  );
});
