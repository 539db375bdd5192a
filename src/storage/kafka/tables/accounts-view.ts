import type { Logger } from 'pino';
import type { Config } from '../../../config/config.ts';
import type { ClusterKey } from '../../../core/cluster-key.ts';
import { findTopics } from '../inbox/inbox-topics.ts';
import { Signer } from '../inbox/signature.ts';
import { greet } from '../inbox/takeover-hints.ts';
import { Trust } from '../inbox/trust.ts';
import { Appender } from '../produce/appender.ts';
import { BrokerClock } from '../wire/broker-clock.ts';
import { Cluster } from '../wire/cluster.ts';
import { kafkaSecurity } from '../wire/kafka-security.ts';
import { now, retry } from '../wire/retry.ts';
import { ACCOUNTS_TOPIC, ensureNoticesTopic } from '../wire/topics.ts';
import { KafkaAccounts } from './kafka-accounts.ts';
import type { Proofs } from './unproven.ts';

/** What somebody has who looks at accounts without being a frontend. */
export interface AccountsView {
  readonly cluster: Cluster;
  /** All of them are read. */
  readonly accounts: KafkaAccounts;
  /**
   * To be called before anything is changed: a record is believed only if it is signed in the brokers' time.
   * @throws EngineError `UNAVAILABLE`
   */
  learnTime(): Promise<void>;
}

/**
 * Reads the topic of accounts as a frontend with these keys does.
 * @returns null where there is no such topic yet
 * @throws EngineError `UNAVAILABLE` where that takes longer; and what `use` throws
 */
export async function withAccounts<Result>(
  config: Config,
  keys: readonly ClusterKey[],
  log: Logger,
  timeoutMs: number,
  use: (view: AccountsView) => Promise<Result>,
): Promise<Result | null> {
  const clock = new BrokerClock();
  const trust = new Trust(new Signer(keys), clock, false, config.sendTimeoutMs);
  const security = kafkaSecurity(config);
  const cluster = new Cluster({ bootstrap: config.brokers, clientId: 'milena-look', security });
  const appender = new Appender(cluster, log, config.sendTimeoutMs, clock);
  const accounts = new KafkaAccounts({ ...config, cluster, log, trust, appender });
  const deadline = now() + timeoutMs;
  try {
    await retry(`Kafka at ${config.brokers.join(', ')}`, deadline, () => cluster.connect());
    const there = await retry('topics', deadline, () => findTopics(cluster, [ACCOUNTS_TOPIC]));
    if (there.size === 0) return null;
    await accounts.read(deadline);
    return await use({
      cluster,
      accounts,
      learnTime: async () => {
        await ensureNoticesTopic(cluster, config.replicationFactor, now() + timeoutMs);
        await greet(trust, appender);
      },
    });
  } finally {
    await accounts.close();
    await appender.close();
    await cluster.close();
  }
}

/** Who vouches for the accounts; null where there is no topic of them. Changes nothing. @throws EngineError `UNAVAILABLE` */
export function proofsOfAccounts(
  config: Config,
  keys: readonly ClusterKey[],
  log: Logger,
  timeoutMs: number,
): Promise<Proofs | null> {
  return withAccounts(config, keys, log, timeoutMs, async ({ accounts }) => accounts.proofs);
}
