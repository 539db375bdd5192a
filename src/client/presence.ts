import type { Connection } from './connection.ts';
import { parseUsername } from './names.ts';

export type Presence = 'logged-in' | 'away' | 'no-such-user';

/** Requests that wait for their answer at a time: a connection takes 16, and messages may be on their way as well. */
const AT_ONCE = 4;

/**
 * For each name, as it was given and in that order, whether somebody is logged in. Who does not exist is away to the server's own
 * answer, but on no list: no name has a wildcard in it. @throws ClientError
 */
export async function presenceOf(
  connection: Connection,
  names: readonly string[],
): Promise<ReadonlyMap<string, Presence>> {
  const { loggedIn } = await connection.ask({ type: 'status', names });
  const presence = new Map<string, Presence>();
  for (const name of names) {
    presence.set(name, loggedIn.includes(parseUsername(name)) ? 'logged-in' : 'away');
  }
  const away = [...presence.keys()].filter((name) => presence.get(name) === 'away');
  for (let from = 0; from < away.length; from += AT_ONCE) {
    const looks = away.slice(from, from + AT_ONCE).map(async (name) => {
      if (!(await exists(connection, name))) presence.set(name, 'no-such-user');
    });
    await Promise.all(looks);
  }
  return presence;
}

/** Whether there is an account of that name. @throws ClientError */
export async function exists(connection: Connection, text: string): Promise<boolean> {
  const name = parseUsername(text);
  const { names } = await connection.ask({ type: 'list', pattern: name, limit: 1 });
  return names.includes(name);
}
