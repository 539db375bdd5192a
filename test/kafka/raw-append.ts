import { vi } from 'vitest';
import type { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { produce } from '../../src/storage/kafka/wire/produce.ts';

const TIMEOUT_MS = 5_000;

/** Appends one batch as it is to a topic's first partition. @returns Kafka's code: 0 where it took that */
export async function appendRaw(raw: Cluster, topic: string, bytes: Buffer): Promise<number> {
  const { node } = await raw.leader(topic);
  const { results } = await raw.request(node, 'produce', produce, TIMEOUT_MS, [{ topic, bytes }]);
  return results[0]?.errorCode ?? -1;
}

/** The same to a topic that was just made: it has a leader before each broker knows of it. Refused meanwhile, nothing is stored. */
export function appendPatiently(raw: Cluster, topic: string, bytes: Buffer): Promise<void> {
  return vi.waitFor(
    async () => {
      const code = await appendRaw(raw, topic, bytes);
      if (code !== 0) throw new Error(`Kafka refuses it: ${code}`);
    },
    { timeout: 20_000, interval: 100 },
  );
}
