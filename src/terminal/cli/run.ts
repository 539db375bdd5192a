import { ClientError } from '../../client/index.ts';
import { jsonLine } from '../json.ts';
import { SettingsError } from '../settings.ts';
import { COMMANDS, type CommandName } from './commands.ts';
import { type Context, Interrupted } from './context.ts';
import { ENDING_SIGNALS, EXIT, exitBySignal, Failure, failureOf } from './exit.ts';
import { LOADERS } from './loaders.ts';
import { Output, ReaderGone } from './output.ts';

/** Runs a command to its end; resolves to the process's exit code. Never throws. */
export async function runCommand(name: CommandName, args: readonly string[]): Promise<number> {
  const ending = new AbortController();
  for (const signal of ENDING_SIGNALS) {
    process.on(signal, () => {
      // Who asks twice does not want to wait for an orderly end.
      if (ending.signal.aborted) process.exit(exitBySignal(signal));
      ending.abort(new Interrupted(signal));
    });
  }
  process.on('uncaughtException', (error) => process.exit(codeFor(error)));
  // Whoever read it may be gone before; there is nobody else to tell.
  process.stderr.on('error', () => undefined);
  const context: Context = {
    args,
    environment: process.env,
    output: new Output(process.stdout, ending.signal),
    say,
    interrupted: ending.signal,
  };
  try {
    const { run } = await LOADERS[name]();
    await run(context);
    return EXIT.OK;
  } catch (error) {
    // What ended meanwhile ended because of the signal.
    const cause: unknown = ending.signal.aborted ? ending.signal.reason : error;
    if (wantsJson(name, args)) await printFailure(context, cause);
    if (cause instanceof Interrupted && error instanceof Failure) say(error.message);
    const code = codeFor(cause);
    if (code === EXIT.UNAVAILABLE && name !== 'doctor') say('`milena doctor` finds out why.');
    return code;
  }
}

/** Whether the command was to print JSON, also where its arguments were wrong. */
function wantsJson(name: CommandName, args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  return 'json' in COMMANDS[name].options && options.includes('--json');
}

/** The last object of a command that failed; a signal is no failure, and neither is a reader that is gone. */
async function printFailure({ output }: Context, error: unknown): Promise<void> {
  if (error instanceof Interrupted || error instanceof ReaderGone) return;
  const failure = asFailure(error) ?? new Failure(EXIT.FAULT, 'A fault in the client.');
  if (failure.isPrinted) return;
  // Whoever cannot read it has the exit code.
  await output
    .line(jsonLine({ type: 'failed', code: failure.code, reason: failure.message }))
    .catch(() => undefined);
}

/** Null for what nobody has thought of. */
function asFailure(error: unknown): Failure | null {
  if (error instanceof SettingsError) return new Failure(EXIT.USAGE, error.message, { cause: error });
  if (error instanceof ClientError) return failureOf(error);
  return error instanceof Failure ? error : null;
}

/** Tells of an error, and gives its exit code. */
export function codeFor(error: unknown): number {
  if (error instanceof Interrupted) return exitBySignal(error.signal);
  // Who reads no further has what they wanted.
  if (error instanceof ReaderGone) return EXIT.OK;
  const failure = asFailure(error);
  if (failure === null) {
    console.error('milena: this should not have happened:', error);
    return EXIT.FAULT;
  }
  say(failure.message);
  return failure.code;
}

/** What is told and not read, in bytes; more of it is told to nobody. */
const MAX_UNREAD_BYTES = 64 * 1024;

function say(text: string): void {
  if (process.stderr.writableLength > MAX_UNREAD_BYTES) return;
  process.stderr.write(`milena: ${text.replaceAll('\n', '\nmilena: ')}\n`);
}
