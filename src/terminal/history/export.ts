import { isoTime, jsonLine, sanitiseName, sanitiseText } from '../sanitise.ts';
import type { History } from './history.ts';
import type { Peer, StoredMessage } from './types.ts';

/**
 * A conversation, oldest first, a line at a time without its end. Neither form can act on a terminal: the text is made
 * safe as on the screen; JSON escapes what it has to and so keeps every character.
 *
 * - `text`: `2026-01-31T12:00:00.000Z maria: first line`, further lines of a body indented.
 * - `jsonl`: an object with `id`, `at` (ISO 8601, UTC, or null), `direction` (`in`, `out`), `from` (null for a
 *   program), `to` (a user or a room), `external` (what the program calls itself, or null), `body`, `fate` (null for incoming messages),
 *   and `reason` with a refusal.
 * @param me the account's name
 */
export function* exportLines(
  history: History,
  peer: Peer,
  format: 'text' | 'jsonl',
  me: string,
): IterableIterator<string> {
  for (const message of history.all(peer)) {
    if (format === 'jsonl') yield messageJson(message, me);
    else yield* text(message, me);
  }
}

function* text(message: StoredMessage, me: string): IterableIterator<string> {
  const { peer, author = peer, direction, body, fate } = message;
  const who = direction === 'in' ? nameInText(author) : `${sanitiseName(me)} → ${nameInText(peer)}`;
  const failed = fate !== null && FAILED.has(fate.kind) ? ` (${fate.kind})` : '';
  const [first = '', ...more] = sanitiseText(body).split('\n');
  yield `${isoTime(message.at) ?? '-'} ${who}${failed}: ${first}`;
  for (const line of more) yield `    ${line}`;
}

/** A conversation's name where lines have no colours; safe for a terminal. */
export function nameInText({ kind, name }: Peer): string {
  return `${kind === 'external' ? 'ext ' : ''}${sanitiseName(name)}`;
}

/** A reader of the text would take these for messages that arrived. */
const FAILED: ReadonlySet<string> = new Set(['refused', 'undeliverable', 'unsure']);

/** A message as one line of JSON; the fields are those of `exportLines`. */
export function messageJson(message: StoredMessage, me: string): string {
  const { id, peer, author = peer, direction, at, body, fate } = message;
  const external = author.kind === 'external' ? author.name : null;
  // Nobody vouches for a program's name: it stands where no user's name does.
  const sender = external === null ? author.name : null;
  const recipient = peer.kind === 'room' ? peer.name : me;
  const [from, to] = direction === 'in' ? [sender, recipient] : [me, peer.name];
  const reason = fate?.kind === 'refused' ? { reason: fate.reason } : {};
  const value = {
    id,
    at: isoTime(at),
    direction,
    from,
    to,
    external,
    body,
    fate: fate?.kind ?? null,
    ...reason,
  };
  return jsonLine(value);
}
