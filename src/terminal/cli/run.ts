import { carryOut, codeFor } from './carry-out.ts';
import type { CommandName } from './commands.ts';
import { Interrupted } from './context.ts';
import { ENDING_SIGNALS, exitBySignal } from './exit.ts';
import { Output } from './output.ts';

/** What is told and not read, in bytes; more of it is told to nobody. */
const MAX_UNREAD_BYTES = 64 * 1024;

/** Runs a command in this process, to its end; resolves to the process's exit code. Never throws. */
export function runCommand(name: CommandName, args: readonly string[]): Promise<number> {
  const ending = new AbortController();
  for (const signal of ENDING_SIGNALS) {
    process.on(signal, () => {
      // Who asks twice does not want to wait for an orderly end.
      if (ending.signal.aborted) process.exit(exitBySignal(signal));
      ending.abort(new Interrupted(signal));
    });
  }
  process.on('uncaughtException', (error) => process.exit(codeFor(error, say)));
  // Whoever read it may be gone before; there is nobody else to tell.
  process.stderr.on('error', () => undefined);
  return carryOut(name, {
    args,
    environment: process.env,
    output: new Output(process.stdout, ending.signal),
    say,
    interrupted: ending.signal,
  });
}

/** Tells the person something; the text is safe for a terminal. */
export function say(text: string): void {
  if (process.stderr.writableLength > MAX_UNREAD_BYTES) return;
  process.stderr.write(`milena: ${text.replaceAll('\n', '\nmilena: ')}\n`);
}
