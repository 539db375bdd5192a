import { ROOM_WORDS } from '../chat/parse-room-command.ts';
import { editInput, type InputLine } from './input-line.ts';

/** What there is to complete. */
export interface CompletionSource {
  /** As one types them: `/msg`. */
  readonly commands: readonly string[];
  /** The likeliest first. */
  readonly names: readonly string[];
  /** With their `#`, the likeliest first. */
  readonly rooms?: readonly string[];
  /** Who may be meant at the beginning of a text: the people in the room, where one is open. */
  readonly addressed?: readonly string[];
}

/** What stands in a place: a name, a room, either, a name at the beginning of a text or behind `@`, or what /room does. */
type Kind = 'name' | 'room' | 'either' | 'address' | 'mention' | 'room-word';

/** What stands behind a command; the last one of it further on, too, behind those that take any number. */
const TAKES: Readonly<Record<string, readonly Kind[]>> = {
  '/msg': ['either'],
  '/who': ['name'],
  '/block': ['name'],
  '/unblock': ['name'],
  '/login': ['name'],
  '/list': ['name'],
  '/join': ['room'],
  '/leave': ['room'],
  '/members': ['room'],
  '/invite': ['name', 'room'],
  '/kick': ['name', 'room'],
  '/room': ['room-word', 'either', 'either'],
  '/search': ['either'],
};
const TAKES_MANY: ReadonlySet<string> = new Set(['/who', '/search']);

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
    commandAt(text, cursor, source) ??
    argumentAt(text, cursor, source) ??
    mentionAt(text, cursor, source) ??
    addressAt(text, cursor, source)
  );
}

/** What was typed of a name that Tab would complete, and what may stand there. */
export interface TypedName {
  readonly typed: string;
  readonly kind: Kind;
}

/** Null where it would complete no name, or goes through what it found. */
export function typedName(
  { text, cursor }: InputLine,
  completion: CompletionState | null,
  commands: readonly string[],
): TypedName | null {
  if (completion?.after.text === text && completion.after.cursor === cursor) return null;
  const argument = argumentWord(text, cursor, commands);
  if (argument !== null) return { ...argument, typed: argument.typed.replace(/^@/, '') };
  const mention = mentionWord(text, cursor);
  if (mention !== null) {
    const { sign, typed } = mention;
    return sign === '#' ? { typed: `#${typed}`, kind: 'room' } : { typed, kind: 'mention' };
  }
  const address = addressWord(text, cursor);
  return address === null ? null : { typed: address, kind: 'address' };
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

function argumentAt(text: string, cursor: number, source: CompletionSource): Completions | null {
  const word = argumentWord(text, cursor, source.commands);
  if (word === null) return null;
  // Whoever writes `@bob` here means bob.
  const found = matches(candidatesFor(word.kind, source), word.typed.replace(/^@/, ''));
  return completions(text, cursor - word.typed.length, cursor, '', found, /[\s,;]/u);
}

function candidatesFor(kind: Kind, { names, rooms = [] }: CompletionSource): readonly string[] {
  switch (kind) {
    case 'room':
      return rooms;
    case 'either':
      return [...names, ...rooms];
    case 'room-word':
      return ROOM_WORDS;
    default:
      return names;
  }
}

/** What stands before the cursor of a word behind a command that takes one. */
function argumentWord(text: string, cursor: number, commands: readonly string[]): TypedName | null {
  const [start = '', typed = ''] = /^\s*(\/\S+)\s+/u.exec(text.slice(0, cursor)) ?? [];
  const command = commands.find((known) => known === typed.toLowerCase());
  if (command === undefined || !Object.hasOwn(TAKES, command)) return null;
  const kinds = TAKES[command] ?? [];
  if (command === '/search') {
    const filtered = FILTERED.exec(text.slice(start.length, cursor))?.[1];
    return filtered === undefined ? null : { typed: filtered, kind: 'either' };
  }
  const before = text.slice(start.length, cursor).split(/[\s,;]+/u);
  const kind = kinds[before.length - 1] ?? (TAKES_MANY.has(command) ? kinds.at(-1) : undefined);
  return kind === undefined ? null : { typed: before.at(-1) ?? '', kind };
}

/** What stands of a name behind `@`, or of a room behind `#`. */
function mentionWord(text: string, cursor: number): { readonly sign: string; readonly typed: string } | null {
  const before = text.slice(Math.max(0, cursor - MAX_NAME_UNITS), cursor);
  // Not within a word, where it is an address.
  const [, sign, typed = ''] = /(?:^|[^\p{L}\p{N}_@#.-])([@#])([\p{L}\p{N}_-]*)$/u.exec(before) ?? [];
  return sign === undefined ? null : { sign, typed };
}

function mentionAt(
  text: string,
  cursor: number,
  { names, rooms = [] }: CompletionSource,
): Completions | null {
  const word = mentionWord(text, cursor);
  if (word === null) return null;
  const { sign, typed } = word;
  const all = sign === '@' ? names : rooms.map((room) => room.slice(1));
  return completions(text, cursor - typed.length - 1, cursor, sign, matches(all, typed), /[^\p{L}\p{N}_-]/u);
}

/** The first word of a text, which may begin a name. */
function addressWord(text: string, cursor: number): string | null {
  return /^[\p{L}\p{N}_-]{1,64}$/u.exec(text.slice(0, cursor))?.[0] ?? null;
}

/** Whoever is meant has their name in front, with a colon: it highlights the message where they are. */
function addressAt(text: string, cursor: number, { addressed = [] }: CompletionSource): Completions | null {
  const word = addressWord(text, cursor);
  if (word === null || word.length < cursor) return null;
  const found = addressed.filter((name) => isStart(name, word)).map((name) => `${name}:`);
  return completions(text, 0, cursor, '', found, /[^\p{L}\p{N}_-]/u);
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
