import { inspect } from 'node:util';
import { ClientError } from '../../client/index.ts';
import { jsonLine } from '../sanitise.ts';
import { SettingsError } from '../settings.ts';
import { COMMANDS, type CommandName } from './commands.ts';
import { type Context, Interrupted } from './context.ts';
import { EXIT, exitBySignal, Failure, failureOf } from './exit.ts';
import { LOADERS } from './loaders.ts';
import { ReaderGone } from './output.ts';

/** Carries a command out to its end; resolves to its exit code. Never throws. */
export async function carryOut(name: CommandName, context: Context): Promise<number> {
  const { args, interrupted, say } = context;
  try {
    const { run } = await LOADERS[name]();
    await run(context);
    return EXIT.OK;
  } catch (error) {
    // What ended meanwhile ended because of the signal.
    const cause: unknown = interrupted.aborted ? interrupted.reason : error;
    if (wantsJson(name, args)) await printFailure(context, cause);
    if (cause instanceof Interrupted && error instanceof Failure) say(error.message);
    const code = codeFor(cause, say);
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
export function codeFor(error: unknown, say: Context['say']): number {
  if (error instanceof Interrupted) return exitBySignal(error.signal);
  // Who reads no further has what they wanted.
  if (error instanceof ReaderGone) return EXIT.OK;
  const failure = asFailure(error);
  if (failure === null) {
    say(`this should not have happened: ${inspect(error)}`);
    return EXIT.FAULT;
  }
  say(failure.message);
  return failure.code;
}
