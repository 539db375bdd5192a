/**
 * A play for two people in two pseudo-terminals, and a third: real frontends behind one door, a real Kafka. Both whole
 * screens are looked at after each step.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  answerPassword,
  closeClients,
  create,
  openClient,
  ownFolder,
  PASSWORD,
  person,
  removeFolders,
  screenOf,
  startFrontend,
} from './client-terminal.ts';
import { Door } from './door.ts';
import { type FrontendHere, openFrontendHere } from './frontend-here.ts';
import { built, type RunningFrontend } from './running-frontend.ts';
import type { TestTerminal } from './terminal.ts';

/** Narrow, so that there is no list; high, so that nothing that was said is out of sight. */
const SIZE = { columns: 60, rows: 40 };
const HINT = ' Enter send · Alt+Enter newline · Alt+A next unread';
const OFFLINE_HINT = ' Trying again by itself · what you send waits (⧖) · /help';
const LOGIN_HINT = ' /login NAME · /create NAME · /help · /quit';
const NEXT_UNREAD = '\u001ba';
const TAKE_BACK = '\u001br';
let north: RunningFrontend;
let south: FrontendHere;
let door: Door;
let names: string[];

beforeAll(async () => {
  await built();
  [north, south] = await Promise.all([startFrontend(), openFrontendHere()]);
  door = await Door.open(north.address);
});

afterAll(async () => {
  closeClients();
  door?.shut();
  await Promise.all([north?.remove(), south?.remove()]);
  removeFolders();
});

/** Left and right ends of a row. */
function ends(left: string, right: string): string {
  return left + right.padStart(59 - left.length);
}

const come = (who: string, text: string) => ` hh:mm  ${who}······  ${text}`;
const said = (text: string, tick: string) => ends(` hh:mm  me         ${text}`, tick);
const told = (first: string, ...more: readonly string[]) => [` hh:mm  ·  ${first}`, ...more.map(under)];
const failed = (first: string, ...more: readonly string[]) => [` hh:mm  !  ${first}`, ...more.map(under)];
const under = (text: string) => `           ${text}`;
const TODAY = ends('', 'Today');
const fresh = (count: number) => ` ${'─'.repeat(25)} ${count} new ${'─'.repeat(25)}`;
const CONNECTED = told('Connected to 127.0.0.1:PPPPP.');
const CONNECTED_AGAIN = told('Connected again.');
const REFUSED = failed(
  'No connection to 127.0.0.1:PPPPP: nobody listens',
  'there. Trying again until it works.',
);
const LOST = failed(
  'The connection to 127.0.0.1:PPPPP is lost: the',
  'connection was reset. Trying again until it',
  'works.',
);

const CLOSED = failed(
  'The connection to 127.0.0.1:PPPPP is lost: the',
  'server closed the connection. Trying again until',
  'it works.',
);
const REPLACED = failed(
  'Your login has ended: the account was logged in',
  'to elsewhere. You are logged out here. /login',
  'ann······ takes it back.',
);

interface Scene {
  readonly header: string;
  readonly top?: readonly string[];
  readonly pane: readonly string[];
  readonly input: string;
  readonly hint?: string;
}

/** Waits until every row is what it has to be. */
async function sees(terminal: TestTerminal, scene: Scene): Promise<void> {
  const { header, top = [], pane, input, hint = HINT } = scene;
  const rule = '─'.repeat(60);
  const blank = Array<string>(35 - top.length - pane.length).fill('');
  const rows = [header, rule, ...top, ...blank, ...pane, rule, input, hint];
  await terminal.until(() =>
    expect(screenOf(terminal, ...names).map((row) => row.replace('◌ connecting', '○ no connection'))).toEqual(
      rows,
    ),
  );
}

test('a conversation over a lost connection, a takeover, a night away and a dead frontend', async () => {
  names = [person('ann'), person('ben')];
  const [ann = '', ben = ''] = names;
  const data = { ann: ownFolder(), ben: ownFolder() };
  const open = (who: 'ann' | 'ben') => openClient(door.port, { size: SIZE, data: data[who] });
  const annOnline = ends(' milena · ann······  127.0.0.1:PPPPP', '● online');
  const benOnline = annOnline.replace('ann', 'ben');
  const annAway = ends(' milena · ann······, not logged in', '○ no connection');
  const [toAnn, toBen] = [' ann······ ›', ' ben······ ›'];

  const left = open('ann');
  let right = open('ben');
  await Promise.all([create(left, ann), create(right, ben)]);

  // They meet.
  left.type(`/msg ${ben}\r`);
  await left.shows(/Nothing said yet/);
  left.type('are we still on for lunch?\r');
  await right.shows(/1 conversation unread/);
  right.type(NEXT_UNREAD);
  const annSaid = [said('are we still on for lunch?', '✓✓')];
  const benRead = [come('ann', 'are we still on for lunch?')];
  await sees(right, { header: benOnline, pane: [TODAY, fresh(1), ...benRead], input: toAnn });
  await sees(left, { header: annOnline, pane: [TODAY, ...annSaid], input: toBen });

  // The connection is lost. What they write then waits, and goes by itself.
  door.shut();
  await left.shows(/nobody\s+listens/);
  await right.shows(/nobody\s+listens/);
  left.type('where?\rhalf a tho');
  right.type('of course\r');
  annSaid.push(...LOST, ...REFUSED);
  benRead.push(...LOST, ...REFUSED);
  const away = { header: annAway, hint: OFFLINE_HINT };
  await sees(left, { ...away, pane: [TODAY, ...annSaid, said('where?', '⧖')], input: `${toBen} half a tho` });
  await sees(right, {
    ...away,
    header: annAway.replace('ann', 'ben'),
    pane: [TODAY, ...benRead, said('of course', '⧖')],
    input: toAnn,
  });
  await door.listen();
  await left.shows(/where\? +✓✓$/m, / {2}of course$/m);
  await right.shows(/of course +✓✓$/m, / {2}where\?$/m);
  const again = (who: string) => [...CONNECTED_AGAIN, ...told(`Logged in again as ${who}······.`)];
  annSaid.push(said('where?', '✓✓'), ...again('ann'), come('ben', 'of course'));
  benRead.push(said('of course', '✓✓'), ...again('ben'), come('ann', 'where?'));
  await sees(left, { header: annOnline, pane: [TODAY, ...annSaid], input: `${toBen} half a tho` });
  await sees(right, { header: benOnline, pane: [TODAY, ...benRead], input: toAnn });

  // Ann sits down elsewhere, takes over, and comes back.
  const third = openClient(door.port, { size: SIZE, user: ann });
  await answerPassword(third);
  await third.shows(/^ take over\? › *$/m);
  third.type('yes\r');
  await third.shows(/Logged in as/);
  annSaid.push(...REPLACED);
  await left.shows(/takes it back/, /● online/);
  await sees(left, {
    header: ends(' milena · not logged in  127.0.0.1:PPPPP', '● online'),
    pane: [TODAY, ...annSaid],
    input: ' › half a tho',
    hint: LOGIN_HINT,
  });
  third.type(`/msg ${ben} at my desk now\r`);
  await third.shows(/at my desk now +✓✓$/m);
  benRead.push(come('ann', 'at my desk now'));
  await sees(right, { header: benOnline, pane: [TODAY, ...benRead], input: toAnn });
  left.type(TAKE_BACK);
  await left.shows(/^ password of/m);
  left.type(`${PASSWORD}\r`);
  annSaid.push(...told('Logged in as ann······.'));
  await sees(left, { header: annOnline, pane: [TODAY, ...annSaid], input: `${toBen} half a tho` });
  await sees(third, {
    header: ends(' milena · not logged in  127.0.0.1:PPPPP', '● online'),
    pane: [TODAY, said('at my desk now', '✓✓'), ...REPLACED],
    input: ' ›',
    hint: LOGIN_HINT,
  });

  // Ben goes home; what ann says meanwhile waits for him, and is shown once.
  right.type('/quit\r');
  await right.until(() => expect(right.exitCode).toBe(0));
  left.type('ught\r');
  await left.shows(/half a thought +✓$/m);
  left.type('and the whole one\r');
  await left.shows(/and the whole one +✓$/m);
  annSaid.push(said('half a thought', '✓'), said('and the whole one', '✓'));
  await sees(left, { header: annOnline, pane: [TODAY, ...annSaid], input: toBen });
  door.target = south.address;
  right = open('ben');
  await answerPassword(right);
  const unread = ends(' milena · ben······', '1 conversation unread   ● online');
  await sees(right, {
    header: unread,
    top: ['', ' Alt+A opens the next unread conversation, Ctrl+B the list,', ' /msg NAME any other.'],
    pane: [...CONNECTED, ...told('Logged in as ben······. 2 messages waited for', 'you.')],
    input: ' ›',
    hint: ' /msg NAME · /list · Ctrl+B list · /help',
  });
  right.type(NEXT_UNREAD);
  const whatBenHas = [
    TODAY,
    come('ann', 'are we still on for lunch?'),
    said('of course', '✓✓'),
    come('ann', 'where?'),
    come('ann', 'at my desk now'),
    fresh(2),
    come('ann', 'half a thought'),
    come('ann', 'and the whole one'),
  ];
  await sees(right, { header: benOnline, pane: whatBenHas, input: toAnn });
  const settled = annSaid.map((row) => row.replace(/ ✓$/, '✓✓'));
  await sees(left, { header: annOnline, pane: [TODAY, ...settled], input: toBen });

  // Ann's frontend dies in the middle; what she wrote goes through the other one.
  door.refuse();
  await north.kill('SIGKILL');
  await left.shows(/nobody\s+listens[\s\S]*nobody\s+listens/);
  left.type('are you still there?\r');
  // The system that cleans up after it ends the connection, or resets it if something was not read.
  settled.push(...(left.text.match(/was reset/g)?.length === 2 ? LOST : CLOSED), ...REFUSED);
  const question = (tick: string) => said('are you still there?', tick);
  await sees(left, { ...away, pane: [TODAY, ...settled, question('⧖')], input: toBen });
  await sees(right, { header: benOnline, pane: whatBenHas, input: toAnn });
  await door.listen();
  await sees(left, {
    header: annOnline,
    pane: [TODAY, ...settled, question('✓✓'), ...again('ann')],
    input: toBen,
  });
  const all = [...whatBenHas, come('ann', 'are you still there?')];
  await sees(right, { header: benOnline, pane: all, input: toAnn });
  right.type('more than ever\r');
  const rest = all.filter((row) => row !== fresh(2));
  await sees(right, { header: benOnline, pane: [...rest, said('more than ever', '✓✓')], input: toAnn });
}, 180_000);
