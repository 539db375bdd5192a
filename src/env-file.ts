import { lstatSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from './config.ts';
import { shown } from './printable.ts';
import { whyNotRead } from './why-not-read.ts';

/**
 * Adds the lines `NAME=value` of a file to an environment, which counts before them; no file is no lines. As Windows writes
 * it is good, too: with a mark at its beginning (BOM), and CR before each line's end.
 * @throws ConfigError for something by that name that is no such file
 */
export function loadEnvFile(file: string, environment: Record<string, string | undefined>): void {
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return;
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
  for (const [name, value] of Object.entries(parseEnv(text.replaceAll('\r\n', '\n')))) {
    environment[name] ??= value;
  }
}

function wrong(file: string, why: string): ConfigError {
  return new ConfigError(
    `${shown(file)}: it must be a text file in UTF-8 with lines NAME=value, and ${why}. For example: MILENA_PORT=8080`,
  );
}
