/* What needs no server: Node, the terminal, the place of the history. */
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Environment, isSecret, isUtf8 } from '../../environment.ts';
import { HistoryError } from '../../history/errors.ts';
import { fileName, serverOf } from '../../history/files.ts';
import { History } from '../../history/history.ts';
import type { Settings } from '../../settings.ts';
import { EXIT } from '../exit.ts';
import { type Check, failed, hint, ok } from './check.ts';

/** The first one with SQLite built in. */
const MIN_NODE = [22, 13] as const;
/** With less the screen only says so. */
const MIN_COLUMNS = 20;
const MIN_ROWS = 6;

export function checkNode(
  version: string = process.versions.node,
  program: string = process.execPath,
): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]))
    return ok('node', `Node ${version}${program.includes('/node_modules/') ? ', brought along' : ''}`);
  const next = 'Start the client as ./milena, which brings its own Node.';
  return failed('node', `Node ${version} is older than ${MIN_NODE.join('.')}.`, next, EXIT.UNAVAILABLE);
}

export function checkSettings({ file }: Settings): Check {
  return ok('settings', existsSync(file) ? file : `no file, which is fine (${file})`);
}

/** The settings of an `.env` that have a value. */
const GIVEN = /^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*\S/gm;

/** As password files are looked at; null where there is nothing to say. @param file `.env` */
export function checkEnvFile(file: string): Check | null {
  try {
    const { mode } = statSync(file);
    if ((mode & 0o004) === 0) return null;
    const names = [...readFileSync(file, 'utf8').matchAll(GIVEN)].map(([, name = '']) => name);
    if (!names.some(isSecret)) return null;
  } catch {
    // Whoever reads settings from it says what is wrong with it.
    return null;
  }
  return hint('settings', `Others on this machine can read the secrets in ${file}.`, `chmod 600 ${file}`);
}

export function checkTerminal(
  environment: Environment,
  {
    isTTY,
    columns = 0,
    rows = 0,
    colours,
  }: { isTTY: boolean; columns?: number; rows?: number; colours: number },
): Check {
  const name = 'terminal';
  if (!isUtf8(environment)) {
    const text =
      'The locale (LC_ALL, LC_CTYPE or LANG) does not say UTF-8: ticks and other letters may look wrong.';
    return hint(name, text, 'export LANG=C.UTF-8');
  }
  if (!isTTY) return ok(name, 'standard output is none, which is fine for commands');
  const size = `${columns}×${rows}`;
  if (columns < MIN_COLUMNS || rows < MIN_ROWS) {
    return hint(
      name,
      `${size} is small.`,
      `The chat needs ${MIN_COLUMNS}×${MIN_ROWS}: make the window larger.`,
    );
  }
  const colour = environment.NO_COLOR ? 'no colours (NO_COLOR)' : `${colours} colours`;
  return ok(name, `${environment.TERM ?? 'unknown'}, ${size}, ${colour}, UTF-8`);
}

export function checkHistory({ directory, server: first, others, user, device }: Settings): Check {
  const name = 'history';
  const server = serverOf(directory, [first, ...others], user ?? '', device);
  if (directory === null) return ok(name, 'kept in memory only, as the settings say');
  if (user !== null && existsSync(join(directory, fileName(server, user, device)))) {
    try {
      const history = History.open({ directory, server, account: user, device });
      const count = history.conversations().length;
      const { file } = history;
      history.close();
      return ok(name, `${file}: ${count === 1 ? '1 conversation' : `${count} conversations`}`);
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error;
      return failed(name, error.message, null, EXIT.IO);
    }
  }
  const folder = nearest(directory);
  try {
    if (!statSync(folder).isDirectory()) {
      return failed(name, `${folder} is no folder.`, 'Name another one: --data-dir DIR', EXIT.IO);
    }
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch {
    const next = `Give yourself the right to write there, or name another folder: --data-dir DIR`;
    return failed(name, `${folder} may not be written to.`, next, EXIT.IO);
  }
  return ok(name, folder === directory ? directory : `${directory}, which the first login makes`);
}

/** The folder itself, or the nearest one above it that exists. */
function nearest(folder: string): string {
  let path = folder;
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  return path;
}
