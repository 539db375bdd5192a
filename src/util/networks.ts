import { BlockList, isIP } from 'node:net';

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
