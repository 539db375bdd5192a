import type { Admin, ITopicConfig } from 'kafkajs';
import { expect } from 'vitest';
import { eventually } from '../contracts/cluster.ts';

/**
 * Makes topics and waits until each partition has a leader. kafkajs's own `waitForLeaders` gives up where the broker that
 * it asks has not heard of the topic yet.
 */
export async function makeTopics(admin: Admin, topics: ITopicConfig[]): Promise<void> {
  await admin.createTopics({ topics, waitForLeaders: false });
  await eventually(async () => {
    const made = await admin.fetchTopicMetadata({ topics: topics.map(({ topic }) => topic) });
    for (const { name, partitions } of made.topics) {
      expect(partitions.length, name).toBeGreaterThan(0);
      for (const { leader } of partitions) expect(leader, name).toBeGreaterThanOrEqual(0);
    }
  });
}
