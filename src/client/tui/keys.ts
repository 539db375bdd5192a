import type { Key } from 'ink';
import type { InputAction } from './input-line.ts';

/** What a key press asks for: an edit of the input line, or something of the screen. */
export type KeyAction =
  | InputAction
  | { readonly type: 'quit' }
  /** Leaves if nothing is written, otherwise the delete key. */
  | { readonly type: 'end-of-input' }
  | { readonly type: 'page-up' | 'page-down' }
  /** Leaves a question unanswered. */
  | { readonly type: 'cancel' };

const CTRL: Record<string, KeyAction['type']> = {
  a: 'home',
  b: 'left',
  c: 'quit',
  d: 'end-of-input',
  e: 'end',
  f: 'right',
  h: 'backspace',
  k: 'delete-to-end',
  n: 'down',
  p: 'up',
  u: 'delete-to-start',
  w: 'delete-word',
};

const META: Record<string, KeyAction['type']> = { b: 'word-left', f: 'word-right' };

/**
 * One key event of Ink as actions. Keys that mean nothing here make none; a fast typist or a slow line may bring several
 * characters at once, with Enter or control keys among them.
 */
export function keyActions(text: string, key: Key): KeyAction[] {
  if (key.eventType === 'release') return [];
  if (key.return) return [{ type: 'submit' }];
  const special = specialKey(key);
  if (special !== undefined) return [special];
  if (key.escape) return [{ type: 'cancel' }];
  if (key.tab || text === '') return [];
  if (key.ctrl) return named(CTRL[text]);
  if (key.meta) return named(META[text]);
  return typed(text);
}

function specialKey(key: Key): KeyAction | undefined {
  const byWord = key.ctrl || key.meta;
  if (key.leftArrow) return { type: byWord ? 'word-left' : 'left' };
  if (key.rightArrow) return { type: byWord ? 'word-right' : 'right' };
  if (key.backspace) return { type: byWord ? 'delete-word' : 'backspace' };
  if (key.delete) return { type: 'delete' };
  if (key.home) return { type: 'home' };
  if (key.end) return { type: 'end' };
  if (key.upArrow) return { type: 'up' };
  if (key.downArrow) return { type: 'down' };
  if (key.pageUp) return { type: 'page-up' };
  if (key.pageDown) return { type: 'page-down' };
  return undefined;
}

function typed(text: string): KeyAction[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are keys here
  return text.split(/(\r\n|[\u0000-\u001f\u007f])/).flatMap((piece): KeyAction[] => {
    if (piece === '') return [];
    const code = piece.charCodeAt(0);
    if (code === 0x7f) return [{ type: 'backspace' }];
    if (code >= 0x20) return [{ type: 'insert', text: piece }];
    if (piece === '\r' || piece === '\n' || piece === '\r\n') return [{ type: 'submit' }];
    return named(CTRL[String.fromCharCode(code + 96)]);
  });
}

function named(type: KeyAction['type'] | undefined): KeyAction[] {
  // The one with a text is never in the tables above.
  return type === undefined || type === 'insert' ? [] : [{ type }];
}
