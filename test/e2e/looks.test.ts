/** What the screen looks like in terminals of other kinds: light ones, the console, those that know links. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { agreeable, messageFrom, Peer } from '../client/test-server.ts';
import { inFull } from '../size.ts';
import { HostileServer } from '../terminal/cli/hostile-server.ts';
import { closeClients, openClient, removeFolders } from './client-terminal.ts';
import { built } from './running-frontend.ts';
import type { TestTerminal } from './terminal.ts';

const URL_TEXT =
  'https://example.org/a/path/that/goes/on/and/on/until/no/row/of/this/screen/can/hold/it?all=of';
let server: HostileServer | undefined;

beforeAll(built);
afterEach(async () => {
  closeClients();
  await server?.close();
});
afterAll(removeFolders);

/** The chat of somebody to whom bob has written. @param options `ahead`: what the terminal says before it is asked */
async function opened({
  ahead = '',
  ...options
}: Parameters<typeof openClient>[1] & { readonly ahead?: string }): Promise<TestTerminal> {
  server = await HostileServer.listen({
    answers: (request, socket) => {
      const peer = new Peer(socket);
      if (request.type === 'login') {
        setImmediate(() => peer.send(messageFrom('bob', 1, `look at ${URL_TEXT} today ✓`)));
      }
      return agreeable(request, peer) ?? 'nothing';
    },
  });
  const terminal = openClient(server.port, { ...options, user: 'alice' });
  terminal.send(ahead);
  await terminal.shows(/password of alice/);
  terminal.type('secret\r');
  await terminal.shows(/bob/);
  terminal.type('/msg bob\r');
  await terminal.shows(/look at/);
  return terminal;
}

test('an address is one link, over all of its rows', async () => {
  const terminal = await opened({ args: '--links' });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  const pieces = [...terminal.output.matchAll(/\u001b\]8;([^;]*);([^\u001b\u0007]+)(?:\u001b\\|\u0007)/g)];
  expect(pieces.length).toBeGreaterThan(1);
  expect(new Set(pieces.map(([, , url]) => url))).toEqual(new Set([URL_TEXT]));
  expect(terminal.text).not.toContain(']8;');
  expect(terminal.text.replace(/[\s│]/g, '')).toContain(URL_TEXT.slice(0, 30));
});

inFull('no links are made where the terminal is not known to have them', async () => {
  const terminal = await opened({ env: { TERM_PROGRAM: '', VTE_VERSION: '', KITTY_WINDOW_ID: '' } });
  expect(terminal.output).not.toContain('\u001b]8;');
});

test('on the console our own signs are ASCII, and nobody else’s', async () => {
  const terminal = await opened({ name: 'linux' });
  await terminal.shows(/\* online/);
  const ours = terminal.text.replaceAll('today ✓', 'today');
  expect(ours).toMatch(/^[ -~\n]*$/);
  expect(terminal.text).toContain('✓');
  terminal.type('/help\r');
  await terminal.shows(/What you can type/, /\/help keys: all/);
  expect(terminal.text).toMatch(/^[ -~\n]*$/);
  // Also those that stood for the password.
  expect(terminal.output).not.toContain('•');
});

/** LIGHT's and DARK's grey (theme.ts). */
const GREY = { light: '38;2;98;98;98', dark: '38;2;158;158;158' };

test('the theme follows the background that the terminal says it has, however late', async () => {
  const terminal = await opened({ env: { COLORTERM: 'truecolor', FORCE_COLOR: '3', COLORFGBG: '' } });
  expect(terminal.output).toContain('\u001b]11;?\u001b\\');
  expect(terminal.output).toContain(GREY.dark);
  expect(terminal.output).not.toContain(GREY.light);
  // This emulator has no colours of its own to tell of.
  terminal.type('\u001b]11;rgb:ffff/ffff/ffff\u001b\\');
  await terminal.until(() => expect(terminal.output).toContain(GREY.light));
  expect(terminal.text).toMatch(/look at/);
  expect(terminal.text).not.toContain('rgb');
});

inFull('an answer that has come by then is in the first frame', async () => {
  const terminal = await opened({
    env: { COLORTERM: 'truecolor', FORCE_COLOR: '3', COLORFGBG: '' },
    ahead: '\u001b]11;rgb:ffff/ffff/ffff\u001b\\',
  });
  expect(terminal.output).toContain(GREY.light);
  expect(terminal.output).not.toContain(GREY.dark);
});
