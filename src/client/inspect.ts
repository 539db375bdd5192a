import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Address } from './address.ts';
import { ServerConnection } from './connection.ts';
import { brief, ClientError } from './errors.ts';
import { DEFAULT_OPTIONS } from './events.ts';
import type { Welcome } from './reconnector.ts';
import { noConnection, Route } from './route.ts';
import type { TlsSettings } from './socket.ts';

/** How a server is reached, and what it says of itself. */
export interface Inspection {
  /** `HOST:PORT`, perhaps with its IP address behind it. */
  readonly label: string;
  readonly welcome: Welcome;
  /** Milliseconds until the connection stood, and from the greeting to its answer. */
  readonly connectMs: number;
  readonly greetMs: number;
  /** How far its clock is ahead of this machine's, in milliseconds. */
  readonly clockAheadMs: number;
  /** Null: plain text. `validTo` as the certificate has it. */
  readonly encryption: {
    readonly protocol: string;
    readonly subject: string;
    readonly validTo: string;
  } | null;
}

/**
 * Connects to a server, greets it, and leaves.
 * @param timeoutMs for the connection, and for the answer
 * @throws ClientError `OFFLINE`
 */
export async function inspectServer(
  server: Address,
  { tls, timeoutMs, signal }: { tls?: TlsSettings | undefined; timeoutMs: number; signal: AbortSignal },
): Promise<Inspection> {
  const route = new Route({ servers: [server], tls });
  for (;;) {
    const began = performance.now();
    const opened = await route.open(() => timeoutMs, signal);
    if (opened === undefined) throw new ClientError('OFFLINE', `${noConnection([server], route.reason)}.`);
    const connectMs = performance.now() - began;
    const { socket, stop } = opened;
    let ended = '';
    const times = { ...DEFAULT_OPTIONS, requestTimeoutMs: timeoutMs };
    const connection = new ServerConnection(socket, times, {
      onPush: (frame) => {
        if (frame.type === 'goodbye') ended = brief(frame.reason).replace(/\.$/, '');
      },
      onReply: () => undefined,
      onClosed: (reason) => {
        ended ||= reason;
      },
    });
    try {
      const asked = performance.now();
      const welcome = await connection.greet();
      const greetMs = performance.now() - asked;
      const clockAheadMs = welcome.time - (Date.now() - greetMs / 2);
      const encryption = encryptionOf(socket);
      return { label: stop.label, welcome, connectMs, greetMs, clockAheadMs, encryption };
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      const said = error.code === 'REFUSED' ? error.message.replace(/\.$/, '') : ended;
      const isSilent = error.code === 'TIMEOUT' || said === '';
      route.failed(stop, isSilent ? 'it does not answer as a Milena server does' : said);
    } finally {
      await connection.close();
    }
  }
}

function encryptionOf(socket: Socket | TLSSocket): Inspection['encryption'] {
  // By its looks: to load the class takes 10 ms, which a command without TLS does not need.
  if (!('getPeerCertificate' in socket)) return null;
  const { valid_to: validTo, subject } = socket.getPeerCertificate();
  const name = subject?.CN;
  return {
    protocol: socket.getProtocol() ?? '',
    subject: typeof name === 'string' ? name : 'no name',
    validTo,
  };
}
