import { setTimeout as wait } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';

/**
 * Resolves when the broker at `address` itself answers and shows at least `nodes` brokers of its cluster, so that a
 * topic can be made at once.
 * @param gaveUp asked between attempts; a text ends the waiting with that text as the error.
 */
export async function brokerReady(
  address: string,
  options: { nodes?: number; timeoutMs?: number; gaveUp?: () => string | undefined } = {},
): Promise<void> {
  const { nodes = 1, timeoutMs = 90_000, gaveUp = () => undefined } = options;
  const kafka = new Kafka({
    brokers: [address],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    requestTimeout: 5_000,
    retry: { retries: 0 },
  });
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const admin = kafka.admin();
    try {
      await admin.connect();
      const cluster = await admin.describeCluster();
      if (cluster.brokers.length >= nodes) return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`no broker answers at ${address}`, { cause: error });
    } finally {
      await admin.disconnect().catch(() => {});
    }
    const reason = gaveUp();
    if (reason !== undefined) throw new Error(reason);
    if (Date.now() > deadline) throw new Error(`${address} does not show ${nodes} brokers`);
    await wait(100);
  }
}
