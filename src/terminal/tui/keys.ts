import type { InputEvent } from '../keyboard/input-event.ts';
import { type Bindings, DEFAULT_BINDINGS } from './bindings.ts';
import type { InputAction } from './input-line.ts';

/** What a key press asks for: an edit of the input line, or something of the screen. */
export type KeyAction =
  | InputAction
  /** Text that nobody typed key by key: it is never a command. */
  | { readonly type: 'paste'; readonly text: string }
  | { readonly type: 'complete' | 'complete-back' }
  | {
      readonly type:
        | 'toggle-list'
        | 'next-unread'
        | 'first-unread'
        | 'activity'
        | 'next-hit'
        | 'previous-hit'
        | 'links'
        | 'copy'
        | 'bare'
        | 'previous-conversation'
        | 'next-conversation';
    }
  /** To a conversation by its number, from 0. */
  | { readonly type: 'jump'; readonly index: number }
  /** The messages, or a page, by so many rows; negative is towards the start. */
  | { readonly type: 'scroll'; readonly rows: number }
  | { readonly type: 'click'; readonly column: number; readonly row: number }
  | { readonly type: 'page-up' | 'page-down' | 'top' | 'bottom' }
  /** Looks in what was entered, backwards. */
  | { readonly type: 'search-entered' }
  /** Leaves a question unanswered, a list, a completion. */
  | { readonly type: 'cancel' }
  /** Takes the account back from where it was taken over. */
  | { readonly type: 'take-back' }
  | { readonly type: 'redraw' | 'suspend' }
  | { readonly type: 'quit' }
  /** Leaves if nothing is written, otherwise the delete key. */
  | { readonly type: 'end-of-input' };

/** Rows for one step of the wheel. */
const WHEEL_ROWS = 3;

/** What one event of the terminal asks for; null: nothing. */
export function keyAction(event: InputEvent, bindings: Bindings = DEFAULT_BINDINGS): KeyAction | null {
  switch (event.type) {
    case 'text':
      return { type: 'insert', text: event.text };
    case 'paste':
      return { type: 'paste', text: event.text };
    case 'key':
      return bindings.actionOf(event.key);
    case 'mouse':
      if (event.action === 'wheel-up') return { type: 'scroll', rows: -WHEEL_ROWS };
      if (event.action === 'wheel-down') return { type: 'scroll', rows: WHEEL_ROWS };
      return event.action === 'press' && event.button === 0
        ? { type: 'click', column: event.column, row: event.row }
        : null;
    default:
      return null;
  }
}
