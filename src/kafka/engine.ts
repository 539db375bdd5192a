import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Accounts } from './accounts.ts';
import { Cluster } from './cluster.ts';
import type { Inboxes } from './inboxes.ts';
import { KafkaAccounts } from './kafka-accounts.ts';
import { KafkaInboxes } from './kafka-inboxes.ts';
import { now, retry } from './retry.ts';

/** How long Kafka may take to answer for the first time, milliseconds. */
const FIRST_CONTACT_MS = 5_000;

/** Everything the frontend knows of Kafka: two doors. */
export interface Engine {
  readonly accounts: Accounts;
  readonly inboxes: Inboxes;
  /** Answers what is under way, commits and gives back every inbox, leaves Kafka. */
  close(): Promise<void>;
}

/**
 * Connects to Kafka, makes the topic of accounts if there is none, reads it, and takes this frontend's lease.
 * @throws EngineError `UNAVAILABLE`
 */
export async function openEngine(config: Config, log: Logger): Promise<Engine> {
  const { inboxPrefix, replicationFactor, frontendLeaseMs, sendTimeoutMs } = config;
  const cluster = new Cluster({
    bootstrap: config.brokers,
    clientId: `milena-${randomBytes(3).toString('hex')}`,
  });
  const accounts = new KafkaAccounts({ cluster, log, inboxPrefix, replicationFactor });
  const inboxes = new KafkaInboxes({ cluster, log, inboxPrefix, frontendLeaseMs, sendTimeoutMs });
  const close = async () => {
    await inboxes.close();
    await accounts.close();
    await cluster.close();
  };
  try {
    await retry(`Kafka at ${config.brokers.join(', ')}`, now() + FIRST_CONTACT_MS, () => cluster.connect());
    await accounts.start();
    await inboxes.start();
  } catch (error) {
    await close();
    throw error;
  }
  return { accounts, inboxes, close };
}
