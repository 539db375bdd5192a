import { asLink } from './links.ts';
import type { Row } from './rows.ts';
import { type Signs, withSigns } from './signs.ts';
import { nameColour, type Style, type Theme } from './theme.ts';

/** How rows look in the terminal that there is. */
export interface Looks {
  readonly theme: Theme;
  readonly signs: Signs;
  /** Whether the terminal knows links. */
  readonly links: boolean;
  /** Bits of colour that the terminal has: 1, 4, 8 or 24. */
  readonly colorDepth: number;
}

const RESET = '\u001b[0m';
/** As SGR has them. */
const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const FIRST = 30;
const FIRST_BRIGHT = 90;

/** A row as the terminal takes it, with its looks; it begins and ends without any. */
export function painted(row: Row, { theme, signs, links, colorDepth }: Looks): string {
  return withSigns(row, signs)
    .map(({ text, role, who, link }) => {
      const looks = sgrOf(role === 'name' ? nameColour(theme, who ?? '') : theme[role], colorDepth);
      const shown = links && link !== undefined ? asLink(text, link) : text;
      return looks === '' || text === '' ? shown : `\u001b[${looks}m${shown}${RESET}`;
    })
    .join('');
}

function sgrOf({ color, bold, dimColor, inverse }: Style, colorDepth: number): string {
  const codes: (string | number)[] = [];
  if (bold) codes.push(1);
  if (dimColor) codes.push(2);
  if (inverse) codes.push(7);
  if (color !== undefined) codes.push(colourCode(color, colorDepth));
  return codes.join(';');
}

/** @param colour `#rrggbb`, or the name of one of the 16 */
function colourCode(colour: string, colorDepth: number): string | number {
  if (!colour.startsWith('#')) {
    const isBright = colour.endsWith('Bright');
    const index = COLOURS.indexOf(colour.replace('Bright', ''));
    return (isBright ? FIRST_BRIGHT : FIRST) + index;
  }
  const value = Number.parseInt(colour.slice(1), 16);
  const [red, green, blue] = [value >> 16, (value >> 8) & 0xff, value & 0xff];
  return colorDepth >= 24 ? `38;2;${red};${green};${blue}` : `38;5;${of256(red, green, blue)}`;
}

/** The nearest one of xterm's cube of 6×6×6, or of its 24 greys between black and white. */
function of256(red: number, green: number, blue: number): number {
  if (red === green && green === blue) {
    if (red < 8) return 16;
    return red > 248 ? 231 : 232 + Math.round(((red - 8) / 247) * 24);
  }
  const [r, g, b] = [red, green, blue].map((part) => Math.round((part / 255) * 5));
  return 16 + 36 * (r ?? 0) + 6 * (g ?? 0) + (b ?? 0);
}
