import { parseKeyName, shownKey } from '../keyboard/key-names.ts';
import type { KeyAction } from './keys.ts';

interface Binding {
  /** As a person names it in the file; those that readline has are called as there. */
  readonly name: string;
  readonly keys: readonly string[];
  readonly action: KeyAction;
  /** For /help keys. */
  readonly does: string;
}

function binding(name: string, keys: string, action: KeyAction | KeyAction['type'], does: string): Binding {
  const what = typeof action === 'string' ? ({ type: action } as KeyAction) : action;
  return { name, keys: keys.split(' ').filter(Boolean), action: what, does };
}

/** Every key that does something. */
const TABLE: readonly Binding[] = [
  binding('accept-line', 'enter', 'submit', 'send'),
  binding('newline', 'alt+enter shift+enter ctrl+enter ctrl+j', 'newline', 'begin a new line'),
  binding('complete', 'tab', 'complete', 'complete a command or a name'),
  binding('complete-back', 'shift+tab', 'complete-back', 'the completion before'),
  binding('next-unread', 'alt+a', 'next-unread', 'what is unread next'),
  binding('first-unread', 'alt+p', 'first-unread', 'the first unread message here'),
  binding('activity', 'alt+m', 'activity', 'what is unread or concerns you'),
  binding('next-hit', 'alt+n', 'next-hit', 'the next hit of the search, further back'),
  binding('previous-hit', 'alt+shift+n', 'previous-hit', 'the hit before'),
  binding('links', 'alt+o', 'links', 'the addresses that were said here, to open one'),
  binding('copy', 'alt+y', 'copy', 'copy the last code block, or the address that is chosen'),
  binding('bare', 'alt+l', 'bare', 'the messages alone, to be selected with the mouse'),
  binding('previous-conversation', 'alt+up ctrl+page-up', 'previous-conversation', 'the conversation above'),
  binding('next-conversation', 'alt+down ctrl+page-down', 'next-conversation', 'the conversation below'),
  ...Array.from({ length: 9 }, (_, index) =>
    binding(
      `conversation-${index + 1}`,
      `alt+${index + 1}`,
      { type: 'jump', index },
      `conversation ${index + 1} of the list`,
    ),
  ),
  binding('list', 'ctrl+b', 'toggle-list', 'the keys to the list, or back'),
  binding('page-up', 'page-up', 'page-up', 'scroll back'),
  binding('page-down', 'page-down', 'page-down', 'scroll on'),
  binding('top', 'alt+< ctrl+home alt+shift+,', 'top', 'to the first message'),
  binding('bottom', 'alt+> ctrl+end alt+shift+. alt+shift+<', 'bottom', 'to the newest message'),
  binding('previous', 'up ctrl+p', 'up', 'the row above, then what was entered before'),
  binding('next', 'down ctrl+n', 'down', 'the row below, then what was entered after'),
  binding('previous-history', 'ctrl+up', 'older', 'what was entered before'),
  binding('next-history', 'ctrl+down', 'newer', 'what was entered after'),
  binding('reverse-search-history', 'ctrl+r', 'search-entered', 'look in what was entered here'),
  binding('backward-char', 'left', 'left', 'a character back'),
  binding('forward-char', 'right ctrl+f', 'right', 'a character on'),
  binding('backward-word', 'alt+b ctrl+left alt+left', 'word-left', 'a word back'),
  binding('forward-word', 'alt+f ctrl+right alt+right', 'word-right', 'a word on'),
  binding('beginning-of-line', 'ctrl+a home', 'home', 'to the start of the line'),
  binding('end-of-line', 'ctrl+e end', 'end', 'to the end of the line'),
  binding('backward-delete-char', 'backspace', 'backspace', 'delete the character before'),
  binding('delete-char', 'delete', 'delete', 'delete the character'),
  binding(
    'backward-kill-word',
    'alt+backspace ctrl+backspace',
    'kill-word-back',
    'cut back to the start of a word',
  ),
  binding('kill-word', 'alt+d ctrl+delete alt+delete', 'kill-word-forward', 'cut to the end of a word'),
  binding('unix-word-rubout', 'ctrl+w', 'delete-word', 'cut back to the blank before'),
  binding('unix-line-discard', 'ctrl+u', 'delete-to-start', 'cut to the start of the line'),
  binding('kill-line', 'ctrl+k', 'delete-to-end', 'cut to the end of the line'),
  binding('yank', 'ctrl+y', 'yank', 'put back what was cut'),
  binding('undo', 'ctrl+_ alt+z', 'undo', 'take back a change'),
  binding('redo', 'alt+shift+z ctrl+shift+z', 'redo', 'make it again'),
  binding('transpose-chars', 'ctrl+t', 'transpose-chars', 'exchange two characters'),
  binding('transpose-words', 'alt+t', 'transpose-words', 'exchange two words'),
  binding('upcase-word', 'alt+u', 'upcase-word', 'a word in capitals'),
  binding('downcase-word', 'alt+j', 'downcase-word', 'a word in small letters'),
  binding('capitalize-word', 'alt+c', 'capitalize-word', 'a word with a capital'),
  binding('take-back', 'alt+r', 'take-back', 'take back an account that was logged in to elsewhere'),
  binding('cancel', 'escape ctrl+g', 'cancel', 'leave a question, a page, the list'),
  binding('redraw', 'ctrl+l', 'redraw', 'draw everything anew'),
  binding('suspend', 'ctrl+z', 'suspend', 'back to the shell; fg returns'),
  binding('end-of-file', 'ctrl+d', 'end-of-input', 'leave, if nothing is written; else delete the character'),
  binding('quit', 'ctrl+c', 'quit', 'leave'),
];

export const BINDING_NAMES: readonly string[] = TABLE.map(({ name }) => name);

/** This one leaves whatever a file says. */
const ALWAYS = 'ctrl+c';

/** Which key does what. */
export class Bindings {
  readonly #table: readonly Binding[];
  readonly #actions: ReadonlyMap<string, KeyAction>;

  /** @param own keys for some of the names; a key in it is taken from what has it by default */
  constructor(own: ReadonlyMap<string, readonly string[]> = new Map()) {
    const taken = new Set([...own.values()].flat());
    this.#table = TABLE.map((row) => ({
      ...row,
      keys: own.get(row.name) ?? row.keys.filter((key) => !taken.has(key)),
    }));
    const actions = this.#table.flatMap(({ keys, action }) => keys.map((key) => [key, action] as const));
    this.#actions = new Map([...actions, [ALWAYS, { type: 'quit' }]]);
  }

  /** What a key does; with Shift the same as without, unless it has something of its own. Null: nothing. */
  actionOf(key: string): KeyAction | null {
    return this.#actions.get(key) ?? this.#actions.get(key.replace('shift+', '')) ?? null;
  }

  /** The first key of an action, for people; null if it has none. */
  shown(name: string): string | null {
    const key = this.#table.find((row) => row.name === name)?.keys[0];
    return key === undefined ? null : shownKey(key);
  }

  /** The first keys of actions and what they do, for a row of such; nothing where one of them has none. */
  hint(does: string, ...names: readonly string[]): readonly string[] {
    const keys = names.map((name) => this.shown(name));
    return keys.includes(null) ? [] : [`${keys.join(' ')} ${does}`.trimEnd()];
  }

  /** What leaves a question, a page, the list. */
  get cancelKey(): string {
    return this.shown('cancel') ?? shownKey(ALWAYS);
  }

  /** For /help keys: the keys, their name in the file, what they do. */
  get rows(): readonly { readonly keys: string; readonly name: string; readonly does: string }[] {
    return this.#table.map(({ keys, name, does }) => ({
      keys: keys.map(shownKey).join(', ') || 'no key',
      name,
      does,
    }));
  }
}

export const DEFAULT_BINDINGS = new Bindings();

/** What a line of the file gives an action: names of keys, parted by blanks, or `none`. Else a sentence: what is wrong. */
export function parseKeys(written: string): readonly string[] | string {
  if (written === 'none') return [];
  const keys: string[] = [];
  for (const word of written.split(/\s+/u)) {
    const key = parseKeyName(word);
    if (key === undefined) return 'it must be keys such as alt+n, f5 or ctrl+page-up, or none';
    if (key === ALWAYS) return 'Ctrl+C always leaves';
    if (isText(key)) return `${word} is text that one types`;
    keys.push(key);
  }
  return keys;
}

function isText(key: string): boolean {
  const bare = key.replace(/^shift\+/, '');
  return bare === 'space' || [...bare].length === 1;
}
