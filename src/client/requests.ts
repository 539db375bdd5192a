import { MAX_PAGE } from '../protocol/v2/requests.ts';
import type { Connection } from './connection.ts';
import { ClientError } from './errors.ts';
import { exists, type Presence, presenceOf } from './presence.ts';

/** A page of names, in byte order. */
export interface NamePage {
  readonly names: readonly string[];
  /** Whether others match that come behind these. */
  readonly more: boolean;
}

/** What a client asks a server that changes nothing of the client itself. Each throws ClientError, `OFFLINE` without a connection. */
export abstract class Requests {
  /** The connection that requests go to. @throws ClientError `OFFLINE` */
  protected abstract online(): Connection;

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
export function composed(password: string): string {
  if (typeof password !== 'string') throw new ClientError('INVALID', 'A password is text.');
  return password.normalize('NFC');
}
