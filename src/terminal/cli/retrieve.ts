import { hex, messageKey, Seen } from '../../client/seen.ts';
import type { Message } from '../../protocol/v2/replies.ts';
import { MAX_ACK_RANGES } from '../../protocol/v2/requests.ts';
import { argumentsOf, atMost, limitOf } from './arguments.ts';
import type { Context } from './context.ts';
import { EXIT, Failure } from './exit.ts';
import { Journal } from './journal.ts';
import type { Link } from './link.ts';
import { messageText } from './message-text.ts';
import { type Account, loggedIn } from './online.ts';
import { resendAll } from './resend.ts';

/** Messages asked for at once: as many as one acknowledgement can name. */
const PAGE = MAX_ACK_RANGES;

/** Prints what waited when the command logged in, oldest first, and acknowledges what was printed. */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('retrieve', context.args);
  atMost(args.positionals, 0, 'milena retrieve takes options only');
  const limit = limitOf(args.values.limit, Number.POSITIVE_INFINITY);
  const json = args.values.json ?? false;
  // What was printed on one server is not printed again on the next.
  const left = { count: limit };
  const seen = new Seen();
  const retrieve = async (link: Link, account: Account) => {
    const journal = await Journal.open(account.settings, context);
    try {
      const { name, session } = account;
      journal.begin({ name, incarnation: hex(session.incarnation) });
      resendAll(link, journal);
      await printAll(link, left, printer(context, account, journal, seen, json));
    } finally {
      journal.close();
    }
  };
  await loggedIn(context, args, retrieve, { isRepeatable: true });
}

async function printAll(
  { connection }: Link,
  left: { count: number },
  print: (message: Message) => Promise<boolean>,
): Promise<void> {
  let last = -1;
  for (let more = true; more && left.count > 0; ) {
    const page = await connection.ask({ type: 'retrieve', limit: Math.min(PAGE, left.count) });
    const printed: number[] = [];
    try {
      for (const message of page.messages) {
        if (await print(message)) left.count -= 1;
        printed.push(message.seq);
      }
    } finally {
      // Without it the next page would be the same one; and what was printed counts, also when the reader is gone.
      if (printed.length > 0 && !connection.hasEnded) {
        connection.tell({ type: 'ack', ranges: printed.map((seq): [number, number] => [seq, seq]) });
      }
    }
    const newest = Math.max(last, ...printed);
    // What was acknowledged does not come again.
    if (page.more && newest === last)
      throw new Failure(EXIT.FAULT, 'The server gives the same messages again and again.');
    last = newest;
    more = page.more;
  }
}

/** Prints a message once; false if it was printed before, and only the acknowledgement was lost. */
function printer(context: Context, { name, session }: Account, journal: Journal, seen: Seen, json: boolean) {
  // The connection lets no login in without, unless it asked for that.
  const inbox = hex(session.inbox ?? new Uint8Array());
  return async (message: Message): Promise<boolean> => {
    const key = messageKey(inbox, message);
    if (!seen.add(key) || journal.hasSeen(key)) return false;
    await context.output.write(messageText(message, name, inbox, json));
    journal.received(message, key);
    return true;
  };
}
