import { consumerGroupDescribeV0 } from '@platformatic/kafka';
import type { Cluster } from './cluster.ts';
import type { Member } from './group-member.ts';
import { retry } from './retry.ts';

/**
 * Members of Kafka's newer consumer protocol (KIP-848), which none of ours speaks: the coordinator lets them into a group of
 * the older protocol and the other way round, and describes such a group only when it is asked in this way.
 * @returns none where there are none, or the broker does not know the protocol
 * @throws EngineError `UNAVAILABLE`
 */
export async function consumerMembers(cluster: Cluster, group: string, deadline: number): Promise<Member[]> {
  return retry(`describe ${group}`, deadline, async () => {
    const node = await cluster.coordinator('group', group);
    const response = await cluster.request(node, 'control', consumerGroupDescribeV0.api, [group], false);
    const members = response.groups[0]?.members ?? [];
    return members.map(({ memberId, instanceId, clientId, clientHost }) => ({
      ...{ memberId, instanceId: instanceId ?? null, clientId, host: clientHost },
      login: null,
    }));
  });
}
