/** The chat as one of an account's devices, on a screen without a terminal. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ServerFrame } from '../../../src/protocol/v2/replies.ts';
import {
  agreeable,
  type Behaviour,
  idOf,
  messageFrom,
  TestServer,
  WELCOME,
} from '../../client/test-server.ts';
import { KEY, TestScreen } from './test-screen.tsx';

let server: TestServer;
let screen: TestScreen;

const behave: Behaviour = (request, peer) => {
  if (request.type === 'hello') return { ...WELCOME, features: ['devices'] } as ServerFrame;
  if (request.type === 'mark-read') return { type: 'marked' };
  if (request.type === 'forget-device') return { type: 'device-forgotten', device: request.device };
  if (request.type !== 'devices') return agreeable(request, peer);
  return {
    type: 'devices-listed',
    devices: [
      { loggedIn: true, waiting: 0 },
      { device: 'phone', loggedIn: false, lastLogin: Date.UTC(2026, 10, 21, 12), waiting: 3 },
    ],
  };
};

beforeEach(async () => {
  server = await TestServer.listen();
  server.behave = behave;
});

afterEach(async () => {
  await screen.close();
  await server.close();
});

async function openAs(device?: string): Promise<void> {
  const own = device === undefined ? {} : { device };
  screen = new TestScreen(server.port, {
    client: { elsewhere: true, ...own },
    account: { device: device ?? null },
  });
  await screen.logIn();
}

const SENT = {
  type: 'sent-elsewhere',
  seq: 2,
  id: idOf('from the phone'),
  to: 'bob',
  toIncarnation: idOf('incarnation of bob'),
  body: 'on my way',
  sentAt: Date.now(),
  device: 'phone',
} as const satisfies ServerFrame;

test('what another device sends is one’s own, once, and what it has read is read here', async () => {
  await openAs();
  screen.keys('/msg carol', KEY.enter);
  server.peer.send(
    messageFrom('bob', 1, 'where are you?'),
    SENT,
    { ...SENT, seq: 3 },
    messageFrom('bob', 4, 'ok'),
  );
  await screen.until(() => expect(screen.list).toEqual(['bob 2']));
  server.peer.send({ type: 'read-elsewhere', seq: 5, conversation: 'bob', upTo: 1, device: 'phone' });
  await screen.until(() => expect(screen.list).toEqual(['bob 1']));
  expect(screen.titles.at(-1)).toBe('(1) milena · alice');
  server.peer.send({ type: 'read-elsewhere', seq: 6, conversation: 'bob', upTo: 4, device: 'phone' });
  await screen.until(() => expect(screen.list).toEqual(['bob']));
  expect(screen.titles.at(-1)).toBe('milena · alice');
  screen.keys('/msg bob', KEY.enter);
  await screen.shows(/bob {2}where are you\?\n.*me {3}on my way +✓\n.*bob {2}ok\n/);
  // It was told by the one that read it.
  expect(server.asked('mark-read')).toEqual([]);
});

test('what is read here the others are told: the last of it, and after another login what they were not', async () => {
  await openAs();
  server.peer.send(messageFrom('bob', 7, 'one'), messageFrom('bob', 9, 'two'));
  await screen.until(() => expect(screen.list).toEqual(['bob 2']));
  screen.keys('/msg bob', KEY.enter);
  const mark = { type: 'mark-read', conversation: 'bob', upTo: 9 };
  await screen.until(() => expect(server.asked('mark-read')).toEqual([mark]));
  server.behave = (request, peer) => (request.type === 'mark-read' ? null : behave(request, peer));
  server.peer.send(messageFrom('bob', 12, 'three'));
  await screen.until(() => expect(server.asked('mark-read')).toEqual([mark, { ...mark, upTo: 12 }]));
  // No answer: nobody knows whether it was heard.
  server.behave = behave;
  server.peer.socket.destroy();
  await screen.until(() =>
    expect(server.asked('mark-read')).toEqual([mark, { ...mark, upTo: 12 }, { ...mark, upTo: 12 }]),
  );
});

test('/devices says which there are, and one is forgotten after a yes', async () => {
  await openAs('laptop');
  expect(server.asked('login')).toMatchObject([{ username: 'alice', device: 'laptop' }]);
  screen.keys('/devices', KEY.enter);
  await screen.shows(
    /2 devices\n.*\(main\) ● logged in, 0 undelivered\n.*phone ○ away since 2026-11-21, 3 undelivered/,
  );
  screen.keys('/devices forget phone', KEY.enter);
  await screen.shows(/forget phone\? ›/);
  screen.keys('no', KEY.enter);
  await screen.shows(/phone is kept\./);
  expect(server.asked('forget-device')).toEqual([]);
  screen.keys('/devices forget phone', KEY.enter, 'yes', KEY.enter);
  await screen.shows(/phone is no device any more/);
  expect(server.asked('forget-device')).toEqual([{ type: 'forget-device', device: 'phone' }]);
  screen.keys('/devices lose phone', KEY.enter);
  await screen.shows(/Usage: \/devices \[forget NAME\]/);
});

test('an account that is made as a device is entered as that one', async () => {
  screen = new TestScreen(server.port, { client: { device: 'laptop' }, account: { device: 'laptop' } });
  await screen.shows(/ your name › *$/m, /● online/);
  screen.keys('/create dora', KEY.enter, 'correct horse', KEY.enter, 'correct horse', KEY.enter);
  await screen.shows(/Logged in as dora/);
  expect(server.asked('create')).toHaveLength(1);
  expect(server.asked('login')).toMatchObject([
    { username: 'dora', password: 'correct horse', device: 'laptop' },
  ]);
});
