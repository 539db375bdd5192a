import { exportLines } from '../history/export.ts';
import { type Peer, peerTo } from '../history/types.ts';
import { readSettings } from '../settings.ts';
import { argumentsOf, atMost, quoted, recipientOf, userOf } from './arguments.ts';
import type { Context } from './context.ts';
import { EXIT, Failure } from './exit.ts';
import { withHistory } from './reading.ts';

const USAGE = 'milena export NAME';

/** Prints a conversation of the local history, oldest first. Works without a server. */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('export', context.args);
  const [given] = args.positionals;
  atMost(args.positionals, 1, USAGE);
  const { json = false, external = false } = args.values;
  // What a program calls itself may be anything, also nothing.
  const peer: Peer =
    external && given !== undefined ? { kind: 'external', name: given } : peerTo(recipientOf(given, USAGE));
  const settings = readSettings(args.flags, context.environment);
  const account = userOf(settings);
  await withHistory(settings, account, async (history) => {
    if (history.conversation(peer) === null) {
      const hint = external ? '' : ' --external is for programs that call themselves so.';
      throw new Failure(EXIT.NO_USER, `The history has nothing from or to ${quoted(peer.name)}.${hint}`);
    }
    for (const line of exportLines(history, peer, json ? 'jsonl' : 'text', account)) {
      await context.output.line(line);
    }
  });
}
