import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ClusterKey } from './cluster-key.ts';

/*
  invite = key id "." payload "." MAC, the latter two in base64url
    payload  id (8 bytes), end in seconds since the epoch (u32 big-endian), uses (u16 big-endian)
    MAC      HMAC-SHA-256 over "milena-invite-1", a zero byte, the key id, a zero byte and the payload; its first 16 bytes

  Every frontend knows its own ones by the keys that all of them share. How often one was used says the table of
  accounts, each of which keeps the id of the invite that it was made with.
*/

const CONTEXT = 'milena-invite-1';
const ID_BYTES = 8;
const PAYLOAD_BYTES = ID_BYTES + 4 + 2;
const MAC_BYTES = 16;
const FORM = /^([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{19})\.([A-Za-z0-9_-]{22})$/;

/** Most accounts that one invite is good for. */
export const MAX_USES = 65_535;

/** Leave to make accounts, given by an operator. */
export interface Invite {
  /** In hex. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly endsAt: number;
  /** Accounts that may have been made with it and exist at the same time. */
  readonly uses: number;
}

/** A new invite as text. @param uses from 1 to `MAX_USES` */
export function writeInvite(key: ClusterKey, { endsAt, uses }: Omit<Invite, 'id'>): string {
  const payload = Buffer.alloc(PAYLOAD_BYTES);
  payload.set(randomBytes(ID_BYTES));
  payload.writeUInt32BE(Math.floor(endsAt / 1_000), ID_BYTES);
  payload.writeUInt16BE(uses, ID_BYTES + 4);
  return `${key.id}.${payload.toString('base64url')}.${macOf(key, payload).toString('base64url')}`;
}

/** @returns null for what is no invite of ours; takes anything. Whether it is over is left to the caller */
export function readInvite(keys: readonly ClusterKey[], text: string): Invite | null {
  const [, id, encoded, mac] = FORM.exec(text.trim()) ?? [];
  const key = keys.find((candidate) => candidate.id === id);
  if (key === undefined || encoded === undefined || mac === undefined) return null;
  const payload = Buffer.from(encoded, 'base64url');
  if (!timingSafeEqual(Buffer.from(mac, 'base64url'), macOf(key, payload))) return null;
  return {
    id: payload.toString('hex', 0, ID_BYTES),
    endsAt: payload.readUInt32BE(ID_BYTES) * 1_000,
    uses: payload.readUInt16BE(ID_BYTES + 4),
  };
}

function macOf({ id, secret }: ClusterKey, payload: Buffer): Buffer {
  const mac = createHmac('sha256', secret).update(`${CONTEXT}\0${id}\0`).update(payload);
  return mac.digest().subarray(0, MAC_BYTES);
}
