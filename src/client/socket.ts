import { connect, isIP, type Socket } from 'node:net';
import { type Address, withoutZone } from './address.ts';
import { ClientError } from './errors.ts';

/** How the connection is encrypted. */
export interface TlsSettings {
  /** Certificates of authorities to trust, as PEM; undefined = those that Node and this machine trust. */
  readonly ca?: string | undefined;
}

/** The other machine, or the network, may be gone: the kernel asks. A server that hangs is found out by the session's own pings. */
const KEEP_ALIVE_MS = 15_000;

/** Where a connection goes. */
export interface Target {
  /** Whose certificate is to be shown. */
  readonly server: Address;
  /** An IP address. */
  readonly address: Address;
}

/**
 * Opens a connection, with TLS (1.3, certificate and name checked) if there are settings for it.
 * @throws ClientError `OFFLINE`, with a reason that says what to do where that is known
 */
export function openSocket(
  target: Target,
  tls: TlsSettings | undefined,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = tls === undefined ? connect({ ...target.address }) : openTls(target, tls);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const fail = (reason: string) => {
      socket.destroy();
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      reject(new ClientError('OFFLINE', reason));
    };
    const abort = () => fail('given up');
    const timer = setTimeout(() => fail(`no answer within ${Math.ceil(timeoutMs / 100) / 10} s`), timeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', (error) => fail(socketReason(error)));
    socket.once('end', () => fail('the server closed the connection'));
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.removeAllListeners('error');
      socket.removeAllListeners('end');
      resolve(socket);
    });
  });
}

function openTls({ server, address }: Target, { ca }: TlsSettings): Socket {
  const name = withoutZone(server.host);
  // Loaded only here: it takes 10 ms, which a command without TLS does not need.
  const {
    checkServerIdentity,
    connect: connectTls,
    getCACertificates,
  } = process.getBuiltinModule('node:tls');
  return connectTls({
    ...address,
    // A name for the server to choose its certificate by; an address is none (RFC 6066).
    ...(isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    minVersion: 'TLSv1.3',
    // Most are in both, and each takes its time to be read.
    ca:
      ca === undefined
        ? [...new Set([...getCACertificates('default'), ...getCACertificates('system')])]
        : [ca],
  });
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'no such host, or no name server that answers',
  EHOSTUNREACH: 'no way to that host',
  ENETUNREACH: 'no network',
  ETIMEDOUT: 'no answer',
  EPIPE: 'the connection was reset',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS there: leave --tls away, or ask for its TLS port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS there: leave --tls away, or ask for its TLS port',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it does not speak TLS 1.3, which is needed',
  CERT_HAS_EXPIRED: "the server's certificate has expired: its operator must renew it",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet: is the clock of this machine right?",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another name: use --server with that name",
};

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
]);

/** A socket's error as words for a person. */
export function socketReason(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (UNTRUSTED.has(code)) {
    return "the server's certificate is not signed by anybody whom this machine trusts: get the file of its authority and use --ca FILE";
  }
  return REASONS[code] ?? (code === '' ? error.message : code);
}
