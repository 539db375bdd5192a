import { sanitiseLine } from '../sanitise.ts';
import { boundaryBefore } from './graphemes.ts';
import { EMPTY_INPUT, editInput, type InputLine } from './input-line.ts';
import type { KeyAction } from './keys.ts';

/** Looking in what was entered, backwards, while the words are typed. */
export interface EnteredSearch {
  readonly words: string;
  /** Which text of the history is shown; its length: none yet. */
  readonly at: number;
  /** Nothing has the words. */
  readonly isMissing: boolean;
  /** The line as it was, for leaving without one. */
  readonly before: InputLine;
}

/** A search, and the line that shows what it has found. */
export interface Searched {
  readonly search: EnteredSearch;
  readonly input: InputLine;
}

export function startSearch(input: InputLine): Searched {
  return { search: { words: '', at: input.history.length, isMissing: false, before: input }, input };
}

/** What a key does to a search; null: it does not belong to it, and the line stays as it was found. */
export function stepSearch(
  searched: Searched,
  action: KeyAction,
): { readonly search: EnteredSearch | null; readonly input: InputLine } | null {
  const { search, input } = searched;
  const { words } = search;
  switch (action.type) {
    case 'insert':
    case 'paste':
      // A blank at the end is a part of the words, too.
      return searchFor(searched, words + sanitiseLine(`.${action.text.slice(0, MAX_WORDS)}.`).slice(1, -1));
    case 'backspace':
      return found(
        { ...search, words: words.slice(0, boundaryBefore(words, words.length)) },
        input,
        newest(search),
      );
    case 'search-entered':
      return searchOlder(searched);
    case 'submit':
      return { search: null, input };
    case 'cancel':
      return { search: null, input: search.before };
    default:
      return null;
  }
}

/** Longer ones are cut. */
const MAX_WORDS = 200;

function newest({ before }: EnteredSearch): number {
  return before.history.length - 1;
}

/** The newest text that has the words, from the one shown on towards older ones. */
function searchFor({ search, input }: Searched, words: string): Searched {
  const cut = words.slice(0, MAX_WORDS);
  return found({ ...search, words: cut }, input, Math.min(search.at, newest(search)));
}

/** The next older one. */
function searchOlder({ search, input }: Searched): Searched {
  return search.words === '' ? { search, input } : found(search, input, search.at - 1);
}

function found(search: EnteredSearch, input: InputLine, from: number): Searched {
  const { before, words } = search;
  if (words === '') {
    return { search: { ...search, at: before.history.length, isMissing: false }, input: before };
  }
  const wanted = words.toLowerCase();
  for (let at = from; at >= 0; at--) {
    const text = before.history[at] ?? '';
    const start = text.toLowerCase().indexOf(wanted);
    if (start < 0) continue;
    const replaced = editInput(before, { type: 'replace', from: 0, to: before.text.length, text });
    // The cursor is where the words are, as far as letters of other cases are as long.
    const cursor = Math.min(start, replaced.text.length);
    const shown = editInput(
      { ...EMPTY_INPUT, text: replaced.text, cursor: Math.max(0, cursor - 1) },
      { type: cursor === 0 ? 'home' : 'right' },
    );
    return { search: { ...search, at, isMissing: false }, input: { ...replaced, cursor: shown.cursor } };
  }
  return { search: { ...search, isMissing: true }, input };
}
