import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { Appender } from './appender.ts';
import { BrokerClock } from './broker-clock.ts';
import { Cluster } from './cluster.ts';
import { KafkaAccounts } from './kafka-accounts.ts';
import { kafkaSecurity } from './kafka-security.ts';
import { now } from './retry.ts';
import { type ClusterKey, Signer } from './signature.ts';
import { Trust } from './trust.ts';
import type { Proofs } from './unproven.ts';

/**
 * Reads the topic of accounts, which is there, as a frontend with these keys does, and changes nothing.
 * @throws EngineError `UNAVAILABLE` where that takes longer
 */
export async function lookAtAccounts(
  config: Config,
  keys: readonly ClusterKey[],
  log: Logger,
  timeoutMs: number,
): Promise<Proofs> {
  const clock = new BrokerClock();
  const trust = new Trust(new Signer(keys), clock, false, config.sendTimeoutMs);
  const security = kafkaSecurity(config);
  const cluster = new Cluster({ bootstrap: config.brokers, clientId: 'milena-look', security });
  const appender = new Appender(cluster, log, config.sendTimeoutMs, clock);
  const accounts = new KafkaAccounts({ ...config, cluster, log, trust, appender });
  try {
    await accounts.read(now() + timeoutMs);
    return accounts.proofs;
  } finally {
    await accounts.close();
    await appender.close();
    await cluster.close();
  }
}
