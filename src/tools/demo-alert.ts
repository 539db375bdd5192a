import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Connection } from '../client/connection.ts';
import { ID_BYTES } from '../protocol/v2/fields.ts';

/** A frontend on this machine needs some thousandths of it. */
const TIMES = {
  program: 'milena-demo',
  requestTimeoutMs: 15_000,
  deadAfterMs: 15_000,
  deadInLineAfterMs: 15_000,
};

/**
 * What a script does beside its account's own login, in version 2: it logs in only to send, sends one message, and leaves.
 * @param from an account without a password
 * @returns false where the frontend has no such logins
 * @throws when the frontend refuses or does not answer
 */
export async function sendAlert(
  host: string,
  port: number,
  { from, to, body }: { readonly from: string; readonly to: string; readonly body: string },
): Promise<boolean> {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  const connection = new Connection(socket, TIMES, {
    onPush: () => undefined,
    onReply: () => undefined,
    onClosed: () => undefined,
  });
  try {
    const welcome = await connection.ask({ type: 'hello', client: 'milena-demo' });
    if (!welcome.features.includes('deliver-none')) return false;
    await connection.ask({ type: 'login', username: from, deliver: 'none' });
    await connection.ask({ type: 'send', id: randomBytes(ID_BYTES), to, body });
    return true;
  } finally {
    await connection.close();
  }
}
