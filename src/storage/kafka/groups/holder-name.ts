import { randomUUID } from 'node:crypto';
import type { Trust } from '../inbox/trust.ts';

/*
  How a holder is called in the consumer group of its inbox, for everybody to see:
    member id  frontend's id "." a UUID for each login
    rack id    key id ":" MAC over "milena-holder-1", group, member id
*/

const CONTEXT = 'milena-holder-1';

/** A name that no other login has. */
export function newMemberId(frontendId: string): string {
  return `${frontendId}.${randomUUID()}`;
}

/** What shows that a frontend has made this member: its rack id, which no Kafka tool needs here. */
export function sealOf(trust: Trust, group: string, memberId: string): string {
  return trust.signer.signParts([CONTEXT, group, memberId]);
}

/** Id of the frontend that has made a member; null where no frontend has: strangers may be called as they like. */
export function frontendOf(
  trust: Trust,
  group: string,
  memberId: string,
  rackId: string | null,
): string | null {
  const [keyId = '', mac = ''] = rackId?.split(':') ?? [];
  const proof = trust.signer.checkParts(keyId, mac, [CONTEXT, group, memberId]);
  // While keys are brought together: one that is not known here is some frontend's.
  const isOurs = proof === 'unknown key' ? trust.acceptsUnsigned && mac !== '' : proof !== 'forged';
  const frontendId = memberId.slice(0, memberId.indexOf('.'));
  return isOurs && frontendId !== '' ? frontendId : null;
}
