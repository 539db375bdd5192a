/** What a person does at a terminal, and what the terminal itself has to say. */
export type InputEvent =
  /** A key that is no text, as `keyName` writes it: `enter`, `ctrl+left`, `alt+a`. */
  | { readonly type: 'key'; readonly key: string }
  /** Characters that were typed. */
  | { readonly type: 'text'; readonly text: string }
  /** Text of any length that nobody typed key by key; line breaks are as they came. */
  | { readonly type: 'paste'; readonly text: string }
  /** Whether the terminal's window is the one that the person is at. */
  | { readonly type: 'focus'; readonly isFocused: boolean }
  | MouseInput
  | { readonly type: 'terminal-reply'; readonly reply: TerminalReply };

export interface MouseInput {
  readonly type: 'mouse';
  readonly action: 'press' | 'release' | 'move' | 'wheel-up' | 'wheel-down';
  /** 0 left, 1 middle, 2 right; of the wheel 0. */
  readonly button: number;
  /** Cells from the top left, from 0. */
  readonly column: number;
  readonly row: number;
}

/** An answer of the terminal. It may be late, or nobody's question. */
export type TerminalReply =
  /** To OSC 11: how bright each part is, from 0 to 1. */
  | { readonly kind: 'background'; readonly red: number; readonly green: number; readonly blue: number }
  /** To DECRQM: 0 unknown, 1 set, 2 not set, 3 always set, 4 never set. */
  | { readonly kind: 'mode'; readonly mode: number; readonly value: number }
  /** Anything else, without its introducer and end. */
  | { readonly kind: 'other'; readonly text: string };
