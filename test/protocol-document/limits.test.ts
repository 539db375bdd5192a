/* Sentences about time, numbers and a Kafka that is away: a frontend whose limits are small, on a cluster that can be told what to do. */
import { describe, expect, vi } from 'vitest';
import { newClusterKey } from '../../src/core/cluster-key.ts';
import { EngineError } from '../../src/core/errors.ts';
import { writeInvite } from '../../src/core/invite.ts';
import { LIMITS } from '../../src/server/limits.ts';
import { openHouse } from '../server/house.ts';
import { smallStore } from '../storage/faulty-store.ts';
import { eventually, newId, PASSWORD } from './client.ts';
import { frame, frame2 } from './frames.ts';
import { holds } from './sentences.ts';
import { open } from './servers.ts';

const SOON_MS = 150;

describe('time', () => {
  holds(
    [
      'A frame that has begun must be whole within 30 seconds; a connection that has had no request carried out and stays silent is closed after a minute, and one without a login after 5 minutes or 16 requests that cannot be read.',
      'A frame that has begun must be whole within 30 s; a first request comes within a minute, and a login within 5 minutes of the connection, however much is asked: all three end in TIMEOUT.',
      'Before any frame they come in version 1, also to a client of version 2: too many connections (which may end without a word, too), nothing asked for a minute, shutting down.',
    ],
    async () => {
      expect(LIMITS).toMatchObject({ partialFrameMs: 30_000, firstRequestMs: 60_000, loginMs: 300_000 });
      const partial = await openHouse({ limits: { partialFrameMs: SOON_MS } });
      const [old, young] = [await open(partial.frontend), await open(partial.frontend)];
      old.write(frame(1, 0x50, 'nobody').subarray(0, 8));
      young.write(frame2(0x80, { client: 'x' }).subarray(0, 1));
      expect(await old.over()).toMatchObject({ version: 1, opcode: 0x22 });
      expect(await young.goodbye()).toBe('TIMEOUT');

      const first = await openHouse({ limits: { firstRequestMs: SOON_MS } });
      const [silent, refused] = [await open(first.frontend), await open(first.frontend)];
      refused.write(frame(2, 0x99));
      expect(await silent.over()).toMatchObject({ version: 1, opcode: 0x22 });
      expect(await refused.goodbye()).toBe('TIMEOUT');

      // Long enough for an account to be made on a busy machine.
      const late = await openHouse({ limits: { loginMs: 20 * SOON_MS } });
      const busy = await open(late.frontend);
      const person = await open(late.frontend);
      await person.get(0x10, { username: 'anna', password: PASSWORD });
      await expect(
        eventually(async () => {
          await busy.get(0x50);
          throw new Error('goes on');
        }),
      ).rejects.toThrow(/closed/);
      expect(await busy.goodbye()).toBe('TIMEOUT');
      await person.inStep();
    },
  );

  holds(
    'too many connections (which may end without a word, too), nothing asked for a minute, shutting down.',
    async () => {
      const full = await openHouse({ maxConnections: 1 });
      await (await open(full.frontend)).get(0x10, { username: 'anna', password: PASSWORD });
      expect(await (await open(full.frontend)).over()).toMatchObject({ version: 1, opcode: 0x22 });
      const house = await openHouse();
      const silent = await open(house.frontend);
      await (await open(house.frontend)).inStep();
      const draining = house.frontend.drain();
      expect(await silent.over()).toMatchObject({ version: 1, opcode: 0x22 });
      await draining;
    },
  );

  holds(
    [
      'and one without a login after 5 minutes or 16 requests that cannot be read.',
      'Who has not logged in may have to make room for others (BUSY).',
    ],
    async () => {
      expect(LIMITS.unreadableRequests).toBe(16);
      const house = await openHouse();
      const client = await open(house.frontend);
      for (let i = 0; i < 16; i++) expect(await client.refusal(0x99)).toBe('BAD_REQUEST');
      await client.over();
      const small = await openHouse({ maxConnections: 1 });
      const stranger = await open(small.frontend);
      await stranger.inStep();
      const next = await open(small.frontend);
      expect(await stranger.goodbye()).toBe('BUSY');
      await next.inStep();
    },
  );

  holds(
    'a login by token keeps it, and makes it last longer when less than half of its time is left.',
    async () => {
      const house = await openHouse({ limits: { resumeMs: 60_000 } });
      const client = await open(house.frontend);
      const made = await client.get(0x10, { username: 'anna', password: PASSWORD });
      client.socket.destroy();
      const { token } = made;
      const soon = await open(house.frontend);
      expect(await soon.get(0x20, { username: 'anna', token })).toMatchObject({
        token,
        tokenExpiresAt: made.tokenExpiresAt,
      });
      // Two thirds of its time are over.
      const stored = house.cluster.tokens.get('anna');
      if (stored === undefined) throw new Error('no session');
      const { token: kept, incarnation } = stored;
      house.cluster.tokens.set('anna', {
        incarnation,
        token: { ...kept, expiresAt: Date.now() + 20_000 },
      });
      const later = await open(house.frontend);
      const resumed = await later.get(0x20, { username: 'anna', token });
      expect(resumed.token).toEqual(token);
      expect(Number(resumed.tokenExpiresAt)).toBeGreaterThan(Date.now() + 50_000);
    },
  );
});

describe('numbers', () => {
  holds(
    [
      '**Wrong passwords**: only they count.',
      'One may be wrong about a name 5 times from one address and then 6 times an hour, beside that 10 times from everywhere together and then 12 times a minute; about all names together 100 times from one address and then 300 times a minute.',
      'Who has used up both of the first two, or the last, waits until one more may be wrong; a right password gets in then.',
      'Whoever guesses elsewhere keeps nobody out.',
      'RATE_LIMITED comes only where a thousand wait, to one of those who have most of them.',
    ],
    async () => {
      const { failuresPerPair: pair, failuresPerName: name, failuresPerAddress: address } = LIMITS;
      expect([pair.burst, name.burst, address.burst]).toEqual([5, 10, 100]);
      expect([3_600 * pair.perSecond, 60 * name.perSecond, 60 * address.perSecond]).toEqual([6, 12, 300]);
      expect(LIMITS.hashesWaiting).toBe(1_000);
      const house = await openHouse();
      // From another address than the guesses below.
      const owner = await open(house.frontend, '127.0.0.2');
      await owner.get(0x10, { username: 'anna', password: PASSWORD });
      const client = await open(house.frontend);
      for (let i = 0; i < pair.burst + name.burst; i++) {
        expect(await client.refusal(0x20, { username: 'anna', password: 'wrong one' })).toBe(
          'BAD_CREDENTIALS',
        );
      }
      // One more in five seconds.
      const began = performance.now();
      const guess = client.refusal(0x20, { username: 'anna', password: 'wrong one' });
      const again = await open(house.frontend, '127.0.0.2');
      await again.get(0x20, { username: 'anna', password: PASSWORD, takeover: true });
      expect(await guess).toBe('BAD_CREDENTIALS');
      expect(performance.now() - began).toBeGreaterThan(1_000);
      await client.get(0x20, { username: 'anna', password: PASSWORD, takeover: true });
    },
  );

  holds(
    [
      'The answer may take as long as a login may, 5 minutes from the connection on, and all later answers wait behind it: that is no sign of a dead server.',
      'A client that gives up earlier, or connects anew, loses its place.',
      'A login that waits when its session ends is not looked at any more: it gets UNAVAILABLE, or SHUTTING_DOWN where the server ends, before the goodbye.',
    ],
    async () => {
      expect(LIMITS.loginMs).toBe(300_000);
      const never = { burst: 1, perSecond: 0.001 };
      const failures = { failuresPerPair: never, failuresPerName: never };
      const wrong = { username: 'anna', password: 'wrong one' };
      for (const ends of ['login', 'server'] as const) {
        const house = await openHouse({
          limits: { ...failures, loginMs: ends === 'login' ? 3_000 : 300_000 },
        });
        const guesser = await open(house.frontend);
        for (let i = 0; i < 2; i++) expect(await guesser.refusal(0x20, wrong)).toBe('BAD_CREDENTIALS');
        const client = await open(house.frontend);
        const find = vi.spyOn(house.engine.accounts, 'findEvenly');
        const answer = client.refusal(0x20, { ...wrong, password: PASSWORD });
        await vi.waitFor(() => expect(find).toHaveBeenCalledOnce());
        if (ends === 'server') void house.frontend.drain();
        expect(await answer).toBe(ends === 'server' ? 'SHUTTING_DOWN' : 'UNAVAILABLE');
        expect(await client.goodbye()).toBe(ends === 'server' ? 'SHUTTING_DOWN' : 'TIMEOUT');
      }
    },
  );

  holds(
    [
      '**Wrong tokens**: 200 from one address are answered at once, and then 20 a second.',
      'A right token never waits for wrong ones.',
    ],
    async () => {
      const { burst, perSecond } = LIMITS.wrongTokensPerAddress;
      expect([burst, perSecond]).toEqual([200, 20]);
      const house = await openHouse({ limits: { wrongTokensPerAddress: { burst, perSecond: 0.001 } } });
      const owner = await open(house.frontend);
      const { token } = await owner.get(0x10, { username: 'anna', password: PASSWORD });
      const client = await open(house.frontend);
      const wrong = { username: 'anna', token: Buffer.alloc(32) };
      for (let i = 0; i < burst; i++) expect(await client.refusal(0x20, wrong)).toBe('BAD_CREDENTIALS');
      const late = client.refusal(0x20, wrong).catch(() => 'closed');
      await (await open(house.frontend)).get(0x20, { username: 'anna', token });
      expect(await Promise.race([late, Promise.resolve('waits')])).toBe('waits');
    },
  );

  holds(
    [
      '| | `invite?` | label 1–256 | leave by the operator, where the server asks for it |',
      '| REGISTRATION_CLOSED | create: the server makes no accounts, or no more, or wants an invite (a good one, not used up) |',
    ],
    async () => {
      const key = newClusterKey();
      const invite = writeInvite(key, { endsAt: Date.now() + 3_600_000, uses: 1 });
      const registration = { mode: 'invite', maxAccounts: 10, keys: [key] } as const;
      const client = await open((await openHouse({ registration })).frontend);
      const account = { username: 'anna', password: PASSWORD };
      expect(await client.refusal(0x10, account)).toBe('REGISTRATION_CLOSED');
      expect(await client.refusal(0x10, { ...account, invite: 'made up' })).toBe('REGISTRATION_CLOSED');
      await client.get(0x10, { ...account, invite });
      const closed = { mode: 'closed', maxAccounts: 10, keys: [key] } as const;
      const other = await open((await openHouse({ registration: closed })).frontend);
      expect(await other.refusal(0x10, { ...account, invite })).toBe('REGISTRATION_CLOSED');
    },
  );

  holds('A list reply is cut at 1 MiB as well.', async () => {
    const house = await openHouse();
    for (let i = 0; i < 32_000; i++) await house.engine.accounts.create({ name: `n${i}`.padEnd(32, 'x') });
    const client = await open(house.frontend);
    client.write(frame(1, 0x50));
    const list = await client.text(0x51);
    expect(list.length).toBeLessThanOrEqual(1_048_576);
    expect(list.length).toBeGreaterThan(1_048_576 - 2 * 34);
    for (const name of list.split('; ')) expect(name).toMatch(/^n\d+x+$/);
  });

  holds('Who sends too fast is not refused but made to wait.', async () => {
    const house = await openHouse({ limits: { sendsPerSecond: 100, sendBurst: 5 } });
    const client = await open(house.frontend);
    client.write(frame(1, 0x10, 'anna'));
    await client.text(0x11);
    const sends = Array.from({ length: 30 }, (_, i) => frame(1, 0x70, `\x04annam${i}`));
    client.write(...sends);
    for (const _ of sends) expect(await client.text(0x71)).toBe('delivered to anna');
  });
});

describe('order', () => {
  holds(
    'A pong waits its turn behind unanswered requests, of which a send may take 10 s and more while Kafka is away.',
    async () => {
      const house = await openHouse();
      const client = await open(house.frontend);
      await client.get(0x10, { username: 'anna', password: PASSWORD });
      const release = house.cluster.holdAppends();
      client.write(frame2(0x70, { id: newId(), to: 'anna', body: 'x' }), frame2(0xb0));
      await eventually(() => expect(house.cluster.waitingAppends).toBe(1));
      // Somebody else's pong comes meanwhile.
      await (await open(house.frontend)).inStep();
      expect(client.replies()).toHaveLength(1);
      release();
      expect((await client.reply()).opcode).toBe(0x71);
      expect((await client.reply()).opcode).toBe(0xb1);
    },
  );
});

describe('pages', () => {
  /** Keys and values, each map and array one of them. */
  const items = (value: unknown): number => {
    if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return 1;
    if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + items(item), 1);
    return Object.values(value).reduce((sum: number, item) => sum + 1 + items(item), 1);
  };

  holds(
    [
      'a reply at most 32,768 items.',
      '| 0x61 retrieved | `messages` | ≤ 1,000 × map |',
      '| 0x51 listed | `names` | ≤ 1,000 × name |',
    ],
    async () => {
      const house = await openHouse();
      const client = await open(house.frontend);
      await client.get(0x10, { username: 'anna', password: PASSWORD });
      await client.get(0x30);
      const sender = await open(house.frontend);
      await sender.get(0x10, { username: 'bert', password: PASSWORD });
      const sends = Array.from({ length: 1_001 }, () => ({ id: newId(), to: 'anna', body: 'x' }));
      for (const fields of sends) sender.write(frame2(0x70, { ...fields, contentType: 'text/x' }));
      for (const _ of sends) expect((await sender.reply()).opcode).toBe(0x71);
      const back = await open(house.frontend);
      await back.get(0x20, { username: 'anna', password: PASSWORD, deliver: 'live' });
      const page = await back.get(0x60);
      expect(page).toMatchObject({ messages: { length: 1_000 }, more: true });
      expect(items(page)).toBeLessThanOrEqual(32_768);
      for (let i = 0; i < 1_001; i++) await house.engine.accounts.create({ name: `n${i}` });
      expect(await back.get(0x50)).toMatchObject({ names: { length: 1_000 }, more: true });
    },
  );

  holds(
    'They tell of the last 1,000 messages of an account that wait, fewer where a server has very many, and are not repeated: ask by `receipts` for what was not reported yet.',
    async () => {
      expect(LIMITS.trackedPerAccount).toBe(1_000);
      const house = await openHouse({ limits: { trackedPerAccount: 3, trackMs: 50 } });
      const [sender, reader] = [await open(house.frontend), await open(house.frontend)];
      await sender.get(0x10, { username: 'anna', password: PASSWORD });
      await reader.get(0x10, { username: 'bert', password: PASSWORD });
      const ids = Array.from({ length: 5 }, newId);
      const receipts: unknown[] = [];
      for (const id of ids) receipts.push((await sender.send('bert', 'x', id)).receipt);
      await eventually(() => expect(reader.seqs()).toHaveLength(5));
      reader.write(frame2(0x90, { upTo: reader.seqs()[4] }));
      const last = ids.slice(2).map((id) => id.toString('hex'));
      await eventually(() => expect(sender.delivered()).toEqual(last));
      await eventually(async () => {
        const { fates } = await sender.get(0xe0, { receipts });
        expect(fates).toEqual(receipts.map(() => 'delivered'));
      });
      expect(sender.delivered()).toEqual(last);
    },
  );
});

describe('codes', () => {
  holds(
    [
      "| MAILBOX_FULL | the recipient's inbox, or the sender's share of it, is full |",
      'failure: a message that Kafka does not take |',
      '| UNAVAILABLE | Kafka does not answer; what was asked **may have been done**, a send stored.',
    ],
    async () => {
      const house = await openHouse({ cluster: smallStore(2) });
      const client = await open(house.frontend);
      await client.get(0x10, { username: 'anna', password: PASSWORD });
      for (let i = 0; i < 2; i++) await client.send('anna', 'x');
      expect(await client.refusal(0x70, { id: newId(), to: 'anna', body: 'x' })).toBe('MAILBOX_FULL');
      house.cluster.setAvailable(false);
      expect(await client.refusal(0x70, { id: newId(), to: 'anna', body: 'x' })).toBe('UNAVAILABLE');
      const other = await open(house.frontend);
      expect(await other.refusal(0x20, { username: 'anna', password: PASSWORD, takeover: true })).toBe(
        'UNAVAILABLE',
      );
    },
  );

  holds(
    [
      "| NO_SUCH_USER | send, block; a login with neither password nor token; failure or goodbye if one's own account was removed |",
      '| BAD_CREDENTIALS | no such account, wrong password or none, or token not valid any more; an account that may not be used;',
      '| WEAK_PASSWORD | the new password is too weak, or none where one is required |',
      '| USERNAME_TAKEN | create |',
      '| INVALID_USERNAME | a text that is no username, in a send no room either |',
      'absent: an *open* account for anybody, where the server allows that |',
    ],
    async () => {
      const house = await openHouse();
      const client = await open(house.frontend);
      const login = (fields: Record<string, unknown>) =>
        client.refusal(0x20, { username: 'nobody', ...fields });
      expect(await login({})).toBe('NO_SUCH_USER');
      expect(await login({ password: PASSWORD })).toBe('BAD_CREDENTIALS');
      expect(await login({ token: new Uint8Array(32) })).toBe('BAD_CREDENTIALS');
      expect(await login({ username: 'a b' })).toBe('INVALID_USERNAME');
      expect(await client.refusal(0x10, { username: 'anna', password: 'short' })).toBe('WEAK_PASSWORD');
      await client.get(0x10, { username: 'anna', password: PASSWORD });
      expect(await (await open(house.frontend)).refusal(0x10, { username: 'Anna' })).toBe('USERNAME_TAKEN');
      const account = house.engine.accounts.get('anna');
      if (account === undefined) throw new Error('no account');
      house.cluster.putAccount({ ...account, disabled: true });
      const how = { username: 'anna', password: PASSWORD, takeover: true };
      expect(await (await open(house.frontend)).refusal(0x20, how)).toBe('BAD_CREDENTIALS');
      await house.engine.accounts.remove(account);
      expect(await client.goodbye()).toBe('NO_SUCH_USER');
      const strict = await openHouse({ openAccounts: false });
      const stranger = await open(strict.frontend);
      expect(await stranger.refusal(0x10, { username: 'open' })).toBe('WEAK_PASSWORD');
      expect(await stranger.refusal(0x20, { username: 'open' })).toBe('BAD_CREDENTIALS');
    },
  );

  holds(
    [
      'after a create log in, after a password change try both |',
      'UNAVAILABLE and INTERNAL do not say, unless they have `stored`;',
      '| INTERNAL | a fault of the server; as UNAVAILABLE | show the message, which has a reference;',
    ],
    async () => {
      const house = await openHouse();
      const client = await open(house.frontend);
      await client.get(0x10, { username: 'anna', password: PASSWORD });
      const put = vi.spyOn(house.engine.tokens, 'put');
      put.mockRejectedValueOnce(new EngineError('BUSY', 'told to'));
      const change = { old: PASSWORD, new: 'another one' };
      const { fields } = await client.ask(0xd0, change);
      expect(fields).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(/was changed/) });
      expect(await client.refusal(0xd0, change)).toBe('BAD_CREDENTIALS');
      await client.get(0xd0, { old: 'another one', new: PASSWORD });
      put.mockRejectedValueOnce(new Error('a fault'));
      const other = await open(house.frontend);
      const made = await other.ask(0x10, { username: 'bert', password: PASSWORD });
      expect(made.fields).toMatchObject({ code: 'INTERNAL', created: true });
      expect(made.fields.message).toMatch(/Reference: \w+/);
      await other.get(0x20, { username: 'bert', password: PASSWORD });
    },
  );

  holds(
    [
      '| BAD_FRAME | the stream ended within a frame |',
      '| TOO_LARGE | goodbye: a frame over the limit;',
      '**Limits**: the payload limit is `payloadBytesBeforeLogin` until the login is answered, then `payloadBytes`.',
      'A larger frame ends in goodbye TOO_LARGE.',
      '| UNSUPPORTED_VERSION | first byte of a frame; comes in version 1 |',
    ],
    async () => {
      const house = await openHouse();
      const cut = await open(house.frontend);
      cut.write(frame2(0xb0).subarray(0, 6));
      cut.socket.end();
      expect(await cut.goodbye()).toBe('BAD_FRAME');
      const before = await open(house.frontend);
      before.write(frame(2, 0xb0, new Uint8Array(4_096)), frame(2, 0xb0, new Uint8Array(4_097)));
      expect((await before.reply()).fields).toMatchObject({ code: 'BAD_REQUEST' });
      expect(await before.goodbye()).toBe('TOO_LARGE');
      const after = await open(house.frontend);
      await after.get(0x10, { username: 'anna', password: PASSWORD });
      after.write(frame(2, 0xb0, new Uint8Array(65_536)), frame(2, 0xb0, new Uint8Array(65_537)));
      expect((await after.reply()).fields).toMatchObject({ code: 'BAD_REQUEST' });
      expect(await after.goodbye()).toBe('TOO_LARGE');
      const foreign = await open(house.frontend);
      await foreign.inStep();
      foreign.write(frame(3, 0xb0));
      expect(await foreign.over()).toMatchObject({ version: 1, opcode: 0x22 });
    },
  );
});
