import { LastServer } from '../../client/last-server.ts';
import { DEFAULT_OPTIONS_2 } from '../../client/v2/events.ts';
import type { Histories } from '../history/histories.ts';
import { KeptLogins } from '../kept-logins.ts';
import type { Settings } from '../settings.ts';
import type { AccountOptions } from './account-questions.ts';
import type { MakeFace } from './face.ts';
import { Face1 } from './face1.ts';
import { Face2 } from './face2.ts';

/**
 * The face of the protocol's version that the settings name.
 * @param invite for accounts that are made
 * @param hasPerson somebody answers what is asked, and no pipe
 */
export function makeFaceFor(
  settings: Settings,
  memory: Histories,
  invite: string | null,
  hasPerson = true,
): MakeFace {
  const { directory, protocol, servers, serverFlags, tls } = settings;
  const lastServer = LastServer.in(directory, servers);
  const options = { ...DEFAULT_OPTIONS_2, servers, tls, lastServer, memory };
  return (display) => {
    if (protocol === 1) return new Face1(options, display);
    const logins = new KeptLogins(settings, 'all', (sentence) => display.say('error', sentence));
    const account: AccountOptions = {
      invite,
      serverFlags,
      logins,
      passwordCommand: settings.passwordCommand,
      looksAtPasswords: hasPerson,
    };
    return new Face2({ ...options, logins }, display, account);
  };
}

/** The account to log in to; null: nobody said, or somebody comes with an invite, to make one. */
export function whoToGreet({ user }: Settings, histories: Histories, invite: string | null): string | null {
  return user ?? (invite === null ? histories.lastAccount() : null);
}
