import type { Key } from 'ink';
import type { InputAction } from './input-line.ts';

/** What a key press asks for: an edit of the input line, or something of the screen. */
export type KeyAction =
  | InputAction
  | { readonly type: 'complete' | 'complete-back' }
  | { readonly type: 'toggle-list' | 'next-unread' | 'previous-conversation' | 'next-conversation' }
  /** To a conversation by its place in the list, from 0. */
  | { readonly type: 'jump'; readonly index: number }
  | { readonly type: 'page-up' | 'page-down' | 'top' | 'bottom' }
  /** Leaves a question unanswered, a list, a completion. */
  | { readonly type: 'cancel' }
  /** Takes the account back from where it was taken over. */
  | { readonly type: 'take-back' }
  | { readonly type: 'redraw' }
  | { readonly type: 'quit' }
  /** Leaves if nothing is written, otherwise the delete key. */
  | { readonly type: 'end-of-input' };

type Bindings = Readonly<Record<string, KeyAction>>;

/** A terminal sends these as one byte; i, j, m, h and [ are Tab, Ctrl+J, Enter, Backspace and Escape under other names. */
const CTRL: Bindings = {
  a: { type: 'home' },
  b: { type: 'toggle-list' },
  c: { type: 'quit' },
  d: { type: 'end-of-input' },
  e: { type: 'end' },
  f: { type: 'right' },
  h: { type: 'backspace' },
  i: { type: 'complete' },
  j: { type: 'newline' },
  k: { type: 'delete-to-end' },
  l: { type: 'redraw' },
  m: { type: 'submit' },
  n: { type: 'down' },
  p: { type: 'up' },
  t: { type: 'take-back' },
  u: { type: 'delete-to-start' },
  w: { type: 'delete-word' },
  y: { type: 'yank' },
  z: { type: 'undo' },
  '[': { type: 'cancel' },
  // One and the same byte in most terminals; others, and the Kitty protocol, tell them apart.
  _: { type: 'undo' },
  '/': { type: 'undo' },
  '-': { type: 'undo' },
  '7': { type: 'undo' },
};

const META: Bindings = {
  a: { type: 'next-unread' },
  b: { type: 'word-left' },
  d: { type: 'kill-word-forward' },
  f: { type: 'word-right' },
  '<': { type: 'top' },
  '>': { type: 'bottom' },
};

/** With Shift as well, which only the Kitty protocol tells: it names keys by what they are without Shift. */
const CTRL_SHIFT: Bindings = { z: { type: 'redo' } };
const META_SHIFT: Bindings = { ',': { type: 'top' }, '.': { type: 'bottom' }, '<': { type: 'bottom' } };

/** Nobody types so many characters between two reads: they were pasted, by a terminal that does not mark a paste. */
const PASTED_UNITS = 32;

/**
 * One key event of Ink as actions. Keys that mean nothing here make none; a fast typist or a slow line may bring several
 * characters at once, with Enter or control keys among them.
 */
export function keyActions(text: string, key: Key): KeyAction[] {
  if (key.eventType === 'release') return [];
  const special = specialKey(key);
  if (special !== undefined) return [special];
  if (text === '' || key.super || key.hyper) return [];
  if (key.ctrl) return bound(CTRL, text, key.shift ? CTRL_SHIFT : {});
  if (key.meta) return withMeta(text, key);
  return typed(text);
}

function specialKey(key: Key): KeyAction | undefined {
  const { ctrl, meta, shift } = key;
  const byWord = ctrl || meta;
  if (key.return) return { type: byWord || shift ? 'newline' : 'submit' };
  if (key.escape) return { type: 'cancel' };
  if (key.tab) return { type: shift ? 'complete-back' : 'complete' };
  if (key.leftArrow) return { type: byWord ? 'word-left' : 'left' };
  if (key.rightArrow) return { type: byWord ? 'word-right' : 'right' };
  if (key.backspace) return { type: byWord ? 'kill-word-back' : 'backspace' };
  if (key.delete) return { type: byWord ? 'kill-word-forward' : 'delete' };
  if (key.home) return { type: ctrl ? 'top' : 'home' };
  if (key.end) return { type: ctrl ? 'bottom' : 'end' };
  if (key.upArrow) return { type: meta ? 'previous-conversation' : ctrl ? 'older' : 'up' };
  if (key.downArrow) return { type: meta ? 'next-conversation' : ctrl ? 'newer' : 'down' };
  if (key.pageUp) return { type: ctrl ? 'previous-conversation' : 'page-up' };
  if (key.pageDown) return { type: ctrl ? 'next-conversation' : 'page-down' };
  return undefined;
}

function withMeta(text: string, { shift, eventType }: Key): KeyAction[] {
  if (/^[1-9]$/.test(text)) return [{ type: 'jump', index: Number(text) - 1 }];
  // Without the protocol Shift has its part in the character already.
  return bound(META, text, shift && eventType !== undefined ? META_SHIFT : {});
}

function bound(bindings: Bindings, text: string, before: Bindings = {}): KeyAction[] {
  const name = text.toLowerCase();
  const action = Object.hasOwn(before, name)
    ? before[name]
    : Object.hasOwn(bindings, name)
      ? bindings[name]
      : undefined;
  return action === undefined ? [] : [action];
}

function typed(text: string): KeyAction[] {
  const isPasted = text.length > PASTED_UNITS;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are keys here
  return text.split(/(\r\n|[\u0000-\u001f\u007f])/).flatMap((piece): KeyAction[] => {
    if (piece === '') return [];
    const code = piece.charCodeAt(0);
    if (code === 0x7f) return [{ type: 'backspace' }];
    if (code >= 0x20 || (isPasted && piece === '\t')) return [{ type: 'insert', text: piece }];
    // Enter is CR, or CR and LF; LF alone is Ctrl+J.
    if (piece === '\r\n') return [{ type: 'submit' }];
    return bound(CTRL, String.fromCharCode(code + (code <= 26 ? 0x60 : 0x40)));
  });
}
