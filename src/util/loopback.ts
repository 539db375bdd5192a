import { BlockList, isIP } from 'node:net';

const here = new BlockList();
here.addSubnet('127.0.0.0', 8, 'ipv4');
here.addAddress('::1', 'ipv6');

/** `127.0.0.1`, `localhost`, `::1`, however they are written: addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');
  const version = isIP(bare);
  if (version === 0) return /^localhost\.?$/i.test(bare);
  return here.check(bare, version === 4 ? 'ipv4' : 'ipv6');
}
