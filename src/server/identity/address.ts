import { isIPv6, SocketAddress } from 'node:net';

/** Where a connection comes from, as far as it is known. */
export interface Remote {
  readonly address: string | undefined;
  readonly port: number | undefined;
}

/** An address as people and firewalls write it: IPv4 in its own form, IPv6 as short as it can be, without a zone. */
export function plainAddress(address: string | undefined): string | undefined {
  if (address === undefined || !isIPv6(address)) return address;
  const { address: short } = new SocketAddress({ address: address.split('%')[0] ?? '', family: 'ipv6' });
  return /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(short)?.[1] ?? short;
}

/**
 * What stands for one caller when callers are counted: an IPv4 address whole, of an IPv6 address the first 64 bits,
 * since whoever has one of those has all of them.
 */
export function callerOf(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  const plain = plainAddress(address) ?? '';
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? 0 : tail.split(':').length;
    while (groups.length + behind < 8) groups.push('0');
    groups.push(...(tail === '' ? [] : tail.split(':')));
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}
