/* What a device, and a login, is let in by: once that does not hold any more, neither a token nor a session of it goes on. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { eventually } from '../contracts/cluster.ts';
import { FaultyStore } from '../storage/faulty-store.ts';
import { type House, openHouse, PASSWORD } from './house.ts';
import type { RawClient2 } from './raw-client2.ts';

const PHONE = { password: PASSWORD, device: 'phone' };
const NEW = 'another horse';
const DAY_MS = 86_400_000;

const tokenOf = ({ session }: RawClient2): Uint8Array => session?.token ?? new Uint8Array();

/** Two servers on one store. */
async function twoHouses(): Promise<[House, House]> {
  const cluster = new FaultyStore();
  return [await openHouse({ cluster }), await openHouse({ cluster })];
}

const refused = async (house: House, how: Record<string, unknown>) =>
  (await house.connect2()).refusal({ type: 'login', username: 'anna', ...how });

describe('a forgotten device', () => {
  it('gets in by no token, ends, and begins anew, also where something of it is left behind', async () => {
    const [one, two] = await twoHouses();
    const anna = await one.person2('anna');
    const phone = await two.login2('anna', PHONE);
    const bert = await one.person2('bert');
    for (const body of ['a', 'b']) await bert.send('anna', body);
    await eventually(() => expect(phone.bodies()).toEqual(['a', 'b']));
    phone.ack(1);
    await phone.inStep();
    one.engine.inboxes.forget = () => Promise.reject(new Error('left behind'));
    one.engine.tokens.remove = () => Promise.reject(new Error('left behind'));
    await anna.expect('device-forgotten', { type: 'forget-device', device: 'phone' });
    expect(await phone.over()).toBe('REPLACED');
    expect(await refused(two, { device: 'phone', token: tokenOf(phone) })).toBe('BAD_CREDENTIALS');
    expect(one.engine.accounts.get('anna')?.devices).toEqual([]);
    // What only it had acknowledged is undelivered again.
    const again = await two.login2('anna', PHONE);
    await eventually(() => expect(again.bodies()).toEqual(['a', 'b']));
  });

  it('does not come back by a token that is shown while it is forgotten', async () => {
    const [one, two] = await twoHouses();
    const anna = await one.person2('anna');
    const phone = await two.login2('anna', PHONE);
    phone.cut();
    // It is shown to be right, and then everything is slow.
    const { find } = two.engine.tokens;
    two.engine.tokens.find = async (account, device) => {
      const found = await find.call(two.engine.tokens, account, device);
      await anna.expect('device-forgotten', { type: 'forget-device', device: 'phone' });
      return found;
    };
    expect(await refused(two, { device: 'phone', token: tokenOf(phone) })).toBe('BAD_CREDENTIALS');
    expect(one.engine.accounts.get('anna')?.devices).toEqual([]);
  });
});

describe('a device that comes for the first time', () => {
  /** Two logins at once: where the second one is slow to begin, it finds the first one in. */
  async function firstLogins(one: House, two: House, how: Record<string, unknown> = {}) {
    const { promise: oneIsIn, resolve } = Promise.withResolvers<void>();
    let forgets = 0;
    for (const { inboxes } of new Set([one.engine, two.engine])) {
      const { forget } = inboxes;
      inboxes.forget = async (...asked) => {
        forgets += 1;
        if (forgets === 2) await oneIsIn;
        return forget.apply(inboxes, asked);
      };
    }
    const clients = [await one.connect2(), await two.connect2()];
    const request = { type: 'login', username: 'anna', ...PHONE, ...how } as const;
    const replies = await Promise.all(
      clients.map(async (client) => {
        const reply = await client.ask(request);
        if (reply.type === 'logged-in') resolve();
        return { client, reply };
      }),
    );
    return replies.map(({ client, reply }) => ({
      client,
      token: reply.type === 'logged-in' ? reply.token : null,
      code: reply.type === 'failure' ? reply.code : null,
    }));
  }

  it.each([1, 2])(
    'lets one of two in that come at once through %d servers, and leaves it its token',
    async (count) => {
      const [one, another] = await twoHouses();
      const two = count === 1 ? one : another;
      await one.person2('anna');
      const logins = await firstLogins(one, two);
      const winner = logins.find(({ token }) => token !== null);
      expect(logins.map(({ code }) => code).sort()).toEqual(['ALREADY_LOGGED_IN', null]);
      await winner?.client.inStep();
      winner?.client.cut();
      await two.login2('anna', { token: winner?.token ?? new Uint8Array(), device: 'phone' });
    },
  );

  it('gives it to the last one where both take over', async () => {
    const [one] = await twoHouses();
    await one.person2('anna');
    const logins = await firstLogins(one, one, { takeover: true });
    expect(logins.map(({ code }) => code)).toEqual([null, null]);
    await eventually(() => expect(logins.filter(({ client }) => client.isOver)).toHaveLength(1));
    const winner = logins.find(({ client }) => !client.isOver);
    await winner?.client.inStep();
  });
});

it('a device that is in use is not forgotten, however soon the operator has others forgotten', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const house = await openHouse({ limits: { deviceMs: DAY_MS } });
  await house.person2('anna');
  // They are looked at when they are a little less than so many hours old.
  await vi.advanceTimersByTimeAsync(1_000);
  const devices = [
    await house.login2('anna', PHONE),
    await house.login2('anna', { ...PHONE, device: 'tablet' }),
  ];
  for (let hour = 0; hour < 30; hour++) {
    await vi.advanceTimersByTimeAsync(DAY_MS / 24);
    for (const device of devices) await device.inStep();
  }
});

describe('a password change', () => {
  it('is not undone by a login with the password before, whose hash is made anew', async () => {
    const cluster = new FaultyStore();
    const one = await openHouse({ cluster });
    const two = await openHouse({
      cluster,
      limits: { passwordCost: { memoryKiB: 16, passes: 1, lanes: 1 } },
    });
    const anna = await one.person2('anna');
    (await one.login2('anna', PHONE)).cut();
    // The old password is right, and then it takes until it is old.
    const { update } = two.engine.accounts;
    two.engine.accounts.update = async (account, change) => {
      await anna.expect('password-changed', { type: 'password', old: PASSWORD, new: NEW });
      return update.call(two.engine.accounts, account, change);
    };
    const phone = await two.login2('anna', { ...PHONE, takeover: true });
    expect(await phone.over()).toBe('BAD_CREDENTIALS');
    expect(await refused(one, { password: PASSWORD, device: 'desk' })).toBe('BAD_CREDENTIALS');
    await one.login2('anna', { password: NEW, device: 'desk' });
  });

  it('is refused where another device has made one first', async () => {
    const [one, two] = await twoHouses();
    const anna = await one.person2('anna');
    const phone = await two.login2('anna', PHONE);
    const { update } = two.engine.accounts;
    two.engine.accounts.update = async (account, change) => {
      await anna.expect('password-changed', { type: 'password', old: PASSWORD, new: NEW });
      return update.call(two.engine.accounts, account, change);
    };
    phone.write({ type: 'password', old: PASSWORD, new: 'a third horse' });
    expect(await phone.over()).toBe('BAD_CREDENTIALS');
    await anna.inStep();
    await one.login2('anna', { password: NEW, device: 'desk' });
  });

  it('ends the logins of all other devices, through whichever server, and not its own', async () => {
    const [one, two] = await twoHouses();
    const anna = await one.person2('anna');
    const phone = await two.login2('anna', PHONE);
    const desk = await one.login2('anna', { password: PASSWORD, device: 'desk' });
    await phone.expect('password-changed', { type: 'password', old: PASSWORD, new: NEW });
    expect(await anna.over()).toBe('BAD_CREDENTIALS');
    expect(await desk.over()).toBe('BAD_CREDENTIALS');
    await phone.inStep();
    await phone.expect('password-changed', { type: 'password', old: NEW, new: PASSWORD });
    await phone.inStep();
    expect(phone.isOver).toBe(false);
  });

  it('leaves no token to a login that was waiting with the password before', async () => {
    const [one, two] = await twoHouses();
    const anna = await one.person2('anna');
    // The old password is right, and then it takes until it is old.
    const { update } = two.engine.accounts;
    two.engine.accounts.update = async (account, change) => {
      await anna.expect('password-changed', { type: 'password', old: PASSWORD, new: NEW });
      return update.call(two.engine.accounts, account, change);
    };
    const phone = await two.connect2();
    const { token } = await phone.login('anna', PHONE);
    expect(await phone.over()).toBe('BAD_CREDENTIALS');
    expect(await refused(two, { device: 'phone', token })).toBe('BAD_CREDENTIALS');
    await anna.inStep();
  });

  it('ends no login where the same password is hashed anew with more work', async () => {
    const cluster = new FaultyStore();
    const one = await openHouse({ cluster });
    const two = await openHouse({
      cluster,
      limits: { passwordCost: { memoryKiB: 16, passes: 1, lanes: 1 } },
    });
    const anna = await one.person2('anna');
    const script = await one.login2('anna', { password: PASSWORD, deliver: 'none' });
    const before = one.engine.accounts.get('anna')?.credential;
    const phone = await two.login2('anna', PHONE);
    expect(one.engine.accounts.get('anna')?.credential).not.toBe(before);
    for (const client of [anna, script, phone]) await client.inStep();
    const back = await one.login2('anna', { token: tokenOf(anna) });
    await back.inStep();
  });
});

it('tokens of a life that is over are not taken from the next one', async () => {
  const house = await openHouse();
  const first = await house.engine.accounts.create({ name: 'anna' });
  await house.engine.accounts.remove(first);
  const anna = await house.person2('anna');
  await house.engine.tokens.remove(first);
  anna.cut();
  await house.login2('anna', { token: tokenOf(anna) });
});

it('a token that was found for a life that ends meanwhile lets nobody into the next one', async () => {
  const house = await openHouse();
  const anna = await house.person2('anna');
  anna.cut();
  const { accounts, tokens } = house.engine;
  const { find } = tokens;
  tokens.find = async (account, device) => {
    const found = await find.call(tokens, account, device);
    await accounts.remove(account);
    await accounts.create({ name: 'anna' });
    // As one of a version that did not note of which password it is.
    return found && { ...found, passwordId: undefined };
  };
  expect(await refused(house, { token: tokenOf(anna) })).toBe('BAD_CREDENTIALS');
});
