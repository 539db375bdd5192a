import type { Environment } from '../environment.ts';
import type { ThemeChoice } from '../setting-table.ts';
import { type Brightness, isLight } from './background.ts';
import { hash } from './hash.ts';
import type { Role } from './rows.ts';

/** What of a text's looks a theme decides; properties of Ink's `<Text>`. */
export interface Style {
  readonly color?: string;
  readonly bold?: boolean;
  readonly dimColor?: boolean;
  readonly inverse?: boolean;
}

/** How each role looks. A row's meaning is in its words and signs: a theme only makes it quicker to see. */
export type Theme = Readonly<Record<Role, Style>> & {
  /** For names, by `nameColour`. */
  readonly names: readonly Style[];
};

interface Colours {
  readonly names: readonly string[];
  readonly accent: string;
  readonly good: string;
  readonly wait: string;
  readonly bad: string;
  /** What is less important than the rest. */
  readonly dim: Style;
}

/*
 * The hex values are readable where there are 256 colours, too: a terminal's cube has only six steps for each of red,
 * green and blue, and these are at or near 00 33 66 99 cc ff, which Chalk takes for them.
 */

const DARK: Colours = {
  names: [
    ...['#ffaa66', '#ffcc66', '#99dd66', '#66ddaa', '#66ccff'],
    ...['#6699ff', '#9999ff', '#cc99ff', '#ff99cc', '#ccaa88'],
  ],
  accent: '#66ccff',
  good: '#99dd66',
  wait: '#ffcc66',
  bad: '#ff6666',
  dim: { color: '#9e9e9e' },
};

const LIGHT: Colours = {
  names: [
    ...['#993300', '#664400', '#444400', '#006600', '#004466'],
    ...['#0044aa', '#3333cc', '#660099', '#990099', '#990033'],
  ],
  accent: '#0044aa',
  good: '#006600',
  wait: '#993300',
  bad: '#aa0000',
  dim: { color: '#626262' },
};

/** Nothing is dim, and every colour has a contrast of 7 or more. */
const CONTRAST_ON_DARK: Colours = {
  names: ['#ffcc66', '#99ff66', '#66ffff', '#99ccff', '#ffccff'],
  accent: '#66ffff',
  good: '#99ff66',
  wait: '#ffff66',
  bad: '#ff9999',
  dim: {},
};

const CONTRAST_ON_LIGHT: Colours = {
  names: ['#000066', '#660066', '#660000', '#003300', '#003333'],
  accent: '#000066',
  good: '#003300',
  wait: '#660066',
  bad: '#660000',
  dim: {},
};

/** The 16 colours are the person's own, so they are only called by name; plain blue is hard to read on black. */
const DARK_16: Colours = {
  names: ['cyan', 'green', 'magenta', 'yellow', 'cyanBright', 'greenBright', 'magentaBright', 'blueBright'],
  accent: 'cyan',
  good: 'green',
  wait: 'yellow',
  bad: 'redBright',
  dim: { dimColor: true },
};

/** As yellow, cyan and all bright ones are on white. */
const LIGHT_16: Colours = {
  names: ['blue', 'magenta', 'green'],
  accent: 'blue',
  good: 'green',
  wait: 'magenta',
  bad: 'red',
  dim: { dimColor: true },
};

const MONO: Theme = {
  text: {},
  ours: {},
  dim: { dimColor: true },
  strong: { bold: true },
  border: { dimColor: true },
  own: { bold: true },
  external: { dimColor: true },
  error: { bold: true },
  notice: { dimColor: true },
  unread: { bold: true },
  highlight: { bold: true },
  found: { inverse: true },
  'found-here': { inverse: true, bold: true },
  selected: { inverse: true },
  tick: { dimColor: true },
  waiting: { bold: true },
  refused: { bold: true },
  prompt: { bold: true },
  online: {},
  connecting: { bold: true },
  offline: { bold: true },
  names: [{ bold: true }],
};

/**
 * The theme for a terminal. `auto` is light where the background is, by the terminal's word or else by `COLORFGBG`, otherwise
 * dark; `NO_COLOR` and a terminal without colours leave only bold, dim and inverse text.
 *
 * @param colorDepth bits of colour, as `stdout.getColorDepth()`: 1, 4, 8 or 24
 * @param background as the terminal has said it; null: it has not
 */
export function themeFor(
  choice: ThemeChoice,
  env: Environment,
  colorDepth: number,
  background: Brightness | null = null,
): Theme {
  if (isMono(choice, env, colorDepth)) return MONO;
  const hasLight = background === null ? hasLightBackground(env.COLORFGBG) : isLight(background);
  const onLight = choice === 'light' || (choice !== 'dark' && hasLight);
  const isHigh = choice === 'high-contrast';
  if (colorDepth < 8) {
    const colours = onLight ? LIGHT_16 : DARK_16;
    return themeOf(isHigh ? { ...colours, dim: {} } : colours);
  }
  if (isHigh) return themeOf(onLight ? CONTRAST_ON_LIGHT : CONTRAST_ON_DARK);
  return themeOf(onLight ? LIGHT : DARK);
}

/** Whether the theme is another one on another background. */
export function dependsOnBackground(choice: ThemeChoice, env: Environment, colorDepth: number): boolean {
  return !isMono(choice, env, colorDepth) && (choice === 'auto' || choice === 'high-contrast');
}

function isMono(choice: ThemeChoice, env: Environment, colorDepth: number): boolean {
  return choice === 'mono' || (env.NO_COLOR ?? '') !== '' || colorDepth < 4;
}

/** The same for the same name, always and everywhere. */
export function nameColour(theme: Theme, name: string): Style {
  return theme.names[hash(name) % theme.names.length] ?? theme.strong;
}

function themeOf({ names, accent, good, wait, bad, dim }: Colours): Theme {
  return {
    text: {},
    ours: {},
    dim,
    strong: { bold: true },
    border: dim,
    own: { bold: true },
    external: { color: wait },
    error: { color: bad, bold: true },
    notice: dim,
    unread: { color: wait, bold: true },
    highlight: { color: wait, bold: true },
    found: { color: wait, inverse: true },
    'found-here': { color: good, inverse: true, bold: true },
    selected: { inverse: true },
    tick: { color: good },
    waiting: { color: wait },
    refused: { color: bad, bold: true },
    prompt: { color: accent, bold: true },
    online: { color: good },
    connecting: { color: wait },
    offline: { color: bad, bold: true },
    names: names.map((color) => ({ color, bold: true })),
  };
}

/** `COLORFGBG` is `foreground;background` by the numbers of the 16 colours; the bright ones and 7, a light grey, are light. */
function hasLightBackground(colours: string | undefined): boolean {
  const background = /;(\d{1,2})$/.exec(colours ?? '')?.[1];
  return background !== undefined && (background === '7' || Number(background) > 8);
}
