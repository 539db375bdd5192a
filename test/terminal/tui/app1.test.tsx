/** The same screen with version 1 of the protocol: no passwords, no ids, a retrieve for what waited. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agreeable, TestServer } from '../../client/v1/test-server.ts';
import { KEY, type ScreenOptions, TestScreen } from './test-screen.tsx';

let server: TestServer;
let screen: TestScreen;

function open(options: ScreenOptions = {}): void {
  screen = new TestScreen(server.port, { protocol: 1, ...options });
}

async function openLoggedIn(options: ScreenOptions = {}): Promise<void> {
  open(options);
  await screen.shows(/Connected to/, /● online/);
  screen.keys('/login alice', KEY.enter);
  await screen.shows(/^ milena · alice .*● online/, /Logged in as alice\. \/retrieve fetches/);
}

beforeEach(async () => {
  server = await TestServer.listen();
});

afterEach(async () => {
  await screen.close();
  await server.close();
});

test('the first start says what there is to do, and asks for nothing', async () => {
  open();
  await screen.shows(/· \/create NAME makes an account, \/login NAME enters one/, /● online/, /^ › *$/m);
  expect(screen.text).not.toMatch(/Enter a name below/);
  screen.keys('/help', KEY.enter);
  await screen.shows(/\/create NAME, \/login NAME +make an account/);
  expect(screen.text).not.toMatch(/passwd|\/who|\/block/);
  screen.keys(KEY.escape, KEY.escape);
  await screen.shows(/Connected to/);
  screen.keys('/passwd', KEY.enter);
  await screen.shows(/! \/passwd needs version 2 of the protocol\./);
});

describe('a conversation', () => {
  test('a message is shown with what became of it, and the next text goes to the same person', async () => {
    await openLoggedIn();
    server.behave = (request, peer) =>
      request.type === 'send' && request.body === 'and this'
        ? { type: 'sent', text: 'queued for bob' }
        : agreeable(request, peer);
    screen.keys('/msg bob hello', KEY.enter);
    await screen.shows(/│ \d\d:\d\d {2}me {3}hello +✓✓$/m, /^ bob › ?$/m);
    screen.keys('and this', KEY.enter);
    await screen.shows(/me {3}and this +✓$/m);
    expect(server.requests.slice(1)).toEqual([
      { type: 'send', to: 'bob', body: 'hello' },
      { type: 'send', to: 'bob', body: 'and this' },
    ]);
  });

  test('a message that arrives does not disturb the line that is written', async () => {
    await openLoggedIn();
    screen.keys('/msg bob', KEY.enter, 'half a', KEY.left);
    await screen.inputIs(' bob › half a');
    server.peer.send({ type: 'message', sender: 'carol', body: 'surprise' });
    await screen.shows(/1 conversation unread/);
    expect(screen.list).toEqual(['carol 1']);
    screen.keys('X');
    await screen.inputIs(' bob › half Xa');
    expect(screen.rings).toBe(1);
  });

  test('what a program wrote is marked, and is no user’s', async () => {
    await openLoggedIn();
    server.peer.send(
      { type: 'message', sender: '[external bob]', body: 'not from bob' },
      { type: 'message', sender: 'mal\nlory\u001b[31m', body: '\u001b[2Jhi' },
    );
    await screen.until(() => expect(screen.list).toEqual(['mal l…[31m ext 1', 'bob ext 1']));
    screen.keys(KEY.alt('2'));
    await screen.shows(/│ \d\d:\d\d {2}ext bob {2}not from bob$/m);
    screen.keys(KEY.alt('1'));
    await screen.shows(/ext mal.*␛\[2Jhi$/m);
  });

  test('text without anybody to send it to is refused, and given back', async () => {
    await openLoggedIn();
    screen.keys('hello?', KEY.enter);
    await screen.shows(/! To whom\? \/msg NAME/, /^ › hello\?$/m);
    expect(server.requests).toHaveLength(1);
  });

  test('somebody who does not exist: refused, with the reason', async () => {
    await openLoggedIn();
    server.behave = () => ({ type: 'failure', text: 'There is no user carol.' });
    screen.keys('/msg carol hi', KEY.enter);
    await screen.shows(/me +hi +✗$/m, /✗ not sent: There is no user carol\./);
  });

  test('lists, and messages that waited', async () => {
    await openLoggedIn();
    server.behave = (request, peer) => {
      if (request.type === 'list') return { type: 'listed', names: ['al', 'bob'] };
      if (request.type === 'retrieve') {
        return { type: 'retrieved', entries: [{ sender: 'bob', body: 'one\ntwo' }] };
      }
      return agreeable(request, peer);
    };
    screen.keys('/list *b', KEY.enter, '/retrieve', KEY.enter);
    await screen.shows(/· 2 accounts: al; bob/, /· 1 message that waited\./);
    expect(server.requests.slice(1)).toEqual([{ type: 'list', pattern: '*b' }, { type: 'retrieve' }]);
    screen.keys(KEY.alt('a'));
    // Nobody knows when they were sent.
    await screen.shows(/│ {8}bob {2}one\n.*│ {13}two\n/);
  });
});

describe('what goes wrong is told', () => {
  test('a time-out, with the question what next; the late answer, too; nothing is sent again', async () => {
    await openLoggedIn({ client: { requestTimeoutMs: 300 } });
    server.behave = () => null;
    screen.keys('/msg bob hello', KEY.enter);
    await screen.shows(/hello +\?$/m, /\? not confirmed/, /! No answer within 0.3 s: .* What next\?/);
    server.peer.send({ type: 'sent', text: 'queued for bob' });
    await screen.shows(/· The answer to the message to bob came late: queued for bob/);
    expect(server.requests.filter((request) => request.type === 'send')).toHaveLength(1);
  });

  test('waiting messages that come late are kept, since they come only once', async () => {
    await openLoggedIn({ client: { requestTimeoutMs: 300 } });
    server.behave = () => null;
    screen.keys('/retrieve', KEY.enter);
    await screen.shows(/What next\?/);
    server.peer.send({ type: 'retrieved', entries: [{ sender: 'bob', body: 'precious' }] });
    await screen.until(() => expect(screen.list).toEqual(['bob 1']));
    screen.keys(KEY.alt('a'));
    await screen.shows(/bob {2}precious/);
  });

  test('a lost connection, the next one, and the login on it', async () => {
    await openLoggedIn();
    screen.keys('/msg bob', KEY.enter, 'half');
    const { port } = server;
    await server.close();
    await screen.shows(/! The connection to 127.0.0.1:\d+ is lost/, /alice, not logged in/);
    // Without ids nothing may wait: who writes is who is logged in.
    await screen.inputIs(' › half');
    server = await TestServer.listen(port);
    await screen.shows(/· Connected again\./, /· Logged in again as alice\./, /^ milena · alice .*● online/);
    await screen.inputIs(' bob › half');
  });

  test('what cannot be sent says so, and is given back', async () => {
    await openLoggedIn();
    await server.close();
    await screen.shows(/○ no connection/);
    screen.keys('/msg bob hello', KEY.enter);
    await screen.shows(/hello +✗$/m, /! Not connected/);
    await screen.until(() => expect(screen.chat.screen.input.text).toBe('/msg bob hello'));
    server = await TestServer.listen();
  });

  test('a server that cannot be reached, once and not for every attempt', async () => {
    open();
    await screen.shows(/Connected/);
    await server.close();
    await screen.shows(/nobody listens there/);
    const attempts = new Set<unknown>();
    // Each attempt makes a new state: several of them, and still one complaint.
    await screen.until(() => expect(attempts.add(screen.chat.screen.talk.link).size).toBeGreaterThan(4));
    expect(screen.said.match(/nobody listens/g)).toHaveLength(1);
    server = await TestServer.listen();
  });
});

test('deleting asks, and takes only a yes for one', async () => {
  await openLoggedIn();
  screen.keys('/delete', KEY.enter);
  await screen.shows(/Delete the account alice\?/, /^ delete alice\? › ?$/m);
  screen.keys('no', KEY.enter);
  await screen.shows(/alice is kept/);
  screen.keys('/delete', KEY.enter, 'yes', KEY.enter);
  await screen.shows(/The account alice is deleted/, /not logged in/);
  expect(server.requests.map((request) => request.type)).toEqual(['login', 'delete', 'list']);
});
