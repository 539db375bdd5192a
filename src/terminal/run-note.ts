import { existsSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from './environment.ts';
import { stateFolder } from './started.ts';

/**
 * Notes that this process is a client of the checkout, as scripts/processes.sh reads it: `./stop_everything.sh` ends it
 * then, however it was started. Without a state folder that the scripts have marked nothing is noted. Never throws: a
 * client that cannot be noted runs all the same.
 */
export function noteRun(environment: Environment): void {
  const folder = stateFolder(environment);
  const run = join(folder, 'run');
  const note = join(run, `client.${process.pid}`);
  try {
    if (!existsSync(join(folder, '.milena-data'))) return;
    mkdirSync(run, { recursive: true, mode: 0o700 });
    // What is behind a link is somebody else's.
    if (!lstatSync(run).isDirectory()) return;
    // One that was killed may have had the number.
    rmSync(note, { force: true });
    writeFileSync(note, `${process.argv[1]}\n`, { flag: 'wx', mode: 0o600 });
  } catch {
    return;
  }
  process.on('exit', () => rmSync(note, { force: true }));
}
