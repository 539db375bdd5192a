/*
 * What control sequences mean: those of xterm, rxvt, the Linux console and tmux, the Kitty keyboard protocol, xterm's
 * modifyOtherKeys, and mice of three kinds. Sequences that mean nothing to us mean nothing: they never become text.
 */
import type { InputEvent, MouseInput, TerminalReply } from './input-event.ts';
import { controlKey, keyName, MODIFIER } from './key-names.ts';

/** Final letters of CSI and SS3. */
const LETTERS: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  F: 'end',
  H: 'home',
  P: 'f1',
  Q: 'f2',
  R: 'f3',
  S: 'f4',
};

/** Of the keypad, in application mode. */
const KEYPAD: Readonly<Record<string, string>> = {
  M: 'enter',
  I: 'tab',
  X: '=',
  j: '*',
  k: '+',
  l: ',',
  m: '-',
  n: '.',
  o: '/',
  ' ': ' ',
};

/** Numbers in front of `~`. */
const NUMBERS: Readonly<Record<number, string>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'page-up',
  6: 'page-down',
  7: 'home',
  8: 'end',
  ...functionKeys([11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34]),
};

/** Codes of the Kitty protocol that are no characters. */
const CODES: Readonly<Record<number, string>> = {
  8: 'backspace',
  9: 'tab',
  13: 'enter',
  27: 'escape',
  32: ' ',
  127: 'backspace',
  57414: 'enter',
  57417: 'left',
  57418: 'right',
  57419: 'up',
  57420: 'down',
  57421: 'page-up',
  57422: 'page-down',
  57423: 'home',
  57424: 'end',
  57425: 'insert',
  57426: 'delete',
  ...Object.fromEntries(Array.from({ length: 12 }, (_, index) => [57376 + index, `f${index + 13}`])),
};
/** Codes of its keypad that are. */
const KEYPAD_CODES = '0123456789./*-+\0=,';
const FIRST_KEYPAD_CODE = 57399;
/** Keys of the private use area: media keys, modifiers alone. */
const isPrivate = (code: number) => code >= 57344 && code <= 63743;

function functionKeys(numbers: readonly number[]): Record<number, string> {
  return Object.fromEntries(numbers.map((number, index) => [number, `f${index + 1}`]));
}

/**
 * The meaning of a CSI sequence.
 * @param body what stands between introducer and final, which is one character
 * @param modifiers bits of `MODIFIER` that are known already: an Escape in front is Alt
 */
export function csiEvent(body: string, final: string, modifiers = 0): InputEvent | undefined {
  const prefix = /^[<-?]/.exec(body)?.[0] ?? '';
  const between = /[ -/]*$/.exec(body)?.[0] ?? '';
  const text = body.slice(prefix.length, body.length - between.length);
  const fields = text.split(';').map((field) => field.split(':').map(number));
  const first = fields[0]?.[0] ?? 0;
  if (prefix === '<' && (final === 'M' || final === 'm')) return mouse(fields, final === 'm');
  if (prefix === '?' && between === '$' && final === 'y')
    return reply({ kind: 'mode', mode: first, value: fields[1]?.[0] ?? 0 });
  if (prefix !== '' || (between !== '' && final !== '$')) return reply({ kind: 'other', text: body + final });
  // The Linux console has a second bracket in front of its first function keys.
  if (text.startsWith('[')) return key('f1 f2 f3 f4 f5'.split(' ')['ABCDE'.indexOf(final)], modifiers);
  const [held = 1, kind = 1] = fields[1] ?? [];
  if (kind === 3) return undefined;
  const all = modifiers | Math.max(0, held - 1);
  switch (final) {
    case 'I':
    case 'O':
      return text === '' ? { type: 'focus', isFocused: final === 'I' } : undefined;
    case 'M':
      // As urxvt has it, which counts buttons from 32 on as the oldest protocol does.
      return mouse([[first - 32], fields[1] ?? [], fields[2] ?? []], false);
    case 'Z':
      return key('tab', all | MODIFIER.shift);
    case 'u':
      return character(fields[0] ?? [], all, fields[2] ?? []);
    case '~':
      if (first === 27 && fields.length === 3) return character([fields[2]?.[0] ?? 0], all, []);
      return key(NUMBERS[first], all);
    case '^':
      return key(NUMBERS[first], all | MODIFIER.ctrl);
    case '@':
      return key(NUMBERS[first], all | MODIFIER.ctrl | MODIFIER.shift);
    case '$':
      return key(NUMBERS[first], all | MODIFIER.shift);
    case 'a':
    case 'b':
    case 'c':
    case 'd':
      return key(LETTERS[final.toUpperCase()], all | MODIFIER.shift);
    case 'R':
      // Where the cursor is; a function key that nobody uses looks the same.
      return fields.length > 1 ? reply({ kind: 'other', text: body + final }) : key('f3', all);
    default:
      return key(LETTERS[final], all) ?? reply({ kind: 'other', text: body + final });
  }
}

/** The meaning of SS3. @param body digits and semicolons, as some terminals put modifiers there */
export function ss3Event(body: string, final: string, modifiers = 0): InputEvent | undefined {
  const all = modifiers | Math.max(0, number(body.split(';').at(-1) ?? '') - 1);
  const letter = LETTERS[final];
  if (letter !== undefined) return key(letter, all);
  if (/[a-d]/.test(final)) return key(LETTERS[final.toUpperCase()], all | MODIFIER.ctrl);
  const pad = KEYPAD[final] ?? (/[p-y]/.test(final) ? String('pqrstuvwxy'.indexOf(final)) : undefined);
  if (pad === undefined) return undefined;
  return pad.length === 1 && all === 0 ? { type: 'text', text: pad } : key(pad, all);
}

/** Whether a character can end SS3; behind anything else Escape and O were Alt+Shift+O. */
export function endsSs3(final: string): boolean {
  return LETTERS[final] !== undefined || KEYPAD[final] !== undefined || /[a-dp-y]/.test(final);
}

/** The oldest mouse protocol: three bytes, each 32 more than what it says. */
export function oldMouse(bytes: readonly number[]): MouseInput | undefined {
  const [button = 0, column = 0, row = 0] = bytes.map((byte) => byte - 32);
  return mouse([[button], [column], [row]], false);
}

/** The meaning of OSC, DCS, APC, PM or SOS. @param kind the character that introduces it behind Escape */
export function stringEvent(kind: string, text: string): InputEvent {
  const colour = kind === ']' ? /^11;rgba?:([\da-f]{1,4})\/([\da-f]{1,4})\/([\da-f]{1,4})/i.exec(text) : null;
  if (colour === null) return reply({ kind: 'other', text: kind + text });
  const [red = 0, green = 0, blue = 0] = colour
    .slice(1)
    .map((hex) => Number.parseInt(hex, 16) / (16 ** hex.length - 1));
  return reply({ kind: 'background', red, green, blue });
}

/** A key by the code of its character, as the Kitty protocol and modifyOtherKeys tell it. */
function character(
  [code = 0, shifted = 0, base = 0]: readonly number[],
  modifiers: number,
  typed: readonly number[],
): InputEvent | undefined {
  const named = CODES[code];
  const held = modifiers & ~(64 | 128);
  if (named !== undefined && named !== ' ') return key(named, held);
  const pad = code >= FIRST_KEYPAD_CODE ? KEYPAD_CODES[code - FIRST_KEYPAD_CODE] : undefined;
  if (pad === undefined && (isPrivate(code) || !isCharacter(code))) return undefined;
  if (code < 0x20) return { type: 'key', key: controlKey(code, held) };
  const plain = pad ?? String.fromCodePoint(code);
  if ((held & ~MODIFIER.shift) === 0) {
    const text = typed
      .filter(isText)
      .map((point) => String.fromCodePoint(point))
      .join('');
    const capital = isText(shifted) ? String.fromCodePoint(shifted) : plain.toUpperCase();
    return { type: 'text', text: text !== '' ? text : (held & MODIFIER.shift) !== 0 ? capital : plain };
  }
  // On a keyboard of other letters, what stands on the key of a keyboard of Latin ones.
  if (code > 0x7f && base > 0x20 && base < 0x7f) return key(String.fromCharCode(base), held);
  if ((held & MODIFIER.shift) !== 0 && shifted > 0x20 && !/[a-z]/.test(plain))
    return key(String.fromCodePoint(shifted), held & ~MODIFIER.shift);
  return key(plain, held);
}

/** Controls are keys: what is typed has none. */
function isText(code: number): boolean {
  return code >= 0x20 && isCharacter(code);
}

function isCharacter(code: number): boolean {
  return (
    code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) && !(code >= 0x7f && code < 0xa0)
  );
}

function mouse(fields: readonly (readonly number[])[], isRelease: boolean): MouseInput | undefined {
  const [bits = 0, column = 0, row = 0] = fields.map(([value = 0]) => value);
  if (bits < 0 || column < 1 || row < 1) return undefined;
  const at = { type: 'mouse', column: column - 1, row: row - 1 } as const;
  const button = bits & 3;
  if ((bits & 64) !== 0) {
    if (button > 1 || isRelease) return undefined;
    return { ...at, button: 0, action: button === 0 ? 'wheel-up' : 'wheel-down' };
  }
  // Shift, Alt and Ctrl say nothing here; 128 and more are buttons that nobody uses.
  if (bits >= 128) return undefined;
  if ((bits & 32) !== 0) return { ...at, button, action: 'move' };
  return { ...at, button: button % 3, action: isRelease || button === 3 ? 'release' : 'press' };
}

function key(base: string | undefined, modifiers: number): InputEvent | undefined {
  return base === undefined ? undefined : { type: 'key', key: keyName(base, modifiers) };
}

function reply(of: TerminalReply): InputEvent {
  return { type: 'terminal-reply', reply: of };
}

/** 0 for a number that was left out, and for what is none. */
function number(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

/* How what a terminal sends begins, behind its Escape, and what a person may have typed all the same. */

/** No sequence that means something is longer; more of one is dropped. */
export const MAX_SEQUENCE_BYTES = 4_096;

/** What the first character makes of an Escape. */
export const INTRODUCED: Readonly<Record<string, 'csi' | 'ss3' | 'string'>> = {
  '[': 'csi',
  O: 'ss3',
  ']': 'string',
  P: 'string',
  _: 'string',
};

/** How answers begin, behind the introducer: what else stands there, a person typed. */
const STRINGS: Readonly<Record<string, RegExp>> = {
  ']': /^\d{0,4}(?:$|;|[lL])/,
  P: /^[\d;]{0,9}(?:$|[!>+$=<?|])/,
  _: /^(?:$|G)/,
};
/** Behind so many characters there is no doubt any more. */
const MAX_DOUBTFUL = 16;

/** Whether this is the beginning of an answer. @param sequence what follows the Escape, introducer included */
export function mayBeString(sequence: string): boolean {
  return sequence.length >= MAX_DOUBTFUL || STRINGS[sequence.charAt(0)]?.test(sequence.slice(1)) === true;
}

/** All of a sequence but its Escape. */
const REST =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: answers end in one
  /^(?:\[[\d;:<=>?]*[ -/]?[@-~]|\[\d\$|O[A-DFHMP-Sa-d]|\]\d+;[^\x07\x1b]*(?:\x07|\x1b\\)|P[\d;]*[!>+$|][^\x1b]*\x1b\\)$/;

/** Whether one read is all of a sequence but its Escape: nobody types it so. */
export function isRest(bytes: Uint8Array): boolean {
  return (
    bytes.length > 1 && bytes.length < MAX_SEQUENCE_BYTES && REST.test(Buffer.from(bytes).toString('latin1'))
  );
}
