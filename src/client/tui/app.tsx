import { Box, Text, useCursor, useWindowSize } from 'ink';
import { memo, type ReactElement, useEffect, useSyncExternalStore } from 'react';
import type { Chat } from './chat.ts';
import { asLink } from './links.ts';
import type { Row } from './rows.ts';
import { type Signs, withSigns } from './signs.ts';
import { nameColour, type Theme } from './theme.ts';

/** How rows look in the terminal that there is. */
export interface Looks {
  readonly theme: Theme;
  readonly signs: Signs;
  /** Whether the terminal knows links. */
  readonly links: boolean;
}

/** The whole screen: it puts the frame that the chat has made on the terminal. Keys come another way. */
export function App({ chat, looks }: { chat: Chat; looks: Looks }): ReactElement {
  const frame = useSyncExternalStore(chat.subscribe, chat.getFrame);
  const { columns, rows } = useWindowSize();
  useEffect(() => chat.resize(columns, rows), [chat, columns, rows]);
  const { setCursorPosition } = useCursor();
  setCursorPosition(frame.cursor ?? undefined);
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      {frame.rows.map((row, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row of the terminal is known by its place
        <RowOnScreen key={index} row={row} looks={looks} />
      ))}
    </Box>
  );
}

const RowOnScreen = memo(function RowOnScreen({ row, looks }: { row: Row; looks: Looks }): ReactElement {
  const { theme, signs, links } = looks;
  return (
    <Text wrap="truncate">
      {/* Without any text a row would have no height. */}
      {row.length === 0 && ' '}
      {withSigns(row, signs).map(({ text, role, who, link }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: and a piece of it by its order
        <Text key={index} {...(role === 'name' ? nameColour(theme, who ?? '') : theme[role])}>
          {links && link !== undefined ? asLink(text, link) : text}
        </Text>
      ))}
    </Text>
  );
});
