import { closeSync, ftruncateSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { JvmBroker } from './jvm-broker.ts';

/**
 * Takes the tail off a topic's log, as a power cut or a restored snapshot does: what is left ends before this offset. The
 * broker must not run.
 */
export function cutLog(broker: JvmBroker, topic: string, offset: number): void {
  const folder = join(broker.folder, 'data', `${topic}-0`);
  const [segment, ...more] = readdirSync(folder).filter((name) => name.endsWith('.log'));
  if (segment === undefined || more.length > 0) throw new Error(`${topic} has not one segment`);
  const file = join(folder, segment);
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
