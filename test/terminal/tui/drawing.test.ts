/** Frames are made when something has happened. Whoever looks at one, as React does whenever it likes, changes nothing. */
import { afterEach, expect, test, vi } from 'vitest';
import type { Display } from '../../../src/terminal/chat/display.ts';
import type { ServerPort } from '../../../src/terminal/chat/server-adapter.ts';
import { Histories } from '../../../src/terminal/history/histories.ts';
import { Chat } from '../../../src/terminal/tui/chat.ts';
import { Drawing } from '../../../src/terminal/tui/drawing.ts';
import { span, textOf } from '../../../src/terminal/tui/rows.ts';

afterEach(() => {
  vi.useRealTimers();
});

function counted(): { readonly drawing: Drawing; readonly made: () => number } {
  let made = 0;
  const drawing = new Drawing(() => {
    made += 1;
    return { rows: [[span(`frame ${made}`)], [span('input')]], foot: 1, cursor: null };
  });
  return { drawing, made: () => made };
}

test('a frame is made once for each time that something has happened, however often it is looked at', () => {
  const { drawing, made } = counted();
  expect(drawing.getFrame().rows).toEqual([]);
  expect(made()).toBe(0);
  drawing.now();
  const frame = drawing.getFrame();
  expect(frame.rows.map(textOf)).toEqual(['frame 1', 'input']);
  expect(drawing.getFrame()).toBe(frame);
  expect(drawing.getBody()).toBe(drawing.getBody());
  expect(made()).toBe(1);
  drawing.now();
  expect(drawing.getFrame().rows.map(textOf)).toEqual(['frame 2', 'input']);
  // Of rows that are as they were, nobody is told.
  expect(drawing.getFrame().rows[1]).toBe(frame.rows[1]);
});

test('who listens finds the new frame there', () => {
  const { drawing } = counted();
  const seen: unknown[] = [];
  drawing.subscribe(() => seen.push(drawing.getFrame().rows.map(textOf)[0]));
  drawing.now();
  drawing.now();
  expect(seen).toEqual(['frame 1', 'frame 2']);
});

test('after the end there is none any more', () => {
  vi.useFakeTimers();
  const { drawing, made } = counted();
  drawing.soon();
  drawing.end();
  drawing.now();
  drawing.soon();
  vi.advanceTimersByTime(1_000);
  expect(made()).toBe(0);
});

test('a message counts as read when it was drawn, and not when the frame before is looked at', async () => {
  vi.useFakeTimers();
  const titles: string[] = [];
  const bell = { ring: () => undefined, title: (title: string) => void titles.push(title) };
  const histories = new Histories({ directory: null, server: 'localhost:1', onProblem: expect.unreachable });
  let talk: Display | undefined;
  const makeServerAdapter = (display: Display): ServerPort => {
    talk = display;
    return SILENT;
  };
  const chat = new Chat(
    makeServerAdapter,
    'localhost:1',
    histories,
    { columns: 80, rows: 24 },
    bell,
    () => undefined,
  );
  chat.start('al');
  const bob = { kind: 'user', name: 'bob' } as const;
  talk?.turnTo(bob);
  chat.take([{ type: 'focus', isFocused: true }]);
  expect(titles).toEqual(['milena']);
  talk?.received({ peer: bob, at: 0, body: 'hello', key: 'one' }, () => undefined);
  talk?.received({ peer: { ...bob, name: 'cy' }, at: 0, body: 'hello', key: 'two' }, () => undefined);
  const unread = () => histories.current?.conversation(bob)?.unread;
  for (let looks = 0; looks < 3; looks++) {
    chat.getBody();
    expect(chat.getFrame().rows.map(textOf).join('\n')).not.toContain('hello');
  }
  expect(unread()).toBe(1);
  expect(titles).toEqual(['milena']);
  vi.advanceTimersByTime(1_000);
  expect(unread()).toBe(0);
  expect(titles).toEqual(['milena', '(1) milena']);
  expect(chat.getFrame().rows.map(textOf).join('\n')).toContain('hello');
  await chat.close();
});

const SILENT: ServerPort = {
  start: () => undefined,
  read: () => undefined,
  close: () => Promise.resolve(),
  greet: () => undefined,
  takeBack: () => undefined,
  rooms: {
    like: () => Promise.resolve({ names: [], more: false }),
    members: () => Promise.resolve({ names: [], more: false }),
  },
  takesMarks: false,
  markRead: () => Promise.resolve(),
  list: () => Promise.resolve({ names: [], more: false }),
  carryOut: () => Promise.resolve(),
};
