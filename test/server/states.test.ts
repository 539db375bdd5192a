import { describe, expect, it } from 'vitest';
import type { ServerFrame } from '../../src/protocol/v1/replies.ts';
import type { Request } from '../../src/protocol/v1/requests.ts';
import { eventually } from '../contracts/cluster.ts';
import { type House, openHouse } from './house.ts';
import { type RawClient, rawFrame } from './raw-client.ts';

type Ask = Request | Uint8Array;
/** A reply, or that the server closes without one. */
type Answer = Partial<ServerFrame> | { type: 'failure'; text: string | RegExp } | 'closed';

const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const failure = (text: RegExp): Answer => ({ type: 'failure', text });

const NOT_LOGGED_IN = failure(/not logged in/);
const LOGGED_IN = failure(/logged in as me: log out first/);

/** Each request of version 1 in each form that matters, and what each state answers. */
const TABLE: { what: string; ask: Ask; anonymous: Answer; loggedIn: Answer }[] = [
  {
    what: 'create a new name',
    ask: { type: 'create', name: 'new' },
    anonymous: { type: 'created' },
    loggedIn: LOGGED_IN,
  },
  {
    what: 'create a taken name',
    ask: { type: 'create', name: 'other' },
    anonymous: failure(/taken/),
    loggedIn: LOGGED_IN,
  },
  {
    what: 'create a name in capitals that is taken',
    ask: rawFrame(1, 0x10, 'OTHER'),
    anonymous: failure(/taken/),
    loggedIn: LOGGED_IN,
  },
  {
    what: 'create an invalid name',
    ask: rawFrame(1, 0x10, 'no spaces'),
    anonymous: failure(/1 to 32/),
    loggedIn: failure(/1 to 32/),
  },
  {
    what: 'create an empty name',
    ask: rawFrame(1, 0x10, ''),
    anonymous: failure(/1 to 32/),
    loggedIn: failure(/1 to 32/),
  },
  {
    what: 'create a name that is no UTF-8',
    ask: rawFrame(1, 0x10, Buffer.from('ff41', 'hex')),
    anonymous: failure(/UTF-8/),
    loggedIn: failure(/UTF-8/),
  },
  {
    what: 'log in',
    ask: { type: 'login', name: 'other' },
    anonymous: { type: 'logged-in' },
    loggedIn: LOGGED_IN,
  },
  {
    what: 'log in to an account that is logged in',
    ask: { type: 'login', name: 'busy' },
    anonymous: failure(/already logged in/),
    loggedIn: LOGGED_IN,
  },
  {
    what: 'log in to nobody',
    ask: { type: 'login', name: 'nobody' },
    anonymous: failure(/no user called nobody/),
    loggedIn: LOGGED_IN,
  },
  {
    what: 'log in to an account with a password',
    ask: { type: 'login', name: 'locked' },
    anonymous: failure(/password/),
    loggedIn: LOGGED_IN,
  },
  {
    what: 'log in to a disabled account',
    ask: { type: 'login', name: 'disabled' },
    anonymous: failure(/disabled/),
    loggedIn: LOGGED_IN,
  },
  {
    what: 'log in with an invalid name',
    ask: rawFrame(1, 0x20, '-x'),
    anonymous: failure(/1 to 32/),
    loggedIn: failure(/1 to 32/),
  },
  { what: 'log out', ask: { type: 'logout' }, anonymous: NOT_LOGGED_IN, loggedIn: 'closed' },
  {
    what: 'log out with a payload',
    ask: rawFrame(1, 0x30, 'x'),
    anonymous: failure(/no payload/),
    loggedIn: failure(/no payload/),
  },
  { what: 'delete', ask: { type: 'delete' }, anonymous: NOT_LOGGED_IN, loggedIn: 'closed' },
  {
    what: 'delete with a payload',
    ask: rawFrame(1, 0x40, 'other'),
    anonymous: failure(/no payload/),
    loggedIn: failure(/no payload/),
  },
  {
    what: 'list all',
    ask: { type: 'list', pattern: '' },
    anonymous: { type: 'listed', names: ['busy', 'disabled', 'locked', 'other'] },
    loggedIn: { type: 'listed', names: ['busy', 'disabled', 'locked', 'me', 'other'] },
  },
  {
    what: 'list by wildcards',
    ask: { type: 'list', pattern: '?o*' },
    anonymous: { type: 'listed', names: ['locked'] },
    loggedIn: { type: 'listed', names: ['locked'] },
  },
  {
    what: 'list what nobody is called',
    ask: { type: 'list', pattern: 'zz*' },
    anonymous: { type: 'listed', names: [] },
    loggedIn: { type: 'listed', names: [] },
  },
  {
    what: 'list by an impossible pattern',
    ask: rawFrame(1, 0x50, '[a-z]'),
    anonymous: failure(/pattern/),
    loggedIn: failure(/pattern/),
  },
  {
    what: 'retrieve',
    ask: { type: 'retrieve' },
    anonymous: NOT_LOGGED_IN,
    loggedIn: { type: 'retrieved', entries: [] },
  },
  {
    what: 'retrieve with a payload',
    ask: rawFrame(1, 0x60, '10'),
    anonymous: failure(/no payload/),
    loggedIn: failure(/no payload/),
  },
  {
    what: 'send to somebody who is logged out',
    ask: { type: 'send', to: 'other', body: 'hello' },
    anonymous: NOT_LOGGED_IN,
    loggedIn: { type: 'sent', text: 'queued for other' },
  },
  {
    what: 'send to somebody who is logged in',
    ask: { type: 'send', to: 'busy', body: 'hello' },
    anonymous: NOT_LOGGED_IN,
    loggedIn: { type: 'sent', text: 'delivered to busy' },
  },
  {
    what: 'send with a name length of one byte',
    ask: rawFrame(1, 0x70, '\x04busyhello'),
    anonymous: NOT_LOGGED_IN,
    loggedIn: { type: 'sent', text: 'delivered to busy' },
  },
  {
    what: 'send to oneself',
    ask: { type: 'send', to: 'me', body: 'note' },
    anonymous: NOT_LOGGED_IN,
    loggedIn: { type: 'sent', text: 'delivered to me' },
  },
  {
    what: 'send to an account with a password',
    ask: { type: 'send', to: 'locked', body: 'hello' },
    anonymous: NOT_LOGGED_IN,
    loggedIn: { type: 'sent', text: 'queued for locked' },
  },
  {
    what: 'send to nobody',
    ask: { type: 'send', to: 'nobody', body: 'hello' },
    anonymous: NOT_LOGGED_IN,
    loggedIn: failure(/no user called nobody/),
  },
  {
    what: 'send an empty body',
    ask: rawFrame(1, 0x70, '\x05other'),
    anonymous: failure(/empty/),
    loggedIn: failure(/empty/),
  },
  {
    what: 'send to an invalid name',
    ask: rawFrame(1, 0x70, '\x03a bhello'),
    anonymous: failure(/1 to 32/),
    loggedIn: failure(/1 to 32/),
  },
  {
    what: 'send a name that is cut short',
    ask: rawFrame(1, 0x70, '\x20other'),
    anonymous: failure(/ended within/),
    loggedIn: failure(/ended within/),
  },
  {
    what: 'send nothing at all',
    ask: rawFrame(1, 0x70, ''),
    anonymous: failure(/ended within/),
    loggedIn: failure(/ended within/),
  },
  {
    what: 'send a body that is no UTF-8',
    ask: rawFrame(1, 0x70, Buffer.from('056f74686572c328', 'hex')),
    anonymous: failure(/UTF-8/),
    loggedIn: failure(/UTF-8/),
  },
  {
    what: 'an unknown opcode',
    ask: rawFrame(1, 0x99, 'what'),
    anonymous: failure(/0x99/),
    loggedIn: failure(/0x99/),
  },
  {
    what: 'an opcode that only a server sends',
    ask: rawFrame(1, 0x72, 'x'),
    anonymous: failure(/0x72/),
    loggedIn: failure(/0x72/),
  },
];

/** Accounts: `other` (logged out), `busy` (logged in), `locked` (with a password), `disabled`. */
async function populated(): Promise<House> {
  const house = await openHouse();
  const { accounts } = house.engine;
  await accounts.create({ name: 'other' });
  await accounts.create({ name: 'locked', credential: '$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA' });
  const disabled = await accounts.create({ name: 'disabled' });
  house.cluster.putAccount({ ...disabled, disabled: true });
  await eventually(() => expect(accounts.get('disabled')?.disabled).toBe(true));
  await house.person('busy');
  return house;
}

/** What comes next is this answer, and the connection is fit for use after it. */
async function expectAnswer(client: RawClient, answer: Answer): Promise<void> {
  if (answer === 'closed') {
    await client.over();
    expect(client.unread).toEqual([]);
    return;
  }
  const reply = await client.reply();
  if ('text' in answer && answer.text instanceof RegExp) {
    expect(reply).toEqual({ type: 'failure', text: expect.stringMatching(answer.text) });
  } else {
    expect(reply).toMatchObject(answer);
  }
  if (reply.type === 'created' || reply.type === 'logged-in') expect(reply.token).toMatch(TOKEN);
  // Whatever the answer was, the connection goes on and is in step.
  expect(await client.ask({ type: 'list', pattern: 'other' })).toEqual({ type: 'listed', names: ['other'] });
}

describe('version 1, every request in every state', () => {
  describe.each(TABLE)('$what', ({ ask, anonymous, loggedIn }) => {
    it('while nobody is logged in', async () => {
      const house = await populated();
      const client = await house.connect();
      client.write(ask);
      await expectAnswer(client, anonymous);
    });

    it('while logged in', async () => {
      const house = await populated();
      const client = await house.person('me');
      client.write(ask);
      await expectAnswer(client, loggedIn);
    });

    it('right behind a create, in one packet: it waits and finds the state that the create made', async () => {
      const house = await populated();
      const client = await house.connect();
      client.write({ type: 'create', name: 'me' }, ask);
      expect(await client.reply()).toMatchObject({ type: 'created' });
      await expectAnswer(client, loggedIn);
    });

    it('behind a logout: never carried out', async () => {
      const house = await populated();
      const client = await house.person('me');
      client.write({ type: 'logout' });
      client.write(ask);
      await client.over();
      expect(client.unread).toEqual([]);
      expect(house.engine.accounts.get('new')).toBeUndefined();
      expect(house.engine.accounts.get('me')).toBeDefined();
    });
  });

  it('gives everybody another token', async () => {
    const house = await populated();
    const tokens = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const client = await house.connect();
      const reply = await client.ask({ type: 'create', name: `user-${i}` });
      if (reply.type === 'created') tokens.add(reply.token);
    }
    expect(tokens.size).toBe(20);
  });
});

describe('where open accounts are not allowed', () => {
  it.each([
    ['create', { type: 'create', name: 'new' }],
    ['log in', { type: 'login', name: 'other' }],
    ['log in to nobody', { type: 'login', name: 'nobody' }],
  ] as const)('%s is refused', async (_, ask) => {
    const house = await openHouse({ openAccounts: false });
    await house.engine.accounts.create({ name: 'other' });
    const client = await house.connect();
    expect(await client.ask(ask)).toEqual({
      type: 'failure',
      text: expect.stringMatching(/without a password/),
    });
    expect(house.engine.accounts.get('new')).toBeUndefined();
    expect(await client.ask({ type: 'list', pattern: '' })).toEqual({ type: 'listed', names: ['other'] });
  });
});
