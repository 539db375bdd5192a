import { ClientError, type Milena } from '../../client/index.ts';
import { sanitiseLine } from '../sanitise.ts';
import { isYes } from '../yes.ts';
import { argumentsOf, atMost } from './arguments.ts';
import type { Context } from './context.ts';
import { EXIT, Failure } from './exit.ts';
import { type LoggedIn, loggedIn } from './online.ts';
import { TerminalPrompt } from './prompt.ts';

/** Deletes the account of the settings, its inbox and everything in it. */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('delete', context.args);
  atMost(args.positionals, 0, 'milena delete deletes the account in --user');
  const force = args.values.force ?? false;
  const remove = async (me: Milena, { name, deadline, signal, password }: LoggedIn) => {
    const secret = await password();
    if (args.values.yes !== true) await deadline.pause(() => confirm(context, name, force));
    try {
      const undelivered = await me.deleteAccount(secret, { force, signal });
      const lost = undelivered === 0 ? '' : ` Messages that nobody will read: ${undelivered}.`;
      context.say(`The account ${name} is deleted.${lost}`);
    } catch (error) {
      if (!(error instanceof ClientError) || error.refusal?.code !== 'HAS_UNDELIVERED') throw error;
      const text = `${sanitiseLine(error.message)} \`milena retrieve\` prints them; --force deletes them.`;
      throw new Failure(EXIT.NOT_PERMITTED, text, { cause: error });
    }
  };
  await loggedIn(context, args, remove, { needsPassword: true });
}

async function confirm(context: Context, name: string, force: boolean): Promise<void> {
  const prompt = TerminalPrompt.open(context);
  if (prompt === null) {
    throw new Failure(EXIT.USAGE, 'There is no terminal to ask at: --yes says that it is meant.');
  }
  try {
    const what = force ? `${name} and every message that waits for it` : `the account ${name}`;
    const answer = await prompt.line(`Delete ${what}? Type yes: `);
    if (!isYes(answer)) throw new Failure(EXIT.NOT_PERMITTED, 'Nothing was deleted.');
  } finally {
    prompt.close();
  }
}
