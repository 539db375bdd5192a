#!/usr/bin/env node
/* Where the process begins: what must be first, and all the rest from the compile cache. */
// First: whatever is typed from now on is seen by nobody.
import './hold-terminal.ts';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Environment } from './environment.ts';

/** Only the owner. */
const MODE = 0o700;

/**
 * What is loaded from now on is compiled once and not at each start, which takes a command a third of its time. Whoever may
 * write there decides what runs here, so it is a folder of this user's own, in which nobody else may write. Where there can
 * be none, as for a user without a home, all goes on without it.
 */
function keepCompiled(environment: Environment): void {
  const folder = cacheFolder(environment);
  if (folder !== null && isOursAlone(folder)) enableCompileCache(folder);
}

function cacheFolder({ XDG_CACHE_HOME, HOME }: Environment): string | null {
  if (XDG_CACHE_HOME && isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, 'milena');
  try {
    const home = HOME || homedir();
    return isAbsolute(home) ? join(home, '.cache', 'milena') : null;
  } catch {
    return null;
  }
}

/** Makes it where it is not there. */
function isOursAlone(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: MODE });
    const stat = lstatSync(folder);
    // Windows has neither.
    if (process.getuid === undefined) return stat.isDirectory();
    if (!stat.isDirectory() || stat.uid !== process.getuid() || (stat.mode & 0o022) !== 0) return false;
    // Node makes folders in it by the umask: nobody else comes as far.
    chmodSync(folder, MODE);
    return true;
  } catch {
    return false;
  }
}

keepCompiled(process.env);
const { main } = await import('./program.ts');
process.exit(await main(process.argv.slice(2)));
