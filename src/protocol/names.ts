import { ProtocolError } from './errors.ts';

/** Longest username, in characters and bytes alike. */
export const MAX_USERNAME_LENGTH = 32;
/** Longest wildcard pattern, in characters: twice a name, since more cannot help. */
export const MAX_PATTERN_LENGTH = 64;

const USERNAME = /^[a-z0-9][a-z0-9_-]{0,31}$/i;
const PATTERN = /^[a-z0-9_*?-]*$/i;
// Without the u flag, /i folds A-Z only among letters that these classes hold: the Kelvin sign is no k here.

/**
 * A username as it was typed, lower-cased.
 * @throws ProtocolError `INVALID_USERNAME`
 */
export function parseUsername(text: string): string {
  if (!USERNAME.test(text)) throw new ProtocolError('INVALID_USERNAME');
  return text.toLowerCase();
}

/**
 * The name of a device as it was typed, lower-cased.
 * @throws ProtocolError `INVALID_DEVICE`
 */
export function parseDevice(text: string): string {
  if (!USERNAME.test(text)) throw new ProtocolError('INVALID_DEVICE');
  return text.toLowerCase();
}

/** Whether `text` is a username as it is stored: valid, and lower-case already. */
export function isUsername(text: string): boolean {
  return USERNAME.test(text) && text === text.toLowerCase();
}

/** Whether a text is meant as a room and not as a person. */
function isRoomLike(text: string): boolean {
  return text.startsWith('#');
}

/**
 * A room as it was typed, with its `#`, lower-cased.
 * @throws ProtocolError `INVALID_ROOM`
 */
export function parseRoom(text: string): string {
  if (!isRoomLike(text) || !USERNAME.test(text.slice(1))) throw new ProtocolError('INVALID_ROOM');
  return text.toLowerCase();
}

/** A person or a room, as they were typed. @throws ProtocolError `INVALID_USERNAME`, `INVALID_ROOM` */
export function parseRecipient(text: string): string {
  return isRoomLike(text) ? parseRoom(text) : parseUsername(text);
}

/**
 * The same as a request has it: what is neither is no username, since clients without rooms know no other word for that.
 * @throws ProtocolError `INVALID_USERNAME`
 */
export function parseAddressee(text: string): string {
  return isRoomLike(text) && USERNAME.test(text.slice(1)) ? text.toLowerCase() : parseUsername(text);
}

/** Whether `text` is a room as it is stored: valid, and lower-case already. */
export function isRoom(text: string): boolean {
  return isRoomLike(text) && isUsername(text.slice(1));
}

/**
 * A wildcard pattern as it was typed: lower-cased, runs of `*` made one. Empty means every name.
 * @throws ProtocolError `BAD_REQUEST` for what no name could ever match
 */
export function parsePattern(text: string): string {
  if (text.length > MAX_PATTERN_LENGTH || !PATTERN.test(text)) {
    throw new ProtocolError(
      'BAD_REQUEST',
      `A pattern has at most ${MAX_PATTERN_LENGTH} of a-z, 0-9, _, -, * (any run) and ? (any one character).`,
    );
  }
  return text.toLowerCase().replace(/\*+/g, '*');
}

/**
 * How version 1 shows a sender that is no user but some other Kafka producer: `[external]`, or
 * `[external deploy-bot]`. The bracket cannot start a username, and what was in the key is reduced to characters
 * that cannot end the sender's part of a line.
 */
export function externalSender(name: string): string {
  const plain = name
    .slice(0, 256)
    .replace(/[^a-zA-Z0-9._@/-]+/g, ' ')
    .trim()
    .slice(0, 64)
    .trim();
  return plain === '' ? '[external]' : `[external ${plain}]`;
}
