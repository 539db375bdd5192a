import type { ProtocolErrorCode } from '../protocol/errors.ts';

/**
 * Why a request of the client has no success to report. What a person must know is whether it may have been carried
 * out all the same, since only a message has an id by which a repeated request could be told from a new one:
 *
 * - `OFFLINE`, `BUSY`, `INVALID`: nothing was sent.
 * - `REFUSED`: the server said no; the message is the server's own text, not yet safe for a terminal.
 * - `TIMEOUT`, `DISCONNECTED`: sent and not answered; it may have been carried out or not.
 * - `ABORTED`: the caller's signal ended it, and is the cause; `nothingSent` says whether it may have been carried out.
 * - `CLOSED`: the client was closed; likewise.
 */
export type ClientErrorCode =
  | 'OFFLINE'
  | 'BUSY'
  | 'INVALID'
  | 'REFUSED'
  | 'TIMEOUT'
  | 'DISCONNECTED'
  | 'ABORTED'
  | 'CLOSED';

const NOTHING_SENT: ReadonlySet<ClientErrorCode> = new Set(['OFFLINE', 'BUSY', 'INVALID', 'CLOSED']);

/** What a server says besides its sentence. */
export interface Refusal {
  readonly code: ProtocolErrorCode;
  /** When it may work, in milliseconds from now on. */
  readonly retryAfterMs?: number | undefined;
  /** With HAS_UNDELIVERED: how many messages wait. */
  readonly undelivered?: number | undefined;
  /** False, of a send: surely not stored, and it will not be before somebody mends what the sentence says. */
  readonly stored?: boolean | undefined;
}

/** Characters of a server's sentence that are told; nobody reads more. */
const MAX_SENTENCE = 1_000;

/** A server's sentence: as it came, but cut. */
export function brief(sentence: string): string {
  return sentence.length > MAX_SENTENCE ? `${sentence.slice(0, MAX_SENTENCE)}…` : sentence;
}

/** When a refused request may be given again, as a sentence to put behind the refusal; empty if nobody knows. */
export function retryHint(retryAfterMs: number | undefined): string {
  return retryAfterMs === undefined ? '' : ` Try again in ${Math.max(1, Math.ceil(retryAfterMs / 1_000))} s.`;
}

/** A time for a sentence, in seconds: whole ones from ten on, else tenths. */
export function inSeconds(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  return `${seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)} s`;
}

/** Ends the message of `TIMEOUT` and `DISCONNECTED`. */
export const OPEN_OUTCOME = ': it may have been carried out or not.';

/** The only error that the client's functions throw; `message` is a sentence for the person. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;
  /** With `REFUSED`. */
  readonly refusal: Refusal | undefined;
  /** True if the request surely had no effect, so that it can be given again. */
  readonly nothingSent: boolean;

  constructor(
    code: ClientErrorCode,
    message: string,
    options: { cause?: unknown; refusal?: Refusal | undefined; nothingSent?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.refusal = options.refusal;
    this.nothingSent = options.nothingSent ?? NOTHING_SENT.has(code);
  }
}

/** Whether a request failed because of the connection or the server, so that another server may be asked. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof ClientError)) return false;
  const { code, refusal } = error;
  const isServers = refusal?.code === 'SHUTTING_DOWN' || refusal?.code === 'INBOX_LOST';
  return isServers || ['DISCONNECTED', 'OFFLINE', 'TIMEOUT'].includes(code);
}

/** What was to give the password has failed. */
export function noPassword(cause: unknown): ClientError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ClientError('CLOSED', `There is no password to log in again with: ${why}`, { cause });
}
