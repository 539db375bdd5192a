/** A room on three terminals, two of them one person's: the built client, with a real server. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  answerPassword,
  closeClients,
  openAs,
  openClient,
  openServerHere,
  person,
  removeFolders,
  type ServerHere,
  WIDE,
} from './client-terminal.ts';
import { built } from './running-frontend.ts';

let server: ServerHere;

beforeAll(async () => {
  await built();
  server = await openServerHere();
});

afterEach(closeClients);

afterAll(async () => {
  removeFolders();
  await server?.remove();
});

test('a room is the same on both devices of a person, and what is read on one is read on the other', async () => {
  const { port } = server.address;
  const [anna, bert] = [person('anna'), person('bert')];
  const desk = await openAs(anna, port);
  const other = await openAs(bert, port);
  const laptop = openClient(port, { user: anna, args: '--device laptop' });
  await answerPassword(laptop);
  await laptop.shows(new RegExp(`Logged in as ${anna}`));
  desk.type('/room create #ops\r');
  await desk.shows(/^ #ops › *$/m, /#ops is made, and yours/);
  other.type('/join #ops\r');
  await other.shows(/You are in #ops/);
  desk.type('/close\r');
  await desk.shows(/^ › *$/m);
  other.type('lunch?\r');
  await other.shows(/lunch\? +✓/);
  other.type(`${anna}: yours is cold\r`);
  for (const terminal of [desk, laptop]) await terminal.shows(/^ 1 #ops +!2 │/m);
  desk.type('/msg #ops\r');
  await desk.shows(/─ 2 new ─/, new RegExp(`${bert} +lunch\\?$`, 'm'), /yours is cold$/m);
  await desk.until(() => expect(desk.state.title).toBe(`milena · ${anna}`));
  await laptop.shows(/^ 1 #ops +│/m);
  await laptop.until(() => expect(laptop.state.title).toBe(`milena · ${anna}`));
  // What one says is one's own on both, and there once.
  desk.type('coming\r');
  await desk.shows(/me +coming +✓/);
  await other.shows(new RegExp(`${anna} +coming$`, 'm'));
  laptop.type('/msg #ops\r');
  await laptop.shows(/me +coming +✓/);
  laptop.type('/devices\r');
  await laptop.shows(/2 devices/, /\(main\) ● logged in/, /laptop ● logged in/);
  for (const terminal of [desk, laptop]) expect(terminal.text.match(/coming/g)).toHaveLength(1);
  desk.type('/room set invited\r');
  await desk.shows(/for who is invited/);
  desk.type(`/kick ${bert}\r`);
  await desk.shows(new RegExp(`${bert} is neither in #ops nor invited now`));
  other.type('am I in?\r');
  await other.shows(/✗ not sent/, /#ops +left/);
  other.type('/join #ops\r');
  await other.shows(/invite/);
  desk.type(`/invite ${bert}\r`);
  await desk.shows(new RegExp(`${bert} may join #ops`));
  other.type('\u0015/join #ops\r');
  await other.shows(/You are in #ops/, /^▸1 #ops +│/m);
  desk.type(`/room owner ${bert}\r`);
  await desk.shows(new RegExp(`#ops is ${bert}'s now`));
  desk.type('/members\r');
  await desk.shows(/2 people in #ops/);
}, 120_000);

test('what somebody calls a room about acts on nobody’s terminal', async () => {
  const { port } = server.address;
  const anna = await openAs(person('anna'), port, { size: WIDE });
  anna.type('/room create #tea\r');
  await anna.shows(/^ #tea › *$/m);
  anna.type('/room set about tea \u202e for two\r');
  await anna.shows(/#tea: tea for two \(yours, 1 person, open to/);
  anna.type('/room list te*\r');
  await anna.shows(/1 room:/, /● #tea \(1 person\) tea for two/);
});
