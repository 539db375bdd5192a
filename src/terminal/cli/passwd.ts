import { argumentsOf, atMost } from './arguments.ts';
import type { Context } from './context.ts';
import { EXIT, Failure } from './exit.ts';
import type { Link } from './link.ts';
import { type Account, loggedIn } from './online.ts';
import { newPassword, passwordIn } from './password.ts';

/** Changes the password of the account of the settings. */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('passwd', context.args);
  atMost(args.positionals, 0, 'milena passwd changes the password of the account in --user');
  const file = args.values['new-password-file'];
  // A file that cannot be used is told before anything else happens.
  const given = file === undefined ? context.environment.MILENA_NEW_PASSWORD || null : passwordIn(file);
  const change = async (link: Link, { name, deadline, entrance }: Account) => {
    const password = await entrance.password();
    const next = await deadline.pause(() => newPassword(name, given, context));
    if (next === password) throw new Failure(EXIT.DATA, 'That is the old password: nothing was done.');
    const changed = await link.connection.ask({
      type: 'password',
      old: password.normalize('NFC'),
      new: next.normalize('NFC'),
    });
    entrance.renew(changed.token, changed.tokenExpiresAt);
    context.say(`${name} has another password now.`);
  };
  await loggedIn(context, args, change, { needsPassword: true });
}
