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

/** Whether a text is an address (`10.0.0.7`, `fd00::1`) or a network (`10.0.0.0/8`, `fd00::/8`). */
export function isNetwork(text: string): boolean {
  const { address, bits, family } = partsOf(text);
  if (family === 0 || isIP(address) === 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** The networks as Node checks addresses by. @throws Error for what is none, see `isNetwork` */
export function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const { address, bits, family } = partsOf(network);
    const type = family === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, type);
    else list.addSubnet(address, Number(bits), type);
  }
  return list;
}

function partsOf(network: string): { address: string; bits: string | undefined; family: number } {
  const slash = network.indexOf('/');
  const address = slash < 0 ? network : network.slice(0, slash);
  return { address, bits: slash < 0 ? undefined : network.slice(slash + 1), family: isIP(address) };
}
