import { Clipboard } from '../clipboard.ts';
import type { Environment } from '../environment.ts';
import { openerBy, usualOpen } from '../opener.ts';
import type { Settings } from '../settings.ts';
import { isInTmux } from '../tmux.ts';
import type { OutsideOptions } from './outside.ts';

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
