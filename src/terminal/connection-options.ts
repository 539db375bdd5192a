import { type ClientOptions, type ConnectOptions, DEFAULT_OPTIONS, serverText } from '../client/index.ts';
import { LastServer } from './last-server.ts';
import type { Settings } from './settings.ts';

/** A server of several may take so long for an answer: longer than a frontend waits for Kafka. */
const PATIENCE_MS = 15_000;
/** What has its own end does not end just before it. */
const SPARE_MS = 1_000;

/**
 * How the servers of the settings are reached. What they may be spoken to like, the settings have seen to.
 * @param timeoutMs for everything together, where there is an end
 */
export function connectionOptions(
  { directory, servers, tls }: Settings,
  timeoutMs?: number,
): Pick<ConnectOptions, 'server' | 'tls' | 'insecure' | 'lastServer' | 'program'> & {
  readonly times?: ReturnType<typeof timesFor>;
} {
  return {
    server: servers.map(serverText),
    tls: tls ?? false,
    insecure: true,
    lastServer: LastServer.in(directory, servers),
    program: 'milena-terminal',
    ...(timeoutMs !== undefined && { times: timesFor(timeoutMs, servers.length > 1) }),
  };
}

function timesFor(
  timeoutMs: number,
  hasOthers: boolean,
): Pick<ClientOptions, 'connectTimeoutMs' | 'requestTimeoutMs' | 'deadAfterMs'> {
  const connectTimeoutMs = Math.min(timeoutMs, DEFAULT_OPTIONS.connectTimeoutMs);
  const requestTimeoutMs = hasOthers ? Math.min(PATIENCE_MS, timeoutMs / 2) : timeoutMs + SPARE_MS;
  return { connectTimeoutMs, requestTimeoutMs, deadAfterMs: requestTimeoutMs + DEFAULT_OPTIONS.deadAfterMs };
}
