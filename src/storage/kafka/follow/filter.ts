import {
  type CelInput,
  CelScalar,
  celEnv,
  celFunc,
  celMap,
  celMethod,
  isCelError,
  parse,
  plan,
} from '@bufbuild/cel';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { RE2JS } from '@bufbuild/re2';
import { BadExpression, sentenceOf } from './bad-expression.ts';
import { celOf } from './cel-values.ts';
import { checkDepth, checkFilter, placeOfText } from './filter-check.ts';
import { demandSearchable, MAX_FIELD_BYTES, type RecordFields, tryOut } from './record-fields.ts';

/** Bytes of a filter's text. */
const MAX_FILTER_BYTES = 1_024;
/** Characters or bytes that joining two makes at most: doubled again and again they would fill the memory. */
const MAX_JOINED = 4 * MAX_FIELD_BYTES;
/** What a pattern remembers of texts, in states of some 1 KB each: past that it begins anew, and is slower in the end. */
const MAX_STATES = 1_000;

const { BOOL, BYTES, STRING } = CelScalar;

/** Whether a record is shown. @throws Error that says why it cannot tell */
export type Filter = (fields: RecordFields) => boolean;

/** Reads an expression of the Common Expression Language. @throws BadExpression */
export function makeFilter(text: string): Filter {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_FILTER_BYTES) {
    const message = `${bytes} bytes, of ${MAX_FILTER_BYTES} that a filter may have`;
    throw new BadExpression('BAD_FILTER', message, text, MAX_FILTER_BYTES);
  }
  checkDepth(text);
  const expr = parsed(text);
  const patterns = new Map<string, RE2JS>();
  const env = celEnv({
    funcs: [
      ...JOINS,
      celMethod('contains', STRING, [STRING], BOOL, function (wanted) {
        const text = String(this);
        demandSearchable(text, wanted);
        return text.includes(wanted);
      }),
      // The library's own compiles the pattern for each record.
      celMethod('matches', STRING, [STRING], BOOL, function (pattern) {
        return patterns.get(pattern)?.test(String(this)) ?? false;
      }),
    ],
  });
  const found = checkFilter(text, expr, (name) => env.funcs.find(name) !== undefined);
  for (const pattern of found) patterns.set(pattern, compiled(text, pattern));
  const evaluate = plan(env, expr);
  return (fields) => {
    const result = evaluate(new Bindings(fields) as object as Record<string, CelInput>);
    if (isCelError(result)) throw result;
    if (typeof result !== 'boolean') throw new Error('it says neither true nor false');
    return result;
  };
}

const JOINS = [
  celFunc('_+_', [STRING, STRING], STRING, (left, right) => {
    demandJoinable(left.length + right.length);
    return left + right;
  }),
  celFunc('_+_', [BYTES, BYTES], BYTES, (left, right) => {
    demandJoinable(left.length + right.length);
    return Buffer.concat([left, right]);
  }),
];

function demandJoinable(length: number): void {
  if (length > MAX_JOINED) throw new RangeError(`joined to more than ${MAX_JOINED}`);
}

/** What an expression's names stand for. Whatever else somebody names is nothing, be it `constructor`. */
class Bindings {
  readonly #fields: RecordFields;
  #value: CelInput | undefined;
  #headers: CelInput | undefined;

  constructor(fields: RecordFields) {
    this.#fields = fields;
  }

  get key(): CelInput {
    return this.#fields.key;
  }

  get value(): CelInput {
    const { value } = this.#fields;
    this.#value ??= Buffer.isBuffer(value) ? value : celOf(value);
    return this.#value;
  }

  get headers(): CelInput {
    this.#headers ??= celMap(this.#fields.headers);
    return this.#headers;
  }

  get partition(): CelInput {
    return BigInt(this.#fields.partition);
  }

  get offset(): CelInput {
    return BigInt(this.#fields.record.offset);
  }

  get timestamp(): CelInput {
    return timestampFromMs(this.#fields.record.timestamp);
  }
}
Object.setPrototypeOf(Bindings.prototype, null);

type Expr = NonNullable<ReturnType<typeof parse>['expr']>;

function parsed(text: string): Expr {
  const expr = exprOrOffset(text);
  if (typeof expr !== 'number') return expr;
  throw new BadExpression('BAD_FILTER', whatIsWrong(text, expr), text, expr);
}

/** What stands between two parts of an expression, or in front of one. */
const OPERATOR = /^(?:[=!<>]=|&&|\|\||[<>+\-*/%?:.,([{]|in\b)/;
/** How often it is looked behind one for what is wrong. */
const MAX_LOOKS = 40;

/**
 * The expression, or where it cannot be read. The parser takes an operator whose right side is wrong for none, and stops in front of
 * it: so what is behind it is read by itself.
 * @throws BadExpression where the parser says more than that
 */
function exprOrOffset(text: string, looks = 0): Expr | number {
  try {
    // A comment has an end.
    const { expr } = parse(`${text}\n`);
    if (expr !== undefined) return expr;
  } catch (error) {
    const at = offsetIn(error);
    if (at === null || !(error instanceof Error && 'found' in error)) {
      const message = error instanceof Error && 'rawMessage' in error ? error.rawMessage : null;
      throw new BadExpression('BAD_FILTER', sentenceOf(message ?? error), text, at ?? 0);
    }
    const end = text.trimEnd().length;
    const stop = Math.min(at, end);
    const [operator = ''] = OPERATOR.exec(text.slice(stop)) ?? [];
    const isFirst = text.slice(0, stop).trim() === '' && !/[([{]/.test(operator);
    if (operator === '' || isFirst || looks === MAX_LOOKS) return stop;
    const behind = exprOrOffset(text.slice(stop + operator.length), looks + 1);
    // If nothing is wrong with that, something is missing behind it.
    return typeof behind === 'number' ? stop + operator.length + behind : end;
  }
  return 0;
}

/** Where the parser stopped, which says so in its own way. */
function offsetIn(error: unknown): number | null {
  if (typeof error !== 'object' || error === null) return null;
  const { location } = error as { location?: { start?: { offset?: unknown } } };
  const offset = location?.start?.offset;
  return typeof offset === 'number' ? offset : null;
}

const MEANT: Readonly<Record<string, string>> = { '=': '==', '&': '&&', '|': '||' };

function whatIsWrong(text: string, at: number): string {
  const found = text.slice(at, at + 2);
  if (found.trim() === '')
    return text.trim() === '' ? 'there is no expression' : 'it ends where more must come';
  const meant = MEANT[found.charAt(0)];
  const isHalf = meant !== undefined && found !== meant;
  return `"${found.charAt(0)}" does not belong here${isHalf ? `: did you mean ${meant}?` : ''}`;
}

function compiled(text: string, pattern: string): RE2JS {
  try {
    const regex = RE2JS.compile(pattern);
    regex.re2().dfa.stateLimit = MAX_STATES;
    return regex;
  } catch (error) {
    throw new BadExpression(
      'BAD_FILTER',
      `the pattern cannot be used: ${sentenceOf(error)}`,
      text,
      placeOfText(text, pattern),
    );
  }
}

/*
 * What the libraries, and Node, load and make when it is first used, must not be left half made when an expression is ended: so it is used
 * now. The last two are wrong.
 */
for (const text of [
  '"é".matches("(?i)[\\\\w\\\\s[:alpha:]]\\\\pL\\\\p{Greek}x?é$") || b"\\xff" == bytes("x") + b"x"',
  'timestamp.getHours("Europe/Zurich") == 7 || timestamp < timestamp("1960-01-31T12:00:00Z") || duration("1s") > duration("2h")',
  'string(timestamp) + string(duration("1h")) + string(1.5) + string(7u) + string(b"x") == ""',
  '[1, 2].map(x, x + 1).exists(x, x == 9) || {"a": 7u}.a == 8u || headers.all(x, x == key) || type(value) == list',
  'int("x") == 1',
  '((',
  '"x".matches("(")',
]) {
  tryOut((fields) => makeFilter(text)(fields));
}
