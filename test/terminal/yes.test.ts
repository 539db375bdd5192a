import { expect, test } from 'vitest';
import { isYes } from '../../src/terminal/yes.ts';

test.each(['y', 'Y', 'yes', ' Yes '])('%j is a yes', (answer) => expect(isYes(answer)).toBe(true));
test.each(['', 'n', 'no', 'yess', 'ye', 'y y', 'ja', null])('%j is none', (answer) => {
  expect(isYes(answer)).toBe(false);
});
