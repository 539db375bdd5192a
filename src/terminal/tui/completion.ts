import { editInput, type InputLine } from './input-line.ts';

/** What there is to complete. */
export interface CompletionSource {
  /** As one types them: `/msg`. */
  readonly commands: readonly string[];
  /** The likeliest first. */
  readonly names: readonly string[];
}

/** Commands behind which a name stands, and how many do. */
const TAKES_NAMES: Readonly<Record<string, number>> = {
  '/msg': 1,
  '/who': Infinity,
  '/block': 1,
  '/unblock': 1,
  '/login': 1,
  '/list': 1,
  '/search': Infinity,
};

/** What stands of a name behind a filter of `/search`. */
const FILTERED = /(?:^|\s)(?:from|in):@?([^\s"]*)$/iu;

/** What could stand in the place of a part of the text, the best first. */
export interface Completions {
  readonly from: number;
  readonly to: number;
  readonly candidates: readonly string[];
}

/** A completion between two presses of Tab. */
export interface CompletionState extends Completions {
  /** Which candidate is shown; -1: only the beginning that all have in common. */
  readonly at: number;
  /** The line as it was typed, and as this completion left it. */
  readonly before: InputLine;
  readonly after: InputLine;
}

export interface Completed {
  readonly input: InputLine;
  /** Null: there is nothing to choose from (any more). */
  readonly completion: CompletionState | null;
}

/** No name is longer, so nobody needs to look further for where one begins. */
const MAX_NAME_UNITS = 256;

/**
 * What Tab can make of the word that the cursor is on: a command at the start, a name behind a command that takes one,
 * or a name behind `@` anywhere. Null if there is nothing.
 */
export function completionsAt(text: string, cursor: number, source: CompletionSource): Completions | null {
  return (
    commandAt(text, cursor, source) ?? argumentAt(text, cursor, source) ?? mentionAt(text, cursor, source)
  );
}

/** What was typed of the name that Tab would complete; null where it would complete none, or goes through what it found. */
export function typedName(
  { text, cursor }: InputLine,
  completion: CompletionState | null,
  commands: readonly string[],
): string | null {
  if (completion?.after.text === text && completion.after.cursor === cursor) return null;
  return argumentWord(text, cursor, commands)?.replace(/^@/, '') ?? mentionWord(text, cursor);
}

/**
 * The first Tab (`by` 1): takes the only candidate, or what all of them begin with, or if that is typed already the first
 * one. Shift+Tab (`by` -1) begins with the last.
 */
export function startCompletion(input: InputLine, by: 1 | -1, source: CompletionSource): Completed {
  const found = completionsAt(input.text, input.cursor, source);
  if (found === null) return { input, completion: null };
  const { candidates } = found;
  const start: CompletionState = { ...found, at: -1, before: input, after: input };
  if (candidates.length === 1) return { input: withCandidate(start, 0), completion: null };
  const typed = input.text.slice(found.from, input.cursor);
  const common = commonStart(candidates);
  const isMore = common.length > typed.length && isStart(common, typed);
  if (by === 1 && isMore) return at({ ...start, at: -1 }, withText(start, common));
  const first = by === 1 ? 0 : candidates.length - 1;
  return at({ ...start, at: first }, withCandidate(start, first));
}

/**
 * One press of Tab: the next candidate (`by` 1) or the one before (-1); 0 brings back what was typed. When the line was
 * edited in between, or nothing is being completed, a completion starts if there is a `source`.
 */
export function stepCompletion(
  input: InputLine,
  completion: CompletionState | null,
  by: 1 | -1 | 0,
  source?: CompletionSource,
): Completed {
  const isOn = completion?.after.text === input.text && completion.after.cursor === input.cursor;
  if (completion === null || !isOn) {
    return by === 0 || source === undefined
      ? { input, completion: null }
      : startCompletion(input, by, source);
  }
  if (by === 0) return { input: completion.before, completion: null };
  const count = completion.candidates.length;
  const next = completion.at < 0 && by < 0 ? count - 1 : (completion.at + by + count) % count;
  return at({ ...completion, at: next }, withCandidate(completion, next));
}

function at(completion: CompletionState, after: InputLine): Completed {
  return { input: after, completion: { ...completion, after } };
}

/** The line as typed with a candidate in it, and a blank behind. */
function withCandidate(completion: CompletionState, index: number): InputLine {
  const { before, to, candidates } = completion;
  const blank = /^\s/u.test(before.text.slice(to, to + 1)) ? '' : ' ';
  return withText(completion, `${candidates[index] ?? ''}${blank}`);
}

/** From the line as it was typed: however often one presses Tab, it is one step to undo. */
function withText({ before, from, to }: CompletionState, text: string): InputLine {
  return editInput(before, { type: 'replace', from, to, text });
}

function commandAt(text: string, cursor: number, { commands }: CompletionSource): Completions | null {
  const word = cursor > MAX_NAME_UNITS ? undefined : /^\s*\/([^\s/]*)$/u.exec(text.slice(0, cursor))?.[1];
  if (word === undefined) return null;
  const names = commands.map((command) => command.slice(1));
  return completions(text, cursor - word.length - 1, cursor, '/', matches(names, word), /\s/u);
}

function argumentAt(text: string, cursor: number, { commands, names }: CompletionSource): Completions | null {
  const word = argumentWord(text, cursor, commands);
  if (word === null) return null;
  // Whoever writes `@bob` here means bob.
  const found = matches(names, word.replace(/^@/, ''));
  return completions(text, cursor - word.length, cursor, '', found, /[\s,;]/u);
}

/** What stands before the cursor of a name behind a command that takes one. */
function argumentWord(text: string, cursor: number, commands: readonly string[]): string | null {
  const [start = '', typed = ''] = /^\s*(\/\S+)\s+/u.exec(text.slice(0, cursor)) ?? [];
  const command = commands.find((known) => known === typed.toLowerCase());
  if (command === undefined || !Object.hasOwn(TAKES_NAMES, command)) return null;
  if (command === '/search') return FILTERED.exec(text.slice(start.length, cursor))?.[1] ?? null;
  const before = text.slice(start.length, cursor).split(/[\s,;]+/u);
  return before.length > (TAKES_NAMES[command] ?? 0) ? null : (before.at(-1) ?? '');
}

/** What stands of a name behind `@`. */
function mentionWord(text: string, cursor: number): string | null {
  const before = text.slice(Math.max(0, cursor - MAX_NAME_UNITS), cursor);
  // Not within a word, where it is an address.
  return /(?:^|[^\p{L}\p{N}_@.-])@([\p{L}\p{N}_-]*)$/u.exec(before)?.[1] ?? null;
}

function mentionAt(text: string, cursor: number, { names }: CompletionSource): Completions | null {
  const word = mentionWord(text, cursor);
  if (word === null) return null;
  return completions(text, cursor - word.length - 1, cursor, '@', matches(names, word), /[^\p{L}\p{N}_-]/u);
}

/** @param ends what ends the word that the cursor is within: it is replaced as a whole */
function completions(
  text: string,
  from: number,
  cursor: number,
  sign: string,
  found: readonly string[],
  ends: RegExp,
): Completions | null {
  if (found.length === 0) return null;
  const rest = text.slice(cursor, cursor + MAX_NAME_UNITS);
  const end = rest.search(ends);
  const to = cursor + (end < 0 ? rest.length : end);
  return { from, to, candidates: found.map((candidate) => sign + candidate) };
}

/** Those that begin with what was typed; if there are none, those that have it in them; if none, its letters in order. */
function matches(candidates: readonly string[], typed: string): string[] {
  const all = [...new Set(candidates)];
  const wanted = typed.toLowerCase();
  const tests: ((candidate: string) => boolean)[] = [
    (candidate) => candidate.startsWith(wanted),
    (candidate) => candidate.includes(wanted),
    (candidate) => hasInOrder(candidate, wanted),
  ];
  for (const fits of tests) {
    const found = all.filter((candidate) => fits(candidate.toLowerCase()));
    if (found.length > 0) return found;
  }
  return [];
}

function hasInOrder(candidate: string, letters: string): boolean {
  let from = 0;
  for (const letter of letters) {
    const found = candidate.indexOf(letter, from);
    if (found < 0) return false;
    from = found + letter.length;
  }
  return true;
}

/** What all begin with, in the letters of the first one. */
function commonStart(candidates: readonly string[]): string {
  const [first = '', ...others] = candidates;
  let common = '';
  for (const character of first) {
    const longer = common + character;
    if (!others.every((other) => isStart(other, longer))) break;
    common = longer;
  }
  return common;
}

function isStart(text: string, start: string): boolean {
  return text.toLowerCase().startsWith(start.toLowerCase());
}
