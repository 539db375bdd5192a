import { Box, Text, useCursor, useWindowSize } from 'ink';
import { memo, type ReactElement, useEffect, useSyncExternalStore } from 'react';
import type { Chat } from './chat.ts';
import type { Row } from './rows.ts';
import { nameColour, type Theme } from './theme.ts';

/** The whole screen: it puts the frame that the chat has made on the terminal. Keys come another way. */
export function App({ chat, theme }: { chat: Chat; theme: Theme }): ReactElement {
  const frame = useSyncExternalStore(chat.subscribe, chat.getFrame);
  const { columns, rows } = useWindowSize();
  useEffect(() => chat.resize(columns, rows), [chat, columns, rows]);
  const { setCursorPosition } = useCursor();
  setCursorPosition(frame.cursor ?? undefined);
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      {frame.rows.map((row, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row of the terminal is known by its place
        <RowOnScreen key={index} row={row} theme={theme} />
      ))}
    </Box>
  );
}

const RowOnScreen = memo(function RowOnScreen({ row, theme }: { row: Row; theme: Theme }): ReactElement {
  return (
    <Text wrap="truncate">
      {/* Without any text a row would have no height. */}
      {row.length === 0 && ' '}
      {row.map(({ text, role, who }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: and a piece of it by its order
        <Text key={index} {...(role === 'name' ? nameColour(theme, who ?? '') : theme[role])}>
          {text}
        </Text>
      ))}
    </Text>
  );
});
