/**
 * Why a request of the client has no success to report. What a person must know is whether it may have been carried
 * out all the same, since version 1 has no ids by which a repeated request could be told from a new one:
 *
 * - `OFFLINE`, `BUSY`, `INVALID`: nothing was sent.
 * - `REFUSED`: the server said no; the message is the server's own text, not yet safe for a terminal.
 * - `TIMEOUT`, `DISCONNECTED`: sent and not answered; it may have been carried out or not.
 */
export type ClientErrorCode = 'OFFLINE' | 'BUSY' | 'INVALID' | 'REFUSED' | 'TIMEOUT' | 'DISCONNECTED';

/** The only error that the client's functions throw; `message` is a sentence for the person. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** True if the request surely had no effect, so that it can be given again. */
  get nothingSent(): boolean {
    return this.code === 'OFFLINE' || this.code === 'BUSY' || this.code === 'INVALID';
  }
}
