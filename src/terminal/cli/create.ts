import { ClientError } from '../../client/index.ts';
import { sanitiseLine } from '../sanitise.ts';
import { argumentsOf, atMost, usernameOf } from './arguments.ts';
import type { Context } from './context.ts';
import { exitOf, Failure } from './exit.ts';
import { timed } from './online.ts';
import { knownPassword, newPassword } from './password.ts';
import { SignIn } from './sign-in.ts';

const USAGE = 'milena create NAME';

/** Makes an account with a password, and leaves. */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('create', context.args);
  const name = usernameOf(args.positionals[0], USAGE);
  atMost(args.positionals, 1, USAGE);
  const { invite } = args.values;
  await timed(context, args, async ({ settings, deadline, signal, timeoutMs }) => {
    const password = async () => newPassword(name, await knownPassword(name, settings, context), context);
    const signIn = new SignIn({ name, settings, deadline }, context);
    try {
      // Nothing is to be received here, and whoever logs in next need not wait.
      const me = await signIn.enter({ deliver: 'none', create: { invite, password }, timeoutMs, signal });
      await signIn.leave(me);
    } catch (error) {
      if (!(error instanceof ClientError) || error.refusal?.code !== 'REGISTRATION_CLOSED') throw error;
      // The server may make no accounts at all, and it does not know by which address it was found.
      if (invite !== undefined) throw error;
      const command = ['milena create', name, settings.serverFlags, '--invite INVITE']
        .filter(Boolean)
        .join(' ');
      const text = `${sanitiseLine(error.message)} If you have an invite:  ${command}`;
      throw new Failure(exitOf(error), text, { cause: error });
    }
  });
  context.say(`The account ${name} is made.`);
}
