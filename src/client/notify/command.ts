import { type ChildProcess, spawn } from 'node:child_process';
import { killGroup } from '../kill-group.ts';
import { sanitiseLine } from '../sanitise.ts';
import { childEnvironment } from '../secrets.ts';
import { type NotifyCommand, notifyWords } from './command-line.ts';
import type { Notify } from './notification.ts';

/** Commands that run at the same time; while so many do, no other is started. */
const MAX_RUNNING = 3;
/** One that takes longer is ended, with all that it has started. */
const MAX_RUN_MS = 10_000;

/** Runs the command for each notification, without a terminal. @param tell gets a sentence if it cannot be run, once */
export function notifyByCommand(
  command: NotifyCommand,
  tell: (sentence: string) => void,
  maxRunMs = MAX_RUN_MS,
): Notify {
  let running = 0;
  let isTold = false;
  const env = childEnvironment();
  return (notification) => {
    if (running >= MAX_RUNNING) return;
    const [program = '', ...args] = notifyWords(command, notification);
    running += 1;
    let isOver = false;
    const ended = (why: string | null) => {
      // One that could not be started may be told of twice.
      if (isOver) return;
      isOver = true;
      running -= 1;
      if (why === null || isTold) return;
      isTold = true;
      tell(`The command of "notify" fails: ${sanitiseLine(program)} ${why}.`);
    };
    const failed = (error: unknown) => ended(`cannot be run (${codeOf(error)})`);
    let child: ChildProcess;
    try {
      // In a session of its own there is no terminal that it could draw on.
      child = spawn(program, args, { stdio: 'ignore', detached: true, env });
    } catch (error) {
      failed(error);
      return;
    }
    const { pid } = child;
    const late = pid === undefined ? undefined : setTimeout(() => killGroup(pid), maxRunMs).unref();
    child.once('error', failed);
    child.once('exit', (code, signal) => {
      clearTimeout(late);
      ended(code === 0 ? null : signal === null ? `ends with ${code}` : `was ended by ${signal}`);
    });
    child.unref();
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
