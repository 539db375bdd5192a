import { setTimeout as sleep } from 'node:timers/promises';
import { History } from '../../../src/terminal/history/history.ts';

/*
 * A process that writes to a history without a pause, its transactions as long as a client's, until it is told to end:
 *   node writer.ts DIRECTORY SERVER NAME MILLISECONDS
 * Prints what it was told went wrong, and the ids of what it has written.
 */

const [directory = '', server = '', name = '', milliseconds = ''] = process.argv.slice(2);
const problems: string[] = [];
const onProblem = (sentence: string) => problems.push(sentence);
const history = History.open({ directory, server, account: 'maria', onProblem });
const ids: number[] = [];
const end = performance.now() + Number(milliseconds);
for (let count = 0; performance.now() < end; ) {
  const commit = performance.now() + 20;
  while (performance.now() < commit) {
    const key = `${name} ${count}`;
    const message = history.received({ peer: { kind: 'user', name }, at: count, body: key, key });
    count += 1;
    if (message !== null) ids.push(message.id);
    await sleep(1);
  }
  history.commit();
}
history.close();
process.stdout.write(JSON.stringify({ problems, ids }));
