import { expect, it } from 'vitest';
import type { Sender } from '../../src/core/inboxes.ts';
import { version1 } from '../../src/server/adapters/version1.ts';
import { idOf } from '../ids.ts';

const push = (from: Sender) =>
  version1
    .encodeMessage({ offset: 0, id: null, from, body: Buffer.from('hi'), contentType: null, acceptedAt: 0 })
    .toString('hex');
const hex = (text: string) => Buffer.from(text).toString('hex');

it('a push is the length of the sender in four bytes, the sender, the body', () => {
  expect(push({ kind: 'user', name: 'anna', incarnation: idOf('x') })).toBe(
    `010000000a72${'00000004'}${hex('annahi')}`,
  );
});

it.each([
  [{ kind: 'external', name: 'anna' }, '[external anna]'],
  [{ kind: 'external', name: '' }, '[external]'],
  // A record with the headers of a frontend and a key that no account can have.
  [{ kind: 'user', name: 'anna: hello\n\nbert', incarnation: idOf('x') }, '[external anna hello bert]'],
  [{ kind: 'user', name: 'ANNA', incarnation: idOf('x') }, '[external ANNA]'],
] as const)('nobody but a user looks like a user: %j', (from, shown) => {
  expect(push(from)).toContain(hex(shown));
  const entries = [{ offset: 0, id: null, from, body: Buffer.from('hi'), contentType: null, acceptedAt: 0 }];
  expect(
    version1.encodeResult({ type: 'retrieved', messages: entries, more: false })?.subarray(6).toString(),
  ).toBe(`${shown}: hi`);
});

it('a body that is no text is shown as one', () => {
  const message = {
    offset: 0,
    id: null,
    from: { kind: 'external', name: 'x' },
    contentType: null,
    acceptedAt: 0,
  } as const;
  const body = Buffer.from('61eda080edbfbf62ff', 'hex');
  expect(version1.encodeMessage({ ...message, body }).toString('hex')).toContain(hex(body.toString()));
});

it('a logout and a deletion are answered by the close alone', () => {
  expect(version1.encodeResult({ type: 'logged-out' })).toBeNull();
  expect(version1.encodeResult({ type: 'deleted', undelivered: 0 })).toBeNull();
});
