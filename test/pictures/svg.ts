import type { IBufferCell, Terminal } from '@xterm/headless';

const CELL = { width: 8.4, height: 16.5, baseline: 12.8 };
const MARGIN = 14;
const FONT = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";
/** What a terminal looks like by itself. */
export interface Palette {
  readonly background: string;
  readonly foreground: string;
  /** The 16 colours. */
  readonly ansi: readonly string[];
}

/** As many dark themes have them. */
export const DARK: Palette = {
  background: '#14161b',
  foreground: '#d8dbe2',
  ansi: [
    ...['#3b4048', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#d8dbe2'],
    ...['#5c6370', '#ff7b86', '#b1e18b', '#ffd68a', '#74c0ff', '#e08cf2', '#6fd3df', '#ffffff'],
  ],
};

/** As many light themes have them. */
export const LIGHT: Palette = {
  background: '#fbfbfa',
  foreground: '#24292f',
  ansi: [
    ...['#24292f', '#cf222e', '#116329', '#7d4e00', '#0550ae', '#8250df', '#1b7c83', '#d0d7de'],
    ...['#57606a', '#a40e26', '#1a7f37', '#633c01', '#218bff', '#a475f9', '#3192aa', '#ffffff'],
  ],
};

/** Those of the Linux console. */
export const CONSOLE: Palette = {
  background: '#000000',
  foreground: '#aaaaaa',
  ansi: [
    ...['#000000', '#aa0000', '#00aa00', '#aa5500', '#0000aa', '#aa00aa', '#00aaaa', '#aaaaaa'],
    ...['#555555', '#ff5555', '#55ff55', '#ffff55', '#5555ff', '#ff55ff', '#55ffff', '#ffffff'],
  ],
};

interface Style {
  readonly fill: string;
  readonly back: string | null;
  readonly bold: boolean;
  readonly dim: boolean;
}

interface Run extends Style {
  readonly column: number;
  cells: number;
  text: string;
}

/** The screen of a terminal emulator as an SVG, cell by cell where the emulator has them. */
export function svgOf(terminal: Terminal, title: string, palette: Palette): string {
  const { cols, rows } = terminal;
  const [width, height] = [cols * CELL.width + 2 * MARGIN, rows * CELL.height + 2 * MARGIN];
  const lines = Array.from({ length: rows }, (_, row) => rowOf(runsOf(terminal, row, palette), row));
  const { cursorX, cursorY } = terminal.buffer.active;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${title}">`,
    `<title>${title}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${palette.background}"/>`,
    `<g font-family="${FONT}" font-size="14">`,
    ...lines.filter((line) => line !== ''),
    `<rect x="${x(cursorX)}" y="${y(cursorY)}" width="2" height="${CELL.height}" fill="${palette.foreground}"/>`,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** Neighbouring cells of one style as one piece. */
function runsOf(terminal: Terminal, row: number, palette: Palette): Run[] {
  const { active } = terminal.buffer;
  const line = active.getLine(active.baseY + row);
  const runs: Run[] = [];
  for (let column = 0; line !== undefined && column < terminal.cols; column++) {
    const cell = line.getCell(column);
    if (cell === undefined || cell.getWidth() === 0) continue;
    const style = styleOf(cell, palette);
    const last = runs.at(-1);
    const text = cell.getChars() || ' ';
    if (last !== undefined && sameStyle(last, style)) {
      last.text += text;
      last.cells += cell.getWidth();
    } else {
      runs.push({ ...style, column, text, cells: cell.getWidth() });
    }
  }
  return runs;
}

function rowOf(runs: readonly Run[], row: number): string {
  return runs
    .map(({ column, cells, text, fill, back, bold, dim }) => {
      const place = `x="${x(column)}" y="${y(row)}"`;
      const box =
        back === null
          ? ''
          : `<rect ${place} width="${cells * CELL.width}" height="${CELL.height}" fill="${back}"/>`;
      if (text.trim() === '') return box;
      const weight = bold ? ' font-weight="bold"' : '';
      const faint = dim ? ' opacity="0.62"' : '';
      // The length keeps the columns straight, whatever font there is.
      const length = `textLength="${(cells * CELL.width).toFixed(1)}" lengthAdjust="spacingAndGlyphs"`;
      const at = `x="${x(column)}" y="${(row * CELL.height + MARGIN + CELL.baseline).toFixed(1)}"`;
      return `${box}<text ${at} ${length} fill="${fill}"${weight}${faint}>${escaped(text)}</text>`;
    })
    .join('');
}

function styleOf(cell: IBufferCell, palette: Palette): Style {
  const { background, foreground, ansi } = palette;
  const front = colourOf(cell.isFgRGB(), cell.isFgPalette(), cell.getFgColor(), ansi);
  const behind = colourOf(cell.isBgRGB(), cell.isBgPalette(), cell.getBgColor(), ansi);
  const inverse = cell.isInverse() !== 0;
  return {
    fill: inverse ? (behind ?? background) : (front ?? foreground),
    back: inverse ? (front ?? foreground) : behind,
    bold: cell.isBold() !== 0,
    dim: cell.isDim() !== 0,
  };
}

function colourOf(
  isRgb: boolean,
  isPalette: boolean,
  colour: number,
  ansi: readonly string[],
): string | null {
  if (isRgb) return `#${colour.toString(16).padStart(6, '0')}`;
  if (!isPalette) return null;
  if (colour < 16) return ansi[colour] ?? null;
  if (colour >= 232) return grey(8 + (colour - 232) * 10);
  const level = (part: number) => (part === 0 ? 0 : 55 + part * 40);
  const cube = colour - 16;
  const [red, green, blue] = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level);
  return `rgb(${red},${green},${blue})`;
}

function grey(level: number): string {
  return `rgb(${level},${level},${level})`;
}

function sameStyle(one: Style, other: Style): boolean {
  return (
    one.fill === other.fill && one.back === other.back && one.bold === other.bold && one.dim === other.dim
  );
}

function x(column: number): string {
  return (column * CELL.width + MARGIN).toFixed(1);
}

function y(row: number): string {
  return (row * CELL.height + MARGIN).toFixed(1);
}

/** Blanks are of those that nobody puts together to one. */
function escaped(text: string): string {
  return text.replaceAll(' ', '\u00a0').replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
