import { describeClientQuotasV1 } from '@platformatic/kafka';
import type { Cluster } from '../wire/cluster.ts';
import { KafkaCode } from '../wire/kafka-error.ts';
import { principalName } from '../wire/kafka-security.ts';
import { QUOTAS, quotaCommand } from '../wire/throttles.ts';
import type { Finding } from './finding.ts';

const EXACT = 0;
const DEFAULT = 1;

type Entry = NonNullable<describeClientQuotasV1.DescribeClientQuotasResponse['entries']>[number];

/**
 * The quotas that a frontend can come upon: of its user, of all users, of all client ids. Those of a single client id are of others:
 * each frontend has one of its own.
 * @param principal `User:NAME`
 * @returns none where it may not be asked
 * @throws the network's error
 */
export async function checkQuotas(cluster: Cluster, principal: string): Promise<Finding[]> {
  const user = principalName(principal);
  const questions = [
    { entityType: 'user', matchType: EXACT, match: user },
    { entityType: 'user', matchType: DEFAULT },
    { entityType: 'client-id', matchType: DEFAULT },
  ] as const;
  const found = new Map<string, Finding>();
  for (const question of questions) {
    const response = await cluster.requestAny(describeClientQuotasV1.api, [question], false);
    if (response.errorCode !== KafkaCode.NONE) return [];
    for (const entry of response.entries ?? [])
      for (const finding of judge(entry, user)) found.set(finding.what, finding);
  }
  return [...found.values()];
}

function judge({ entity, values }: Entry, user: string): Finding[] {
  const isOurs = entity.every(
    ({ entityType, entityName }) => entityName === null || (entityType === 'user' && entityName === user),
  );
  if (!isOurs) return [];
  const whose = entity.map(({ entityType, entityName }) =>
    entityName === null ? `every ${entityType}` : `${entityType} ${entityName}`,
  );
  const names = entity.map(
    ({ entityType, entityName }) =>
      `--entity-type ${entityType === 'user' ? 'users' : 'clients'} ` +
      (entityName === null ? '--entity-default' : `--entity-name '${entityName}'`),
  );
  return values
    .filter(({ key }) => QUOTAS.has(key))
    .map(({ key, value }) => ({
      grade: 'slow',
      what: `quota ${key}=${value} of ${whose.join(' and ')}`,
      text: 'A frontend is one user with the traffic of all its people: above that Kafka keeps back its answers, and all of them wait.',
      remedy: quotaCommand(names.join(' '), key),
    }));
}
