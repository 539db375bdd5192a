import { MAX_STATUS_NAMES } from '../../protocol/v2/requests.ts';
import { jsonLine } from '../json.ts';
import { ask } from '../v2/dialect.ts';
import { argumentsOf } from './arguments.ts';
import type { Context } from './context.ts';
import { EXIT, Failure } from './exit.ts';
import type { Link } from './link.ts';
import { usernameOf } from './names.ts';
import { loggedIn } from './online.ts';

const USAGE = 'milena status NAME…';
/** Requests that wait for their answer at a time: a connection takes 16. */
const AT_ONCE = 8;

type State = 'logged-in' | 'away' | 'no-such-user';
const WORDS: Readonly<Record<State, string>> = {
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
  const states = await loggedIn(context, args, (link) => statesOf(link, names), true);
  for (const [name, state] of states) {
    await context.output.line(
      args.values.json === true ? jsonLine({ type: 'status', name, state }) : `${name} ${WORDS[state]}`,
    );
  }
  const unknown = [...states].filter(([, state]) => state === 'no-such-user').map(([name]) => name);
  if (unknown.length > 0) {
    throw new Failure(EXIT.NO_USER, `There is no user called ${unknown.join(', nor ')}.`);
  }
}

async function statesOf(link: Link, names: readonly string[]): Promise<Map<string, State>> {
  const reply = await ask(link.connection, { type: 'status', names });
  const states = new Map<string, State>();
  for (const name of names) states.set(name, reply.loggedIn.includes(name) ? 'logged-in' : 'away');
  // Who does not exist is away to this request, but on no list: no name has a wildcard in it.
  const away = names.filter((name) => states.get(name) === 'away');
  for (let from = 0; from < away.length; from += AT_ONCE) {
    const lists = away.slice(from, from + AT_ONCE).map(async (name) => {
      const { names: found } = await ask(link.connection, { type: 'list', pattern: name, limit: 1 });
      if (!found.includes(name)) states.set(name, 'no-such-user');
    });
    await Promise.all(lists);
  }
  return states;
}
