/** Rooms in the chat, on a screen without a terminal. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServerFrame } from '../../../src/protocol/v2/replies.ts';
import type { Request } from '../../../src/protocol/v2/requests.ts';
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
/** The rooms that the account is in, or invited to. */
let mine: Map<string, 'owner' | 'member' | 'invited'>;

function info(room: string) {
  const role = mine.get(room);
  return {
    room,
    incarnation: idOf(`life of ${room}`),
    policy: 'open',
    description: 'who\u001b[2J cooks\u202e what',
    retentionMs: 86_400_000,
    history: 0,
    members: 3,
    owner: 'bob',
    ...(role !== undefined && { role }),
    ...(role !== undefined && role !== 'invited' && { since: 0 }),
  } as const;
}

const behave: Behaviour = (request: Request, peer) => {
  switch (request.type) {
    case 'hello':
      return { ...WELCOME, features: ['rooms', 'devices'] } as ServerFrame;
    case 'join':
      mine.set(request.room, 'member');
      return { type: 'joined', ...info(request.room) };
    case 'room-create':
      mine.set(request.room, 'owner');
      return { type: 'room-created', ...info(request.room) };
    case 'leave':
      mine.delete(request.room);
      return { type: 'left', room: request.room };
    case 'rooms': {
      const names = request.mine ? [...mine.keys()] : ['#ops', '#soup'];
      const pattern = (request.pattern ?? '').replace(/^#?(.*?)\*?$/, '#$1');
      return {
        type: 'rooms-listed',
        rooms: names.filter((name) => name.startsWith(pattern)).map(info),
        more: false,
      };
    }
    case 'members':
      return { type: 'members-listed', members: ['alice', 'berta', 'bob'], more: false };
    case 'mark-read':
      return { type: 'marked' };
    default:
      return agreeable(request, peer);
  }
};

beforeEach(async () => {
  mine = new Map([['#ops', 'member']]);
  server = await TestServer.listen();
  server.behave = behave;
  screen = new TestScreen(server.port, { client: { rooms: true } });
  await screen.logIn();
  await screen.until(() => expect(screen.list).toEqual([...mine.keys()]));
});

afterEach(async () => {
  await screen.close();
  await server.close();
});

/** What a message of a room and its acknowledgement say of that. */
function placeIn(room: string) {
  return { room, roomIncarnation: idOf(`life of ${room}`) };
}

/** Somebody says something in a room. */
function say(room: string, from: string, seq: number, body: string, id?: string): void {
  server.peer.send({
    ...messageFrom(from, seq, body, id ?? `${room} ${seq}`),
    ...placeIn(room),
  } as ServerFrame);
}

describe('a room', () => {
  test('has everybody’s name at what they said, and one’s own once, also from elsewhere', async () => {
    screen.keys('/msg #ops', KEY.enter);
    await screen.inputIs(' #ops ›');
    say('#ops', 'bob', 1, 'who cooks?');
    say('#ops', 'me', 2, 'not me');
    await screen.shows(/ bob {11}who cooks\?\n.* @me {11}not me/);
    screen.keys('I do', KEY.enter);
    await screen.shows(/ me {12}I do +✓\n/);
    const [sent] = server.asked('send');
    expect(sent).toMatchObject({ to: '#ops', body: 'I do' });
    // It comes back to whoever said it.
    const own = { ...messageFrom('alice', 3, 'I do'), ...placeIn('#ops') };
    server.peer.send({ ...own, id: sent?.id } as ServerFrame);
    say('#ops', 'alice', 4, 'said on the phone');
    await screen.shows(/ me {12}I do +✓\n.* me {12}said on the phone +✓\n/);
    await screen.until(() =>
      expect(server.asked('ack').at(-1)).toEqual({ type: 'ack', ...placeIn('#ops'), upTo: 4 }),
    );
    await screen.until(() =>
      expect(server.asked('mark-read')).toContainEqual({ type: 'mark-read', conversation: '#ops', upTo: 2 }),
    );
  });

  test('is quieter than people, but for what has one’s name in it', async () => {
    screen.keys('/msg carol', KEY.enter);
    say('#ops', 'bob', 1, 'lunch?');
    say('#ops', 'bob', 2, 'lunch!');
    await screen.until(() => expect(screen.list).toEqual(['#ops 2']));
    expect([screen.titles.at(-1), screen.rung]).toEqual(['milena · alice', []]);
    server.peer.send(messageFrom('dave', 1, 'hello'));
    await screen.until(() => expect(screen.titles.at(-1)).toBe('(1) milena · alice'));
    say('#ops', 'bob', 3, 'Alice: yours is cold');
    await screen.until(() => expect(screen.list).toEqual(['#ops !3', 'dave 1']));
    expect(screen.titles.at(-1)).toBe('(2) milena · alice');
    expect(screen.rung).toEqual(['dave: hello', '#ops bob: Alice: yours is cold']);
    screen.keys('/activity', KEY.enter);
    await screen.shows(/Activity: 1 unread \(●\), 1 with your name/, /! .*#ops bob +Alice: yours is cold/);
    screen.keys(KEY.enter);
    await screen.shows(/─ 3 new ─[\s\S]*lunch\?\n.*lunch!\n.*yours is cold/);
    // What is read somewhere else is read.
    say('#ops', 'bob', 4, 'alice?');
    screen.keys('/msg carol', KEY.enter);
    say('#ops', 'bob', 5, 'alice!');
    await screen.until(() => expect(screen.list[0]).toMatch(/#ops !\d/));
    server.peer.send({ type: 'read-elsewhere', seq: 9, conversation: '#ops', upTo: 5 });
    await screen.until(() => expect(screen.list[0]).toBe('#ops'));
    const { length } = screen.rung;
    server.peer.send({ type: 'read-elsewhere', seq: 10, conversation: '#ops', upTo: 6 });
    say('#ops', 'bob', 6, 'alice, all was said');
    server.peer.send(messageFrom('erik', 2, 'hello'));
    await screen.until(() => expect(screen.rung.slice(length)).toEqual(['erik: hello']));
  });

  test('says in a line of its own what was not kept, and nothing in it acts on the terminal', async () => {
    say('#ops', 'bob', 8, 'so\u001b[2Jup\u202e');
    server.peer.send({ type: 'gap', room: '#ops', messages: 7 });
    await screen.until(() => expect(screen.list).toEqual(['#ops 1']));
    screen.keys('/msg #ops', KEY.enter);
    await screen.shows(/so␛\[2Jup\n.*· {2}7 messages had expired before you got here\./);
    server.peer.send({
      ...{ type: 'message', seq: 9, body: 'disk full', sentAt: Date.now() },
      ...{ verified: false, external: 'bob\u001b]0;x\u0007', ...placeIn('#ops') },
    } as ServerFrame);
    await screen.shows(/ext bob.*disk full/);
    for (const bytes of ['\u001b]0;x', '\u001b[2Jup']) expect(screen.frames.join('')).not.toContain(bytes);
    screen.keys('/room', KEY.enter);
    await screen.shows(
      /#ops: who␛\[2J cooks what \(bob's, 3 people, open to anybody; messages are kept for 24 hours/,
    );
  });

  test('is found by its name, and who said it by theirs', async () => {
    say('#ops', 'bob', 1, 'soup is ready');
    say('#ops', 'carol', 2, 'no soup for me');
    server.peer.send(messageFrom('bob', 1, 'soup at home'));
    await screen.until(() => expect(screen.list).toEqual(['bob 1', '#ops 2']));
    screen.keys('/search soup in:#ops', KEY.enter);
    await screen.shows(/1 of 2 with soup/, /#ops carol +no soup for me/, /#ops bob +soup is ready/);
    screen.keys(KEY.escape, '/search soup from:bob', KEY.enter);
    await screen.shows(/1 of 2 with soup/, / bob +soup at home/, /#ops bob +soup is ready/);
  });
});

describe('who is in it', () => {
  test('/join opens it with what came before, /leave leaves it in the list as one that was left', async () => {
    screen.keys('/join soup', KEY.enter);
    await screen.inputIs(' #soup ›');
    expect(server.asked('join')).toEqual([{ type: 'join', room: '#soup', back: 50 }]);
    await screen.shows(/You are in #soup \(3 people\): who␛\[2J cooks what/);
    await screen.until(() => expect(screen.list).toEqual(['▸ #soup', '#ops']));
    say('#soup', 'bob', 1, 'welcome');
    await screen.shows(/bob +welcome/);
    screen.keys('/members', KEY.enter);
    await screen.shows(/3 people in #soup: alice; berta; bob/);
    screen.keys('/leave', KEY.enter);
    await screen.inputIs(' ›');
    await screen.until(() => expect(screen.list).toEqual(['#soup left', '#ops']));
    screen.keys('/leave', KEY.enter);
    await screen.shows(/No room is open here: name one/);
    screen.keys(KEY.ctrl('u'), '/leave ops', KEY.enter);
    await screen.until(() => expect(screen.list).toEqual(['#soup left']));
  });

  test('another device goes into one, and somebody is put out: it is known by what comes, and by what is refused', async () => {
    mine.set('#soup', 'member');
    say('#soup', 'bob', 1, 'welcome to the phone');
    await screen.until(() => expect(screen.list).toEqual(['#soup 1', '#ops']));
    mine.delete('#ops');
    server.behave = (request, peer) =>
      request.type === 'send'
        ? {
            type: 'failure',
            code: 'NOT_A_MEMBER',
            message: 'You are not in #ops.',
            request: 0x70,
            id: request.id,
          }
        : behave(request, peer);
    screen.keys('/msg #ops hello?', KEY.enter);
    await screen.shows(/✗ not sent: You are not in #ops\./);
    await screen.until(() => expect(screen.list).toEqual(['▸ #ops left', '#soup 1']));
  });

  test('an invitation is told once', async () => {
    mine.set('#soup', 'invited');
    server.peer.socket.destroy();
    await screen.shows(/You are invited to #soup\. \/join #soup takes it\./);
    expect(screen.list).toEqual(['#ops']);
    const told = () => screen.text.match(/You are invited to #soup/g) ?? [];
    const again = async () => {
      const asked = server.asked('rooms').length;
      server.peer.socket.destroy();
      await screen.until(() => expect(server.asked('rooms').length).toBeGreaterThan(asked));
    };
    await again();
    // It was taken back, and then given once more.
    mine.delete('#soup');
    await again();
    expect(told()).toHaveLength(1);
    mine.set('#soup', 'invited');
    await again();
    await screen.until(() => expect(told()).toHaveLength(2));
  });

  test('a room is deleted after a yes that knows who else is in it', async () => {
    screen.keys('/room create #tea invited', KEY.enter);
    await screen.inputIs(' #tea ›');
    expect(server.asked('room-create')).toEqual([{ type: 'room-create', room: '#tea', policy: 'invited' }]);
    let deleted: unknown;
    server.behave = (request, peer) => {
      if (request.type === 'rooms' && request.pattern === 'tea') {
        return { type: 'rooms-listed', rooms: [info('#tea')], more: false };
      }
      if (request.type !== 'room-delete') return behave(request, peer);
      deleted = request;
      mine.delete(request.room);
      return { type: 'room-deleted', room: request.room };
    };
    screen.keys('/room delete', KEY.enter);
    await screen.shows(/2 others are in it\. Type yes to delete it/);
    screen.keys('yes', KEY.enter);
    await screen.shows(/#tea is deleted/);
    expect(deleted).toEqual({ type: 'room-delete', room: '#tea', force: true });
    await screen.until(() => expect(screen.list).toEqual(['#ops']));
  });
});

test('Tab completes rooms, and in one of them who is in it', async () => {
  screen.keys('/join #s', KEY.tab);
  await screen.inputIs(' › /join #soup');
  screen.keys(KEY.enter);
  await screen.inputIs(' #soup ›');
  screen.keys('be', KEY.tab);
  await screen.inputIs(' #soup › berta:');
  screen.keys(KEY.ctrl('u'), 'ask @bo', KEY.tab);
  await screen.inputIs(' #soup › ask @bob');
  screen.keys(' in #o', KEY.tab);
  await screen.inputIs(' #soup › ask @bob  in #ops');
  screen.keys(KEY.ctrl('u'), '/room cr', KEY.tab);
  await screen.inputIs(' #soup › /room create');
  screen.keys(KEY.ctrl('u'), '/search in:#o', KEY.tab);
  await screen.inputIs(' #soup › /search in:#ops');
});

describe('a room that shows a topic', () => {
  const shown = { topic: 'orders.dlq', where: 'value.level == "error"' };
  const push = (partition: number, offset: number, body: string, note?: string): ServerFrame => ({
    ...{
      type: 'message',
      seq: 1_024 * offset + partition,
      verified: false,
      external: 'orders.dlq',
      ...placeIn('#orders'),
    },
    ...{ body, sentAt: 1_000, partition, offset, ...(note !== undefined && { note }) },
  });

  beforeEach(async () => {
    server.behave = (request, peer) => {
      switch (request.type) {
        case 'join':
          mine.set(request.room, 'member');
          return { type: 'joined', ...info(request.room), ...shown };
        case 'rooms': {
          const reply = behave(request, peer);
          if (reply?.type !== 'rooms-listed') return reply;
          return {
            ...reply,
            rooms: reply.rooms.map((room) => (room.room === '#orders' ? { ...room, ...shown } : room)),
          };
        }
        case 'raw': {
          if (request.offset === 8) return { type: 'raw-told', topic: 'orders.dlq' };
          const record = {
            ...{ time: 1_000, key: Buffer.from('k\u001b[2J'), value: Buffer.from('{"sum":7}') },
            headers: [{ name: 'trace', value: Buffer.from('on') }],
          };
          return { type: 'raw-told', topic: 'orders.dlq', record };
        }
        case 'holders':
          return { type: 'holders-told', members: 3, having: 1, missing: ['berta', 'bob'] };
        case 'preview':
          return {
            ...{ type: 'previewed', looked: 20, leftOut: 19 },
            lines: [{ partition: 3, offset: 7, time: 1_000, text: 'card declined' }],
          };
        default:
          return behave(request, peer);
      }
    };
    screen.keys('/join #orders', KEY.enter);
    await screen.until(() => expect(screen.said).toContain('shows orders.dlq where value.level == "error"'));
  });

  test('has places, notes, the records themselves, and lines about what is not shown', async () => {
    server.peer.send(push(3, 7, 'card declined'));
    server.peer.send(push(0, 9, '{"sum":7}', 'filter: field not found: total'));
    server.peer.send({
      type: 'notice',
      room: '#orders',
      text: '37 more, from orders.dlq/0/10 on: /raw shows them',
    });
    await screen.until(() => expect(screen.said).toContain('37 more'));
    expect(screen.text).toMatch(/3\/7 +card declined/);
    expect(screen.text).toMatch(/0\/9 +\{"sum":7\}/);
    expect(screen.said).toContain('filter: field not found: total');
    screen.keys('/holders', KEY.enter);
    await screen.until(() => expect(screen.said).toContain('1 of 3 have “{"sum":7}”. Not yet: berta; bob.'));
    expect(server.asked('holders').at(-1)).toMatchObject({ room: '#orders', seq: 1_024 * 9 });
    screen.keys('/raw', KEY.enter);
    await screen.until(() => expect(screen.text).toContain('orders.dlq/0/9  1970-01-01T00:00:01.000Z'));
    expect(screen.text).toMatch(/header trace: on\s+key: k␛\[2J\s+value: \{"sum":7\}/);
    screen.keys(KEY.escape);
    screen.keys('/raw orders.dlq/3/8', KEY.enter);
    await screen.until(() => expect(screen.said).toContain('No record lies at orders.dlq/3/8.'));
  });

  test('takes no messages, which stay in the line', async () => {
    screen.keys('restart payments', KEY.enter);
    await screen.until(() =>
      expect(screen.said).toContain('Nobody says anything in #orders: it shows the topic'),
    );
    expect(screen.text).toMatch(/› restart payments/);
    expect(server.asked('send')).toEqual([]);
  });

  test('is looked at before it is made', async () => {
    screen.keys("/room preview #x --topic orders.dlq --where 'true'", KEY.enter);
    await screen.until(() => expect(screen.text).toContain('20 looked at: 1 shown, 19 left out.'));
    expect(screen.text).toContain('orders.dlq/3/7 1970-01-01T00:00:01.000Z card declined');
    expect(server.asked('preview')).toMatchObject([{ topic: 'orders.dlq', where: 'true', last: 20 }]);
  });
});
