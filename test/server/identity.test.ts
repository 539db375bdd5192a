import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { callerOf } from '../../src/server/identity/address.ts';
import { COST, formatPhc, Passwords, parsePhc } from '../../src/server/identity/passwords.ts';
import { TokenBuckets } from '../../src/util/token-buckets.ts';
import { CHEAP } from './house.ts';

describe('a password hash', () => {
  it('is a PHC string with the advised cost, and matches its password alone', async () => {
    const passwords = new Passwords(COST);
    const phc = await passwords.hash('correct horse');
    expect(phc).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await passwords.matches(phc, 'correct horse')).toBe(true);
    expect(await passwords.matches(phc, 'correct horse ')).toBe(false);
    expect(await passwords.matches(phc, '')).toBe(false);
    expect(await passwords.hash('correct horse')).not.toBe(phc);
  });

  it('of another program is understood', async () => {
    // By the argon2 command of the reference implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1
    const phc = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    const passwords = new Passwords(COST);
    expect(await passwords.matches(phc, 'password')).toBe(true);
    expect(await passwords.matches(phc, 'Password')).toBe(false);
  });

  it('costs one computation for a right password, a wrong one, no password and no account', async () => {
    const passwords = new Passwords(CHEAP);
    const phc = await passwords.hash('correct horse');
    const computed = async (check: () => Promise<boolean>) => {
      const before = passwords.count;
      await check();
      return passwords.count - before;
    };
    expect(await computed(() => passwords.matches(phc, 'correct horse'))).toBe(1);
    expect(await computed(() => passwords.matches(phc, 'wrong'))).toBe(1);
    expect(await computed(() => passwords.matches(null, 'wrong'))).toBe(1);
    expect(await computed(() => passwords.matches('no hash at all', 'wrong'))).toBe(1);
    expect(await passwords.matches(null, '')).toBe(false);
  });

  it('is outdated when it cost less than new ones do', async () => {
    const before = new Passwords(CHEAP);
    const after = new Passwords({ ...CHEAP, passes: 2 });
    const phc = await before.hash('correct horse');
    expect([before.isOutdated(phc), after.isOutdated(phc)]).toEqual([false, true]);
    expect(before.isOutdated(await after.hash('correct horse'))).toBe(false);
  });

  it.each([
    '',
    '$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=8,t=0,p=1$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=7,t=1,p=1$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=99999999,t=1,p=1$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=8,t=9999,p=1$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
    '$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzYWx0',
  ])('%j is none that we compute', (text) => expect(parsePhc(text)).toBeNull());

  it('comes out as it went in', () => {
    const salt = createHash('md5').update('salt').digest();
    const hash = createHash('sha256').update('hash').digest();
    expect(parsePhc(formatPhc({ ...COST, salt, hash }))).toEqual({ ...COST, salt, hash });
  });
});

describe('token buckets', () => {
  it('let a burst through, then so many a second, and say how long to wait', () => {
    let now = 0;
    const buckets = new TokenBuckets({ burst: 2, perSecond: 4 }, 10, () => now);
    expect([buckets.take('a'), buckets.take('a'), buckets.take('a')]).toEqual([0, 0, 250]);
    expect(buckets.take('b')).toBe(0);
    now += 100;
    expect([buckets.wait('a'), buckets.wait('c')]).toEqual([150, 0]);
    expect(buckets.take('a')).toBe(150);
    now += 150;
    expect([buckets.take('a'), buckets.take('a')]).toEqual([0, 250]);
    now += 3_600_000;
    expect([buckets.take('a'), buckets.take('a'), buckets.take('a')]).toEqual([0, 0, 250]);
    buckets.giveBack('a');
    expect([buckets.take('a'), buckets.take('a')]).toEqual([0, 250]);
  });

  it('remember a bounded number of keys, the latest ones', () => {
    const buckets = new TokenBuckets({ burst: 1, perSecond: 1 }, 2, () => 0);
    for (const key of ['a', 'b']) expect(buckets.take(key)).toBe(0);
    expect(buckets.take('a')).toBe(1_000);
    expect(buckets.take('c')).toBe(0);
    expect(buckets.take('a')).toBe(1_000);
    expect(buckets.take('b')).toBe(0);
  });
});

it.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  [undefined, 'unknown'],
])('%s counts as %s', (address, caller) => expect(callerOf(address)).toBe(caller));
