import { jsonLine, sanitiseText } from '../../sanitise.ts';
import { EXIT, type ExitCode, Failure } from '../exit.ts';

/** What was looked at, and how it is. */
export interface Check {
  readonly name: string;
  /** `hint`: it works, and could be better or may surprise. */
  readonly state: 'ok' | 'hint' | 'failed';
  readonly text: string;
  /** What to do next; null: nothing. */
  readonly next: string | null;
  /** With `failed`: the command's exit code, unless something failed before. */
  readonly exit: ExitCode;
}

export function ok(name: string, text: string): Check {
  return { name, state: 'ok', text, next: null, exit: EXIT.OK };
}

export function hint(name: string, text: string, next: string): Check {
  return { name, state: 'hint', text, next, exit: EXIT.OK };
}

export function failed(name: string, text: string, next: string | null, exit: ExitCode): Check {
  return { name, state: 'failed', text, next, exit };
}

/** A check that ended in an error for a person. @throws anything else */
export function failedBy(name: string, error: unknown, next: string | null = null): Check {
  if (error instanceof Failure) return failed(name, error.message, next, error.code);
  throw error;
}

const NAME_COLUMNS = 12;
const MARKS = { ok: '✓', hint: '!', failed: '✗' } as const;
const ASCII_MARKS = { ok: '+', hint: '!', failed: 'x' } as const;

/** A check for a person; of several lines if there is something to do. */
export function checkLines({ name, state, text, next }: Check, utf8: boolean): string {
  const indent = ' '.repeat(NAME_COLUMNS + 3);
  const mark = (utf8 ? MARKS : ASCII_MARKS)[state];
  const first = `${mark} ${name.padEnd(NAME_COLUMNS)} ${indented(text, indent)}`;
  return next === null ? first : `${first}\n${indent}${utf8 ? '→' : '->'} ${indented(next, indent)}`;
}

export function checkJson({ name, state, text, next }: Check): string {
  return jsonLine({ type: 'check', name, state, text, next });
}

function indented(text: string, indent: string): string {
  return sanitiseText(text).replaceAll('\n', `\n${indent}`);
}
