import type { parse } from '@bufbuild/cel';
import { BadExpression } from './bad-expression.ts';
import { FIELD_NAMES } from './record-fields.ts';

type Expr = NonNullable<ReturnType<typeof parse>['expr']>;
type Call = Extract<Expr['exprKind'], { case: 'callExpr' }>['value'];
type Loop = Extract<Expr['exprKind'], { case: 'comprehensionExpr' }>['value'];

/** `exists`, `all`, `map` and the like, one within or behind the other: four over ten numbers take 17 ms. */
const MAX_LOOPS = 2;
/** Each keeps what it has learned of texts in memory, some MB. */
const MAX_PATTERNS = 8;

const TYPES = 'int uint double bool string bytes list map null_type type'.split(' ');
/** What is no function of the library's table, but a step of its own. */
const OPERATORS = new Set(['_[_]', '_?_:_', '_&&_', '_||_', '@not_strictly_false']);

/** Brackets within each other: the parser takes their number squared, and more, to find that one is not closed. */
const MAX_DEPTH = 32;

/** Comments, texts and names, in which texts and comments hide names. */
const TOKEN = /\/\/[^\r\n]*|"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[A-Za-z_]\w*/g;

/**
 * Looks through a parsed filter for what could never succeed, or would cost too much.
 * @param isFunction whether there is one of that name
 * @returns the patterns that it has texts looked through for
 * @throws BadExpression
 */
export function checkFilter(text: string, root: Expr, isFunction: (name: string) => boolean): Set<string> {
  const patterns = new Set<string>();
  visit(root, new Set([...FIELD_NAMES, ...TYPES]), 0);
  return patterns;

  function visit(expr: Expr | undefined, names: ReadonlySet<string>, loops: number): void {
    const kind = expr?.exprKind;
    switch (kind?.case) {
      case 'identExpr':
        if (!names.has(kind.value.name)) throw unknown('name', kind.value.name, false);
        return;
      case 'selectExpr':
        visit(kind.value.operand, names, loops);
        return;
      case 'listExpr':
        for (const element of kind.value.elements) visit(element, names, loops);
        return;
      case 'structExpr':
        if (kind.value.messageName !== '') throw unknown('type', kind.value.messageName, false);
        for (const { keyKind, value } of kind.value.entries) {
          if (keyKind.case === 'mapKey') visit(keyKind.value, names, loops);
          visit(value, names, loops);
        }
        return;
      case 'callExpr':
        visitCall(kind.value, names, loops);
        return;
      case 'comprehensionExpr':
        visitLoop(kind.value, names, loops + 1);
        return;
      default:
    }
  }

  function visitCall(call: Call, names: ReadonlySet<string>, loops: number): void {
    const isMember = call.target !== undefined;
    if (!OPERATORS.has(call.function) && !isFunction(call.function)) {
      throw unknown('function', call.function, isMember);
    }
    if (call.function === 'matches') notePattern(call);
    for (const part of [call.target, ...call.args]) visit(part, names, loops);
  }

  function visitLoop(loop: Loop, names: ReadonlySet<string>, loops: number): void {
    if (loops > MAX_LOOPS) {
      throw wrong(
        `more than ${MAX_LOOPS} of exists, all, map, filter within each other`,
        loop.iterVar,
        false,
      );
    }
    visit(loop.iterRange, names, loops);
    const inside = new Set([...names, loop.iterVar, loop.accuVar]);
    for (const part of [loop.accuInit, loop.loopCondition, loop.loopStep, loop.result]) {
      visit(part, inside, loops);
    }
  }

  /** One that records could choose would be compiled for each of them. */
  function notePattern(call: Call): void {
    const pattern = call.args.at(-1)?.exprKind;
    const constant = pattern?.case === 'constExpr' ? pattern.value.constantKind : undefined;
    if (constant?.case !== 'stringValue')
      throw wrong('the pattern must be a text in quotes', 'matches', true);
    patterns.add(constant.value);
    if (patterns.size > MAX_PATTERNS) throw wrong(`more than ${MAX_PATTERNS} patterns`, 'matches', true);
  }

  function unknown(what: 'name' | 'type' | 'function', name: string, isMember: boolean): BadExpression {
    const there = what === 'name' ? `: there are ${FIELD_NAMES.join(', ')}` : '';
    return wrong(`there is no ${what} ${name}${there}`, name, isMember);
  }

  function wrong(message: string, name: string, isMember: boolean): BadExpression {
    return new BadExpression('BAD_FILTER', message, text, placeOf(text, name, isMember));
  }
}

/** @throws BadExpression for what would take long to parse */
export function checkDepth(text: string): void {
  const code = text.replace(TOKEN, (token) => ' '.repeat(token.length));
  let depth = 0;
  for (let at = 0; at < code.length; at++) {
    const character = code.charAt(at);
    if ('([{'.includes(character)) depth += 1;
    else if (')]}'.includes(character)) depth -= 1;
    if (depth > MAX_DEPTH) throw new BadExpression('BAD_FILTER', 'nested too deeply', text, at);
  }
}

/** Where a name stands first, behind a dot or not; 0 where it does not. */
function placeOf(text: string, name: string, isMember: boolean): number {
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === name && /\.\s*$/.test(text.slice(0, index)) === isMember) return index;
  }
  return 0;
}

/** Where a text in quotes stands first; 0 where it is written in another way. */
export function placeOfText(text: string, content: string): number {
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const at = /^["']/.test(token) ? token.slice(1).indexOf(content) : -1;
    if (at >= 0) return index + 1 + at;
  }
  return 0;
}
