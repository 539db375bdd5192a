import { type ChildProcess, spawn } from 'node:child_process';
import { sanitiseLine } from '../sanitise.ts';
import { type NotifyCommand, notifyWords } from './command-line.ts';
import type { Notify } from './notification.ts';

/** Commands that run at the same time; while so many do, no other is started. */
const MAX_RUNNING = 3;
/** One that takes longer is ended. */
const MAX_RUN_MS = 10_000;
/** Nothing that a notification needs; a command of somebody's own may log its environment. */
const SECRETS = ['MILENA_PASSWORD', 'MILENA_NEW_PASSWORD'];

/** Runs the command for each notification, without a terminal. @param tell gets a sentence if it cannot be run, once */
export function notifyByCommand(command: NotifyCommand, tell: (sentence: string) => void): Notify {
  let running = 0;
  let isTold = false;
  const env = { ...process.env };
  for (const secret of SECRETS) delete env[secret];
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
      child = spawn(program, args, { stdio: 'ignore', timeout: MAX_RUN_MS, killSignal: 'SIGKILL', env });
    } catch (error) {
      failed(error);
      return;
    }
    child.once('error', failed);
    child.once('exit', (code, signal) => {
      ended(code === 0 ? null : signal === null ? `ends with ${code}` : `was ended by ${signal}`);
    });
    child.unref();
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
