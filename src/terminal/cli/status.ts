import { MAX_STATUS_NAMES, type Presence } from '../../client/index.ts';
import { jsonLine } from '../sanitise.ts';
import { argumentsOf, usernameOf } from './arguments.ts';
import type { Context } from './context.ts';
import { EXIT, Failure } from './exit.ts';
import { loggedIn } from './online.ts';

const USAGE = 'milena status NAME…';
const WORDS: Readonly<Record<Presence, string>> = {
  'logged-in': 'logged in',
  away: 'away',
  'no-such-user': 'no such user',
};

/** Prints for each name whether somebody is logged in. @throws Failure `NO_USER` if a name is nobody's, behind the rest */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('status', context.args);
  usernameOf(args.positionals[0], USAGE);
  const names = [...new Set(args.positionals.map((text) => usernameOf(text, USAGE)))];
  if (names.length > MAX_STATUS_NAMES) {
    throw new Failure(EXIT.USAGE, `At most ${MAX_STATUS_NAMES} names at a time: these are ${names.length}.`);
  }
  const states = await loggedIn(context, args, (me, { signal }) => me.status(names, { signal }), {
    isRepeatable: true,
    needsNoInbox: true,
  });
  for (const [name, state] of states) {
    await context.output.line(
      args.values.json === true ? jsonLine({ type: 'status', name, state }) : `${name} ${WORDS[state]}`,
    );
  }
  const unknown = [...states].filter(([, state]) => state === 'no-such-user').map(([name]) => name);
  if (unknown.length > 0) {
    throw new Failure(EXIT.NO_USER, `There is no user called ${unknown.join(', nor ')}.`, {
      // Their objects say so.
      isPrinted: true,
    });
  }
}
