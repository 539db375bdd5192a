import { DEFAULT_OPTIONS } from '../../client/index.ts';
import { Clipboard } from '../clipboard.ts';
import { type Environment, isInTmux } from '../environment.ts';
import type { Histories } from '../history/histories.ts';
import { KeptLogins } from '../kept-logins.ts';
import { LastServerFile } from '../last-server.ts';
import { openerBy, usualOpen } from '../opener.ts';
import type { Settings } from '../settings.ts';
import type { AccountOptions } from './account-questions.ts';
import type { OutsideOptions } from './outside.ts';
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
  const { directory, servers, serverFlags, tls, device, last } = settings;
  const lastServer = LastServerFile.in(directory, servers);
  const options = {
    ...DEFAULT_OPTIONS,
    program: 'milena-terminal',
    servers,
    tls,
    lastServer,
    store,
    elsewhere: true,
    rooms: true,
    ...(device !== null && { device }),
    ...(last !== null && { last }),
  };
  return (display) => {
    const logins = new KeptLogins(settings, 'all', (sentence) => display.say('error', sentence));
    const account: AccountOptions = {
      invite,
      device,
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

/** What opens addresses, and the clipboard. @param write to the terminal; null: there is none that takes sequences */
export function outsideFor(
  { open, clipboard, directory }: Pick<Settings, 'open' | 'clipboard' | 'directory'>,
  environment: Environment,
  write: ((bytes: string) => void) | null,
): Required<OutsideOptions> {
  const command = open ?? usualOpen(environment);
  return {
    opener: command === null ? null : openerBy(command),
    clipboard:
      write === null
        ? null
        : new Clipboard({ choice: clipboard, directory, isInTmux: isInTmux(environment), write }),
  };
}
