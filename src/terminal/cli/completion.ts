import { argumentsOf, atMost, quoted } from './arguments.ts';
import { bashCompletion } from './completion/bash.ts';
import { fishCompletion } from './completion/fish.ts';
import { zshCompletion } from './completion/zsh.ts';
import type { Context } from './context.ts';
import { EXIT, Failure } from './exit.ts';

const SCRIPTS: ReadonlyMap<string, () => string> = new Map([
  ['bash', bashCompletion],
  ['zsh', zshCompletion],
  ['fish', fishCompletion],
]);

/** Prints a shell's completion script. */
export async function run(context: Context): Promise<void> {
  const { positionals } = argumentsOf('completion', context.args);
  atMost(positionals, 1, 'milena completion bash|zsh|fish');
  const [shell] = positionals;
  const make = SCRIPTS.get(shell ?? '');
  if (make === undefined) {
    const what = shell === undefined ? 'For which shell?' : `There is no script for ${quoted(shell)}.`;
    throw new Failure(EXIT.USAGE, `${what} milena completion bash|zsh|fish`);
  }
  await context.output.write(make());
}
