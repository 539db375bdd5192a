import {
  describeClusterV1,
  describeGroupsV5,
  endTxnV4,
  findCoordinatorV6,
  metadataV12,
} from '@platformatic/kafka';
import { GATE_TOPIC, OLDER_TOPIC } from '../groups/older-frontends.ts';
import type { Cluster } from '../wire/cluster.ts';
import { KafkaCode } from '../wire/kafka-code.ts';
import { isRefusal, isRetriable, KafkaError } from '../wire/kafka-error.ts';
import { aclCommand, allows, bitsOf, type Operation, type ResourceKind } from '../wire/operations.ts';
import { now, retry } from '../wire/retry.ts';
import {
  ACCOUNT_TRANSACTIONS,
  ACCOUNTS_TOPIC,
  FRONTEND_GROUP_PREFIX,
  MEMBERS_TOPIC,
  NOTICES_TOPIC,
  ROOM_PREFIX,
  ROOM_TRANSACTIONS,
  ROOMS_TOPIC,
  SESSIONS_TOPIC,
} from '../wire/topics.ts';
import type { Finding } from './finding.ts';

/** Something that a frontend must be allowed to do. */
interface Need {
  readonly operation: Operation;
  /** What cannot be done without it, as a sentence. */
  readonly without: string;
  /** A frontend starts without it. */
  readonly isOptional?: boolean;
  /** Not needed once the topic is there. */
  readonly isToMake?: boolean;
}

/** A topic, group or transactional id, or all whose names begin so. */
interface Resource {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly isPrefix: boolean;
  readonly needs: readonly Need[];
}

/** No username can be this, so there is nothing of that name: what Kafka allows for it, it allows for all. */
const PROBE = 'rights.probe';
const BESIDE_OLDER =
  'Nothing keeps frontends of an older version from starting, beside which this one is not safe.';
const PATIENCE_MS = 4_000;
const TRANSACTION = 1;
/** With more missing than this, all are granted at once: a command for each would be more than anybody reads. */
const MOST_COMMANDS = 7;

const SETTINGS_SEEN = { operation: 'DescribeConfigs', isOptional: true } as const;
const SETTINGS_SET = { operation: 'AlterConfigs', isOptional: true } as const;

function resourcesOf(inboxPrefix: string): Resource[] {
  const table = (name: string, what: string): Resource => ({
    ...{ kind: 'topic', name, isPrefix: false },
    needs: [
      { operation: 'Create', without: `${what} have no topic yet.`, isToMake: true },
      { operation: 'Describe', without: `${what} cannot be found.` },
      { operation: 'Read', without: `${what} cannot be read.` },
      { operation: 'Write', without: `${what} cannot be written.` },
      { ...SETTINGS_SEEN, without: 'Whether its settings are safe cannot be seen.' },
      { ...SETTINGS_SET, without: 'Where its settings are not safe they stay so.' },
    ],
  });
  return [
    table(ACCOUNTS_TOPIC, 'Accounts'),
    table(SESSIONS_TOPIC, 'Logins by token'),
    table(ROOMS_TOPIC, 'Rooms'),
    table(MEMBERS_TOPIC, 'Members of rooms'),
    table(NOTICES_TOPIC, 'Notices between frontends'),
    // For older-frontends.ts.
    {
      ...{ kind: 'topic', name: GATE_TOPIC, isPrefix: false },
      needs: [
        { operation: 'Describe', without: BESIDE_OLDER, isOptional: true },
        { operation: 'Create', without: BESIDE_OLDER, isToMake: true, isOptional: true },
      ],
    },
    {
      ...{ kind: 'topic', name: OLDER_TOPIC, isPrefix: false },
      needs: [{ operation: 'Delete', without: BESIDE_OLDER, isOptional: true }],
    },
    {
      ...{ kind: 'topic', name: inboxPrefix, isPrefix: true },
      needs: [
        { operation: 'Describe', without: 'No inbox can be found.' },
        { operation: 'Create', without: 'No account can be made.' },
        { operation: 'Read', without: 'No message can be delivered.' },
        { operation: 'Write', without: 'No message can be sent.' },
        { operation: 'Delete', without: 'No account can be deleted, and delivered mail is never removed.' },
        { ...SETTINGS_SEEN, without: 'Whether the settings of inboxes are safe cannot be seen.' },
        { ...SETTINGS_SET, without: 'Inboxes whose settings are not safe stay so.' },
      ],
    },
    {
      ...{ kind: 'topic', name: ROOM_PREFIX, isPrefix: true },
      needs: [
        { operation: 'Describe', without: 'No room can be found.', isOptional: true },
        { operation: 'Create', without: 'No room can be made.', isOptional: true },
        { operation: 'Read', without: 'No message in a room can be delivered.', isOptional: true },
        { operation: 'Write', without: 'No message can be sent to a room.', isOptional: true },
        { operation: 'Delete', without: 'No room can be deleted.', isOptional: true },
        { ...SETTINGS_SEEN, without: 'Whether the settings of rooms are safe cannot be seen.' },
        { ...SETTINGS_SET, without: 'For how long a room keeps its messages cannot be changed.' },
      ],
    },
    {
      ...{ kind: 'group', name: inboxPrefix, isPrefix: true },
      needs: [
        { operation: 'Describe', without: 'Nobody can be told who holds an inbox.' },
        { operation: 'Read', without: 'Nobody can log in.' },
        { operation: 'Delete', without: 'The groups of deleted accounts stay.', isOptional: true },
      ],
    },
    {
      ...{ kind: 'group', name: FRONTEND_GROUP_PREFIX, isPrefix: true },
      needs: [
        { operation: 'Describe', without: 'Whether another frontend lives cannot be seen.' },
        { operation: 'Read', without: 'This frontend cannot take its lease.' },
      ],
    },
    {
      ...{ kind: 'transactional-id', name: ACCOUNT_TRANSACTIONS, isPrefix: true },
      needs: [
        { operation: 'Describe', without: 'No account can be made, changed or deleted.' },
        { operation: 'Write', without: 'No account can be made, changed or deleted.' },
      ],
    },
    {
      ...{ kind: 'transactional-id', name: ROOM_TRANSACTIONS, isPrefix: true },
      needs: [
        { operation: 'Describe', without: 'No room can be made, changed or deleted.', isOptional: true },
        { operation: 'Write', without: 'No room can be made, changed or deleted.', isOptional: true },
      ],
    },
  ];
}

/**
 * The rights that a frontend lacks, each with the command that grants it. Nothing is changed by asking.
 * @throws KafkaError or the network's
 */
export async function checkRights(
  cluster: Cluster,
  inboxPrefix: string,
  principal: string,
): Promise<Finding[]> {
  const resources = resourcesOf(inboxPrefix);
  const [topics, ofCluster] = await Promise.all([topicRights(cluster, resources), clusterRights(cluster)]);
  const findings: Finding[] = [];
  for (const resource of resources) {
    const name = nameToAsk(resource);
    const isThere = topics.get(name)?.isThere ?? false;
    const rights =
      resource.kind === 'topic'
        ? (topics.get(name)?.rights ?? 0)
        : await (resource.kind === 'group' ? groupRights : transactionRights)(cluster, name);
    if (rights === null) continue;
    for (const need of resource.needs) {
      if (need.isToMake && isThere) continue;
      // Who may create in the whole cluster may create any topic.
      const isGiven = need.operation === 'Create' && allows(ofCluster, 'Create');
      if (!isGiven && !allows(rights, need.operation)) findings.push(missing(resource, need, principal));
    }
  }
  return findings.length > MOST_COMMANDS ? grantedAtOnce(findings, inboxPrefix, principal) : findings;
}

/** Those without which no frontend starts, and all commands of docs/operations.md behind them. */
function grantedAtOnce(findings: readonly Finding[], inboxPrefix: string, principal: string): Finding[] {
  const needed = findings.filter(({ grade }) => grade === 'broken');
  const text =
    `${principal} lacks ${findings.length} rights. Run these as a user who may change rights ` +
    '(MILENA_KAFKA_SASL_USERNAME=admin MILENA_KAFKA_SASL_PASSWORD=… scripts/kafka-tool.sh acls …):';
  const remedy = frontendGrants(inboxPrefix, principal).join('\n');
  return [
    ...needed.map((finding): Finding => ({ ...finding, remedy: null })),
    { grade: needed.length > 0 ? 'broken' : 'dangerous', what: 'rights', text, remedy },
  ];
}

/** The commands that grant a frontend all it needs, as docs/operations.md has them. */
function frontendGrants(inboxPrefix: string, principal: string): string[] {
  const prefixes = inboxPrefix.startsWith('milena.') ? ['milena.'] : ['milena.', inboxPrefix];
  const grant = (operations: readonly Operation[], kind: ResourceKind, name: string, isPrefix = true) =>
    aclCommand(operations, kind, name, isPrefix, principal);
  const all = ['Create', 'Describe', 'Read', 'Write', 'DescribeConfigs', 'AlterConfigs'] as const;
  return [
    ...prefixes.map((prefix) => grant(all, 'topic', prefix)),
    grant(['Delete'], 'topic', inboxPrefix),
    grant(['Delete'], 'topic', ROOM_PREFIX),
    grant(['Delete'], 'topic', OLDER_TOPIC, false),
    grant(['Create', 'Describe'], 'topic', GATE_TOPIC, false),
    ...prefixes.map((prefix) => grant(['Describe', 'Read', 'Delete'], 'group', prefix)),
    grant(['Describe', 'Write'], 'transactional-id', ACCOUNT_TRANSACTIONS),
    grant(['Describe', 'Write'], 'transactional-id', ROOM_TRANSACTIONS),
    grant(['DescribeConfigs'], 'cluster', '', false),
  ];
}

/** @returns Kafka's bits, by name: 0 where it may not even be described; and whether there is such a topic */
async function topicRights(
  cluster: Cluster,
  resources: readonly Resource[],
): Promise<Map<string, { readonly rights: number; readonly isThere: boolean }>> {
  const names = resources.filter(({ kind }) => kind === 'topic').map(nameToAsk);
  const { topics } = await cluster.requestAny(metadataV12.api, names, false, true);
  return new Map(
    topics.map(({ name, errorCode, topicAuthorizedOperations: rights }) => [
      name ?? '',
      {
        rights: isRefusal(errorCode) ? 0 : rights,
        isThere: errorCode === KafkaCode.NONE,
      },
    ]),
  );
}

/** @returns 0 for who may not describe the cluster */
async function clusterRights(cluster: Cluster): Promise<number> {
  const { errorCode, clusterAuthorizedOperations } = await cluster.requestAny(describeClusterV1.api, true, 1);
  return errorCode === KafkaCode.NONE ? Math.max(0, clusterAuthorizedOperations) : 0;
}

/** @returns null where no coordinator was there to ask in time */
async function groupRights(cluster: Cluster, group: string): Promise<number | null> {
  try {
    return await retry(`rights on group ${group}`, now() + PATIENCE_MS, async () => {
      const { groups } = await cluster.requestCoordinator(
        'group',
        group,
        describeGroupsV5.api,
        [group],
        true,
      );
      const { errorCode = KafkaCode.UNKNOWN_SERVER_ERROR, authorizedOperations = 0 } = groups[0] ?? {};
      if (isRetriable(errorCode)) {
        cluster.forgetCoordinator('group', group);
        throw new KafkaError('DescribeGroups', errorCode);
      }
      return isRefusal(errorCode) ? 0 : authorizedOperations;
    });
  } catch (error) {
    return error instanceof KafkaError && isRefusal(error.kafkaCode) ? 0 : null;
  }
}

/** Kafka tells no rights of these: what it refuses tells. A transaction that nobody has begun cannot be ended. */
async function transactionRights(cluster: Cluster, id: string): Promise<number> {
  const { coordinators } = await cluster.requestAny(findCoordinatorV6.api, TRANSACTION, [id]);
  const mayDescribe = !isRefusal(coordinators[0]?.errorCode ?? KafkaCode.NONE);
  const { errorCode } = await cluster.requestAny(endTxnV4.api, id, 0n, 0, false);
  return bitsOf([
    ...(mayDescribe ? ['Describe' as const] : []),
    ...(isRefusal(errorCode) ? [] : ['Write' as const]),
  ]);
}

function nameToAsk({ name, isPrefix }: Resource): string {
  return isPrefix ? name + PROBE : name;
}

function missing(resource: Resource, { operation, without, isOptional }: Need, principal: string): Finding {
  const { kind, name, isPrefix } = resource;
  return {
    grade: isOptional ? 'dangerous' : 'broken',
    what: `right ${operation} on ${kind} ${name}${isPrefix ? '*' : ''} for ${principal}`,
    text: without,
    remedy: aclCommand(operation, kind, name, isPrefix, principal),
  };
}
