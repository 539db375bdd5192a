/**
 * Every way a request or a stream can be refused, one code per meaning, with the sentence that version 1 puts
 * into its failure frame. A handler that knows more (a number, a name) gives its own sentence.
 */
const TEXTS = {
  BAD_FRAME: 'That is not a Milena frame.',
  BAD_REQUEST: 'The request could not be read.',
  UNSUPPORTED_VERSION: 'That version of the protocol is not spoken here.',
  TOO_LARGE: 'The request is too large.',
  NOT_LOGGED_IN: 'You are not logged in: create an account or log in first.',
  ONLY_SENDS: 'This login only sends: log in with the inbox for that.',
  ALREADY_LOGGED_IN: 'That account is already logged in.',
  BAD_CREDENTIALS: 'Wrong username or password.',
  WEAK_PASSWORD: 'That account needs a better password.',
  USERNAME_TAKEN: 'That username is taken.',
  INVALID_USERNAME: 'A username has 1 to 32 of a-z, 0-9, _ and -, and starts with a letter or digit.',
  REGISTRATION_CLOSED: 'This server does not make accounts for everybody.',
  NO_SUCH_USER: 'There is no such user.',
  INVALID_DEVICE: 'A device is called by 1 to 32 of a-z, 0-9, _ and -, beginning with a letter or digit.',
  NO_SUCH_DEVICE: 'The account has no such device.',
  TOO_MANY_DEVICES: 'The account has as many devices as it may have.',
  BLOCKED: 'The recipient does not take messages from you.',
  NO_SUCH_ROOM: 'There is no such room.',
  ROOM_TAKEN: 'There is a room of that name already.',
  INVALID_ROOM: 'A room is a # and 1 to 32 of a-z, 0-9, _ and -, of which a letter or digit comes first.',
  NOT_A_MEMBER: 'You are not in that room.',
  NOT_INVITED: 'Only who is invited may join that room.',
  NOT_OWNER: 'Only the owner of the room may do that.',
  ROOM_FULL: 'That room is full.',
  TOO_MANY_ROOMS: 'There are too many rooms already.',
  READ_ONLY: 'Nobody says anything in that room: it shows a topic.',
  TOPIC_NOT_ALLOWED: 'No room here may show that topic.',
  BAD_FILTER: 'The filter cannot be read.',
  BAD_TEMPLATE: 'The template cannot be read.',
  HAS_MEMBERS: 'Others are in that room.',
  MAILBOX_FULL: "The recipient's inbox is full.",
  RATE_LIMITED: 'Too many requests: wait a moment.',
  BUSY: 'The server is busy and did nothing: try again.',
  HAS_UNDELIVERED: 'The account holds undelivered messages: retrieve them first.',
  REPLACED: 'Somebody logged in to this account elsewhere.',
  INBOX_LOST: 'The server lost touch with your inbox: log in again.',
  TIMEOUT: 'Nothing was heard from you for too long.',
  SHUTTING_DOWN: 'The server is shutting down.',
  UNAVAILABLE: 'The message store does not answer: try again later.',
  INTERNAL: 'Something went wrong in the server.',
} as const;

export type ProtocolErrorCode = keyof typeof TEXTS;

/** Whether `text` is a code of this list: a server of a later version may know more. */
export function isProtocolErrorCode(text: string): text is ProtocolErrorCode {
  return Object.hasOwn(TEXTS, text);
}

/** Every code, in the order in which the protocol's description lists them. */
export function protocolErrorCodes(): ProtocolErrorCode[] {
  return Object.keys(TEXTS).filter(isProtocolErrorCode);
}

/** The sentence that a person reads for `code` when nobody knows better. */
export function defaultText(code: ProtocolErrorCode): string {
  return TEXTS[code];
}

/**
 * Thrown by the decoders, and by request handlers as their reply. `message` is a sentence for the person at the
 * other end, so it must not hold anything that only the operator may know.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ProtocolErrorCode;
  /**
   * True: nobody can say any more where the next frame begins, so the connection has to be closed after the
   * error reply. False: only this one frame is bad, and the next one starts where it should.
   */
  readonly fatal: boolean;
  /** When it may work, from now on in milliseconds, where that is known. Version 1 cannot say it. */
  readonly retryAfterMs: number | undefined;
  /** With HAS_UNDELIVERED: the number of undelivered messages. */
  readonly undelivered: number | undefined;
  /** Of a create: the account was made all the same. */
  readonly created: boolean;
  /** With BAD_FILTER and BAD_TEMPLATE: where in the text; both count from 1, columns in UTF-16 units. */
  readonly place: { readonly line: number; readonly column: number } | undefined;
  /** With UNAVAILABLE: surely nothing was done, and will not be before somebody mends what the sentence says. */
  readonly isUndone: boolean;

  constructor(
    code: ProtocolErrorCode,
    message: string = TEXTS[code],
    options: {
      fatal?: boolean;
      cause?: unknown;
      retryAfterMs?: number | undefined;
      undelivered?: number;
      created?: boolean;
      isUndone?: boolean;
      place?: { readonly line: number; readonly column: number } | undefined;
    } = {},
  ) {
    // It says what a client did, not what went wrong here: a stack would cost more than all the rest of such a request.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.fatal = options.fatal ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.undelivered = options.undelivered;
    this.created = options.created ?? false;
    this.place = options.place;
    this.isUndone = options.isUndone ?? false;
  }
}
