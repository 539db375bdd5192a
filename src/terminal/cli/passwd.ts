import type { Milena } from '../../client/index.ts';
import { argumentsOf, atMost } from './arguments.ts';
import type { Context } from './context.ts';
import { EXIT, Failure } from './exit.ts';
import { type LoggedIn, loggedIn } from './online.ts';
import { newPassword, passwordIn } from './password.ts';

/** Changes the password of the account of the settings. */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('passwd', context.args);
  atMost(args.positionals, 0, 'milena passwd changes the password of the account in --user');
  const file = args.values['new-password-file'];
  // A file that cannot be used is told before anything else happens.
  const given = file === undefined ? context.environment.MILENA_NEW_PASSWORD || null : passwordIn(file);
  const change = async (me: Milena, { name, deadline, signal, password }: LoggedIn) => {
    const old = await password();
    const next = await deadline.pause(() => newPassword(name, given, context));
    if (next === old) throw new Failure(EXIT.DATA, 'That is the old password: nothing was done.');
    await me.changePassword(old, next, { signal });
    context.say(`${name} has another password now.`);
  };
  await loggedIn(context, args, change, { needsPassword: true });
}
