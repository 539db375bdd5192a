/** New passwords: what is too easy to guess is told before it is typed again. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestServer } from '../../client/test-server.ts';
import { KEY, TestScreen } from './test-screen.tsx';

let server: TestServer;
let screen: TestScreen;

beforeEach(async () => {
  server = await TestServer.listen();
  screen = new TestScreen(server.port);
});

afterEach(async () => {
  await screen.close();
  await server.close();
});

async function atCreate(): Promise<void> {
  await screen.shows(/● online/);
  screen.keys('/create alice', KEY.enter);
  await screen.inputIs(' password for alice ›');
}

test.each([80, 40])(
  'how long it has to be stands there before it is typed, at %d columns',
  async (columns) => {
    screen.resize(columns, 24);
    await screen.shows(/● online/);
    screen.keys('/create alice', KEY.enter);
    await screen.shows(/^ password for al.* › *$/m);
    expect(screen.rows.at(-1)).toMatch(/^ usually 8 characters or more/);
    screen.keys('bluehorse', KEY.enter);
    await screen.inputIs(' the same again ›');
    screen.keys('bluehorse', KEY.enter);
    await screen.shows(/Account alice is made/);
    screen.keys('/passwd', KEY.enter, 'secret', KEY.enter);
    await screen.inputIs(' new password ›');
    expect(screen.rows.at(-1)).toMatch(/^ usually 8 characters or more/);
  },
);

test.each([
  ['short', /! A password needs at least 8 characters\./],
  ['passw0rd', /! That password is one of those that are tried first/],
  ['alice-alice', /! A password must be something else than the username/],
])('%j is refused at once, and another one taken', async (weak, why) => {
  await atCreate();
  screen.keys(weak, KEY.enter);
  await screen.shows(why, /^ password for alice › *$/m);
  expect(screen.text).not.toContain('the same again');
  expect(server.asked('create')).toEqual([]);
  screen.keys('bluehorse', KEY.enter);
  await screen.inputIs(' the same again ›');
  screen.keys('bluehorse', KEY.enter);
  await screen.shows(/Account alice is made/);
  expect(server.asked('create')).toMatchObject([{ password: 'bluehorse' }]);
});

test('the server has the last word: the same once more is sent, and was typed twice then', async () => {
  await atCreate();
  screen.keys('short', KEY.enter);
  await screen.shows(/The same once more leaves it to the server/, /^ password for alice › *$/m);
  screen.keys('short', KEY.enter);
  await screen.shows(/Account alice is made/);
  expect(server.asked('create')).toMatchObject([{ password: 'short' }]);
});

test('a new password is looked at with the name of its account', async () => {
  await screen.logIn();
  screen.keys('/passwd', KEY.enter, 'secret', KEY.enter);
  await screen.inputIs(' new password ›');
  screen.keys('alicealice', KEY.enter);
  await screen.shows(/! A password must be something else than the username/, /^ new password › *$/m);
  screen.keys('bluehorse', KEY.enter, 'bluehorse', KEY.enter);
  await screen.shows(/The password is changed/);
});

test('nothing of a refused one is seen', async () => {
  await atCreate();
  screen.keys('hünt', KEY.enter);
  await screen.shows(/at least 8 characters/);
  screen.keys(KEY.escape);
  await screen.shows(/Nothing was done/);
  expect(screen.frames.join('\n')).not.toContain('hünt');
  expect(JSON.stringify(screen.chat.screen)).not.toContain('hünt');
});
