/** Many messages at once. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TerminalBell } from '../../../src/terminal/tui/terminal-bell.ts';
import { messageFrom, TestServer } from '../../client/test-server.ts';
import { KEY, TestScreen } from './test-screen.tsx';

const BURST = 5_000;
let server: TestServer;
let screen: TestScreen;

beforeEach(async () => {
  server = await TestServer.listen();
  screen = new TestScreen(server.port);
  await screen.logIn();
});

afterEach(async () => {
  await screen.close();
  await server.close();
});

function burst(): void {
  for (let count = 1; count <= BURST; count += 100) {
    server.peer.send(
      ...Array.from({ length: 100 }, (_, i) => messageFrom('bob', count + i, `number ${count + i}`)),
    );
  }
}

async function untilAcknowledged(): Promise<void> {
  await screen.until(() => expect(server.asked('ack').at(-1)).toEqual({ type: 'ack', upTo: BURST }));
}

test('5,000 in the open conversation: all acknowledged, the newest in sight, what ran through unread, few frames', async () => {
  screen.keys('/msg bob', KEY.enter, 'half a tho');
  await screen.inputIs(' bob › half a tho');
  const [before, began] = [screen.frames.length, performance.now()];
  burst();
  await untilAcknowledged();
  await screen.shows(/number 5000\n/);
  const frames = screen.frames.length - before;
  // One in 33 ms at most, and two for each question whether the screen is right already.
  expect(frames).toBeLessThan((performance.now() - began) / 33 + 5);
  await screen.shows(/↑ 999\+ new above · Alt\+P/);
  expect(screen.messagesOf('bob')).toEqual(Array.from({ length: 18 }, (_, i) => `number ${4_983 + i}`));
  expect(screen.list).toEqual(['▸ bob 999+']);
  expect(screen.titles.at(-1)).toBe('(1) milena · alice');
  expect(screen.input).toBe(' bob › half a tho');
  screen.keys(KEY.alt('<'));
  await screen.shows(/│ +Today\n.*─ 5000 new ─.*\n.*bob {2}number 1\n.*bob {2}number 2\n/);
});

test('5,000 elsewhere: all acknowledged, counted, and none missing when it is opened', async () => {
  const before = screen.frames.length;
  const began = performance.now();
  burst();
  await untilAcknowledged();
  await screen.until(() => expect(screen.list).toEqual(['bob 999+']));
  expect(screen.frames.length - before).toBeLessThan((performance.now() - began) / 33 + 5);
  expect(screen.titles.filter((title) => title.startsWith('('))).toEqual(['(1) milena · alice']);
  screen.keys(KEY.alt('a'));
  await screen.shows(/│ +Today\n.*─ 5000 new ─.*\n.*bob {2}number 1\n/, /↓ 999\+ new below · Alt\+A/);
  screen.keys(KEY.alt('>'));
  await screen.shows(/number 5000\n/, /↑ 999\+ new above · Alt\+P/);
});

test('the bell rings once for a burst, and again when it was quiet for a while', () => {
  let written = '';
  const out = Object.create(process.stdout, {
    write: {
      value: (text: string) => {
        written += text;
        return true;
      },
    },
  }) as NodeJS.WriteStream;
  let now = 1_000_000;
  const { now: real } = performance;
  performance.now = () => now;
  try {
    const bell = new TerminalBell(out, true);
    for (let times = 0; times < 100; times++, now += 10) bell.ring('bob', 'hi');
    expect(written).toBe('\u0007');
    now += 2_000;
    bell.ring('bob', 'hi');
    expect(written).toBe('\u0007\u0007');
    written = '';
    new TerminalBell(out, false).ring('bob', 'hi');
    expect(written).toBe('');
    // A title only between the start and the end, which brings back the earlier one.
    bell.title('too early');
    bell.begin();
    bell.title('milena');
    bell.end();
    bell.end();
    bell.title('too late');
    expect(written).toBe('\u001b[22;2t\u001b]2;milena\u0007\u001b[23;2t');
  } finally {
    performance.now = real;
  }
});
