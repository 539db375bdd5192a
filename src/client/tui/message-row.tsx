import { Text } from 'ink';
import { memo, type ReactElement } from 'react';
import type { Row } from './lines.ts';

const COLOURS = ['cyan', 'green', 'magenta', 'yellow', 'blue'] as const;

/** One row of the stream. Colours only help: what a row is can be read without them. */
export const MessageRow = memo(function MessageRow({ row }: { row: Row }): ReactElement {
  const { line, time, label, text, fate } = row;
  return (
    <Text wrap="truncate">
      <Text dimColor>{time}</Text>
      {label !== '' && <Label row={row} />}
      {line.kind === 'error' ? (
        <Text color="red">{text}</Text>
      ) : (
        <Text dimColor={line.kind === 'info'}>{text}</Text>
      )}
      {fate !== '' && <Text dimColor>{fate}</Text>}
    </Text>
  );
});

function Label({ row }: { row: Row }): ReactElement {
  switch (row.line.kind) {
    case 'incoming':
      return (
        <Text bold color={colourOf(row.line.who)}>
          {row.label}
        </Text>
      );
    case 'external':
      return <Text dimColor>{row.label}</Text>;
    case 'outgoing':
      return <Text bold>{row.label}</Text>;
    case 'info':
      return <Text dimColor>{row.label}</Text>;
    case 'error':
      return (
        <Text bold color="red">
          {row.label}
        </Text>
      );
  }
}

/** The same colour for the same name, always. */
function colourOf(name: string): (typeof COLOURS)[number] {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return COLOURS[sum % COLOURS.length] ?? 'cyan';
}
