/** Keys: through conversations and what was said, and around the line that is written. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agreeable, messageFrom, TestServer } from '../../client/test-server.ts';
import { KEY, type ScreenOptions, TestScreen } from './test-screen.tsx';

let server: TestServer;
let screen: TestScreen;

async function openLoggedIn(options: ScreenOptions = {}): Promise<void> {
  screen = new TestScreen(server.port, options);
  await screen.logIn();
}

/** With a message from each of them, the last one's the newest. */
async function openWith(...names: readonly string[]): Promise<void> {
  await openLoggedIn();
  server.peer.send(...names.map((name, index) => messageFrom(name, index + 1, `I am ${name}`)));
  await screen.until(() => expect(screen.list).toHaveLength(names.length));
}

/** The bodies of messages that the server got. */
function sent(): string[] {
  return server.asked('send').map(({ body }) => body);
}

beforeEach(async () => {
  server = await TestServer.listen();
});

afterEach(async () => {
  await screen.close();
  await server.close();
});

describe('the screen', () => {
  test('fills the terminal exactly: header, rules, messages, input, hint', async () => {
    await openLoggedIn();
    expect(screen.rows).toHaveLength(24);
    expect(screen.rows[0]).toMatch(new RegExp(`^ milena · alice {2}127.0.0.1:${server.port} +● online$`));
    expect(screen.rows[0]).toHaveLength(79);
    expect(screen.rows[1]).toMatch(/^─+┬─+$/);
    expect(screen.rows[1]).toHaveLength(80);
    expect(screen.rows[21]).toBe(screen.rows[1]?.replace('┬', '┴'));
    expect(screen.rows.slice(-2)).toEqual([' ›', ' /msg NAME · /list · Ctrl+B list · /help']);
  });

  test('follows the size of the terminal, says when it is too small, and keeps what is written', async () => {
    await openLoggedIn();
    screen.keys('/msg bob', KEY.enter, 'half a tho');
    for (const [columns, rows] of [
      [60, 20],
      [120, 40],
      [21, 6],
    ] as const) {
      screen.resize(columns, rows);
      await screen.until(() => {
        expect(screen.rows).toHaveLength(rows);
        expect(screen.rows.every((row) => row.length <= columns)).toBe(true);
        expect(screen.input).toBe(' bob › half a tho');
      });
    }
    screen.resize(19, 5);
    await screen.shows(/^19x5: needs 20x6/);
    screen.keys('ught');
    screen.resize(80, 24);
    await screen.inputIs(' bob › half a thought');
  });
});

describe('through what was said', () => {
  beforeEach(async () => {
    await openLoggedIn();
    for (let count = 1; count <= 100; count++) server.peer.send(messageFrom('bob', count, `number ${count}`));
    await screen.until(() => expect(server.asked('ack').at(-1)).toEqual({ type: 'ack', upTo: 100 }));
    screen.keys('/msg bob', KEY.enter, '/read', KEY.enter);
    await screen.shows(/number 100\n/);
  });

  const numbers = () => screen.messagesOf('bob').map((text) => Number(text.replace('number ', '')));
  const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

  test('PageUp and PageDown leave one row in sight, and end where there is no more', async () => {
    expect(numbers()).toEqual(range(82, 100));
    screen.keys(KEY.pageUp);
    await screen.until(() => expect(numbers()).toEqual(range(66, 83)));
    screen.keys(KEY.pageUp);
    await screen.until(() => expect(numbers()).toEqual(range(49, 66)));
    screen.keys(KEY.pageDown);
    await screen.until(() => expect(numbers()).toEqual(range(66, 83)));
    for (let times = 0; times < 9; times++) screen.keys(KEY.pageUp);
    await screen.until(() => expect(numbers()[0]).toBe(1));
    expect(screen.text).toMatch(/│ +Today\n/);
    for (let times = 0; times < 9; times++) screen.keys(KEY.pageDown);
    await screen.until(() => expect(numbers()).toEqual(range(82, 100)));
    expect(screen.text).not.toMatch(/below/);
  });

  test('Alt+< goes to its start, Alt+> to its end, and something said, too', async () => {
    screen.keys(KEY.alt('<'));
    await screen.until(() => expect(numbers()[0]).toBe(1));
    expect(screen.text).toMatch(/↓ more below/);
    screen.keys(KEY.alt('>'));
    await screen.until(() => expect(numbers()).toEqual(range(82, 100)));
    screen.keys(KEY.alt('<'));
    await screen.until(() => expect(numbers()[0]).toBe(1));
    screen.keys('hello', KEY.enter);
    await screen.shows(/me {3}hello +✓$/m);
    expect(screen.text).not.toMatch(/below/);
  });
});

describe('through conversations', () => {
  test('Alt+↓ and Alt+↑ go along the list, Alt+1 … 9 to a place in it', async () => {
    await openWith('bob', 'carol', 'dave');
    expect(screen.list.map((row) => row.split(' ')[0])).toEqual(['dave', 'carol', 'bob']);
    screen.keys(KEY.altDown);
    await screen.inputIs(' dave ›');
    screen.keys(KEY.altDown);
    await screen.inputIs(' carol ›');
    screen.keys(KEY.altUp, KEY.altUp, KEY.altUp);
    await screen.inputIs(' dave ›');
    screen.keys(KEY.alt('3'));
    await screen.inputIs(' bob ›');
    await screen.shows(/│ \d\d:\d\d {2}bob {2}I am bob$/m);
    screen.keys(KEY.alt('9'), KEY.altDown, '!');
    await screen.inputIs(' bob › !');
  });

  test('Alt+A goes to the oldest unread one, then to the next, muted ones last', async () => {
    await openWith('bob', 'carol', 'dave');
    screen.keys('/msg bob', KEY.enter, '/mute', KEY.enter, '/msg erin', KEY.enter);
    server.peer.send(messageFrom('bob', 4, 'again'));
    await screen.shows(/^ [\d ] bob +mute 1 │/m);
    screen.keys(KEY.alt('a'));
    await screen.inputIs(' carol ›');
    screen.keys('/next', KEY.enter);
    await screen.inputIs(' dave ›');
    screen.keys(KEY.alt('a'));
    await screen.inputIs(' bob ›');
    screen.keys(KEY.alt('a'));
    await screen.shows(/· Nothing is unread\./);
  });

  test('Ctrl+B gives the keys to the list: choose, open, or go back', async () => {
    await openWith('bob', 'carol', 'dave');
    screen.keys(KEY.ctrl('b'));
    await screen.shows(/^ ↑ ↓ choose · Enter opens · Esc back$/m);
    screen.keys(KEY.down, KEY.down, KEY.down, KEY.up, KEY.enter);
    await screen.inputIs(' carol ›');
    screen.keys('half', KEY.ctrl('b'), KEY.down, KEY.escape);
    await screen.shows(/^ Enter send · /m);
    await screen.inputIs(' carol › half');
    // A letter is meant for the line.
    screen.keys(KEY.ctrl('b'), KEY.up, ' a tho');
    await screen.inputIs(' carol › half a tho');
    await screen.shows(/^ Enter send · /m);
  });

  test('Ctrl+B shows the list where it is folded away', async () => {
    await openWith('bob', 'carol');
    screen.resize(60, 20);
    await screen.until(() => {
      expect(screen.rows).toHaveLength(20);
      expect(screen.text).not.toMatch(/│/);
    });
    screen.keys(KEY.ctrl('b'));
    await screen.until(() =>
      expect(screen.rows.slice(2, 5)).toEqual([
        expect.stringMatching(/^ 1 carol +\d\d:\d\d 1$/),
        expect.stringMatching(/^ 2 bob +\d\d:\d\d 1$/),
        '',
      ]),
    );
    screen.keys(KEY.down, KEY.enter);
    await screen.shows(/^ \d\d:\d\d {2}bob {2}I am bob$/m);
  });
});

describe('what is written stays', () => {
  test('with its conversation', async () => {
    await openWith('bob', 'carol');
    screen.keys('/msg b');
    await screen.inputIs(' › /msg b');
    screen.keys(KEY.alt('2'));
    await screen.inputIs(' bob ›');
    screen.keys('for bob', KEY.altUp);
    await screen.inputIs(' carol ›');
    screen.keys('for carol', KEY.alt('2'));
    await screen.inputIs(' bob › for bob');
    screen.keys('\r', KEY.alt('1'));
    await screen.inputIs(' carol › for carol');
    expect(sent()).toEqual(['for bob']);
    // What was written without a conversation is there without one.
    screen.keys(KEY.ctrl('u'), '/logout', KEY.enter);
    await screen.inputIs(' › /msg b');
  });

  test('over a question, also when another conversation is opened meanwhile', async () => {
    await openWith('bob', 'carol');
    screen.keys(KEY.alt('1'), 'for carol', KEY.alt('2'), 'for bob', KEY.ctrl('a'));
    await screen.inputIs(' bob › for bob');
    screen.keys('/forget ', KEY.ctrl('k'), KEY.enter);
    await screen.inputIs(' forget bob? ›');
    screen.keys(KEY.escape);
    await screen.inputIs(' bob ›');
    screen.keys(KEY.ctrl('y'), KEY.alt('1'), '!');
    await screen.inputIs(' carol › for carol!');
    screen.keys(KEY.alt('2'));
    await screen.inputIs(' bob › for bob');
    screen.keys(KEY.ctrl('u'), '/passwd', KEY.enter, 'secr', KEY.alt('1'), 'et');
    await screen.inputIs(' old password › ••••••');
    screen.keys(KEY.escape);
    await screen.inputIs(' carol › for carol!');
    screen.keys(KEY.alt('2'));
    await screen.inputIs(' bob ›');
  });

  test('over a lost connection', async () => {
    await openLoggedIn();
    screen.keys('/msg bob', KEY.enter, 'half a tho');
    const { port } = server;
    await server.close();
    await screen.shows(/is lost/);
    await screen.inputIs(' bob › half a tho');
    server = await TestServer.listen(port);
    await screen.shows(/Logged in again/);
    await screen.inputIs(' bob › half a tho');
  });

  test('after a command that could not be done, unless something else is written by then', async () => {
    await openLoggedIn();
    screen.keys('/mgs bob hi', KEY.enter);
    await screen.shows(/! There is no command \/mgs\./);
    await screen.inputIs(' › /mgs bob hi');
    screen.keys(KEY.ctrl('u'), '/who', KEY.enter, 'more');
    await screen.shows(/! About whom\?/);
    await screen.inputIs(' › more');
    screen.keys(KEY.ctrl('u'), KEY.up);
    await screen.inputIs(' › /who');
    expect(server.asked('status')).toEqual([]);
  });
});

describe('the line', () => {
  beforeEach(async () => {
    await openLoggedIn();
    screen.keys('/msg bob', KEY.enter);
    await screen.inputIs(' bob ›');
  });

  test('of several lines: Alt+Enter and Ctrl+J begin another, Enter sends all', async () => {
    screen.keys('one', KEY.altEnter, 'two', '\n', 'three');
    await screen.until(() =>
      expect(screen.rows.slice(-4, -1)).toEqual([' bob › one', '       two', '       three']),
    );
    screen.keys(KEY.up, '!', KEY.enter);
    await screen.until(() => expect(sent()).toEqual(['one\ntwo!\nthree']));
    await screen.shows(/me {3}one\n.*│ {13}two!\n.*│ {13}three +✓$/m);
  });

  test('a paste of many lines is one message, and sends nothing by itself', async () => {
    screen.paste('one\rtwo\r\n\tthree\n');
    await screen.until(() =>
      expect(screen.rows.slice(-5, -2)).toEqual([' bob › one', '       two', '           three']),
    );
    expect(sent()).toEqual([]);
    screen.keys(KEY.enter);
    // The empty line at its end is nothing that somebody says; one that was typed is.
    await screen.until(() => expect(sent()).toEqual(['one\ntwo\n\tthree']));
    screen.paste('four\n\n');
    screen.keys(KEY.altEnter, KEY.enter);
    await screen.until(() => expect(sent().at(-1)).toBe('four\n\n\n'));
  });

  test('several keys in one piece are one after the other', async () => {
    screen.keys('hi\rsecond\u007f\u007f!\r');
    await screen.until(() => expect(sent()).toEqual(['hi', 'seco!']));
  });

  test('an emptied line comes back with Ctrl+_, Alt+Z or Ctrl+Y', async () => {
    screen.keys('half a thought', KEY.ctrl('u'));
    await screen.inputIs(' bob ›');
    screen.keys('\u001f');
    await screen.inputIs(' bob › half a thought');
    screen.keys(KEY.ctrl('u'), KEY.alt('z'));
    await screen.inputIs(' bob › half a thought');
    screen.keys(KEY.ctrl('u'), 'not ', KEY.ctrl('y'));
    await screen.inputIs(' bob › not half a thought');
  });

  test('editing keys reach it; the up key has what was sent', async () => {
    screen.keys(
      'one two',
      KEY.ctrl('a'),
      '>',
      KEY.ctrl('e'),
      '<',
      KEY.ctrl('w'),
      KEY.alt('b'),
      KEY.ctrl('k'),
    );
    await screen.inputIs(' bob › >');
    screen.keys(KEY.ctrl('u'), 'said', KEY.enter, KEY.up);
    await screen.inputIs(' bob › said');
    screen.keys(KEY.up);
    await screen.inputIs(' bob › said');
    screen.keys(KEY.down, KEY.down);
    await screen.inputIs(' bob ›');
  });

  test('the up key has what was entered in this conversation, and no other', async () => {
    screen.keys('for bob', KEY.enter, '/msg carol', KEY.enter);
    await screen.inputIs(' carol ›');
    screen.keys(KEY.up);
    await screen.until(() => expect(screen.input).toBe(' carol ›'));
    screen.keys('for carol', KEY.enter, KEY.up);
    await screen.inputIs(' carol › for carol');
    screen.keys(KEY.ctrl('u'), '/msg bob', KEY.enter);
    await screen.inputIs(' bob ›');
    screen.keys(KEY.up, KEY.up);
    await screen.inputIs(' bob › for bob');
  });

  test('Ctrl+R looks in what was entered; Enter takes it without sending, Esc leaves it', async () => {
    screen.keys('first lunch', KEY.enter, 'second Lunch', KEY.enter, 'dinner', KEY.enter, 'half');
    screen.keys(KEY.ctrl('r'));
    await screen.inputIs(' search:  › half');
    screen.keys('lun');
    await screen.inputIs(' search: lun › second Lunch');
    screen.keys(KEY.ctrl('r'));
    await screen.inputIs(' search: lun › first lunch');
    screen.keys(KEY.ctrl('r'));
    await screen.inputIs(' not found: lun › first lunch');
    screen.keys(KEY.escape);
    await screen.inputIs(' bob › half');
    screen.keys(KEY.ctrl('r'), 'dinx', KEY.backspace, KEY.enter);
    await screen.inputIs(' bob › dinner');
    expect(sent()).toEqual(['first lunch', 'second Lunch', 'dinner']);
    screen.keys('\u001f');
    await screen.inputIs(' bob › half');
    // Any other key goes on from there.
    screen.keys(KEY.ctrl('r'), 'sec', KEY.ctrl('e'), '!');
    await screen.inputIs(' bob › second Lunch!');
  });

  test('a paste that looks like a command is a text, and a word tells about it', async () => {
    screen.paste('/var/log/syslog\n');
    await screen.shows(/A paste is text: the second \/ is not sent/);
    screen.keys(KEY.enter);
    await screen.until(() => expect(sent()).toEqual(['/var/log/syslog']));
    screen.paste('  /delete');
    screen.keys(KEY.enter);
    await screen.until(() => expect(sent()).toEqual(['/var/log/syslog', '  /delete']));
    // In a line that has begun it is a part of that.
    screen.keys('/msg bob ');
    screen.paste('/etc/hosts');
    screen.keys(KEY.enter);
    await screen.until(() => expect(sent().at(-1)).toBe('/etc/hosts'));
  });

  test('thirty lines at once are one draft, and nothing of them is sent or carried out', async () => {
    const lines = Array.from({ length: 30 }, (_, index) => (index === 7 ? '/delete' : `line ${index}`));
    screen.read(`${lines.join('\r')}\r`);
    await screen.shows(/↑ \d+ more above/);
    expect(screen.text).not.toMatch(/more below/);
    screen.keys(...Array.from({ length: 29 }, () => KEY.up));
    await screen.shows(/↓ \d+ more below/);
    screen.keys(KEY.enter);
    await screen.until(() => expect(sent()).toEqual([lines.join('\n')]));
    expect(server.asked('delete')).toEqual([]);
  });

  test('blanks, tabs and blank lines are sent as they were typed, and shown', async () => {
    const text = '    def f(x):\n\n\n\treturn x  ';
    screen.paste(`${text}\n\n`);
    screen.keys(KEY.enter);
    await screen.until(() => expect(sent()).toEqual([text]));
    await screen.shows(/me {7}def f\(x\):\n.*│ *\n.*│ *\n.*│ {17}return x[ ✓]*\n/);
  });

  test('a text that begins with a slash has two', async () => {
    screen.keys('//shrug', KEY.enter);
    await screen.until(() => expect(sent()).toEqual(['/shrug']));
  });

  test('Tab completes commands and names and goes through them, Esc takes it back', async () => {
    server.peer.send(messageFrom('carol', 1, 'hi'), messageFrom('carl', 2, 'hi'));
    await screen.until(() => expect(screen.list).toHaveLength(2));
    screen.keys('/ms', KEY.tab);
    await screen.inputIs(' bob › /msg');
    screen.keys('ca', KEY.tab);
    await screen.shows(/^ bob › \/msg car *$/m, /^ Tab next · Shift\+Tab back/m);
    screen.keys(KEY.tab);
    await screen.inputIs(' bob › /msg carl');
    screen.keys(KEY.tab);
    await screen.inputIs(' bob › /msg carol');
    screen.keys(KEY.shiftTab);
    await screen.inputIs(' bob › /msg carl');
    screen.keys(KEY.escape);
    await screen.inputIs(' bob › /msg ca');
    screen.keys('rol hi', KEY.enter);
    await screen.until(() => expect(server.asked('send')).toMatchObject([{ to: 'carol', body: 'hi' }]));
  });

  test('Tab knows people of the server that one has never talked to, and asks for them once', async () => {
    server.behave = (request, peer) =>
      request.type === 'list'
        ? { type: 'listed', names: ['bob', 'bodo', 'bonnie'], more: false }
        : agreeable(request, peer);
    screen.keys('/msg BO', KEY.tab);
    await screen.inputIs(' bob › /msg bob');
    screen.keys(KEY.ctrl('u'), '/msg bod', KEY.tab);
    await screen.inputIs(' bob › /msg bodo');
    screen.keys(KEY.ctrl('u'), '/who bo', KEY.tab, KEY.tab);
    await screen.inputIs(' bob › /who bodo');
    const asked = server.asked('list').map(({ pattern }) => pattern);
    expect(asked.filter((pattern) => pattern?.endsWith('*'))).toEqual(['bo*']);
  });

  test('Tab of which the server says nothing holds no key up, and completes nothing later on', async () => {
    server.behave = (request, peer) => (request.type === 'list' ? null : agreeable(request, peer));
    screen.keys('/msg ca', KEY.tab, 'rla hi');
    await screen.inputIs(' bob › /msg carla hi');
    server.peer.send({ type: 'listed', names: ['carl'], more: false });
    server.peer.send(messageFrom('carl', 1, 'later'));
    await screen.until(() => expect(screen.list.join()).toMatch(/carl/));
    await screen.inputIs(' bob › /msg carla hi');
  });
});

test('a password is not completed', async () => {
  server.behave = (request, peer) => agreeable(request, peer);
  screen = new TestScreen(server.port, { user: 'alice' });
  await screen.inputIs(' password of alice ›');
  screen.keys('/ms', KEY.tab);
  await screen.inputIs(' password of alice › •••');
});
