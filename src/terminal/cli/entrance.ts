import { ClientError } from '../../client/errors.ts';
import { type Identity, identityFrom } from '../../client/identity.ts';
import type { ServerFrameOf } from '../../protocol/v2/replies.ts';
import { type KeptLogin, KeptLogins } from '../kept-logins.ts';
import { sanitiseLine } from '../sanitise.ts';
import type { Settings } from '../settings.ts';
import type { Context } from './context.ts';
import type { Deadline } from './deadline.ts';
import type { Link } from './link.ts';
import { knownPassword, passwordFor } from './password.ts';

export interface HowToEnter {
  /** `none` to send only, beside other logins. */
  readonly deliver: 'live' | 'none';
  readonly takeover: boolean;
}

/**
 * How a command shows whose account it is, over as many connections as it needs: by the password that was given, or the
 * login that the chat keeps on this machine, or a password that the person is asked for.
 */
export class Entrance {
  readonly #name: string;
  readonly #settings: Settings;
  readonly #context: Context;
  readonly #deadline: Deadline;
  readonly #logins: KeptLogins;
  #password: string | undefined;
  /** Of this command's own login over an earlier connection. */
  #token: Uint8Array | null = null;
  #identity: Identity | null = null;

  constructor(name: string, settings: Settings, context: Context, deadline: Deadline) {
    this.#name = name;
    this.#settings = settings;
    this.#context = context;
    this.#deadline = deadline;
    this.#logins = commandLogins(settings, context);
  }

  /** The password, for requests that want it once more. @throws Failure, Interrupted */
  async password(): Promise<string> {
    this.#password ??= await this.#deadline.pause(() =>
      passwordFor(this.#name, this.#settings, this.#context),
    );
    return this.#password;
  }

  /** @throws ClientError, Failure, Interrupted */
  async logIn(link: Link, { deliver, takeover }: HowToEnter): Promise<ServerFrameOf<'logged-in'>> {
    // A server that is gone may still hold the account: only the token takes it back without asking.
    if (this.#token !== null) {
      return this.#entered(link, await link.logIn(this.#name, { token: this.#token }, deliver));
    }
    const kept = await this.#kept(link, deliver);
    if (kept !== null) {
      try {
        const proof = { token: kept.token, takeover };
        return this.#entered(link, await link.logIn(this.#name, proof, deliver));
      } catch (error) {
        if (!(error instanceof ClientError) || error.refusal?.code !== 'BAD_CREDENTIALS') throw error;
        this.#logins.forget(this.#name, kept.token);
        this.#context.say(`The login of ${this.#name} that was kept on this machine is not good any more.`);
      }
    }
    const password = await this.password();
    return this.#entered(link, await link.logIn(this.#name, { password, takeover }, deliver));
  }

  /** The account has another token. @param expiresAt milliseconds since the epoch */
  renew(token: Uint8Array, expiresAt: number): void {
    this.#token = token;
    if (this.#identity !== null) this.#logins.keep({ ...this.#identity, token }, expiresAt);
  }

  /** The account is gone. */
  forget(): void {
    this.#logins.forget(this.#name);
  }

  /** Null also where a password is given, or where it would put out whoever is logged in. */
  async #kept(link: Link, deliver: HowToEnter['deliver']): Promise<KeptLogin | null> {
    if (this.#password !== undefined || (deliver === 'live' && !link.asksWhoResumes)) return null;
    if (!this.#logins.has(this.#name)) return null;
    const known = () => knownPassword(this.#name, this.#settings, this.#context);
    this.#password = (await this.#deadline.pause(known)) ?? undefined;
    return this.#password === undefined ? this.#logins.find(this.#name) : null;
  }

  #entered(link: Link, session: ServerFrameOf<'logged-in'>): ServerFrameOf<'logged-in'> {
    const { token, tokenExpiresAt = 0 } = session;
    if (token === undefined) return session;
    // Commands have no open accounts.
    this.#identity = {
      ...identityFrom({ type: 'login', username: this.#name }, session, null),
      isOpen: false,
    };
    this.renew(token, tokenExpiresAt);
    // To log out would end what the chat comes back by.
    if (this.#logins.has(this.#name)) link.keepLogin();
    return session;
  }
}

/** What commands have to do with logins that are kept: none is begun by them, none becomes worthless. */
export function commandLogins(settings: Settings, { say }: Pick<Context, 'say'>): KeptLogins {
  return new KeptLogins(settings, 'known', (sentence) => say(sanitiseLine(sentence)));
}
