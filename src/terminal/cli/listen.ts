import { readSettings } from '../settings.ts';
import { argumentsOf, atMost, roomOf, usernameOf, userOf } from './arguments.ts';
import type { Context } from './context.ts';
import { Journal } from './journal.ts';
import { MessagePrinter } from './listener.ts';

const USAGE = 'milena listen takes options only';

/** Prints messages as they come. */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('listen', context.args);
  atMost(args.positionals, 0, USAGE);
  const settings = readSettings(args.flags, context.environment);
  const name = userOf(settings);
  const { json = false, once = false, takeover = false, from, room } = args.values;
  const journal = await Journal.open(settings, context, 'all');
  try {
    const options = {
      name,
      settings,
      takeover,
      json,
      once,
      from: from === undefined ? null : usernameOf(from, USAGE),
      room: room === undefined ? null : roomOf(room, USAGE),
    };
    await new MessagePrinter(options, journal, context).listen();
  } finally {
    journal.close();
  }
}
