import { ME, nameOf } from '../chat/words.ts';
import type { StoredMessage } from '../history/types.ts';
import { sanitiseText } from '../sanitise.ts';
import { clock, day } from '../tui/days.ts';

/** A message as one line of text or more, every one after the first indented. Nothing in it but words and times. */
export function lineOf(message: StoredMessage, now: number): string {
  const { at, direction, peer, body } = message;
  const date = at === null ? '' : day(at, now);
  const time = at === null ? '' : `${date === 'Today' ? '' : `${date} `}${clock(at)} `;
  const who = direction === 'out' ? `${ME} to ${nameOf(peer)}` : nameOf(peer);
  return `${time}${who}: ${sanitiseText(body).replaceAll('\n', '\n    ')}`;
}

/** What a new fate of a sent message has to say; null where nothing has to be said. */
export function fateLine({ peer, fate }: StoredMessage): string | null {
  const to = nameOf(peer);
  switch (fate?.kind) {
    case 'stored':
      return `(sent to ${to})`;
    case 'delivered':
      return `(delivered to ${to})`;
    case 'waiting':
      return `(the message to ${to} waits for the server, and goes by itself)`;
    case 'refused':
      return `(not sent to ${to}: ${sanitiseText(fate.reason)})`;
    case 'undeliverable':
      return `(nobody will read the message to ${to}: the account is gone)`;
    case 'unsure':
      return `(nobody knows whether the message to ${to} was sent)`;
    default:
      return null;
  }
}
