import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newClusterKey } from '../../src/core/cluster-key.ts';
import { type Invite, readInvite, writeInvite } from '../../src/core/invite.ts';
import { FaultyStore } from '../storage/faulty-store.ts';
import { type House, openHouse, PASSWORD } from './house.ts';
import type { RawClient2 } from './raw-client2.ts';

const KEY = newClusterKey();
const HOUR = 3_600_000;

function invite(how: Partial<Invite> = {}): string {
  return writeInvite(KEY, { endsAt: Date.now() + HOUR, uses: 1, ...how });
}

function openWith(mode: 'open' | 'invite' | 'closed', maxAccounts = 1_000): Promise<House> {
  return openHouse({ registration: { mode, maxAccounts, keys: [KEY] } });
}

async function refusal(house: House, username: string, given?: string) {
  const client = await house.connect2();
  const request = { type: 'create', username, password: PASSWORD, invite: given } as const;
  return client.expect('failure', request);
}

describe('registration', () => {
  it('closed: nobody makes an account, in either version, and everybody reads why', async () => {
    const house = await openWith('closed');
    expect(await refusal(house, 'anna', invite())).toMatchObject({
      code: 'REGISTRATION_CLOSED',
      message: 'This server makes no new accounts: ask its operator for one.',
    });
    const old = await house.connect();
    expect(await old.ask({ type: 'create', name: 'anna' })).toEqual({
      type: 'failure',
      text: 'This server makes no new accounts: ask its operator for one.',
    });
    expect(house.engine.accounts.size).toBe(0);
    await house.engine.accounts.create({ name: 'bert' });
    await house.login2('bert', {});
  });

  it('by invitation: with an invite that is good, as often as it says', async () => {
    const cluster = new FaultyStore();
    const registration = { mode: 'invite', maxAccounts: 1_000, keys: [KEY] } as const;
    const [here, elsewhere] = [
      await openHouse({ cluster, registration }),
      await openHouse({ cluster, registration }),
    ];
    const good = invite({ uses: 2 });
    for (const [i, house] of [here, elsewhere].entries()) {
      const client = await house.connect2();
      const request = { type: 'create', username: `anna-${i}`, password: PASSWORD, invite: good } as const;
      await client.expect('created', request);
    }
    for (const house of [here, elsewhere]) {
      expect(await refusal(house, 'anna-2', good)).toMatchObject({
        code: 'REGISTRATION_CLOSED',
        message: 'That invite was used as often as it may be: ask the operator for another one.',
      });
    }
    const old = await here.connect();
    const { text } = (await old.ask({ type: 'create', name: 'old' })) as { text: string };
    expect(text).toMatch(/by invitation only.*milena create NAME --invite INVITE$/);
  });

  it('by invitation: with nothing that is no good invite', async () => {
    const house = await openWith('invite');
    const [id, payload, mac] = invite().split('.');
    const foreign = writeInvite({ ...newClusterKey(), id: KEY.id }, { endsAt: Date.now() + HOUR, uses: 1 });
    const [, longer] = invite({ endsAt: Date.now() + 9 * HOUR }).split('.');
    for (const [bad, why] of [
      [undefined, /by invitation only/],
      ['x', /no invite of this server/],
      [`${id}.${payload}`, /no invite of this server/],
      [foreign, /no invite of this server/],
      [`${id}.${longer}.${mac}`, /no invite of this server/],
      [`other.${payload}.${mac}`, /no invite of this server/],
      [invite({ endsAt: Date.now() - 1_000 }), /is over/],
    ] as const) {
      expect(await refusal(house, 'anna', bad)).toMatchObject({
        code: 'REGISTRATION_CLOSED',
        message: expect.stringMatching(why),
      });
    }
    expect(house.engine.accounts.size).toBe(0);
  });

  it('lets a weak password or a taken name cost neither the invite nor a place', async () => {
    const house = await openHouse({
      registration: { mode: 'invite', maxAccounts: 1_000, keys: [KEY] },
      limits: { newAccountsPerAddress: 2, newAccounts: 2 },
    });
    await house.engine.accounts.create({ name: 'bert' });
    const client = await house.connect2();
    const request = { type: 'create', username: 'anna', password: PASSWORD, invite: invite() } as const;
    for (let i = 0; i < 5; i++) {
      expect(await client.refusal({ ...request, password: 'password' })).toBe('WEAK_PASSWORD');
      expect(await client.refusal({ ...request, username: 'bert' })).toBe('USERNAME_TAKEN');
    }
    await client.expect('created', request);
  });

  it('open: so many accounts, and no more', async () => {
    const house = await openWith('open', 3);
    for (const name of ['anna', 'bert', 'carl']) await house.person2(name);
    expect(await refusal(house, 'dora')).toMatchObject({ code: 'REGISTRATION_CLOSED' });
    const anna = await house.login2('anna', { password: PASSWORD, takeover: true });
    anna.write({ type: 'delete', password: PASSWORD });
    await anna.over();
    await house.person2('dora');
  });

  it('open: so many accounts, however many are made at the same moment, and whatever came of others', async () => {
    const house = await openWith('open', 10);
    const anna = await house.person2('anna');
    const failed = await house.connect2();
    for (let i = 0; i < 12; i++) {
      const weak = { type: 'create', username: 'bert', password: 'password' } as const;
      expect(await failed.refusal(weak)).toBe('WEAK_PASSWORD');
    }
    const clients = await Promise.all(Array.from({ length: 40 }, () => house.connect2()));
    const create = (client: RawClient2, i: number) =>
      client.ask({ type: 'create', username: `name-${i}`, password: PASSWORD });
    const replies = await Promise.all(clients.map(create));
    const made = replies.filter(({ type }) => type === 'created').length;
    expect(made).toBeLessThanOrEqual(9);
    expect(house.engine.accounts.size).toBe(1 + made);
    for (let i = made; i < 9; i++) await house.person2(`more-${i}`);
    expect(await refusal(house, 'dora')).toMatchObject({ code: 'REGISTRATION_CLOSED' });
    // One that is gone makes room for another one, and for no more than that.
    anna.write({ type: 'delete', password: PASSWORD });
    await anna.over();
    await house.person2('emil');
    expect(await refusal(house, 'dora')).toMatchObject({ code: 'REGISTRATION_CLOSED' });
  });

  it('open: a bounded number from each address, and from all together', async () => {
    const house = await openHouse({ limits: { newAccountsPerAddress: 3, newAccounts: 5 } });
    const create = async (from: string, names: readonly string[]) => {
      const clients = await Promise.all(names.map(() => house.connect2(from)));
      const replies = await Promise.all(
        clients.map((client, i) =>
          client.ask({ type: 'create', username: names[i] ?? '', password: PASSWORD }),
        ),
      );
      return replies.map((reply) => (reply.type === 'failure' ? reply.code : reply.type)).sort();
    };
    const names = (stem: string, count: number) => Array.from({ length: count }, (_, i) => `${stem}-${i}`);
    const made = (count: number, refused: number) => [
      ...Array(refused).fill('RATE_LIMITED'),
      ...Array(count).fill('created'),
    ];
    expect(await create('127.0.0.1', names('a', 8))).toEqual(made(3, 5));
    expect(await create('127.0.0.2', names('b', 8))).toEqual(made(2, 6));
    expect(await create('127.0.0.3', names('c', 2))).toEqual(made(0, 2));
    const late = await refusal(house, 'late');
    expect(late.retryAfterMs).toBeGreaterThan(60_000);
    expect(house.engine.accounts.size).toBe(5);
    // Whoever has an account is not concerned.
    await house.login2('a-0', { password: PASSWORD, takeover: true });
  });

  it('never keeps a login waiting behind new accounts', async () => {
    const house = await openHouse({ limits: { hashesWaiting: 5 } });
    await house.person2('anna');
    const crowd = await Promise.all(Array.from({ length: 40 }, () => house.connect2()));
    for (const [i, client] of crowd.entries()) {
      client.write({ type: 'create', username: `new-${i}`, password: PASSWORD });
    }
    for (let i = 0; i < 5; i++) await house.login2('anna', { password: PASSWORD, takeover: true });
    const replies = await Promise.all(crowd.map((client) => client.reply()));
    expect(replies.every((reply) => reply.type === 'created' || reply.type === 'failure')).toBe(true);
  });
});

describe('an invite', () => {
  it('comes out as it went in, is verified by any of the keys, and is short', () => {
    const endsAt = 1_900_000_000_000;
    const text = writeInvite(KEY, { endsAt, uses: 65_535 });
    expect(text.length).toBeLessThan(80);
    expect(readInvite([newClusterKey(new Date(0)), KEY], ` ${text}\n`)).toMatchObject({
      endsAt,
      uses: 65_535,
    });
    expect(readInvite([], text)).toBeNull();
  });

  it('of any bytes is none', () => {
    for (let i = 0; i < 1_000; i++) {
      expect(readInvite([KEY], randomBytes(1 + (i % 80)).toString('latin1'))).toBeNull();
      const parts = [KEY.id, randomBytes(14).toString('base64url'), randomBytes(16).toString('base64url')];
      expect(readInvite([KEY], parts.join('.'))).toBeNull();
    }
  });
});
