import { lstatSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { shown } from '../util/printable.ts';
import { whyNotRead } from '../util/regular-file.ts';
import { ConfigError } from './setting-table.ts';

/**
 * Adds the lines `NAME=value` of a file to an environment, which counts before them; no file is no lines. As Windows writes
 * it is good, too: with a mark at its beginning (BOM), and CR before each line's end.
 * @returns what is odd about its lines, a sentence each
 * @throws ConfigError for something by that name that is no such file, and for a value of several lines
 */
export function loadEnvFile(file: string, environment: Record<string, string | undefined>): string[] {
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return [];
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw wrong(file, whyNotRead(error));
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw wrong(file, 'it is not UTF-8');
  }
  // UTF-16 without its mark: no setting would be found, and none missed.
  if (text.includes('\0')) throw wrong(file, 'it is not UTF-8');
  text = text.replaceAll('\r\n', '\n');
  const open = text.split('\n').findIndex(isLeftOpen);
  if (open >= 0)
    throw new ConfigError(
      `${shown(file)}, line ${open + 1}: a quoted value must end on the line where it begins.`,
    );
  for (const [name, value] of Object.entries(parseEnv(text))) {
    environment[name] ??= value;
  }
  return oddLines(text).map(([line, what]) => `${shown(file)}, line ${line} ${what}`);
}

const SETTING = /^\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_.]*\s*=\s*(.*)$/;

/** Values of several lines are followed by some readers of such files and not by others. */
function isLeftOpen(line: string): boolean {
  const [first = '', ...rest] = SETTING.exec(line)?.[1] ?? '';
  return /["'`]/.test(first) && !rest.includes(first);
}

/** Numbers from 1, and what is odd. */
function oddLines(text: string): [number, string][] {
  const odd: [number, string][] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const value = SETTING.exec(line)?.[1];
    if (value === undefined) {
      odd.push([index + 1, 'is not NAME=value, and is passed over: write, for example, MILENA_PORT=8080.']);
      continue;
    }
    if (/^["']?~(\/|["'\s]|$)/.test(value))
      odd.push([index + 1, 'has a ~, which is not your home there: write the whole path.']);
  }
  return odd;
}

function wrong(file: string, why: string): ConfigError {
  return new ConfigError(
    `${shown(file)}: it must be a text file in UTF-8 with lines NAME=value, and ${why}. For example: MILENA_PORT=8080`,
  );
}
