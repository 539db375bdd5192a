import { suggest } from '../../util/suggest.ts';
import { argumentsOf, atMost, quoted } from './arguments.ts';
import { COMMAND_NAMES, isCommand } from './commands.ts';
import type { Context } from './context.ts';
import { EXIT, Failure } from './exit.ts';
import { HELP, OVERVIEW } from './help.ts';

/** Explains a command, or lists them all. */
export async function run(context: Context): Promise<void> {
  const { positionals } = argumentsOf('help', context.args);
  atMost(positionals, 1, 'milena help [COMMAND]');
  const [name] = positionals;
  if (name === undefined) return context.output.write(OVERVIEW);
  if (isCommand(name)) return context.output.write(HELP[name]);
  if (name === 'keys') {
    throw new Failure(
      EXIT.USAGE,
      '`keys` belongs to whoever runs frontends: milena keys --help explains it.',
    );
  }
  const close = suggest(name, COMMAND_NAMES);
  const hint = close === null ? 'milena --help lists them.' : `Is "${close}" meant?`;
  throw new Failure(EXIT.USAGE, `There is no command ${quoted(name)}. ${hint}`);
}
