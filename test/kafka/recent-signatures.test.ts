import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { RecentSignatures } from '../../src/storage/kafka/inbox/trust.ts';
import { sized } from '../size.ts';

/** More than are remembered. */
const COUNT = sized(150_000, 300_000);

const signature = () => `1:key:${randomBytes(32).toString('base64url')}`;

it('a signature at a later offset is a copy, at the same or an earlier one it is not', () => {
  const recent = new RecentSignatures();
  const [one, other] = [signature(), signature()];
  expect(recent.isCopy(one, 5)).toBe(false);
  expect(recent.isCopy(one, 5)).toBe(false);
  expect(recent.isCopy(one, 6)).toBe(true);
  expect(recent.isCopy(one, 5)).toBe(false);
  expect(recent.isCopy(other, 6)).toBe(false);
  // The copy was told first; the original comes with the backlog.
  expect(recent.isCopy(one, 4)).toBe(false);
  expect(recent.isCopy(one, 5)).toBe(true);
  const noted = signature();
  recent.note(noted, 0);
  expect(recent.isCopy(noted, 0)).toBe(false);
  expect(recent.isCopy(noted, 1)).toBe(true);
});

it('takes no message for another, and remembers most of the last hundred thousand', () => {
  const recent = new RecentSignatures();
  const last: string[] = [];
  let taken = 0;
  for (let i = 0; i < COUNT; i++) {
    const fresh = signature();
    if (recent.isCopy(fresh, i)) taken += 1;
    if (i >= COUNT - 50_000) last.push(fresh);
  }
  expect(taken).toBe(0);
  const known = last.filter((old) => recent.isCopy(old, 1_000_000)).length;
  expect(known).toBeGreaterThan(0.9 * last.length);
});
