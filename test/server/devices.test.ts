/* What a device, and a login, is let in by: once that does not hold any more, neither a token nor a session of it goes on. */
import { describe, expect, it } from 'vitest';
import { eventually } from '../contracts/cluster.ts';
import { FaultyStore } from '../storage/faulty-store.ts';
import { type House, openHouse, PASSWORD } from './house.ts';
import type { RawClient2 } from './raw-client2.ts';

const PHONE = { password: PASSWORD, device: 'phone' };
const NEW = 'another horse';

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

describe('a password change', () => {
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
