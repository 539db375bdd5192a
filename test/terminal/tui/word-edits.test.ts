import { describe, expect, test } from 'vitest';
import { EMPTY_INPUT, editInput, type InputAction } from '../../../src/terminal/tui/input-line.ts';

/** What an action makes of a text with a bar where the cursor is. */
function after(
  picture: string,
  type: Extract<InputAction['type'], `${string}-word` | `${string}-chars` | `${string}-words`>,
): string {
  const cursor = picture.indexOf('|');
  const text = picture.slice(0, cursor) + picture.slice(cursor + 1);
  const edited = editInput({ ...EMPTY_INPUT, text, cursor }, { type } as InputAction);
  return `${edited.text.slice(0, edited.cursor)}|${edited.text.slice(edited.cursor)}`;
}

describe('two characters', () => {
  test.each([
    ['ab|cd', 'acb|d'],
    ['abcd|', 'abdc|'],
    ['ab|\ncd', 'ba|\ncd'],
    ['|ab', '|ab'],
    ['a|', 'a|'],
    ['|', '|'],
    ['ab\n|cd', 'ab\n|cd'],
    ['漢|字', '字漢|'],
    ['👩‍👩‍👧|a', 'a👩‍👩‍👧|'],
  ])('%s', (before, result) => expect(after(before, 'transpose-chars')).toBe(result));
});

describe('two words', () => {
  test.each([
    ['one two|', 'two one|'],
    ['one |two', 'two one|'],
    ['one| two', 'two one|'],
    ['one tw|o three', 'two one| three'],
    ['one two three|', 'one three two|'],
    ['one, two!|', 'two, one|!'],
    ['one|', 'one|'],
    ['  |', '  |'],
    ['|', '|'],
  ])('%s', (before, result) => expect(after(before, 'transpose-words')).toBe(result));
});

describe('letters', () => {
  test.each([
    ['upcase-word', '|one two', 'ONE| two'],
    ['upcase-word', 'o|ne two', 'oNE| two'],
    ['upcase-word', '|straße', 'STRASSE|'],
    ['upcase-word', 'one|  ', 'one|  '],
    ['downcase-word', 'ONE| TWO', 'ONE two|'],
    ['capitalize-word', '| oNE two', ' One| two'],
    ['capitalize-word', '|élan', 'Élan|'],
    ['capitalize-word', 'one|', 'one|'],
  ] as const)('%s of %s', (type, before, result) => expect(after(before, type)).toBe(result));

  test('are undone in one step', () => {
    const input = editInput({ ...EMPTY_INPUT, text: 'one', cursor: 0 }, { type: 'upcase-word' });
    expect(editInput(input, { type: 'undo' })).toMatchObject({ text: 'one', cursor: 0 });
  });
});
