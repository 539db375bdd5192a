import { isIPv6 } from 'node:net';

export interface Address {
  /** A name, or an IP address; one of version 6 without brackets, perhaps with a zone (`fe80::1%eth0`). */
  readonly host: string;
  readonly port: number;
}

/** Servers that one list may have; each may have several addresses besides. */
const MAX_SERVERS = 16;

/** HOST:PORT, with an IPv6 address in brackets; undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([^\s[\]]+)\]|([^\s:,[\]]+)):(\d+)$/.exec(text);
  const [, bracketed, plain, port] = match ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || port === undefined || !isPort(port)) return undefined;
  return bracketed !== undefined && !isIPv6(bracketed) ? undefined : { host, port: Number(port) };
}

/** One address or several, joined by commas; each once. Undefined if one of them is none, for none and for too many. */
export function parseServers(text: string): readonly Address[] | undefined {
  const servers = new Map<string, Address>();
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const address = parseAddress(part.trim());
    if (address === undefined) return undefined;
    servers.set(serverText(address), address);
  }
  return servers.size === 0 || servers.size > MAX_SERVERS ? undefined : [...servers.values()];
}

export function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

/** An address as people write it. */
export function serverText({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** An IP address without its zone, which means something on this machine only: no certificate has it. */
export function withoutZone(host: string): string {
  return host.replace(/%.*$/, '');
}
