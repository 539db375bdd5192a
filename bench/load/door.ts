import { v1 } from '../../src/protocol/v1/codec.ts';
import { decodeCbor, REPLY_LIMITS } from '../../src/protocol/v2/cbor-reader.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import { SERVER_OPCODES } from '../../src/protocol/v2/replies.ts';
import type { Address, LoadClient, Reply } from './client.ts';
import { pause } from './clock.ts';
import type { ProtocolVersion } from './wire.ts';

export interface Door {
  readonly address: Address;
  readonly tls: boolean;
  readonly version: ProtocolVersion;
  /** Whether it is said that the client knows rooms; version 2 only. */
  readonly rooms: boolean;
}

const MAX_TRIES = 400;
const PAUSE_MS = 50;
/** Failures that go away. */
const PASSING: ReadonlySet<string> = new Set([
  'ALREADY_LOGGED_IN',
  'BUSY',
  'RATE_LIMITED',
  'UNAVAILABLE',
  'SHUTTING_DOWN',
]);

/**
 * Connects a client and logs it in, trying again while it is told to wait.
 * @returns tries that failed
 * @throws for any other failure
 */
export async function enter(
  client: LoadClient,
  door: Door,
  how: 'create' | 'open' | 'token',
): Promise<number> {
  let way = how;
  for (let tries = 0; ; tries++) {
    if (tries > MAX_TRIES) throw new Error(`${client.name} cannot get in`);
    await client.connect(door.address, door.tls);
    if (door.rooms) await client.ask(HELLO_ROOMS);
    const reply = await client.ask(requestOf(client, door.version, way));
    if (reply.opcode !== SERVER_OPCODES.failure) {
      if (door.version === 2) takeToken(client, reply);
      client.isOnline = true;
      return tries;
    }
    const { code, waitMs } = failureOf(reply, door.version);
    client.close();
    // Made by an earlier run, or by an attempt whose answer was lost.
    if (code === 'USERNAME_TAKEN') way = 'open';
    else if (code === 'BAD_CREDENTIALS' && way === 'token') way = 'open';
    else if (!PASSING.has(code)) throw new Error(`${client.name}, ${way}: ${code}`);
    await pause(waitMs);
  }
}

function requestOf(client: LoadClient, version: ProtocolVersion, how: 'create' | 'open' | 'token'): Buffer {
  const username = client.name;
  if (version === 1) return v1.encodeRequest({ type: how === 'create' ? 'create' : 'login', name: username });
  if (how === 'create') return v2.encodeRequest({ type: 'create', username });
  const token = how === 'token' && client.token !== null ? { token: client.token } : {};
  return v2.encodeRequest({ type: 'login', username, takeover: true, ...token });
}

function takeToken(client: LoadClient, reply: Reply): void {
  const { token } = decodeCbor(reply.payload, REPLY_LIMITS);
  if (token instanceof Uint8Array) client.token = token;
}

/** The code of a failure and how long to wait; in version 1 guessed from the words. */
export function failureOf(
  reply: { readonly payload: Buffer },
  version: ProtocolVersion,
): { code: string; waitMs: number } {
  if (version === 1) {
    const text = reply.payload.toString();
    const code = /taken/.test(text)
      ? 'USERNAME_TAKEN'
      : /already logged in|busy|wait/i.test(text)
        ? 'BUSY'
        : text;
    return { code, waitMs: PAUSE_MS };
  }
  const { code, retryAfterMs } = decodeCbor(reply.payload, REPLY_LIMITS);
  return {
    code: String(code),
    waitMs: typeof retryAfterMs === 'number' ? Math.min(retryAfterMs, 2_000) : PAUSE_MS,
  };
}

const HELLO_ROOMS = v2.encodeRequest({ type: 'hello', client: 'load', features: ['rooms'] });
export const LOGOUT_2 = v2.encodeRequest({ type: 'logout' });
