import { expect, test } from 'vitest';
import { fitHints, hints } from '../../../src/terminal/tui/hints.ts';

const ALL = hints('Enter send', 'Alt+Enter newline', 'Alt+A next unread', '/help');

test.each([
  [58, ALL],
  [51, 'Enter send · Alt+Enter newline · Alt+A next unread'],
  [49, 'Enter send · Alt+Enter newline'],
  [40, 'Enter send · Alt+Enter newline'],
  [29, 'Enter send'],
  [10, 'Enter send'],
  [9, 'Enter…'],
  [6, 'Enter…'],
  [4, 'Ent…'],
  [0, ''],
])('in %d columns whole hints are shown, or the first words of one', (columns, shown) => {
  expect(fitHints(ALL, columns)).toBe(shown);
});

test('a sentence ends behind a word', () => {
  expect(fitHints('this question has ended: nothing typed here goes anywhere', 30)).toBe(
    'this question has ended:…',
  );
});
