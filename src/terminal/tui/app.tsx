import { Box, Text, useWindowSize } from 'ink';
import { memo, type ReactElement, useEffect, useSyncExternalStore } from 'react';
import type { Chat } from './chat.ts';
import { type Looks, painted } from './paint.ts';
import type { Row } from './rows.ts';

interface AppProps {
  readonly chat: Pick<Chat, 'subscribe' | 'resize'>;
  /** What of the chat is drawn: the same array until one of the rows has changed. */
  readonly getRows: () => readonly Row[];
  readonly looks: Looks;
}

/** The screen: it puts the rows that the chat has made on the terminal. Keys come another way. */
export function App({ chat, getRows, looks }: AppProps): ReactElement {
  const shown = useSyncExternalStore(chat.subscribe, getRows);
  const { columns, rows } = useWindowSize();
  useEffect(() => chat.resize(columns, rows), [chat, columns, rows]);
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      {shown.map((row, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row of the terminal is known by its place
        <RowOnScreen key={index} row={row} looks={looks} />
      ))}
    </Box>
  );
}

/** One text, painted already: for each piece with looks of its own Ink would lay out and measure one more. */
const RowOnScreen = memo(function RowOnScreen({ row, looks }: { row: Row; looks: Looks }): ReactElement {
  // Without any text a row would have no height.
  return <Text wrap="truncate">{row.length === 0 ? ' ' : painted(row, looks)}</Text>;
});
