import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '../../src/client/client.ts';
import { ClientError } from '../../src/client/errors.ts';
import { type ClientEvent, DEFAULT_OPTIONS } from '../../src/client/events.ts';
import { messageKey } from '../../src/client/seen.ts';
import { Histories } from '../../src/terminal/history/histories.ts';

/*
 * A client that somebody kills:
 *   node mortal.ts PORT DIRECTORY ROUND
 * It logs in, keeps what comes, and in odd rounds writes to ann and bob in turn without a pause. Each line of its output
 * is an id and a body that it has accepted. When its input ends it writes no more, waits for all answers, and leaves.
 * DIRECTORY may be empty: then it remembers nothing, and must be caught at it.
 */

const [port = '', directory = '', round = ''] = process.argv.slice(2);
const onProblem = (sentence: string) => {
  throw new Error(sentence);
};
const server = `127.0.0.1:${port}`;
const histories = new Histories({ directory: directory === '' ? null : directory, server, onProblem });
/** Kept with the next commit, and then acknowledged. */
const kept: (() => void)[] = [];

const client = new Client(
  {
    ...DEFAULT_OPTIONS,
    servers: [{ host: '127.0.0.1', port: Number(port) }],
    store: histories,
    ackDelayMs: 2,
    fates: { firstMs: 10, maxMs: 40 },
    held: { firstMs: 5, maxMs: 10 },
  },
  listen,
);

function listen(event: ClientEvent): void {
  const history = histories.current;
  if (event.type === 'entered') {
    const { id, to, body, state } = event.entry;
    history?.sent({ messageId: id, to, at: Date.now(), body, fate: state });
  }
  if (event.type === 'outgoing')
    history?.fate(event.entry.id, event.entry.state, event.entry.receipt, event.entry.mayBeStored);
  if (event.type !== 'message') return;
  const { inbox, message } = event;
  const name = message.verified ? message.from : message.external;
  const peer = { kind: message.verified ? 'user' : 'external', name } as const;
  const { body, sentAt: at } = message;
  const stored = history?.received({ peer, at, body, key: messageKey(inbox, message) });
  if (stored === null) throw new Error(`${body} was told, and is known`);
  if (kept.length === 0) setTimeout(commit, 3);
  kept.push(() => client.shown(inbox, message));
}

function commit(): void {
  histories.current?.commit();
  for (const show of kept.splice(0)) show();
}

function write(count: number): void {
  try {
    const { id, body } = client.send(count % 2 === 0 ? 'ann' : 'bob', `${round}.${count}`);
    writeSync(1, `${id} ${body}\n`);
  } catch (error) {
    if (!(error instanceof ClientError && error.code === 'BUSY')) throw error;
  }
}

/** In every other life it only reads, so that no message of its own commits what came. */
const isWriter = Number(round) % 2 === 1;
let isEnding = false;
process.stdin.on('end', () => {
  isEnding = true;
});
process.stdin.resume();
client.start();
await client.login('al', 'secret', true);
for (let count = 0; !isEnding; count++) {
  if (isWriter) write(count);
  await sleep(1);
}
const isDone = () => client.unanswered === 0 && histories.unsettled().length === 0 && kept.length === 0;
// Otherwise it leaves what is not done to be found.
for (const end = performance.now() + 10_000; !isDone() && performance.now() < end; ) await sleep(5);
await client.close();
histories.close();
