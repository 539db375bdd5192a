import { createHash } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { EngineError } from '../../src/core/errors.ts';
import { eventually } from '../contracts/cluster.ts';
import { FaultyStore } from '../storage/faulty-store.ts';
import { CHEAP, openHouse, PASSWORD } from './house.ts';

describe('a password', () => {
  it('is kept as a hash alone, and never in the log', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    await anna.refusal({ type: 'password', old: 'wrong-secret', new: 'other-secret' });
    const stored = JSON.stringify(house.engine.accounts.get('anna'));
    expect(stored).toContain('$argon2id$');
    for (const secret of [PASSWORD, 'wrong-secret', 'other-secret']) {
      expect(stored).not.toContain(secret);
      expect(house.logged.join('')).not.toContain(secret);
    }
  });

  it('that is changed ends every token there was', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    const before = anna.session?.token;
    const changed = await anna.expect('password-changed', {
      type: 'password',
      old: PASSWORD,
      new: 'battery staple',
    });
    anna.cut();
    const client = await house.connect2();
    if (before === undefined) throw new Error('a login gives a token');
    expect(await client.refusal({ type: 'login', username: 'anna', token: before })).toBe('BAD_CREDENTIALS');
    expect(await client.refusal({ type: 'login', username: 'anna', password: PASSWORD })).toBe(
      'BAD_CREDENTIALS',
    );
    await client.login('anna', { token: changed.token });
    client.cut();
    await eventually(() => expect(house.engine.inboxes.openCount).toBe(0));
    await house.login2('anna', { password: 'battery staple' });
  });

  it('may be given to an open account, which is open no more', async () => {
    const house = await openHouse();
    const anna = await house.connect2();
    await anna.create('anna');
    await anna.expect('password-changed', { type: 'password', new: 'battery staple' });
    anna.cut();
    const client = await house.connect2();
    expect(await client.refusal({ type: 'login', username: 'anna' })).toBe('BAD_CREDENTIALS');
    await client.login('anna', { password: 'battery staple', takeover: true });
  });

  it('is hashed anew at a login when hashes have become dearer', async () => {
    const cluster = new FaultyStore();
    const before = await openHouse({ cluster });
    (await before.person2('anna')).cut();
    await eventually(() => expect(before.engine.inboxes.openCount).toBe(0));
    const cost = { ...CHEAP, passes: 3 };
    const after = await openHouse({ cluster, limits: { passwordCost: cost } });
    const update = vi.spyOn(after.engine.accounts, 'update');
    const anna = await after.login2('anna');
    expect(after.engine.accounts.get('anna')?.credential).toContain('m=8,t=3,p=1');
    anna.cut();
    await eventually(() => expect(after.engine.inboxes.openCount).toBe(0));
    await after.login2('anna');
    expect(update).toHaveBeenCalledOnce();
  });
});

describe('a token', () => {
  it('is 32 random bytes, of which a hash alone is stored', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    const token = anna.session?.token ?? Buffer.alloc(0);
    expect(token).toHaveLength(32);
    const stored = house.cluster.tokens.get('anna')?.token.tokenHash;
    expect(stored).toEqual(createHash('sha256').update(token).digest());
  });

  it('lets a client come back at once through any frontend, and ends the login it had', async () => {
    const cluster = new FaultyStore();
    const north = await openHouse({ cluster });
    const south = await openHouse({ cluster });
    const anna = await north.person2('anna');
    const token = anna.session?.token ?? Buffer.alloc(0);
    const again = await south.login2('anna', { token });
    expect(await anna.over()).toBe('REPLACED');
    // It stays valid: a client that never heard the answer can still come back by it.
    expect(Buffer.from(again.session?.token ?? [])).toEqual(Buffer.from(token));
    await north.login2('anna', { token });
    expect(await again.over()).toBe('REPLACED');
  });

  it('ends with the logout, and not with the connection', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    const token = anna.session?.token ?? Buffer.alloc(0);
    anna.cut();
    const again = await house.login2('anna', { token });
    again.write({ type: 'logout' });
    await again.over();
    const client = await house.connect2();
    expect(await client.refusal({ type: 'login', username: 'anna', token })).toBe('BAD_CREDENTIALS');
  });

  it('ends with the next login by password', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    const token = anna.session?.token ?? Buffer.alloc(0);
    await house.login2('anna', { password: PASSWORD, takeover: true });
    const client = await house.connect2();
    expect(await client.refusal({ type: 'login', username: 'anna', token })).toBe('BAD_CREDENTIALS');
  });

  it('ends with its time', async () => {
    const house = await openHouse({ limits: { resumeMs: 1 } });
    const anna = await house.person2('anna');
    const token = anna.session?.token ?? Buffer.alloc(0);
    await eventually(() => expect(Date.now()).toBeGreaterThan(anna.session?.tokenExpiresAt ?? 0));
    const client = await house.connect2();
    expect(await client.refusal({ type: 'login', username: 'anna', token })).toBe('BAD_CREDENTIALS');
  });

  it('takes over by itself, unless it says that it does not', async () => {
    const cluster = new FaultyStore();
    const [north, south] = [await openHouse({ cluster }), await openHouse({ cluster })];
    const first = await north.person2('anna');
    const token = first.session?.token ?? Buffer.alloc(0);
    for (const house of [north, south]) {
      const asking = await house.connect2();
      const login = { type: 'login', username: 'anna', token, takeover: false } as const;
      expect(await asking.refusal(login)).toBe('ALREADY_LOGGED_IN');
    }
    await first.inStep();
    first.cut();
    const second = await south.login2('anna', { token, takeover: false });
    expect(second.session?.token).toEqual(new Uint8Array(token));
    await north.login2('anna', { token });
    expect(await second.over()).toBe('REPLACED');
  });

  it('is worth nothing in another life of the name, nor for another name', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    const token = anna.session?.token ?? Buffer.alloc(0);
    const bert = await house.person2('bert');
    bert.cut();
    const client = await house.connect2();
    expect(await client.refusal({ type: 'login', username: 'bert', token })).toBe('BAD_CREDENTIALS');
    anna.write({ type: 'delete', password: PASSWORD });
    await anna.over();
    expect(house.cluster.tokens.get('anna')).toBeUndefined();
    await house.person2('anna');
    expect(await client.refusal({ type: 'login', username: 'anna', token })).toBe('BAD_CREDENTIALS');
  });
});

describe('a login by password', () => {
  it('is refused where somebody is, here and elsewhere, unless it takes over', async () => {
    const cluster = new FaultyStore();
    const north = await openHouse({ cluster });
    const south = await openHouse({ cluster });
    const first = await north.person2('anna');
    for (const house of [north, south]) {
      const client = await house.connect2();
      const refused = await client.refusal({ type: 'login', username: 'anna', password: PASSWORD });
      expect(refused).toBe('ALREADY_LOGGED_IN');
    }
    const second = await south.login2('anna', { password: PASSWORD, takeover: true });
    expect(await first.over()).toBe('REPLACED');
    const third = await south.login2('anna', { password: PASSWORD, takeover: true });
    expect(await second.over()).toBe('REPLACED');
    await third.inStep();
    expect(third.goodbye).toBeNull();
  });

  it('whose token cannot be stored gives the inbox back', async () => {
    const house = await openHouse();
    const anna = await house.person2('anna');
    anna.write({ type: 'logout' });
    await anna.over();
    const { put } = house.engine.tokens;
    house.engine.tokens.put = () => Promise.reject(new EngineError('UNAVAILABLE', 'not now'));
    const client = await house.connect2();
    expect(await client.refusal({ type: 'login', username: 'anna', password: PASSWORD })).toBe('UNAVAILABLE');
    expect(house.engine.inboxes.openCount).toBe(0);
    house.engine.tokens.put = put;
    await client.login('anna', { password: PASSWORD });
  });
});

describe('a crowd at the door', () => {
  it('comes in a few at a time, and who gave up waiting is not waited for', async () => {
    const house = await openHouse({ limits: { enteringAtOnce: 2 } });
    const names = Array.from({ length: 8 }, (_, i) => `anna-${i}`);
    for (const name of names) (await house.person2(name)).cut();
    await eventually(() => expect(house.engine.inboxes.openCount).toBe(0));
    const open = house.engine.inboxes.open.bind(house.engine.inboxes);
    const opened: string[] = [];
    const entering: (() => void)[] = [];
    house.engine.inboxes.open = async (owner, options) => {
      opened.push(owner.name);
      await new Promise<void>((resolve) => entering.push(resolve));
      return open(owner, options);
    };
    const clients = await Promise.all(names.map(() => house.connect2()));
    const logins: Promise<unknown>[] = [];
    for (const [i, client] of clients.entries()) {
      logins.push(client.login(`anna-${i}`, { password: PASSWORD }).catch(() => 'gave up'));
    }
    await eventually(() => expect(opened).toHaveLength(2));
    const patient = [...opened];
    for (const [i, client] of clients.entries()) {
      if (i > 3 && !patient.includes(`anna-${i}`)) client.cut();
      else if (!patient.includes(`anna-${i}`)) patient.push(`anna-${i}`);
    }
    // Whatever reached the frontend before these answers was seen: that some have gone.
    const witness = await house.connect2();
    for (let i = 0; i < 3; i++) await witness.inStep();
    await eventually(() => {
      for (const enter of entering.splice(0)) enter();
      expect(house.engine.inboxes.openCount).toBe(patient.length);
    });
    expect([...opened].sort()).toEqual([...patient].sort());
  });
});
