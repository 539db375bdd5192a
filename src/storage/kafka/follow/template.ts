import { defaultOperators, Liquid, type Template as Piece, toValue } from 'liquidjs';
import { BadExpression, offsetOf, sentenceOf } from './bad-expression.ts';
import { cut } from './raw-line.ts';
import {
  demandSearchable,
  FIELD_NAMES,
  type Json,
  MAX_FIELD_BYTES,
  type RecordFields,
  tryOut,
} from './record-fields.ts';

/** Characters of a template's text. */
const MAX_TEMPLATE_CHARACTERS = 1_024;
/** Characters and list items that are made for one line, as the library counts them: a value, looked at some times. */
const MEMORY_LIMIT = 8 * MAX_FIELD_BYTES;
/** Characters that a template puts out for one line, before it is cut. */
const MAX_OUTPUT = 2 * MAX_FIELD_BYTES;
/** Past that the library gives up by itself, by the clock, which a busy machine stops for nobody: what runs it does so earlier. */
const RENDER_LIMIT_MS = 1_000;

/** What a line needs: nothing that reads files, repeats itself, or makes lists larger than those of the record. */
export const TAGS: ReadonlySet<string> = new Set(
  'assign break capture case comment continue cycle echo for if raw unless #'.split(' '),
);
export const FILTERS: ReadonlySet<string> = new Set(
  `abs append at_least at_most base64_decode base64_encode capitalize ceil compact date default divided_by downcase first
  floor join json last lstrip map minus modulo normalize_whitespace plus prepend remove remove_first replace replace_first
  reverse round rstrip size slice sort split strip strip_html strip_newlines sum times truncate truncatewords uniq upcase
  url_decode url_encode where`.split(/\s+/),
);

/** Those that search a text for another. */
const SEARCHES = ['split', 'replace', 'replace_first', 'remove', 'remove_first'] as const;

/** A record's line. @throws Error that says why there is none */
export type Template = (fields: RecordFields) => string;

const engine = makeEngine();
/** What may still be put out for the line that is being made. */
let outputLeft = 0;

/** Reads a template of the language Liquid. @throws BadExpression */
export function makeTemplate(text: string): Template {
  const pieces = parsed(text);
  demandKnownNames(text, pieces);
  return (fields) => {
    outputLeft = MAX_OUTPUT;
    const line: unknown = engine.renderSync(pieces, scopeOf(fields));
    return cut(String(line).trim());
  };
}

function makeEngine(): Liquid {
  const { contains } = defaultOperators;
  if (contains === undefined) throw new Error('there is no operator contains');
  const made = new Liquid({
    // In memory, and there are none: no template can name another.
    templates: {},
    ownPropertyOnly: true,
    strictFilters: true,
    parseLimit: MAX_TEMPLATE_CHARACTERS,
    memoryLimit: MEMORY_LIMIT,
    renderLimit: RENDER_LIMIT_MS,
    // The same line on whatever machine it is made.
    timezoneOffset: 0,
    locale: 'en-US',
    outputEscape: shown,
    operators: {
      ...defaultOperators,
      contains: (list, wanted, context) => {
        demandShort(list, wanted);
        return contains(list, wanted, context);
      },
    },
  });
  for (const name of Object.keys(made.tags)) if (!TAGS.has(name)) delete made.tags[name];
  for (const name of Object.keys(made.filters)) if (!FILTERS.has(name)) delete made.filters[name];
  for (const name of SEARCHES) {
    const search = made.filters[name];
    if (typeof search !== 'function') throw new Error(`there is no filter ${name}`);
    made.registerFilter(name, function (value: unknown, wanted: unknown, ...rest: unknown[]): unknown {
      demandShort(value, wanted);
      return search.call(this, value, wanted, ...rest);
    });
  }
  // The library's own indents, a deep list beyond measure, and counts nothing.
  made.registerFilter('json', (value: unknown) => counted(JSON.stringify(value) ?? ''));
  return made;
}

/** What is no text the library makes one of, which is as short as its JSON, or shorter. */
function demandShort(value: unknown, wanted: unknown): void {
  const text = (part: unknown) => (typeof part === 'string' ? part : (JSON.stringify(toValue(part)) ?? ''));
  demandSearchable(text(value), text(wanted));
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return '';
  return counted(typeof value === 'object' ? (JSON.stringify(value) ?? '') : String(value));
}

function counted(text: string): string {
  outputLeft -= text.length;
  if (outputLeft < 0) throw new Error(`more than ${MAX_OUTPUT} characters`);
  return text;
}

/** What is no text shows as U+FFFD. */
function scopeOf(fields: RecordFields): object {
  const { partition, record } = fields;
  const time = new Date(record.timestamp);
  return {
    get key(): string | null {
      return textual(fields.key);
    },
    get value(): Json {
      return textual(fields.value);
    },
    get headers(): Record<string, string> {
      return Object.fromEntries(Array.from(fields.headers, ([name, value]) => [name, textual(value)]));
    },
    partition,
    offset: record.offset,
    timestamp: Number.isNaN(time.getTime()) ? record.timestamp : time.toISOString(),
  };
}

function textual<Value>(value: Value | Buffer): Value | string {
  return Buffer.isBuffer(value) ? value.toString() : value;
}

function parsed(text: string): Piece[] {
  try {
    return engine.parse(text);
  } catch (error) {
    throw new BadExpression('BAD_TEMPLATE', sentenceOf(error), text, offsetIn(text, error));
  }
}

/** A name that is none would be an empty place in each line. */
function demandKnownNames(text: string, pieces: Piece[]): void {
  const known: readonly string[] = FIELD_NAMES;
  for (const [name, places] of Object.entries(engine.analyzeSync(pieces, { partials: false }).globals)) {
    if (known.includes(name)) continue;
    const { row, col } = places[0]?.location ?? { row: 1, col: 1 };
    const message = `there is no name ${name}: there are ${known.join(', ')}`;
    throw new BadExpression('BAD_TEMPLATE', message, text, offsetOf(text, row, col));
  }
}

function offsetIn(text: string, error: unknown): number {
  if (typeof error !== 'object' || error === null) return 0;
  const { token } = error as { token?: { begin?: unknown } };
  return typeof token?.begin === 'number' ? Math.min(token.begin, text.length) : 0;
}

// As with filters: nothing that is made when it is first used is left half made. The last two are wrong.
for (const text of [
  ...Array.from(
    FILTERS,
    (name) => `{{ timestamp | ${name}: "%A", "Europe/Zurich" }}{{ "a b" | split: " " | ${name} }}`,
  ),
  '{% for x in (1..2) %}{% if x == 1 %}{% continue %}{% endif %}{% cycle "a", "b" %}{{ x }}{% endfor %}',
  '{% assign x = value.a[0] %}{% capture y %}{% case x %}{% when 1 %}{% else %}z{% endcase %}{% endcapture %}{{ y }}',
  '{{ value',
  '{% if %}',
]) {
  tryOut((fields) => makeTemplate(text)(fields));
}
