import type { ChildProcess } from 'node:child_process';
import { childEnvironment } from './environment.ts';
import { sanitiseLine } from './sanitise.ts';

/**
 * Runs a program of the person's own, without a shell, in a session of its own: there is no terminal that it could draw on or read
 * from. It finds none of our secrets, and does not keep this process from ending.
 *
 * @param ended is called once, with null or with what went wrong: `xdg-open ends with 3`, safe for a terminal
 * @returns its process id; undefined if it could not be started
 */
export function runAlone(
  [program = '', ...args]: readonly string[],
  ended: (why: string | null) => void,
): number | undefined {
  let isOver = false;
  const end = (why: string | null) => {
    // One that could not be started may be told of twice.
    if (isOver) return;
    isOver = true;
    ended(why === null ? null : `${sanitiseLine(program)} ${why}`);
  };
  const failed = (error: unknown) => end(`cannot be run (${codeOf(error)})`);
  // Loaded only here: no command starts a program of this kind.
  const { spawn } = process.getBuiltinModule('node:child_process');
  let child: ChildProcess;
  try {
    child = spawn(program, args, { stdio: 'ignore', detached: true, env: childEnvironment() });
  } catch (error) {
    failed(error);
    return undefined;
  }
  child.once('error', failed);
  child.once('exit', (code, signal) => {
    end(code === 0 ? null : signal === null ? `ends with ${code}` : `was ended by ${signal}`);
  });
  child.unref();
  return child.pid;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** Ends all that a program of its own process group has started there. @param leader its process id */
export function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}
