import { ProtocolError } from '../protocol/errors.ts';
import * as names from '../protocol/names.ts';
import { ClientError } from './errors.ts';

export { isRoom, isUsername } from '../protocol/names.ts';

/** A username as it was typed, lower-cased. @throws ClientError `INVALID` */
export function parseUsername(text: string): string {
  // Of whoever has no compiler: what is no text has letters all the same, `undefined` for one.
  return valid(() => names.parseUsername(typeof text === 'string' ? text : ''));
}

/** A room as it was typed, with its `#`, lower-cased. @throws ClientError `INVALID` */
export function parseRoom(text: string): string {
  return valid(() => names.parseRoom(typeof text === 'string' ? text : ''));
}

/** A username, or a room with its `#`, as it was typed, lower-cased. @throws ClientError `INVALID` */
export function parseRecipient(text: string): string {
  return valid(() => names.parseRecipient(typeof text === 'string' ? text : ''));
}

/** A wildcard pattern as it was typed: lower-cased, runs of `*` made one. Empty means every name. @throws ClientError `INVALID` */
export function parsePattern(text: string): string {
  return valid(() => names.parsePattern(text));
}

function valid(parse: () => string): string {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw new ClientError('INVALID', cause.message, { cause });
  }
}
