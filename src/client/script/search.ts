import { messageJson } from '../history/export.ts';
import type { StoredMessage } from '../history/types.ts';
import { isoTime } from '../json.ts';
import { sanitiseName } from '../sanitise.ts';
import { readSettings } from '../settings.ts';
import { argumentsOf, limitOf } from './arguments.ts';
import type { Context } from './context.ts';
import { EXIT, Failure } from './exit.ts';
import { textLines } from './message-text.ts';
import { usernameOf, userOf } from './names.ts';
import { withHistory } from './reading.ts';

const USAGE = 'milena search WORDS…';
const DEFAULT_LIMIT = 100;

/** Prints the messages of the local history that have all the words, newest first. Works without a server. */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('search', context.args);
  const words = args.positionals.join(' ');
  if (words.trim() === '') throw new Failure(EXIT.USAGE, `The words are missing: ${USAGE}`);
  const limit = limitOf(args.values.limit, DEFAULT_LIMIT);
  const { json = false, with: name } = args.values;
  const peer = name === undefined ? undefined : ({ kind: 'user', name: usernameOf(name, USAGE) } as const);
  const settings = readSettings(args.flags, context.environment);
  const account = userOf(settings);
  await withHistory(settings, account, async (history) => {
    const found = history.search(words, limit, peer);
    for (const message of found) {
      await context.output.line(json ? messageJson(message, account) : foundLines(message, account));
    }
    if (found.length === limit) context.say(`Only the newest ${limit}: --limit shows more.`);
  });
}

function foundLines({ peer, direction, at, body }: StoredMessage, account: string): string {
  const name = `${peer.kind === 'external' ? 'ext ' : ''}${sanitiseName(peer.name)}`;
  const who = direction === 'in' ? name : `${account} → ${name}`;
  return textLines(`${isoTime(at) ?? '-'} ${who}: `, body);
}
