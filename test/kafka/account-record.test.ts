import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import {
  decodeAccount,
  encodeAccount,
  inviteOf,
  packAccount,
  unpackAccount,
} from '../../src/storage/kafka/tables/account-record.ts';
import { newUuid } from '../../src/util/uuid.ts';
import { Random } from '../protocol/random.ts';

const numbers = new Random(5);
const random = () => numbers.fraction();
const pick = <T>(...choices: T[]): T => numbers.pick(choices);

function randomAccount(): Account {
  return {
    name: pick('anna', 'b', 'c-_9', 'x'.repeat(32)),
    incarnation: newUuid(),
    topicId: randomUUID(),
    displayName: pick(null, '', 'Anna', 'Dóra ☂ 👩‍👩‍👧', '"\\\n\u0000', '\ud800', 'ÿ'.repeat(200)),
    credential: pick(null, '', '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA', 'x'.repeat(500)),
    disabled: pick(true, false),
    blocked: pick([], ['eve'], ['mallory', 'Ünknown', '☂']),
    createdAt: pick(0, 1_700_000_000_000, Number.MAX_SAFE_INTEGER),
    ...pick({}, { inboxLife: newUuid() }),
    ...pick({}, { invite: '0123456789abcdef' }),
  };
}

describe('an account in memory', () => {
  it('is what its record says', () => {
    for (let round = 0; round < 2_000; round++) {
      const account = randomAccount();
      const packed = packAccount(account.name, encodeAccount(account));
      expect(packed && unpackAccount(account.name, packed)).toEqual(account);
      expect(packed && inviteOf(packed)).toBe(account.invite ?? null);
    }
  });

  it('takes at most 80 bytes more than display name and credential', () => {
    const credential = 'x'.repeat(97);
    const others = {
      displayName: 'Dóra ☂',
      credential,
      blocked: [],
      inboxLife: undefined,
      invite: undefined,
    };
    const account = { ...randomAccount(), ...others };
    const packed = packAccount(account.name, encodeAccount(account)) ?? '';
    // One byte for each character: a single wider one would double the whole.
    expect(Math.max(...[...packed].map((character) => character.charCodeAt(0)))).toBeLessThan(256);
    expect(packed.length - credential.length - Buffer.byteLength('Dóra ☂')).toBeLessThan(80);
  });

  it('is made of exactly those records that are accounts', () => {
    let refused = 0;
    let taken = 0;
    for (let round = 0; round < 5_000; round++) {
      const account = randomAccount();
      const bytes = encodeAccount(account);
      for (let i = Math.floor(random() * 3); i >= 0; i--) {
        bytes[Math.floor(random() * bytes.length)] = pick(
          0x22,
          0x30,
          0x7b,
          0x2c,
          0xff,
          0x41,
          0x2d,
          0x5c,
          0x0a,
          0x7f,
          0xc3,
        );
      }
      const decoded = decodeAccount(account.name, bytes);
      const packed = packAccount(account.name, bytes);
      expect(packed === null ? null : unpackAccount(account.name, packed)).toEqual(decoded);
      if (decoded === null) refused += 1;
      else taken += 1;
    }
    expect(Math.min(refused, taken)).toBeGreaterThan(100);
  });

  it.each([
    ['a name that nobody can have', 'Anna', {}],
    ['a name without end', 'a'.repeat(33), {}],
    ['no id', 'anna', { incarnation: undefined }],
    ['an id that is none', 'anna', { topicId: '../../etc' }],
    ['a display name that is a list', 'anna', { displayName: [] }],
    ['a credential without end', 'anna', { credential: 'x'.repeat(501) }],
    ['a block list without end', 'anna', { blocked: Array.from({ length: 1_001 }, () => 'eve') }],
    ['a time that is none', 'anna', { createdAt: -1 }],
    ['null', 'anna', null],
  ])('is not made of %s', (_, name, change) => {
    const fields = JSON.parse(encodeAccount({ ...randomAccount(), disabled: false }).toString());
    const value = change === null ? null : { ...fields, ...change };
    expect(packAccount(name, Buffer.from(JSON.stringify(value)))).toBeNull();
    expect(packAccount('anna', Buffer.from(JSON.stringify(fields)))).not.toBeNull();
  });

  it('takes what later versions may add, and what earlier ones left out', () => {
    const account = { ...randomAccount(), blocked: [] };
    const { blocked: _, ...fields } = JSON.parse(encodeAccount(account).toString());
    const packed = packAccount(account.name, Buffer.from(JSON.stringify({ ...fields, colour: 'blue' })));
    expect(packed && unpackAccount(account.name, packed)).toEqual(account);
  });
});
