import { type NotifyCommand, notifyWords } from '../command-line.ts';
import { killGroup, runAlone } from '../run-alone.ts';
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
  return (notification) => {
    if (running >= MAX_RUNNING) return;
    running += 1;
    let late: NodeJS.Timeout | undefined;
    const pid = runAlone(notifyWords(command, notification), (why) => {
      clearTimeout(late);
      running -= 1;
      if (why === null || isTold) return;
      isTold = true;
      tell(`The command of "notify" fails: ${why}.`);
    });
    if (pid !== undefined) late = setTimeout(() => killGroup(pid), maxRunMs).unref();
  };
}
