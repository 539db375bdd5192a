import { setTimeout as wait } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';

/**
 * Resolves when the broker at `address` itself answers and shows at least `nodes` brokers of its cluster, so that a
 * topic can be made at once; with `self` it must be one of those.
 * @param gaveUp asked between attempts; a text ends the waiting with that text as the error.
 */
export async function brokerReady(
  address: string,
  options: { nodes?: number; self?: boolean; timeoutMs?: number; gaveUp?: () => string | undefined } = {},
): Promise<void> {
  const { nodes = 1, self = false, timeoutMs = 240_000, gaveUp = () => undefined } = options;
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
      const { brokers } = await admin.describeCluster();
      const isShown = !self || brokers.some(({ port }) => address.endsWith(`:${port}`));
      if (isShown && brokers.length >= nodes) return;
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

/** Resolves when the brokers of a new cluster coordinate groups and transactions, which takes them some seconds. */
export async function coordinatorsReady(brokers: string[]): Promise<void> {
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 1 } });
  const deadline = Date.now() + 240_000;
  for (;;) {
    const producer = kafka.producer({ transactionalId: 'ready', maxInFlightRequests: 1 });
    const admin = kafka.admin();
    try {
      await Promise.all([producer.connect(), admin.connect()]);
      await admin.fetchOffsets({ groupId: 'ready' });
      return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`${brokers} have no coordinators`, { cause: error });
    } finally {
      await Promise.allSettled([producer.disconnect(), admin.disconnect()]);
    }
    await wait(100);
  }
}
