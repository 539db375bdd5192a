import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from './pane.ts';

/** A chat program of others, to compare with. It has no server and nothing to show but its start. */
export interface Other {
  readonly name: string;
  /** With its version, as it says that itself. */
  readonly version: string;
  readonly program: Program;
  /** Stands on its first screen, and is the last of it. */
  readonly ready: string;
}

const OTHERS = [
  { name: 'weechat', ready: 'Plugins loaded', args: (home: string) => ['-d', home] },
  { name: 'irssi', ready: '[(status)]', args: (home: string) => [`--home=${home}`] },
];

/** Those that are installed here. @param directory gets a folder for each, so that it finds nobody's settings */
export function othersHere(directory: string): Other[] {
  return OTHERS.flatMap(({ name, ready, args }) => {
    const version = versionOf(name);
    if (version === null) return [];
    const home = mkdtempSync(join(directory, `${name}-`));
    return [{ name, version, ready, program: { command: name, args: args(home), env: {} } }];
  });
}

/** Names of those that are not. */
export function othersMissing(others: readonly Other[]): string[] {
  return OTHERS.map(({ name }) => name).filter((name) => others.every((other) => other.name !== name));
}

/** Null where there is no such program. */
function versionOf(name: string): string | null {
  try {
    const [line = ''] = execFileSync(name, ['--version'], { encoding: 'utf8' }).split('\n');
    return /\d[\d.]*/.exec(line)?.[0] ?? line.trim();
  } catch {
    return null;
  }
}
