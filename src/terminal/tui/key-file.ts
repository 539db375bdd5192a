import { dirname, join } from 'node:path';
import { shown } from '../../util/printable.ts';
import { readRegularFile, whyNotRead } from '../../util/regular-file.ts';
import { suggest } from '../../util/suggest.ts';
import { SettingsError } from '../settings.ts';
import { BINDING_NAMES, Bindings, parseKeys } from './bindings.ts';

/** Every key for everything is less than a tenth of it. */
const MAX_BYTES = 256 * 1024;
const EXAMPLE = 'For example: next-unread = alt+n';

/** The file of keys, beside the settings file. */
export function keyFileBeside(settingsFile: string): string {
  return join(dirname(settingsFile), 'keys.conf');
}

/** The keys as the file has them; without it the usual ones. @throws SettingsError with a line for each mistake */
export function readBindings(file: string): Bindings {
  let text: string;
  try {
    text = readRegularFile(file, MAX_BYTES);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Bindings();
    throw new SettingsError(
      `${shown(file)}: it must be a file of keys, and ${whyNotRead(error)}. ${EXAMPLE}`,
    );
  }
  const own = new Map<string, readonly string[]>();
  const places = new Map<string, string>();
  const problems: string[] = [];
  for (const [index, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n/)
    .entries()) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const place = `${shown(file)}:${index + 1}`;
    const wrong = (what: string) => problems.push(`${place}: ${shown(line.trim())}: ${what}. ${EXAMPLE}`);
    const [, name, written] = /^\s*([a-z0-9-]+)\s*=\s*(.*?)\s*$/u.exec(line) ?? [];
    if (name === undefined || written === undefined) {
      wrong('it must be a name, = and keys');
      continue;
    }
    if (!BINDING_NAMES.includes(name)) {
      const close = suggest(name, BINDING_NAMES);
      wrong(
        `nothing is called ${name}${close === null ? `; there are ${BINDING_NAMES.join(', ')}` : `: is ${close} meant?`}`,
      );
      continue;
    }
    const keys = parseKeys(written);
    if (typeof keys === 'string') {
      wrong(keys);
      continue;
    }
    const twice = keys.find((key) => places.has(key));
    if (own.has(name)) wrong(`${name} stands there twice`);
    else if (twice !== undefined) wrong(`${twice} is given to ${places.get(twice)} already`);
    for (const key of keys) places.set(key, name);
    own.set(name, keys);
  }
  if (problems.length > 0) throw new SettingsError(problems.join('\n'));
  return new Bindings(own);
}
