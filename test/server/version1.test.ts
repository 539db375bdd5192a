import { expect, it } from 'vitest';
import type { Sender } from '../../src/core/inboxes.ts';
import { version1 } from '../../src/server/adapters/version1.ts';

const push = (from: Sender) =>
  version1
    .encodeMessage({ offset: 0, id: null, from, body: 'hi', contentType: null, acceptedAt: 0 })
    .toString('hex');
const hex = (text: string) => Buffer.from(text).toString('hex');

it('a push is the length of the sender in four bytes, the sender, the body', () => {
  expect(push({ kind: 'user', name: 'anna', incarnation: 'x' })).toBe(
    `010000000a72${'00000004'}${hex('annahi')}`,
  );
});

it.each([
  [{ kind: 'external', name: 'anna' }, '[external anna]'],
  [{ kind: 'external', name: '' }, '[external]'],
  // A record with the headers of a frontend and a key that no account can have.
  [{ kind: 'user', name: 'anna: hello\n\nbert', incarnation: 'x' }, '[external anna hello bert]'],
  [{ kind: 'user', name: 'ANNA', incarnation: 'x' }, '[external ANNA]'],
] as const)('nobody but a user looks like a user: %j', (from, shown) => {
  expect(push(from)).toContain(hex(shown));
  const entries = [{ offset: 0, id: null, from, body: 'hi', contentType: null, acceptedAt: 0 }];
  expect(
    version1.encodeResult({ type: 'retrieved', messages: entries, more: false })?.subarray(6).toString(),
  ).toBe(`${shown}: hi`);
});

it('a logout and a deletion are answered by the close alone', () => {
  expect(version1.encodeResult({ type: 'logged-out' })).toBeNull();
  expect(version1.encodeResult({ type: 'deleted', undelivered: 0 })).toBeNull();
});
