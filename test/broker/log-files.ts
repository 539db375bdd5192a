import { closeSync, ftruncateSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TestBroker } from './test-broker.ts';

/**
 * Takes the tail off a topic's log, as a power cut or a restored snapshot does: what is left ends before this offset. The
 * broker must not run.
 */
export function cutLog(broker: Pick<TestBroker, 'folder'>, topic: string, offset: number): void {
  const folder = folderOf(broker, topic);
  const file = segmentOf(folder);
  const bytes = readFileSync(file);
  let at = 0;
  while (at < bytes.length && bytes.readBigInt64BE(at) < BigInt(offset)) at += 12 + bytes.readInt32BE(at + 8);
  const handle = openSync(file, 'r+');
  ftruncateSync(handle, at);
  closeSync(handle);
  // Made anew from the log: they point behind its end.
  for (const name of readdirSync(folder))
    if (/\.(index|timeindex|snapshot)$/.test(name)) rmSync(join(folder, name));
}

/** Changes text in a topic's log, as a bad disk does: the broker may run, and does not notice. */
export function spoilLog(broker: Pick<TestBroker, 'folder'>, topic: string, from: string, to: string): void {
  const file = segmentOf(folderOf(broker, topic));
  const at = readFileSync(file).indexOf(from);
  if (at < 0 || from.length !== to.length)
    throw new Error(`${from} is not in ${topic}, or not as long as ${to}`);
  const handle = openSync(file, 'r+');
  writeSync(handle, to, at);
  closeSync(handle);
}

function folderOf(broker: Pick<TestBroker, 'folder'>, topic: string): string {
  return join(broker.folder, 'data', `${topic}-0`);
}

function segmentOf(folder: string): string {
  const [segment, ...more] = readdirSync(folder).filter((name) => name.endsWith('.log'));
  if (segment === undefined || more.length > 0) throw new Error(`${folder} has not one segment`);
  return join(folder, segment);
}
