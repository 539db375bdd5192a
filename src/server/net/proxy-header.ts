/*
 * The header of PROXY protocol version 2, which a balancer puts before everything else, TLS included:
 *
 *   signature 12 bytes | version and command u8 | family and protocol u8 | length u16, big-endian | addresses, then TLVs
 *
 *   command   0x20 LOCAL: the balancer itself (a health check); 0x21 PROXY: for somebody else
 *   family    0x11 TCP over IPv4: source 4, destination 4, ports u16 each; 0x21 over IPv6: 16, 16, u16 each
 */
import type { Socket } from 'node:net';
import { plainAddress, type Remote } from '../identity/address.ts';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const FIXED_BYTES = 16;
/** The specification lets a receiver refuse more than 520 bytes of addresses and TLVs; no balancer sends as many. */
const MAX_LENGTH = 520;
const LOCAL = 0x20;
const PROXY = 0x21;
const TCP4 = 0x11;
const TCP6 = 0x21;

export interface ProxyHeader {
  /** Bytes of the header. */
  readonly length: number;
  /** Whom the balancer speaks for; null: for itself, or for somebody whose address it does not tell. */
  readonly remote: Remote | null;
}

/**
 * Reads the header from the first bytes of a connection.
 * @returns undefined until all of it is there
 * @throws RangeError for what is no such header
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  const known = Math.min(bytes.length, SIGNATURE.length);
  if (!bytes.subarray(0, known).equals(SIGNATURE.subarray(0, known))) throw new RangeError('no PROXY header');
  if (bytes.length < FIXED_BYTES) return undefined;
  const command = bytes.readUInt8(12);
  const family = bytes.readUInt8(13);
  const size = bytes.readUInt16BE(14);
  if ((command !== LOCAL && command !== PROXY) || size > MAX_LENGTH)
    throw new RangeError('a PROXY header of another kind');
  const length = FIXED_BYTES + size;
  if (bytes.length < length) return undefined;
  const remote = command === PROXY ? sourceOf(family, bytes.subarray(FIXED_BYTES, length)) : null;
  return { length, remote };
}

/** @throws RangeError for addresses that are cut short */
function sourceOf(family: number, addresses: Buffer): Remote | null {
  if (family === TCP4) {
    return { address: addresses.subarray(0, 4).join('.'), port: addresses.readUInt16BE(8) };
  }
  if (family === TCP6) {
    const groups = Array.from({ length: 8 }, (_, i) => addresses.readUInt16BE(2 * i).toString(16));
    return { address: plainAddress(groups.join(':')), port: addresses.readUInt16BE(32) };
  }
  return null;
}

/**
 * Takes the header off a connection, whatever cuts it comes in, and leaves the socket paused with the rest in it.
 * @throws RangeError for what is no such header, Error when the connection ends before
 */
export function takeProxyHeader(socket: Socket): Promise<ProxyHeader> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const done = (settle: () => void): void => {
      socket.off('data', onData).off('end', onEnd).off('close', onEnd);
      settle();
    };
    const onEnd = (): void => done(() => reject(new Error('the connection ended within the PROXY header')));
    const onData = (chunk: Buffer): void => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      try {
        const header = readProxyHeader(bytes);
        if (header === undefined) return;
        socket.pause();
        done(() => resolve(header));
        if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length));
      } catch (error) {
        done(() => reject(error));
      }
    };
    socket.on('data', onData).on('end', onEnd).on('close', onEnd).resume();
  });
}
