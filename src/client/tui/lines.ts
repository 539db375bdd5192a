import stringWidth from 'string-width';

/** One thing in the stream of the screen. All its texts are safe for a terminal already. */
export interface Line {
  readonly id: number;
  /** Milliseconds since the epoch, or null where nobody knows when it was sent. */
  readonly at: number | null;
  /** External: by some program that no server vouches for. */
  readonly kind: 'incoming' | 'external' | 'outgoing' | 'info' | 'error';
  /** Who wrote it (incoming), or to whom (outgoing); empty for what the client says itself. */
  readonly who: string;
  /** Several lines are allowed. */
  readonly text: string;
  /** Outgoing: what became of it. */
  readonly fate: string;
}

/** One row of the terminal. Together not wider than the columns it was laid out for. */
export interface Row {
  readonly key: string;
  readonly line: Line;
  /** The time, or blanks of the same width: nothing that a sender wrote can stand in these columns. */
  readonly time: string;
  /** Who and what kind, on the first row only. */
  readonly label: string;
  readonly text: string;
  /** On the last row of an outgoing line. */
  readonly fate: string;
}

const TIME_COLUMNS = 6;
/** With less room than this beside a label, the text begins on the next row. */
const MIN_TEXT_COLUMNS = 10;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Rows by line and width: a line is laid out once, however often the screen is drawn. */
const laidOut = new WeakMap<Line, { columns: number; rows: readonly Row[] }>();

/** The rows of a line in a terminal of `columns` columns. */
export function rowsOf(line: Line, columns: number): readonly Row[] {
  const known = laidOut.get(line);
  if (known?.columns === columns) return known.rows;
  const rows = layOut(line, columns);
  laidOut.set(line, { columns, rows });
  return rows;
}

/**
 * The rows to show in a window of `height` rows, `below` rows above the end. Only as many lines are laid out as the
 * window needs. `below` comes back as far as there are rows.
 */
export function windowOf(
  lines: readonly Line[],
  columns: number,
  height: number,
  below: number,
): { rows: readonly Row[]; below: number } {
  const collected: Row[] = [];
  for (let index = lines.length - 1; index >= 0 && collected.length < below + height; index--) {
    const line = lines[index];
    if (line !== undefined) collected.push(...rowsOf(line, columns).toReversed());
  }
  const within = Math.max(0, Math.min(below, collected.length - height));
  return { rows: collected.slice(within, within + height).reverse(), below: within };
}

/** Breaks text into rows: at line breaks, at spaces, and within words that are wider than a row. */
export function wrapText(text: string, firstColumns: number, columns: number): string[] {
  const rows: string[] = [];
  for (const paragraph of text.split('\n')) {
    rows.push(...wrapParagraph(paragraph, rows.length === 0 ? firstColumns : columns, columns));
  }
  return rows;
}

function wrapParagraph(paragraph: string, firstColumns: number, columns: number): string[] {
  const rows: string[] = [];
  let room = firstColumns;
  let row = '';
  let width = 0;
  const next = () => {
    rows.push(row.trimEnd());
    row = '';
    width = 0;
    room = columns;
  };
  for (const word of paragraph.match(/\s+|\S+/gu) ?? []) {
    const wordWidth = stringWidth(word);
    if (width + wordWidth <= room) {
      row += word;
      width += wordWidth;
      continue;
    }
    if (/^\s/u.test(word)) {
      // Blanks that do not fit are what the row is broken at.
      next();
      continue;
    }
    if (width > 0 && wordWidth <= columns) next();
    for (const piece of wordWidth <= room ? [word] : pieces(word)) {
      const pieceWidth = piece === word ? wordWidth : stringWidth(piece);
      if (width > 0 && width + pieceWidth > room) next();
      row += piece;
      width += pieceWidth;
    }
  }
  rows.push(row.trimEnd());
  return rows;
}

function pieces(word: string): string[] {
  return Array.from(graphemes.segment(word), (part) => part.segment);
}

function layOut(line: Line, columns: number): readonly Row[] {
  const width = Math.max(1, columns - TIME_COLUMNS);
  const label = labelOf(line, width);
  const beside = width - stringWidth(label);
  const ownRow = beside < Math.min(MIN_TEXT_COLUMNS, stringWidth(line.text));
  const texts = ownRow ? ['', ...wrapText(line.text, width, width)] : wrapText(line.text, beside, width);
  const last = texts.length - 1;
  const lastUsed = stringWidth(texts[last] ?? '') + (last === 0 ? stringWidth(label) : 0);
  const fate = line.fate === '' ? '' : `  ${line.fate}`;
  const fateOwnRow = lastUsed + stringWidth(fate) > width;
  const rows = texts.map((text, index): Row => {
    const first = index === 0;
    return {
      key: `${line.id}.${index}`,
      line,
      time: first && line.at !== null ? clock(line.at) : ' '.repeat(TIME_COLUMNS),
      label: first ? label : '',
      text,
      fate: index === last && !fateOwnRow ? fate : '',
    };
  });
  if (fate === '' || !fateOwnRow) return rows;
  const time = ' '.repeat(TIME_COLUMNS);
  const more = wrapText(line.fate, width, width);
  return [
    ...rows,
    ...more.map((text, index) => ({
      key: `${line.id}.f${index}`,
      line,
      time,
      label: '',
      text: '',
      fate: text,
    })),
  ];
}

function labelOf(line: Line, width: number): string {
  switch (line.kind) {
    case 'incoming':
      return `${shorten(line.who, width - 2)}: `;
    case 'external':
      // A blank is in no username, so this can never be a user's name.
      return `ext ${shorten(line.who, width - 6)}: `;
    case 'outgoing':
      return `me → ${shorten(line.who, width - 7)}: `;
    case 'info':
      return '· ';
    case 'error':
      return '! ';
  }
}

/** Cuts text to `columns`, with an ellipsis where something is missing. */
export function shorten(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  let shown = '';
  let width = 0;
  for (const piece of pieces(text)) {
    width += stringWidth(piece);
    if (width > columns - 1) break;
    shown += piece;
  }
  return columns < 1 ? '' : `${shown}…`;
}

/** Local time as `HH:MM `. */
function clock(at: number): string {
  const time = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())} `;
}
