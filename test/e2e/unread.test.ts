/** What is read, what stays unread, and what tells of it: the built client in a real terminal, with a real server. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { History } from '../../src/terminal/history/history.ts';
import { inFull } from '../size.ts';
import {
  answerPassword,
  closeClients,
  openAs,
  openClient,
  openServerHere,
  ownFolder,
  person,
  removeFolders,
  type ServerHere,
  WIDE,
} from './client-terminal.ts';
import { Friend } from './friend.ts';
import { built } from './running-frontend.ts';

const NEXT_UNREAD = '\u001ba';
const ACTIVITY = '\u001bm';
let frontend: ServerHere;

beforeAll(async () => {
  await built();
  frontend = await openServerHere();
});

afterEach(closeClients);

afterAll(async () => {
  removeFolders();
  await frontend?.remove();
});

test('forty messages are read by screenfuls, and what was not in sight is unread after another start', async () => {
  const [anna, bert] = [person('anna'), person('bert')];
  const data = ownFolder();
  const { port } = frontend.address;
  const terminal = await openAs(anna, port, { size: WIDE, data });
  const friend = await Friend.create(bert, frontend.address);
  try {
    for (let count = 1; count <= 40; count++) friend.write(anna, `number ${count}`);
    await terminal.shows(new RegExp(`^ 1 ${bert} +40 │`, 'm'));
    terminal.type(`/who ${bert}\r`);
    await terminal.shows(new RegExp(`${bert} ● logged in, 40 unread`));
    terminal.type(NEXT_UNREAD);
    await terminal.shows(/─ 40 new ─/, /number 1$/m, /↓ (\d+) new below · Alt\+A$/m);
    const left = Number(/↓ (\d+) new below/.exec(terminal.text)?.[1]);
    expect(left).toBeGreaterThan(20);
    await terminal.shows(new RegExp(`^▸1 ${bert} +${left} │`, 'm'));
    await terminal.until(() => expect(terminal.state.title).toBe(`(1) milena · ${anna}`));
    terminal.type('/quit\r');
    await terminal.until(() => expect(terminal.exitCode).toBe(0));

    const again = openClient(port, { size: WIDE, data });
    await answerPassword(again);
    await again.shows(new RegExp(`^ 1 ${bert} +${left} │`, 'm'));
    again.type(NEXT_UNREAD);
    await again.shows(new RegExp(`─ ${left} new ─`), new RegExp(`number ${40 - left + 1}$`, 'm'));
    again.type(NEXT_UNREAD);
    await again.shows(/number 40$/m, new RegExp(`^▸1 ${bert} +│`, 'm'));
    await again.until(() => expect(again.state.title).toBe(`milena · ${anna}`));
    again.type(NEXT_UNREAD);
    await again.shows(/Nothing is unread\./);
  } finally {
    await friend.close();
  }
});

test('what concerns one rings, notifies the desktop, runs a command, and stands in one view', async () => {
  const [anna, bert] = [person('anna'), person('bert')];
  const data = ownFolder();
  const file = join(data, 'told');
  const notify = `sh -c "printf '%s,' \\"$1|$2\\" >> ${file}" sh {from} {text}`;
  const terminal = await openAs(anna, frontend.address.port, {
    size: WIDE,
    data,
    args: '--highlight db-3 --desktop osc777',
    env: { MILENA_NOTIFY: notify },
  });
  const friend = await Friend.create(bert, frontend.address);
  try {
    friend.write(anna, 'DB-3 is\n\u001b]0;owned\u0007 `down`');
    await terminal.shows(new RegExp(`^ 1 ${bert} +!1 │`, 'm'));
    await terminal.until(() => {
      expect(terminal.state.rings).toBe(1);
      expect(terminal.output).toContain(`\u001b]777;notify;${bert};DB-3 is ␛]0;owned␇ \`down\`\u0007`);
      expect(readFileSync(file, 'utf8')).toBe(`${bert}|DB-3 is ␛]0;owned␇ \`down\`,`);
    });
    await terminal.until(() => expect(terminal.state.title).toBe(`(1) milena · ${anna}`));
    terminal.type(ACTIVITY);
    await terminal.shows(
      /Activity: 1 unread \(●\), 1 with your name or words \(!\)/,
      /! \d\d:\d\d {2}bert.* DB-3 is/,
    );
    terminal.type('\r');
    await terminal.shows(new RegExp(`^▸1 ${bert} +│`, 'm'), /DB-3 is$/m);
    // Whoever looks at it is not rung for.
    friend.write(anna, 'and db-3 again');
    await terminal.shows(/and db-3 again$/m);
    expect(terminal.state.rings).toBe(1);
    expect(readFileSync(file, 'utf8').split(',')).toHaveLength(2);
  } finally {
    await friend.close();
  }
});

inFull(
  'while 30,000 messages are exported, keys are answered and the screen says how far it is',
  async () => {
    const anna = person('anna');
    const data = ownFolder();
    const { port } = frontend.address;
    const terminal = await openAs(anna, port, { size: WIDE, data });
    terminal.type('/quit\r');
    await terminal.until(() => expect(terminal.exitCode).toBe(0));
    const history = History.open({ directory: data, server: `127.0.0.1:${port}`, account: anna });
    const peer = { kind: 'user', name: 'bob' } as const;
    for (let count = 1; count <= 30_000; count++) {
      history.received({ peer, at: count, body: `message ${count} ${'word '.repeat(20)}`, key: null });
    }
    history.read(peer, 30_000);
    history.close();
    const again = openClient(port, { size: WIDE, data });
    await answerPassword(again);
    await again.shows(/Logged in as/);
    again.type('/msg bob\r');
    await again.shows(/message 30000/);
    const file = join(data, 'all.txt');
    again.type(`/export ${file}\rtyped meanwhile`);
    await again.until(() => {
      expect(again.output).toMatch(/writing \S+: [\d,]+ of 30,000 messages/);
      expect(again.output).toContain('typed meanwhile');
    });
    const [begun, over] = [again.output.indexOf('meanwhile'), again.output.indexOf('messages written to')];
    expect(over === -1 || begun < over).toBe(true);
    await again.shows(/30000 messages written to/, /^ bob › typed meanwhile$/m);
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(30_000);
  },
);

test('what comes while the terminal has lost the focus is unread until it is back', async () => {
  const [anna, bert] = [person('anna'), person('bert')];
  const terminal = await openAs(anna, frontend.address.port, { size: WIDE });
  const friend = await Friend.create(bert, frontend.address);
  try {
    terminal.type(`/msg ${bert}\r`);
    await terminal.shows(new RegExp(`^ ${bert} › *$`, 'm'));
    // As a terminal with focus events (mode 1004) says it.
    terminal.type('\u001b[O');
    friend.write(anna, 'are you there?');
    await terminal.shows(/─ 1 new ─/, /are you there\?$/m, new RegExp(`^▸1 ${bert} +1 │`, 'm'));
    await terminal.until(() => expect(terminal.state.rings).toBe(1));
    terminal.type('\u001b[I');
    await terminal.shows(new RegExp(`^▸1 ${bert} +│`, 'm'));
  } finally {
    await friend.close();
  }
});
