import { Box, Text, useCursor, useInput, usePaste, useWindowSize } from 'ink';
import { type ReactElement, useEffect, useMemo, useSyncExternalStore } from 'react';
import stringWidth from 'string-width';
import type { Chat } from './chat.ts';
import { Header } from './header.tsx';
import { hintFor, inputFor, promptFor } from './hints.ts';
import { viewInput } from './input-line.ts';
import { keyActions } from './keys.ts';
import { shorten, windowOf } from './lines.ts';
import { MessageRow } from './message-row.tsx';
import { bodyRows, hasRules, MIN_COLUMNS, MIN_ROWS, type Screen } from './screen.ts';

/** The whole screen: header, messages, input line, hint. */
export function App({ chat }: { chat: Chat }): ReactElement {
  const screen = useSyncExternalStore(chat.subscribe, chat.getScreen);
  const { columns, rows } = useWindowSize();
  useEffect(() => chat.resize(columns, rows), [chat, columns, rows]);
  useInput((text, key) => chat.press(keyActions(text, key)));
  usePaste((text) => chat.press([{ type: 'insert', text }]));
  if (columns < MIN_COLUMNS || rows < MIN_ROWS) return <TooSmall columns={columns} rows={rows} />;
  return <Full screen={screen} columns={columns} rows={rows} />;
}

interface Size {
  readonly columns: number;
  readonly rows: number;
}

function Full({ screen, columns, rows }: Size & { screen: Screen }): ReactElement {
  const height = bodyRows(rows);
  const { lines, below } = screen;
  const window = useMemo(() => windowOf(lines, columns, height, below), [lines, columns, height, below]);
  const prompt = shorten(promptFor(screen), Math.floor(columns / 2));
  const promptColumns = stringWidth(prompt);
  const input = viewInput(inputFor(screen), columns - promptColumns);
  const { setCursorPosition } = useCursor();
  setCursorPosition({ x: promptColumns + input.cursorColumn, y: rows - 2 });
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      <Header screen={screen} columns={columns} />
      {hasRules(rows) && <Rule columns={columns} />}
      <Box flexDirection="column" height={height} justifyContent="flex-end" overflow="hidden">
        {window.rows.map((row) => (
          <MessageRow key={row.key} row={row} />
        ))}
      </Box>
      {hasRules(rows) && <Rule columns={columns} />}
      <Text wrap="truncate">
        <Text bold color="cyan">
          {prompt}
        </Text>
        {input.text}
      </Text>
      <Text dimColor wrap="truncate">
        {shorten(hintFor(screen), columns)}
      </Text>
    </Box>
  );
}

function Rule({ columns }: { columns: number }): ReactElement {
  return <Text dimColor>{'─'.repeat(columns)}</Text>;
}

function TooSmall({ columns, rows }: Size): ReactElement {
  const { setCursorPosition } = useCursor();
  setCursorPosition(undefined);
  return (
    <Text wrap="truncate">
      {shorten(`${columns}x${rows}: needs ${MIN_COLUMNS}x${MIN_ROWS}`, Math.max(1, columns))}
    </Text>
  );
}
