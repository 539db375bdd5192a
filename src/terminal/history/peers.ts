import type { Message } from '../../client/index.ts';
import type { Peer } from './types.ts';

/** Whether both are the same, or neither is anybody. */
export function isSame(one: Peer | null, other: Peer | null): boolean {
  if (one === null || other === null) return one === other;
  return one.kind === other.kind && one.name === other.name;
}

/** For maps: another one for each conversation, and for none. */
export function peerKey(peer: Peer | null): string {
  return peer === null ? '' : `${peer.kind} ${peer.name}`;
}

/** Who a message of version 2 is from. */
export function peerOf(message: Message): Peer {
  return message.verified
    ? { kind: 'user', name: message.from }
    : { kind: 'external', name: message.external };
}
