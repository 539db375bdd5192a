/** What is told of a message outside of the chat. Both texts are of one line, and nothing in them acts on a terminal. */
export interface Notification {
  readonly from: string;
  readonly text: string;
}

export type Notify = (notification: Notification) => void;

/** Longer texts are cut: a notification is no place to read. */
const MAX_FROM_CHARACTERS = 64;
const MAX_TEXT_CHARACTERS = 200;
/** At most one notification in so many milliseconds. */
export const PACE_MS = 2_000;

/**
 * Passes notifications on, cut to a length, at most one in two seconds. What comes in between is told together: the
 * newest of it, with the number of the others.
 */
export function paced(notify: Notify, paceMs = PACE_MS): Notify {
  let timer: NodeJS.Timeout | undefined;
  let newest: Notification | null = null;
  let others = 0;
  const pass = ({ from, text }: Notification, more: number) => {
    const behind = more > 0 ? ` (and ${more} more)` : '';
    notify({ from: cut(from, MAX_FROM_CHARACTERS), text: `${cut(text, MAX_TEXT_CHARACTERS)}${behind}` });
    timer = setTimeout(next, paceMs).unref();
  };
  const next = () => {
    timer = undefined;
    const [waiting, more] = [newest, others];
    [newest, others] = [null, 0];
    if (waiting !== null) pass(waiting, more);
  };
  return (notification) => {
    if (timer === undefined) {
      pass(notification, 0);
      return;
    }
    if (newest !== null) others += 1;
    newest = notification;
  };
}

function cut(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters).toWellFormed()}…`;
}
