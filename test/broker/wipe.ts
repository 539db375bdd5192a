import { setTimeout as wait } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import type { TestBroker } from './test-broker.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } =
  kafkajs;

/** Groups end when the sessions of those who did not leave are over. */
const PATIENCE_MS = 30_000;

/**
 * Makes brokers of a cluster, running or not, as good as new: no topics, no groups, no rights.
 * @param signal gives it up
 * @throws Error where something stays
 */
export async function wipe(nodes: readonly TestBroker[], signal: AbortSignal): Promise<void> {
  for (const node of nodes) await node.thaw().catch(() => {});
  await Promise.all(nodes.map((node) => node.start()));
  const brokers = nodes.map((node) => node.brokers);
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 2 } }).admin();
  const deadline = Date.now() + PATIENCE_MS;
  try {
    await admin.connect();
    for (;;) {
      const left = await removeAll(admin).catch((error: unknown) => error);
      if (left === 0) return;
      if (signal.aborted || Date.now() > deadline)
        throw new Error('a broker could not be emptied', { cause: left });
      await wait(200);
    }
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

/** Where there are any. */
async function removeRights(admin: Admin): Promise<void> {
  const anything = {
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.ANY,
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ANY,
  };
  await admin.deleteAcls({ filters: [anything] }).catch((error: unknown) => {
    if (!(error instanceof Error && 'type' in error && error.type === 'SECURITY_DISABLED')) throw error;
  });
}

/** @returns how many topics and groups there were */
async function removeAll(admin: Admin): Promise<number> {
  const topics = (await admin.listTopics()).filter((name) => !name.startsWith('__'));
  const groups = (await admin.listGroups()).groups.map(({ groupId }) => groupId);
  await removeRights(admin);
  if (topics.length > 0) await admin.deleteTopics({ topics });
  if (groups.length > 0) await admin.deleteGroups(groups);
  return topics.length + groups.length;
}
