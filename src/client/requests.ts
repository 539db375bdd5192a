import { MAX_PAGE } from '../protocol/v2/requests.ts';
import type { ServerConnection } from './connection.ts';
import { ClientError } from './errors.ts';
import { parseUsername } from './names.ts';
import { RoomRequests } from './rooms.ts';

/** A page of names, in byte order. */
export interface NamePage {
  readonly names: readonly string[];
  /** Whether others match that come behind these. */
  readonly more: boolean;
}

/** One of an account's devices. */
export interface AccountDevice {
  /** Null: the main one. */
  readonly name: string | null;
  /** A day off at most; null: nobody knows. */
  readonly lastLogin: Date | null;
  readonly isLoggedIn: boolean;
  /** Messages that it has not acknowledged. */
  readonly waiting: number;
}

/** What a client asks a server that changes nothing of the client itself. Each throws ClientError, `OFFLINE` without a connection. */
export abstract class Requests {
  readonly rooms = new RoomRequests(() => this.online());

  /** The connection that requests go to. @throws ClientError `OFFLINE` */
  protected abstract online(): ServerConnection;

  /**
   * Names that match, a page of them: only those behind `after`, and `limit` at most, which is 1,000 at most.
   * @param pattern `*` is any run of characters, `?` any one; empty: all
   */
  async list(
    pattern: string,
    { after, limit = MAX_PAGE }: { after?: string | undefined; limit?: number } = {},
  ): Promise<NamePage> {
    return this.online().ask({ type: 'list', pattern, limit, ...(after !== undefined && { after }) });
  }

  /** For each name, as it was given, whether somebody is logged in. At most 200 names. */
  async whoIsThere(names: readonly string[]): Promise<ReadonlyMap<string, Presence>> {
    if (!Array.isArray(names)) throw new ClientError('INVALID', 'The names are a list of names.');
    return presenceOf(this.online(), names);
  }

  /** Whether there is an account of that name, as anybody may know. */
  async exists(name: string): Promise<boolean> {
    return exists(this.online(), name);
  }

  /** Blocks a sender or takes one again; resolves to all that are blocked. */
  async block(name: string, blocked: boolean): Promise<readonly string[]> {
    return (await this.online().ask({ type: 'block', name, blocked })).blocked;
  }

  /** The senders that are blocked. */
  async blocked(): Promise<readonly string[]> {
    return (await this.online().ask({ type: 'block' })).blocked;
  }

  /** The account's devices, the main one first. */
  async devices(): Promise<readonly AccountDevice[]> {
    const { devices } = await this.online().ask({ type: 'devices' });
    return devices.map(({ device, lastLogin, loggedIn, waiting }) => {
      const seen = lastLogin === undefined ? null : new Date(lastLogin);
      return { name: device ?? null, lastLogin: seen, isLoggedIn: loggedIn, waiting };
    });
  }

  /** The device is none any more: whoever is logged in with it is logged out, and nothing is kept for it. */
  async forgetDevice(name: string): Promise<void> {
    await this.online().ask({ type: 'forget-device', device: name });
  }

  /** A conversation was read up to that message of the inbox, by its `seq`: the account's other devices hear of it. */
  async markRead(conversation: string, upTo: number): Promise<void> {
    await this.online().ask({ type: 'mark-read', conversation, upTo });
  }

  /** @param old null for an open account */
  async changePassword(old: string | null, password: string): Promise<void> {
    await this.online().ask({
      type: 'password',
      ...(old !== null && { old: composed(old) }),
      new: composed(password),
    });
  }
}

/** However a keyboard composes its letters, the same password is the same bytes. @throws ClientError `INVALID` */
function composed(password: string): string {
  if (typeof password !== 'string') throw new ClientError('INVALID', 'A password is text.');
  return password.normalize('NFC');
}

/** A password as requests have it; null: there is none. @throws ClientError `INVALID` */
export function secretOf(password: string | null): { password?: string } {
  return password === null ? {} : { password: composed(password) };
}

export type Presence = 'logged-in' | 'away' | 'no-such-user';

/** Requests that wait for their answer at a time: a connection takes 16, and messages may be on their way as well. */
const AT_ONCE = 4;

/**
 * For each name, as it was given and in that order, whether somebody is logged in. Who does not exist is away to the server's own
 * answer, but on no list: no name has a wildcard in it. @throws ClientError
 */
async function presenceOf(
  connection: ServerConnection,
  names: readonly string[],
): Promise<ReadonlyMap<string, Presence>> {
  const { loggedIn } = await connection.ask({ type: 'status', names });
  const presence = new Map<string, Presence>();
  for (const name of names) {
    presence.set(name, loggedIn.includes(parseUsername(name)) ? 'logged-in' : 'away');
  }
  const away = [...presence.keys()].filter((name) => presence.get(name) === 'away');
  for (let from = 0; from < away.length; from += AT_ONCE) {
    const checks = away.slice(from, from + AT_ONCE).map(async (name) => {
      if (!(await exists(connection, name))) presence.set(name, 'no-such-user');
    });
    await Promise.all(checks);
  }
  return presence;
}

/** Whether there is an account of that name. @throws ClientError */
async function exists(connection: ServerConnection, text: string): Promise<boolean> {
  const name = parseUsername(text);
  const { names } = await connection.ask({ type: 'list', pattern: name, limit: 1 });
  return names.includes(name);
}
