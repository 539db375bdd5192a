import type { IBufferCell, Terminal } from '@xterm/headless';

const CELL = { width: 8.4, height: 16.5, baseline: 12.8 };
const MARGIN = 14;
const FONT = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const BACKGROUND = '#14161b';
const FOREGROUND = '#d8dbe2';
/** The 16 colours of a terminal, as many dark themes have them. */
const ANSI = [
  '#3b4048',
  '#e06c75',
  '#98c379',
  '#e5c07b',
  '#61afef',
  '#c678dd',
  '#56b6c2',
  '#d8dbe2',
  '#5c6370',
  '#ff7b86',
  '#b1e18b',
  '#ffd68a',
  '#74c0ff',
  '#e08cf2',
  '#6fd3df',
  '#ffffff',
];

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
export function svgOf(terminal: Terminal, title: string): string {
  const { cols, rows } = terminal;
  const [width, height] = [cols * CELL.width + 2 * MARGIN, rows * CELL.height + 2 * MARGIN];
  const lines = Array.from({ length: rows }, (_, row) => rowOf(runsOf(terminal, row), row));
  const { cursorX, cursorY } = terminal.buffer.active;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${title}">`,
    `<title>${title}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>`,
    `<g font-family="${FONT}" font-size="14" xml:space="preserve">`,
    ...lines.filter((line) => line !== ''),
    `<rect x="${x(cursorX)}" y="${y(cursorY)}" width="2" height="${CELL.height}" fill="${FOREGROUND}"/>`,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** Neighbouring cells of one style as one piece. */
function runsOf(terminal: Terminal, row: number): Run[] {
  const { active } = terminal.buffer;
  const line = active.getLine(active.baseY + row);
  const runs: Run[] = [];
  for (let column = 0; line !== undefined && column < terminal.cols; column++) {
    const cell = line.getCell(column);
    if (cell === undefined || cell.getWidth() === 0) continue;
    const style = styleOf(cell);
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

function styleOf(cell: IBufferCell): Style {
  const front = colourOf(cell.isFgRGB(), cell.isFgPalette(), cell.getFgColor());
  const behind = colourOf(cell.isBgRGB(), cell.isBgPalette(), cell.getBgColor());
  const inverse = cell.isInverse() !== 0;
  return {
    fill: inverse ? (behind ?? BACKGROUND) : (front ?? FOREGROUND),
    back: inverse ? (front ?? FOREGROUND) : behind,
    bold: cell.isBold() !== 0,
    dim: cell.isDim() !== 0,
  };
}

function colourOf(isRgb: boolean, isPalette: boolean, colour: number): string | null {
  if (isRgb) return `#${colour.toString(16).padStart(6, '0')}`;
  if (!isPalette) return null;
  if (colour < 16) return ANSI[colour] ?? null;
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

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
