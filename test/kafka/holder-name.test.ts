import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ClusterKey } from '../../src/core/cluster-key.ts';
import { frontendOf, newMemberId, sealOf } from '../../src/storage/kafka/groups/holder-name.ts';
import { Signer } from '../../src/storage/kafka/inbox/signature.ts';
import { Trust } from '../../src/storage/kafka/inbox/trust.ts';
import { BrokerClock } from '../../src/storage/kafka/wire/broker-clock.ts';

const keys = (...ids: string[]): ClusterKey[] => ids.map((id) => ({ id, secret: secrets(id) }));
const known = new Map<string, Buffer>();
function secrets(id: string): Buffer {
  const secret = known.get(id) ?? randomBytes(32);
  known.set(id, secret);
  return secret;
}
const trustIn = (list: ClusterKey[], acceptsUnsigned = false) =>
  new Trust(new Signer(list), new BrokerClock(), acceptsUnsigned, 0);

describe('the name of a holder', () => {
  const trust = trustIn(keys('k'));
  const frontend = randomUUID();
  const memberId = newMemberId(frontend);
  const rackId = sealOf(trust, 'inbox', memberId);

  it('says which frontend it is of, to whoever has the keys', () => {
    expect(frontendOf(trust, 'inbox', memberId, rackId)).toBe(frontend);
    expect(frontendOf(trustIn(keys('new', 'k')), 'inbox', memberId, rackId)).toBe(frontend);
    expect(newMemberId(frontend)).not.toBe(memberId);
  });

  it('is nobody’s under another name, in another group, with another key or with anything else', () => {
    const others = [
      { memberId: newMemberId(frontend), rackId },
      { memberId: `${memberId}x`, rackId },
      { memberId, rackId: null },
      { memberId, rackId: '' },
      { memberId, rackId: 'k' },
      { memberId, rackId: 'k:' },
      { memberId, rackId: `k:${'A'.repeat(43)}` },
      { memberId, rackId: `k:${'\u{1f600}'.repeat(43)}` },
      { memberId: '', rackId: sealOf(trust, 'inbox', '') },
      { memberId: '.x', rackId: sealOf(trust, 'inbox', '.x') },
    ];
    for (const other of others)
      expect(frontendOf(trust, 'inbox', other.memberId, other.rackId), JSON.stringify(other)).toBeNull();
    expect(frontendOf(trust, 'other', memberId, rackId)).toBeNull();
    expect(frontendOf(trustIn(keys('l')), 'inbox', memberId, rackId)).toBeNull();
  });

  it('with a key that is not known here counts only while keys are brought together', () => {
    const accepting = trustIn(keys('l'), true);
    expect(frontendOf(accepting, 'inbox', memberId, rackId)).toBe(frontend);
    for (const other of [null, '', 'rack-1', `l:${'A'.repeat(43)}`]) {
      expect(frontendOf(accepting, 'inbox', memberId, other)).toBeNull();
    }
  });
});
