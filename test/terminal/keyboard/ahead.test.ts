/** What was typed before the program read anything. */
import { expect, test } from 'vitest';
import type { InputEvent } from '../../../src/terminal/keyboard/input-event.ts';
import { Keyboard } from '../../../src/terminal/keyboard/terminal.ts';

/** What one read is taken for. */
function taken(bytes: string, ahead: boolean): InputEvent[] {
  const events: InputEvent[] = [];
  const keyboard = new Keyboard((some) => events.push(...some));
  if (ahead) keyboard.pushAhead(Buffer.from(bytes));
  else keyboard.push(Buffer.from(bytes));
  keyboard.close();
  return events;
}

const enter: InputEvent = { type: 'key', key: 'enter' };

test.each(['secret\rhello\rhalf', 'secret\nhello\nhalf'])(
  '%j is two lines that were entered, and the beginning of a third',
  (bytes) => {
    expect(taken(bytes, true)).toEqual([
      { type: 'text', text: 'secret' },
      enter,
      { type: 'text', text: 'hello' },
      enter,
      { type: 'text', text: 'half' },
    ]);
    // In one read later on, nobody types that: it is a paste.
    expect(taken(bytes, false)).not.toContainEqual(enter);
  },
);
