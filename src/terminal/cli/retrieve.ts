import { MAX_RETRIEVED } from '../../client/index.ts';
import { argumentsOf, atMost, limitOf } from './arguments.ts';
import type { Context } from './context.ts';
import { EXIT, Failure } from './exit.ts';
import { Journal } from './journal.ts';
import { messageText } from './message-text.ts';
import { loggedIn } from './online.ts';

/** Pages in a row of which all was printed before: more than can wait for an acknowledgement that was lost. */
const MAX_KNOWN_PAGES = 40;

/** Prints what waited when the command logged in, oldest first, and acknowledges what was printed. */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('retrieve', context.args);
  atMost(args.positionals, 0, 'milena retrieve takes options only');
  const { json = false } = args.values;
  // What was printed on one server is not printed again on the next.
  let left = limitOf(args.values.limit, Number.POSITIVE_INFINITY);
  await loggedIn(
    context,
    args,
    async (me, { name, signal }) => {
      for (let more = true, known = 0; more && left > 0; ) {
        const page = await me.retrieve(Math.min(MAX_RETRIEVED, left), { signal });
        for (const message of page.messages) {
          await context.output.write(messageText(message, name, message.inbox, json));
          message.ack();
          left -= 1;
        }
        known = page.messages.length === 0 ? known + 1 : 0;
        more = page.more;
        if (known === MAX_KNOWN_PAGES)
          throw new Failure(EXIT.FAULT, 'The server gives the same messages again and again.');
      }
    },
    { isRepeatable: true, openStore: (settings) => Journal.open(settings, context, 'some') },
  );
}
