/*
 * Keys have names, since a person may write them into a file: `alt+n`, `ctrl+shift+z`, `page-up`, `f5`. Modifiers stand in
 * the order ctrl, alt, shift, super; Shift is named only where it is not in the character already.
 */

/** As the Kitty protocol counts them, less one. */
export const MODIFIER = { shift: 1, alt: 2, ctrl: 4, super: 8, hyper: 16, meta: 32 } as const;

/** Keys that are no characters. */
const NAMED_KEYS: ReadonlySet<string> = new Set([
  'enter',
  'escape',
  'tab',
  'backspace',
  'delete',
  'insert',
  'space',
  'up',
  'down',
  'left',
  'right',
  'home',
  'end',
  'page-up',
  'page-down',
  ...Array.from({ length: 24 }, (_, index) => `f${index + 1}`),
]);

/** What most terminals send one byte for; those that tell them apart mean the same here. */
const SAME: Readonly<Record<string, string>> = {
  'ctrl+i': 'tab',
  'ctrl+m': 'enter',
  'ctrl+h': 'backspace',
  'ctrl+[': 'escape',
  'ctrl+@': 'ctrl+space',
  'ctrl+2': 'ctrl+space',
  'ctrl+3': 'escape',
  'ctrl+4': 'ctrl+\\',
  'ctrl+5': 'ctrl+]',
  'ctrl+6': 'ctrl+^',
  'ctrl+7': 'ctrl+_',
  'ctrl+/': 'ctrl+_',
  'ctrl+-': 'ctrl+_',
  'ctrl+8': 'backspace',
};

/** The name of a key. @param base a name of `NAMED_KEYS` or one character @param modifiers bits of `MODIFIER` */
export function keyName(base: string, modifiers: number): string {
  const has = (bit: number) => (modifiers & bit) !== 0;
  const lower = base === ' ' ? 'space' : base.toLowerCase();
  const isCapital = !NAMED_KEYS.has(base) && lower !== base && base !== ' ';
  const shift = has(MODIFIER.shift) || isCapital ? 'shift+' : '';
  const others = `${has(MODIFIER.alt) ? 'alt+' : ''}${shift}`;
  const isSuper = has(MODIFIER.super | MODIFIER.hyper | MODIFIER.meta);
  const name = isSuper ? `super+${lower}` : lower;
  if (!has(MODIFIER.ctrl)) return others + name;
  // Shift is needed for some of these characters on some keyboards.
  const same = SAME[`ctrl+${lower}`];
  if (same === undefined || isSuper) return `ctrl+${others}${name}`;
  if (!same.startsWith('ctrl+')) return others + same;
  return has(MODIFIER.alt) ? `ctrl+alt+${same.slice('ctrl+'.length)}` : same;
}

/** The name of a key as a person wrote it, in any order and case; undefined if there is no such key. */
export function parseKeyName(written: string): string | undefined {
  const text = written.trim().toLowerCase();
  const parts = partsOf(text);
  const base = BY_WRITTEN[parts.at(-1) ?? ''] ?? parts.at(-1) ?? '';
  if (!NAMED_KEYS.has(base) && [...base].length !== 1) return undefined;
  let modifiers = 0;
  for (const part of parts.slice(0, -1)) {
    const bit = BITS[part];
    if (bit === undefined || (modifiers & bit) !== 0) return undefined;
    modifiers |= bit;
  }
  return keyName(base, modifiers);
}

/** The plus key itself may stand at the end. */
function partsOf(name: string): string[] {
  if (name === '+') return ['+'];
  return name.endsWith('++') ? [...name.slice(0, -2).split('+'), '+'] : name.split('+');
}

const BITS: Readonly<Record<string, number>> = {
  ctrl: MODIFIER.ctrl,
  control: MODIFIER.ctrl,
  alt: MODIFIER.alt,
  meta: MODIFIER.alt,
  shift: MODIFIER.shift,
  super: MODIFIER.super,
};

/** Other names that people have for keys. */
const BY_WRITTEN: Readonly<Record<string, string>> = {
  esc: 'escape',
  return: 'enter',
  del: 'delete',
  pageup: 'page-up',
  pagedown: 'page-down',
  pgup: 'page-up',
  pgdn: 'page-down',
};

const SHOWN: Readonly<Record<string, string>> = {
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  escape: 'Esc',
  'page-up': 'PageUp',
  'page-down': 'PageDown',
};

/** A key as it is shown to people: `Alt+A`, `Ctrl+↑`. */
export function shownKey(name: string): string {
  return partsOf(name)
    .map((part) => SHOWN[part] ?? part.charAt(0).toUpperCase() + part.slice(1))
    .join('+');
}

/** The key of a control character, which is not Escape. */
export function controlKey(code: number, modifiers = 0): string {
  if (code === 0x7f) return keyName('backspace', modifiers);
  // 1 is Ctrl+A, 31 is Ctrl+_: 64 less than the character.
  const character = code === 0 ? ' ' : String.fromCharCode(code + 0x40).toLowerCase();
  return keyName(character, modifiers | MODIFIER.ctrl);
}
