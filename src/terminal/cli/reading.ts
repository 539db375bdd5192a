import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HistoryError } from '../history/errors.ts';
import { fileName, serverOf } from '../history/files.ts';
import { History } from '../history/history.ts';
import { sanitiseLine } from '../sanitise.ts';
import type { Settings } from '../settings.ts';
import { EXIT, Failure } from './exit.ts';

/**
 * Does something with the history of an account, without any connection; makes none where there is none.
 * @throws Failure `USAGE` where nothing is kept, `IO` for a file that cannot be used
 */
export async function withHistory<Value>(
  { directory, server: first, others, device }: Settings,
  account: string,
  work: (history: History) => Promise<Value>,
): Promise<Value> {
  if (directory === null) {
    throw new Failure(
      EXIT.USAGE,
      'The settings keep no history ("history": false), so there is none to look into.',
    );
  }
  const server = serverOf(directory, [first, ...others], account, device);
  if (!existsSync(join(directory, fileName(server, account, device)))) {
    const text = `There is no history of ${account} on ${server} in ${directory}: --user, --server and --data-dir name others.`;
    throw new Failure(EXIT.USAGE, sanitiseLine(text));
  }
  let history: History;
  try {
    history = History.open({ directory, server, account, device });
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    throw new Failure(EXIT.IO, sanitiseLine(error.message), { cause: error });
  }
  try {
    return await work(history);
  } finally {
    history.close();
  }
}
