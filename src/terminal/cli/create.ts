import { ClientError } from '../../client/errors.ts';
import { sanitiseLine } from '../sanitise.ts';
import { argumentsOf, atMost } from './arguments.ts';
import type { Context } from './context.ts';
import { exitOf, Failure } from './exit.ts';
import { usernameOf } from './names.ts';
import { online } from './online.ts';
import { knownPassword, newPassword } from './password.ts';

const USAGE = 'milena create NAME';

/** Makes an account with a password, and leaves. */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('create', context.args);
  const name = usernameOf(args.positionals[0], USAGE);
  atMost(args.positionals, 1, USAGE);
  let password: string | undefined;
  await online(context, args, async (link, settings, stage, deadline) => {
    password ??= await deadline.pause(async () =>
      newPassword(name, await knownPassword(name, settings, context), context),
    );
    stage.mayRepeat = false;
    const { invite } = args.values;
    try {
      await link.connection.ask({
        type: 'create',
        username: name,
        password: password.normalize('NFC'),
        invite,
        // Nothing is to be received here, and whoever logs in next need not wait.
        ...(link.takesSenders && { deliver: 'none' }),
      });
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
    link.isEntered();
  });
  context.say(`The account ${name} is made.`);
}
