import { consumerGroupDescribeV0 } from '@platformatic/kafka';
import { ConfigError } from '../../../config/setting-table.ts';
import type { Cluster } from './cluster.ts';
import { expectNone, KafkaCode } from './kafka-error.ts';
import { retry } from './retry.ts';
import { FRONTEND_GROUP_PREFIX } from './topics.ts';

/**
 * Inboxes are held by Kafka's consumer protocol, which a cluster that comes from Kafka 3 may have left off.
 * @throws ConfigError where it is off; EngineError `UNAVAILABLE`
 */
export async function demandConsumerProtocol(cluster: Cluster, deadline: number): Promise<void> {
  const group = `${FRONTEND_GROUP_PREFIX}none`;
  const code = await retry('consumer protocol', deadline, async () => {
    const { groups } = await cluster.requestCoordinatorOver(
      'control',
      'group',
      group,
      consumerGroupDescribeV0.api,
      [group],
      false,
    );
    const errorCode = groups[0]?.errorCode ?? KafkaCode.REQUEST_TIMED_OUT;
    if (!ANSWERS.has(errorCode)) expectNone('ConsumerGroupDescribe', errorCode);
    return errorCode;
  });
  if (code !== KafkaCode.UNSUPPORTED_VERSION) return;
  throw new ConfigError(
    'The consumer protocol (KIP-848) is off in this Kafka, and inboxes are held by it. Turn it on with ' +
      "Kafka's own tool: kafka-features.sh --bootstrap-server … upgrade --feature group.version=1; and let " +
      'group.coordinator.rebalance.protocols have "consumer" in it, as it has by default.',
  );
}

/** Of a group that is not there; of a Kafka without the protocol. */
const ANSWERS: ReadonlySet<number> = new Set([
  KafkaCode.GROUP_ID_NOT_FOUND,
  KafkaCode.GROUP_AUTHORIZATION_FAILED,
  KafkaCode.UNSUPPORTED_VERSION,
]);
