import { isUtf8 } from 'node:buffer';
import { ProtocolError } from './errors.ts';

// ignoreBOM: a leading U+FEFF is part of what somebody wrote and stays.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The text of a payload or of a part of it.
 * @param what names the part in the sentence for the person: `The username`
 * @throws ProtocolError `BAD_REQUEST` for bytes that are not UTF-8
 */
export function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new ProtocolError('BAD_REQUEST', `${what} is not valid UTF-8.`, { cause });
  }
}

/** An opcode as the protocol's tables write it: `0x07`. */
export function opcodeText(opcode: number): string {
  return `0x${opcode.toString(16).padStart(2, '0')}`;
}

/** A body as text, for a version or a program that has no other ones: what is no UTF-8 becomes U+FFFD. */
export function bodyText(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8');
}

/** The bytes of that text, which nearly always are the body's own. */
export function textBytes(body: Uint8Array): Uint8Array {
  return isUtf8(body) ? body : Buffer.from(bodyText(body));
}
