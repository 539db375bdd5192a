import { messageJson, nameInText } from '../history/export.ts';
import { parseSearch } from '../history/search.ts';
import type { StoredMessage } from '../history/types.ts';
import { isoTime, sanitiseName } from '../sanitise.ts';
import { readSettings } from '../settings.ts';
import { argumentsOf, limitOf, recipientOf, userOf } from './arguments.ts';
import type { Context } from './context.ts';
import { EXIT, Failure } from './exit.ts';
import { textLines } from './message-text.ts';
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
  const settings = readSettings(args.flags, context.environment);
  const account = userOf(settings);
  const search = parseSearch(words, account, Date.now());
  if (typeof search === 'string') throw new Failure(EXIT.USAGE, search);
  const within = name === undefined ? search.within : recipientOf(name, USAGE);
  await withHistory(settings, account, async (history) => {
    const { messages, count } = history.search({ ...search, within }, limit);
    for (const message of messages) {
      await context.output.line(json ? messageJson(message, account) : foundLines(message, account));
    }
    if (messages.length < count) {
      context.say(`The newest ${messages.length} of ${count.toLocaleString('en')}: --limit shows more.`);
    }
  });
}

function foundLines({ peer, author = peer, direction, at, body }: StoredMessage, account: string): string {
  const other = nameInText(direction === 'in' ? author : peer);
  const where = direction === 'in' && peer.kind === 'room' ? `${sanitiseName(peer.name)} ` : '';
  const who = direction === 'in' ? other : `${account} → ${other}`;
  return textLines(`${isoTime(at) ?? '-'} ${where}${who}: `, body);
}
