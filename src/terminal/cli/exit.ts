import { type ClientError, type RefusalCode, retryHint } from '../../client/index.ts';
import { sanitiseLine } from '../sanitise.ts';

/** Exit codes of the commands, from sysexits.h. docs/commands.md has the table for people. */
export const EXIT = {
  OK: 0,
  /** Wrong arguments, or a setting that cannot be used. */
  USAGE: 64,
  /** What was to be sent cannot be: empty, too long, not UTF-8; or a password that is too weak. */
  DATA: 65,
  NO_USER: 67,
  /** No connection to the server. */
  UNAVAILABLE: 69,
  /** A fault in the client or the server. */
  FAULT: 70,
  /** The name is taken. */
  CANNOT_CREATE: 73,
  /** Reading or writing a file or a pipe failed. */
  IO: 74,
  /** It may work later; where that matters, the message says what was done already. */
  TRY_LATER: 75,
  NOT_PERMITTED: 77,
  /** What is set does not fit the Kafka that is there. */
  CONFIG: 78,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command: a sentence for the person, and the exit code. The sentence is safe for a terminal. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: ExitCode;
  /** Whether what `--json` prints of it was printed. */
  readonly isPrinted: boolean;

  constructor(code: ExitCode, sentence: string, options: { cause?: unknown; isPrinted?: boolean } = {}) {
    super(sentence, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.isPrinted = options.isPrinted ?? false;
  }
}

/** The exit code for each way in which a server refuses. */
export const EXIT_BY_REFUSAL: Readonly<Record<RefusalCode, ExitCode>> = {
  BAD_FRAME: EXIT.FAULT,
  BAD_REQUEST: EXIT.FAULT,
  UNSUPPORTED_VERSION: EXIT.UNAVAILABLE,
  TOO_LARGE: EXIT.DATA,
  NOT_LOGGED_IN: EXIT.TRY_LATER,
  ONLY_SENDS: EXIT.FAULT,
  ALREADY_LOGGED_IN: EXIT.TRY_LATER,
  BAD_CREDENTIALS: EXIT.NOT_PERMITTED,
  WEAK_PASSWORD: EXIT.DATA,
  USERNAME_TAKEN: EXIT.CANNOT_CREATE,
  INVALID_USERNAME: EXIT.USAGE,
  REGISTRATION_CLOSED: EXIT.NOT_PERMITTED,
  NO_SUCH_USER: EXIT.NO_USER,
  INVALID_DEVICE: EXIT.USAGE,
  NO_SUCH_DEVICE: EXIT.NO_USER,
  TOO_MANY_DEVICES: EXIT.NOT_PERMITTED,
  BLOCKED: EXIT.NOT_PERMITTED,
  NO_SUCH_ROOM: EXIT.NO_USER,
  ROOM_TAKEN: EXIT.CANNOT_CREATE,
  INVALID_ROOM: EXIT.USAGE,
  NOT_A_MEMBER: EXIT.NOT_PERMITTED,
  NOT_INVITED: EXIT.NOT_PERMITTED,
  NOT_OWNER: EXIT.NOT_PERMITTED,
  ROOM_FULL: EXIT.TRY_LATER,
  TOO_MANY_ROOMS: EXIT.NOT_PERMITTED,
  READ_ONLY: EXIT.NOT_PERMITTED,
  TOPIC_NOT_ALLOWED: EXIT.NOT_PERMITTED,
  BAD_FILTER: EXIT.USAGE,
  BAD_TEMPLATE: EXIT.USAGE,
  HAS_MEMBERS: EXIT.NOT_PERMITTED,
  MAILBOX_FULL: EXIT.TRY_LATER,
  RATE_LIMITED: EXIT.TRY_LATER,
  BUSY: EXIT.TRY_LATER,
  HAS_UNDELIVERED: EXIT.NOT_PERMITTED,
  REPLACED: EXIT.TRY_LATER,
  INBOX_LOST: EXIT.TRY_LATER,
  TIMEOUT: EXIT.TRY_LATER,
  SHUTTING_DOWN: EXIT.TRY_LATER,
  UNAVAILABLE: EXIT.TRY_LATER,
  INTERNAL: EXIT.FAULT,
};

/** What ends a command when a request fails and nobody knows better. */
export function failureOf(error: ClientError): Failure {
  const { refusal } = error;
  const text = sanitiseLine(`${error.message}${retryHint(refusal?.retryAfterMs)}`);
  return new Failure(exitOf(error), text, { cause: error });
}

/** The exit code for a request that failed. */
export function exitOf(error: ClientError): ExitCode {
  switch (error.code) {
    case 'OFFLINE':
      return EXIT.UNAVAILABLE;
    case 'INVALID':
      return EXIT.USAGE;
    case 'BUSY':
    case 'TIMEOUT':
    case 'DISCONNECTED':
    case 'ABORTED':
    case 'CLOSED':
      return EXIT.TRY_LATER;
    case 'REFUSED':
      return error.refusal === undefined ? EXIT.FAULT : EXIT_BY_REFUSAL[error.refusal.code];
  }
}

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
export type EndingSignal = keyof typeof SIGNALS;
export const ENDING_SIGNALS = Object.keys(SIGNALS) as EndingSignal[];

/** As a shell reports a process that a signal ended. */
export function exitBySignal(signal: EndingSignal): number {
  return 128 + SIGNALS[signal];
}
