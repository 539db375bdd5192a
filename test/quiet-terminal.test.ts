import { expect, onTestFinished, test } from 'vitest';
import { TestTerminal } from './e2e/terminal.ts';

/** In bash, with a step that takes a while, and then a program that reads a line. */
function script(behind: string): TestTerminal {
  const steps = `. scripts/quiet-terminal.sh; echo starting; read -r -t 20 < "$FIFO"; ${behind}; echo ready; read -r line; echo "got <$line>"`;
  const command = `FIFO=$(mktemp -u); export FIFO; mkfifo "$FIFO"; (sleep 1; echo go > "$FIFO") & bash -c '${steps}'; rm "$FIFO"`;
  const terminal = new TestTerminal(command, { columns: 60, rows: 10 });
  onTestFinished(() => terminal.close());
  return terminal;
}

test('what is typed while everything starts is not shown, and is for nobody', async () => {
  const terminal = script('drop_typed');
  await terminal.shows(/starting/);
  terminal.send('hello room\rand half');
  await terminal.shows(/ready/);
  terminal.send('what is meant\r');
  await terminal.shows(/got <what is meant>/);
  expect(terminal.output).not.toMatch(/hello|half/);
});

test('what is typed before the client alone is not shown, and is there for it', async () => {
  const terminal = script('echo_again');
  await terminal.shows(/starting/);
  terminal.send('purple otter\r');
  await terminal.shows(/ready/, /got <purple otter>/);
  expect(terminal.output.match(/purple otter/g)).toHaveLength(1);
});
