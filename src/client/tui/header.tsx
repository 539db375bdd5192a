import { Text } from 'ink';
import { memo, type ReactElement } from 'react';
import stringWidth from 'string-width';
import type { Link } from '../transport.ts';
import { shorten } from './lines.ts';
import type { Screen } from './screen.ts';

const STATES: Record<Link['kind'], { text: string; color: string }> = {
  connecting: { text: '◌ connecting', color: 'yellow' },
  online: { text: '● online', color: 'green' },
  waiting: { text: '○ offline', color: 'red' },
  closed: { text: '○ closed', color: 'red' },
};

/** Who, on which server, in which state; where it is narrow the server gives way first, then the program's name. */
export const Header = memo(function Header(props: { screen: Screen; columns: number }): ReactElement {
  const { screen, columns } = props;
  const state = STATES[screen.link.kind];
  const space = columns - stringWidth(state.text) - 2;
  const full = ` milena · ${whoIs(screen)}`;
  const who = shorten(stringWidth(full) <= space ? full : ` ${whoIs(screen)}`, space);
  const room = columns - stringWidth(who) - stringWidth(state.text) - 1;
  const server = stringWidth(screen.server) + 4 <= room ? `${screen.server}  ` : '';
  return (
    <Text wrap="truncate">
      <Text bold>{who}</Text>
      {' '.repeat(Math.max(1, room - stringWidth(server)))}
      <Text dimColor>{server}</Text>
      <Text color={state.color}>{state.text}</Text>
    </Text>
  );
});

function whoIs({ account, wanted }: Screen): string {
  return account ?? (wanted === null ? 'not logged in' : `${wanted}, not logged in`);
}
