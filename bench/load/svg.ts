export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
}

const WIDTH = 720;
const HEIGHT = 420;
const MARGIN = { left: 70, right: 150, top: 40, bottom: 50 };
const COLOURS = ['#1f6feb', '#d29922', '#cf222e', '#2da44e', '#8250df'];

/** Lines over two logarithmic axes, as a whole SVG file. Points that are not above zero are left out. */
export function plot({ title, xLabel, yLabel, series }: Plot): string {
  const shown = series
    .map(({ name, points }) => ({ name, points: points.filter(([x, y]) => x > 0 && y > 0) }))
    .filter(({ points }) => points.length > 0);
  const all = shown.flatMap(({ points }) => points);
  const x = axis(
    all.map(([value]) => value),
    MARGIN.left,
    WIDTH - MARGIN.right,
  );
  const y = axis(
    all.map(([, value]) => value),
    HEIGHT - MARGIN.bottom,
    MARGIN.top,
  );
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(WIDTH / 2, 20, title, 'middle', ' font-size="14"'),
    text((MARGIN.left + WIDTH - MARGIN.right) / 2, HEIGHT - 12, xLabel, 'middle'),
    `<text transform="translate(16 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escaped(yLabel)}</text>`,
  ];
  for (const value of x.ticks) {
    parts.push(line(x.at(value), MARGIN.top, x.at(value), HEIGHT - MARGIN.bottom));
    parts.push(text(x.at(value), HEIGHT - MARGIN.bottom + 16, label(value), 'middle'));
  }
  for (const value of y.ticks) {
    parts.push(line(MARGIN.left, y.at(value), WIDTH - MARGIN.right, y.at(value)));
    parts.push(text(MARGIN.left - 6, y.at(value) + 4, label(value), 'end'));
  }
  for (const [index, { name, points }] of shown.entries()) {
    const colour = COLOURS[index % COLOURS.length] ?? '#000';
    const places = points.map(([px, py]) => [x.at(px).toFixed(1), y.at(py).toFixed(1)] as const);
    parts.push(
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${places.map((place) => place.join(',')).join(' ')}"/>`,
      ...places.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`),
      text(WIDTH - MARGIN.right + 12, MARGIN.top + 14 + 18 * index, name, 'start', ` fill="${colour}"`),
    );
  }
  return `${parts.join('\n')}\n</svg>\n`;
}

/** A logarithmic axis that holds all values, with lines at 1, 2 and 5 times the powers of ten. */
function axis(values: readonly number[], from: number, to: number) {
  const low = Math.min(...values, Number.MAX_VALUE);
  const high = Math.max(...values, low);
  const steps: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const factor of [1, 2, 5]) steps.push(factor * 10 ** power);
  }
  const first = steps.findLast((step) => step <= low) ?? low;
  const last = steps.find((step) => step >= high && step > first) ?? high;
  const span = Math.log(last / first) || 1;
  return {
    at: (value: number) => from + ((to - from) * Math.log(value / first)) / span,
    ticks: steps.filter((step) => step >= first && step <= last),
  };
}

function label(value: number): string {
  return String(Number(value.toPrecision(1)));
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#ddd"/>`;
}

function text(x: number, y: number, words: string, anchor: string, more = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"${more}>${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
