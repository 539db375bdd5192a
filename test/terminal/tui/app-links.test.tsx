/** The page of addresses, and keys to it, without anything that opens or copies. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { messageFrom, TestServer } from '../../client/test-server.ts';
import { KEY, TestScreen } from './test-screen.tsx';

let server: TestServer;
let screen: TestScreen;

beforeEach(async () => {
  server = await TestServer.listen();
  screen = new TestScreen(server.port);
  await screen.logIn();
  server.peer.send(messageFrom('bob', 1, 'http://one.example'));
  server.peer.send(messageFrom('bob', 2, 'http://two.example and http://three.example'));
  await screen.shows(/bob/);
});

afterEach(async () => {
  await screen.close();
  await server.close();
});

async function open(): Promise<void> {
  screen.keys('/msg bob', KEY.enter);
  await screen.shows(/bob {2}http:\/\/two/);
}

test('without an open conversation there are none', async () => {
  screen.keys(KEY.alt('o'));
  await screen.shows(/! Open a conversation first/);
});

test('they have the whole width, arrows choose, Escape goes back; what is written stays', async () => {
  await open();
  screen.keys('half a tho', KEY.alt('o'));
  await screen.shows(
    /^ 3 addresses, the newest first$/m,
    /^ {2}1 .*http:\/\/three/m,
    /^ {2}3 .*http:\/\/one/m,
  );
  expect(screen.text).not.toContain('│');
  expect(screen.rows.at(-1)).toBe(' ↑ ↓ choose · Enter copies · Esc back');
  for (const key of [KEY.down, KEY.down, KEY.down, KEY.pageDown, KEY.up]) screen.keys(key);
  screen.keys(KEY.enter);
  await screen.shows(/Nothing here opens addresses \(setting "open"\): http:\/\/two\.example/);
  await screen.inputIs(' bob › half a tho');
  screen.keys(KEY.alt('o'), KEY.escape);
  await screen.shows(/│/);
  await screen.inputIs(' bob › half a tho');
});

test.each([
  [80, 24],
  [40, 10],
  [20, 6],
])('fit %i columns and %i rows', async (columns, rows) => {
  await open();
  screen.resize(columns, rows);
  screen.keys(KEY.alt('o'));
  await screen.shows(/three/);
  expect(screen.rows).toHaveLength(rows);
  for (const row of screen.rows) expect(row.length).toBeLessThanOrEqual(columns);
});

test('a key for them does nothing while something is asked', async () => {
  await open();
  screen.keys('/forget', KEY.enter);
  await screen.shows(/^ forget bob\? › *$/m);
  screen.keys(KEY.alt('o'), KEY.alt('y'), KEY.alt('l'), 'no', KEY.enter);
  await screen.shows(/Nothing was done/);
  expect(screen.text).not.toMatch(/addresses|clipboard/);
});
