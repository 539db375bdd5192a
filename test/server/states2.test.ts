import { describe, expect, it } from 'vitest';
import type { ServerFrame } from '../../src/protocol/v2/replies.ts';
import type { Request } from '../../src/protocol/v2/requests.ts';
import { eventually } from '../contracts/cluster.ts';
import { type House, openHouse, PASSWORD } from './house.ts';
import { rawFrame } from './raw-client.ts';
import { hex, type RawClient2 } from './raw-client2.ts';

/** A failure's code, a part of a reply, or that the server closes after this last reply. */
type Answer = string | Partial<ServerFrame> | { readonly last: Partial<ServerFrame> };

const ID = Buffer.alloc(16, 7);
const NOT_LOGGED_IN = 'NOT_LOGGED_IN';
const ALREADY = 'ALREADY_LOGGED_IN';
const BAD = 'BAD_REQUEST';
const both = (answer: Answer) => ({ anonymous: answer, loggedIn: answer });
const loggedIn = (answer: Answer) => ({ anonymous: NOT_LOGGED_IN, loggedIn: answer });
const anonymous = (answer: Answer) => ({ anonymous: answer, loggedIn: ALREADY });
const login = (username: string, rest: object = {}): Request => ({ type: 'login', username, ...rest });

/** Each request of version 2 in each form that matters, and what each state answers. */
const TABLE: { what: string; ask: Request | Uint8Array; anonymous: Answer; loggedIn: Answer }[] = [
  { what: 'hello', ask: { type: 'hello', client: 'test' }, ...both({ type: 'welcome', versions: [1, 2] }) },
  { what: 'hello without a name', ask: rawFrame(2, 0x80, Buffer.from('a0', 'hex')), ...both(BAD) },
  { what: 'ping', ask: { type: 'ping' }, ...both({ type: 'pong' }) },
  {
    what: 'create a new name',
    ask: { type: 'create', username: 'new', password: PASSWORD, displayName: 'New One' },
    ...anonymous({ type: 'created', username: 'new', undelivered: 0 }),
  },
  {
    what: 'create an open account',
    ask: { type: 'create', username: 'new' },
    ...anonymous({ type: 'created' }),
  },
  {
    what: 'create a taken name',
    ask: { type: 'create', username: 'other', password: PASSWORD },
    ...anonymous('USERNAME_TAKEN'),
  },
  {
    what: 'create with a short password',
    ask: { type: 'create', username: 'new', password: 'short' },
    ...anonymous('WEAK_PASSWORD'),
  },
  {
    what: 'create with the name as password',
    ask: { type: 'create', username: 'new-person', password: 'New-Person' },
    ...anonymous('WEAK_PASSWORD'),
  },
  {
    what: 'create an invalid name',
    ask: rawFrame(2, 0x10, Buffer.from('a168757365726e616d65632d2d2d', 'hex')),
    ...both('INVALID_USERNAME'),
  },
  { what: 'create nothing', ask: rawFrame(2, 0x10, ''), ...both(BAD) },
  {
    what: 'log in by password',
    ask: login('other', { password: PASSWORD }),
    ...anonymous({ type: 'logged-in', username: 'other', undelivered: 0 }),
  },
  {
    what: 'log in by a wrong password',
    ask: login('other', { password: 'x' }),
    ...anonymous('BAD_CREDENTIALS'),
  },
  { what: 'log in without the password', ask: login('other'), ...anonymous('BAD_CREDENTIALS') },
  {
    what: 'log in by a wrong token',
    ask: login('other', { token: Buffer.alloc(32) }),
    ...anonymous('BAD_CREDENTIALS'),
  },
  { what: 'log in to an open account', ask: login('open'), ...anonymous({ type: 'logged-in' }) },
  {
    what: 'log in to an open account by a password',
    ask: login('open', { password: 'x' }),
    ...anonymous('BAD_CREDENTIALS'),
  },
  { what: 'log in to nobody', ask: login('nobody', { password: PASSWORD }), ...anonymous('BAD_CREDENTIALS') },
  {
    what: 'log in to nobody by a token',
    ask: login('nobody', { token: Buffer.alloc(32) }),
    ...anonymous('BAD_CREDENTIALS'),
  },
  { what: 'log in to nobody openly', ask: login('nobody'), ...anonymous('NO_SUCH_USER') },
  {
    what: 'log in to a disabled account',
    ask: login('disabled', { password: PASSWORD }),
    ...anonymous('BAD_CREDENTIALS'),
  },
  {
    what: 'log in where somebody is',
    ask: login('busy', { password: PASSWORD }),
    ...anonymous('ALREADY_LOGGED_IN'),
  },
  {
    what: 'log in and take over',
    ask: login('busy', { password: PASSWORD, takeover: true }),
    ...anonymous({ type: 'logged-in', username: 'busy' }),
  },
  {
    what: 'log in by password and token at once',
    ask: rawFrame(
      2,
      0x20,
      Buffer.from(
        `a365746f6b656e5820${'00'.repeat(32)}6870617373776f7264617868757365726e616d65656f74686572`,
        'hex',
      ),
    ),
    ...both(BAD),
  },
  { what: 'log out', ask: { type: 'logout' }, ...loggedIn({ last: { type: 'logged-out' } }) },
  { what: 'delete without the password', ask: { type: 'delete' }, ...loggedIn('BAD_CREDENTIALS') },
  {
    what: 'delete by a wrong password',
    ask: { type: 'delete', password: 'x' },
    ...loggedIn('BAD_CREDENTIALS'),
  },
  {
    what: 'delete',
    ask: { type: 'delete', password: PASSWORD },
    ...loggedIn({ last: { type: 'deleted', undelivered: 0 } }),
  },
  {
    what: 'delete by force',
    ask: { type: 'delete', password: PASSWORD, force: true },
    ...loggedIn({ last: { type: 'deleted', undelivered: 0 } }),
  },
  {
    what: 'list a page',
    ask: { type: 'list', pattern: '*e*', limit: 1 },
    ...both({ type: 'listed', names: ['disabled'], more: true }),
  },
  {
    what: 'list the page behind it',
    ask: { type: 'list', pattern: 'o*', after: 'open' },
    ...both({ type: 'listed', names: ['other'], more: false }),
  },
  {
    what: 'list what nobody is called',
    ask: { type: 'list', pattern: 'zz*' },
    ...both({ type: 'listed', names: [], more: false }),
  },
  {
    what: 'list with a limit of none',
    ask: rawFrame(2, 0x50, Buffer.from('a1656c696d697400', 'hex')),
    ...both(BAD),
  },
  {
    what: 'retrieve',
    ask: { type: 'retrieve' },
    ...loggedIn({ type: 'retrieved', messages: [], more: false }),
  },
  {
    what: 'retrieve a page',
    ask: { type: 'retrieve', limit: 1 },
    ...loggedIn({ type: 'retrieved', more: false }),
  },
  {
    what: 'send to somebody who is logged out',
    ask: { type: 'send', id: ID, to: 'other', body: 'hello' },
    ...loggedIn({ type: 'sent', recipientLoggedIn: false }),
  },
  {
    what: 'send to somebody who is logged in',
    ask: { type: 'send', id: ID, to: 'busy', body: 'hello', contentType: 'text/markdown' },
    ...loggedIn({ type: 'sent', recipientLoggedIn: true }),
  },
  {
    what: 'send to oneself',
    ask: { type: 'send', id: ID, to: 'me', body: 'note' },
    ...loggedIn({ type: 'sent' }),
  },
  {
    what: 'send to nobody',
    ask: { type: 'send', id: ID, to: 'nobody', body: 'x' },
    ...loggedIn('NO_SUCH_USER'),
  },
  {
    what: 'send to who blocks one',
    ask: { type: 'send', id: ID, to: 'grumpy', body: 'x' },
    ...loggedIn('BLOCKED'),
  },
  { what: 'send nothing at all', ask: rawFrame(2, 0x70, ''), ...both(BAD) },
  {
    what: 'status',
    ask: { type: 'status', names: ['busy', 'other', 'nobody'] },
    ...loggedIn({ type: 'status', loggedIn: ['busy'] }),
  },
  {
    what: 'status of nobody',
    ask: { type: 'status', names: [] },
    ...loggedIn({ type: 'status', loggedIn: [] }),
  },
  {
    what: 'another password',
    ask: { type: 'password', old: PASSWORD, new: 'battery staple' },
    ...loggedIn({ type: 'password-changed' }),
  },
  {
    what: 'another password without the old one',
    ask: { type: 'password', new: 'battery staple' },
    ...loggedIn('BAD_CREDENTIALS'),
  },
  {
    what: 'another password by a wrong one',
    ask: { type: 'password', old: 'x', new: 'battery staple' },
    ...loggedIn('BAD_CREDENTIALS'),
  },
  {
    what: 'a weak password',
    ask: { type: 'password', old: PASSWORD, new: 'short' },
    ...loggedIn('WEAK_PASSWORD'),
  },
  { what: 'no receipts', ask: { type: 'receipts', receipts: [] }, ...loggedIn({ type: 'fates', fates: [] }) },
  {
    what: 'receipts of nobody',
    ask: { type: 'receipts', receipts: [ID] },
    ...loggedIn({ type: 'fates', fates: ['unknown'] }),
  },
  { what: 'who is blocked', ask: { type: 'block' }, ...loggedIn({ type: 'blocked', blocked: [] }) },
  {
    what: 'block',
    ask: { type: 'block', name: 'other', blocked: true },
    ...loggedIn({ type: 'blocked', blocked: ['other'] }),
  },
  {
    what: 'block nobody',
    ask: { type: 'block', name: 'nobody', blocked: true },
    ...loggedIn('NO_SUCH_USER'),
  },
  { what: 'block oneself', ask: { type: 'block', name: 'me', blocked: true }, ...loggedIn(BAD) },
  {
    what: 'unblock who is not blocked',
    ask: { type: 'block', name: 'other', blocked: false },
    ...loggedIn({ type: 'blocked', blocked: [] }),
  },
  { what: 'an ack of neither', ask: rawFrame(2, 0x90, ''), ...both(BAD) },
  { what: 'an unknown opcode', ask: rawFrame(2, 0x99, ''), ...both(BAD) },
  { what: 'an opcode that only a server sends', ask: rawFrame(2, 0x72, ''), ...both(BAD) },
  { what: 'a payload that is no map', ask: rawFrame(2, 0x50, Buffer.from('80', 'hex')), ...both(BAD) },
  { what: 'a payload with trailing bytes', ask: rawFrame(2, 0x50, Buffer.from('a000', 'hex')), ...both(BAD) },
  { what: 'a payload that is cut short', ask: rawFrame(2, 0x50, Buffer.from('a16561', 'hex')), ...both(BAD) },
  { what: 'a payload that nests deeply', ask: rawFrame(2, 0x50, Buffer.alloc(3_000, 0x81)), ...both(BAD) },
];

/** Accounts: `other` (logged out), `busy` (logged in), `open` (no password), `disabled`, `grumpy` (blocks `me`). */
async function populated(): Promise<House> {
  const house = await openHouse();
  const { accounts } = house.engine;
  const other = await house.person2('other');
  other.write({ type: 'logout' });
  await other.over();
  const credential = accounts.get('other')?.credential ?? null;
  await accounts.create({ name: 'open' });
  const disabled = await accounts.create({ name: 'disabled', credential });
  await accounts.update(disabled, { disabled: true });
  await accounts.update(await accounts.create({ name: 'grumpy' }), { blocked: ['me'] });
  await house.person2('busy');
  return house;
}

/** What comes next is this answer, and the connection is fit for use after it. */
async function expectAnswer(client: RawClient2, answer: Answer): Promise<void> {
  const reply = await client.reply();
  if (typeof answer === 'string') expect(reply).toMatchObject({ type: 'failure', code: answer });
  else if ('last' in answer) expect(reply).toMatchObject(answer.last);
  else expect(reply).toMatchObject(answer);
  if (typeof answer !== 'string' && 'last' in answer) {
    expect(await client.over()).toBeNull();
    expect(client.unread).toEqual([]);
    return;
  }
  if (reply.type === 'created' || reply.type === 'logged-in') {
    expect(reply.token).toHaveLength(32);
    expect(reply.tokenExpiresAt).toBeGreaterThan(Date.now());
  }
  // Whatever the answer was, the connection goes on and is in step.
  await client.inStep();
}

describe('version 2, every request in every state', () => {
  describe.each(TABLE)('$what', (row) => {
    it('while nobody is logged in', async () => {
      const house = await populated();
      const client = await house.connect2();
      client.write(row.ask);
      await expectAnswer(client, row.anonymous);
    });

    it('while logged in', async () => {
      const house = await populated();
      const client = await house.person2('me');
      client.write(row.ask);
      await expectAnswer(client, row.loggedIn);
    });

    it('behind a logout: never carried out', async () => {
      const house = await populated();
      const client = await house.person2('me');
      client.write({ type: 'logout' });
      client.write(row.ask);
      expect(await client.reply()).toEqual({ type: 'logged-out' });
      await client.over();
      expect(client.unread).toEqual([]);
      expect(house.engine.accounts.get('new')).toBeUndefined();
      expect(house.engine.accounts.get('me')).toBeDefined();
    });
  });

  it.each([
    ['anonymous', { type: 'ack', upTo: 5 }],
    ['anonymous', { type: 'ack', ranges: [[1, 2]] }],
  ] as const)('an ack while %s gets a failure', async (_, ask) => {
    const house = await populated();
    const client = await house.connect2();
    expect(await client.ask(ask)).toMatchObject({ type: 'failure', code: NOT_LOGGED_IN, request: 0x90 });
    await client.inStep();
  });

  it('an ack while logged in gets no answer, whatever it acknowledges', async () => {
    const house = await populated();
    const client = await house.person2('me');
    client.write(
      { type: 'ack', upTo: 5 },
      { type: 'ack', ranges: [[0, Number.MAX_SAFE_INTEGER]] },
      { type: 'ping' },
    );
    expect(await client.reply()).toMatchObject({ type: 'pong' });
    expect(client.unread).toEqual([]);
  });

  it('a failure says which request it answers, and which message', async () => {
    const house = await populated();
    const client = await house.person2('me');
    const failure = await client.expect('failure', { type: 'send', id: ID, to: 'nobody', body: 'x' });
    expect(failure.request).toBe(0x70);
    expect(hex(failure.id ?? Buffer.alloc(0))).toBe(hex(ID));
    expect(await client.ask({ type: 'create', username: 'x' })).toMatchObject({ request: 0x10 });
  });
});

describe('where open accounts are not allowed', () => {
  it('an account needs a password, and one without cannot be used', async () => {
    const house = await openHouse({ openAccounts: false });
    await house.engine.accounts.create({ name: 'open' });
    const client = await house.connect2();
    expect(await client.refusal({ type: 'create', username: 'new' })).toBe('WEAK_PASSWORD');
    expect(await client.refusal({ type: 'login', username: 'open' })).toBe('BAD_CREDENTIALS');
    expect(await client.refusal({ type: 'login', username: 'nobody' })).toBe('BAD_CREDENTIALS');
    await client.create('new', PASSWORD);
  });
});

describe('version 1 beside it', () => {
  it('cannot use an account with a password', async () => {
    const house = await populated();
    const client = await house.connect();
    const reply = await client.ask({ type: 'login', name: 'other' });
    expect(reply).toEqual({ type: 'failure', text: expect.stringMatching(/has a password/) });
  });

  it('exchanges messages with people of version 2', async () => {
    const house = await openHouse();
    const old = await house.person('old');
    const young = await house.person2('young');
    await young.send('old', 'from 2 to 1');
    expect(await old.ask({ type: 'send', to: 'young', body: 'from 1 to 2' })).toMatchObject({ type: 'sent' });
    await eventually(() => expect(old.bodies()).toEqual(['from 2 to 1']));
    await eventually(() => expect(young.bodies()).toEqual(['from 1 to 2']));
    expect(young.messages[0]).toMatchObject({ verified: true, from: 'old' });
    // What the network took counts as delivered in version 1, and its sender hears of it.
    await eventually(() => expect(young.delivered).toHaveLength(1));
  });
});
