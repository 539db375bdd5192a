/**
 * What start_frontend.sh --background runs on the log of a frontend that has just started: how many warnings it wrote, and
 * each error.
 *   node log-warnings.js COMMAND <LOG
 * COMMAND is what shows more. Nothing to tell is no line.
 */
import { text } from 'node:stream/consumers';
import { printable } from '../util/printable.ts';

const WARN = 40;
const ERROR = 50;

interface Line {
  readonly level: number;
  readonly msg: string;
  /** What to do about it. */
  readonly remedy: string | null;
}

/** @param line of the log, which may be anything */
function lineOf(line: string): Line | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { level, msg, remedy, grant } = value as Record<string, unknown>;
  if (typeof level !== 'number') return null;
  const next = [remedy, grant].find((one) => typeof one === 'string') ?? null;
  return { level, msg: typeof msg === 'string' ? msg : '', remedy: next as string | null };
}

const lines = (await text(process.stdin)).split('\n').flatMap((line) => lineOf(line) ?? []);
const errors = lines.filter(({ level }) => level >= ERROR);
const warnings = lines.filter(({ level }) => level >= WARN && level < ERROR).length;
if (errors.length + warnings > 0) {
  const counts = [
    ...(errors.length === 0 ? [] : [errors.length === 1 ? '1 error' : `${errors.length} errors`]),
    ...(warnings === 0 ? [] : [warnings === 1 ? '1 warning' : `${warnings} warnings`]),
  ];
  console.log(`Its log has ${counts.join(' and ')} since it started. All of them:  ${process.argv[2] ?? ''}`);
  for (const { msg, remedy } of errors) {
    console.log(`  ✗ ${printable(msg)}${remedy === null ? '' : `\n    → ${printable(remedy)}`}`);
  }
}
