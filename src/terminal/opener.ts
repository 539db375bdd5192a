import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { fillPlaces, type OpenCommand } from './command-line.ts';
import type { Environment } from './environment.ts';
import { runAlone } from './run-alone.ts';

/** Opens an address, of http or https and of printable ASCII alone. @param failed gets a sentence if that goes wrong */
export type Opener = (url: string, failed: (sentence: string) => void) => void;

/** A program that goes on may be the browser itself, whose end says nothing of the address any more. */
const FAILS_WITHIN_MS = 30_000;

/** An opener by a command. */
export function openerBy(command: OpenCommand): Opener {
  return (url, failed) => {
    const began = performance.now();
    runAlone(fillPlaces(command, { url }), (why) => {
      if (why === null || performance.now() - began > FAILS_WITHIN_MS) return;
      failed(`The address could not be opened: ${why}.`);
    });
  };
}

/**
 * What opens addresses where nobody says otherwise: the desktop's own program, if there is one and a screen that this person sits
 * at. Null: over ssh, on the console, in a container.
 */
export function usualOpen(
  env: Environment,
  platform: NodeJS.Platform = process.platform,
): OpenCommand | null {
  const program = usualProgram(env, platform);
  const path = program === null ? null : inPath(program, env.PATH ?? '');
  return path === null ? null : [path, '{url}'];
}

function usualProgram(env: Environment, platform: NodeJS.Platform): string | null {
  // The browser would open on that machine's screen.
  if (platform === 'darwin') return env.SSH_CONNECTION ? null : 'open';
  if (env.WSL_DISTRO_NAME) return 'wslview';
  return env.DISPLAY || env.WAYLAND_DISPLAY ? 'xdg-open' : null;
}

function inPath(program: string, path: string): string | null {
  // What is relative depends on where one is just now.
  const files = path
    .split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, program));
  return files.find(canBeRun) ?? null;
}

function canBeRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
