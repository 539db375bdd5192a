import { DEFAULT_OPTIONS } from '../../client/index.ts';
import type { Histories } from '../history/histories.ts';
import { KeptLogins } from '../kept-logins.ts';
import { LastServer } from '../last-server.ts';
import type { Settings } from '../settings.ts';
import type { AccountOptions } from './account-questions.ts';
import { type MakeServerAdapter, ServerAdapter } from './server-adapter.ts';

/**
 * The server adapter for these settings.
 * @param invite for accounts that are made
 * @param hasPerson somebody answers what is asked, and no pipe
 */
export function serverAdapterFor(
  settings: Settings,
  store: Histories,
  invite: string | null,
  hasPerson = true,
): MakeServerAdapter {
  const { directory, servers, serverFlags, tls } = settings;
  const lastServer = LastServer.in(directory, servers);
  const options = { ...DEFAULT_OPTIONS, program: 'milena-terminal', servers, tls, lastServer, store };
  return (display) => {
    const logins = new KeptLogins(settings, 'all', (sentence) => display.say('error', sentence));
    const account: AccountOptions = {
      invite,
      serverFlags,
      logins,
      passwordCommand: settings.passwordCommand,
      looksAtPasswords: hasPerson,
    };
    return new ServerAdapter({ ...options, logins }, display, account);
  };
}

/** The account to log in to; null: nobody said, or somebody comes with an invite, to make one. */
export function whoToGreet({ user }: Settings, histories: Histories, invite: string | null): string | null {
  return user ?? (invite === null ? histories.lastAccount() : null);
}
