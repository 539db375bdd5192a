import { ConfigResourceTypes, describeConfigsV4, metadataV12 } from '@platformatic/kafka';
import type { Logger } from 'pino';
import type { Config } from '../../../config/config.ts';
import { ConfigError } from '../../../config/setting-table.ts';
import { Cluster } from '../wire/cluster.ts';
import type { Contact } from '../wire/contact.ts';
import { isNoTopic, isRefusal, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { kafkaSecurity, principalOf } from '../wire/kafka-security.ts';
import { hasConsumerProtocol, releaseOf } from '../wire/kafka-version.ts';
import { aclCommand } from '../wire/operations.ts';
import { now, retry } from '../wire/retry.ts';
import {
  ACCOUNTS_TOPIC,
  MEMBERS_TOPIC,
  OWN_TOPICS,
  ROOMS_TOPIC,
  SESSIONS_TOPIC,
  tryInboxTopic,
} from '../wire/topics.ts';
import type { Finding } from './finding.ts';
import { checkQuotas } from './kafka-quotas.ts';
import { checkRights } from './kafka-rights.ts';
import {
  BROKER_SETTINGS,
  type BrokerSetting,
  fewerCopies,
  judgeCopies,
  judgeSettings,
  type Surroundings,
} from './kafka-settings.ts';

const COORDINATOR_TIMEOUT_MS = 3_000;

/**
 * Looks at everything in a Kafka that frontends rest on: version, settings of the brokers and of our topics, rights. Changes
 * nothing.
 * @throws KafkaError, EngineError `UNAVAILABLE`, or the network's
 */
export async function checkKafka(config: Config, contact: Contact): Promise<Finding[]> {
  // Of its own: what is refused here is a finding, and no event.
  const security = kafkaSecurity(config);
  const cluster = new Cluster({ bootstrap: [contact.address], clientId: 'milena-check', security });
  try {
    return await findingsOf(cluster, config, contact);
  } finally {
    await cluster.close();
  }
}

async function findingsOf(cluster: Cluster, config: Config, contact: Contact): Promise<Finding[]> {
  await cluster.connect();
  const principal = principalOf(config);
  const nodes = contact.brokers.map(({ nodeId }) => nodeId);
  const own = await ownTopics(cluster);
  const around: Surroundings = {
    brokers: nodes.length,
    replicationFactor: config.replicationFactor,
    frontendLeaseMs: config.frontendLeaseMs,
    hasCoordinator: await hasCoordinator(cluster, config.inboxPrefix),
    hasOwnTopics: !own.some(({ errorCode }) => isNoTopic(errorCode)),
  };
  const [rights, settings, topics, creation, quotas] = await Promise.all([
    checkRights(cluster, config.inboxPrefix, principal),
    checkBrokers(cluster, nodes, around, principal),
    checkTopics(cluster, own),
    checkCreation(cluster, config),
    checkQuotas(cluster, principal),
  ]);
  const missesRight = [...settings, ...rights].some(
    ({ what }) => what === 'rights' || what.startsWith('right '),
  );
  // What is granted together with all others is not told twice.
  const together = new Set(
    rights.flatMap(({ remedy }) => (remedy?.includes('\n') ? remedy.split('\n') : [])),
  );
  return [
    ...checkVersion(contact),
    ...contact.unreachable.map(
      (text): Finding => ({
        grade: 'dangerous',
        what: 'brokers',
        text,
        remedy: 'Start it, or correct its advertised.listeners.',
      }),
    ),
    ...contact.silent.map(
      (text): Finding => ({
        grade: 'dangerous',
        what: 'brokers',
        text: `One that MILENA_KAFKA_BROKERS names does not answer. ${text}`,
        remedy: 'Start it, or take it out.',
      }),
    ),
    ...settings.filter(({ remedy }) => remedy === null || !together.has(remedy)),
    ...judgeCopies(around),
    ...topics,
    ...creation,
    ...quotas,
    ...rights,
    ...(missesRight ? [] : [allRights(principal)]),
  ];
}

/**
 * One line in the log for each finding, as grave as it is.
 * @throws ConfigError for what breaks a promise, unless that is accepted
 */
export function tellFindings(findings: readonly Finding[], config: Config, log: Logger): void {
  const broken = findings.filter(({ grade }) => grade === 'broken');
  if (broken.length > 0 && !config.acceptsUnfitKafka) {
    const lines = broken.map(
      ({ what, text, remedy }) =>
        `- ${what}: ${text}${remedy === null ? '' : `\n  ${remedy.replaceAll('\n', '\n  ')}`}`,
    );
    throw new ConfigError(
      `This Kafka does not let Milena keep its promises:\n${lines.join('\n')}\n` +
        '`milena doctor --kafka` shows all of it; MILENA_UNFIT_KAFKA=accept starts all the same.',
    );
  }
  for (const { grade, what, text, remedy } of findings) {
    if (grade === 'good') continue;
    log[grade === 'broken' ? 'error' : 'warn']({ kafka: grade, remedy }, `${what}: ${text}`);
  }
}

function allRights(principal: string): Finding {
  const text = `${principal} has all that a frontend needs.`;
  return { grade: 'good', what: 'rights', text, remedy: null };
}

function checkVersion({ versions, brokers }: Contact): Finding[] {
  const count = brokers.length === 1 ? '1 broker' : `${brokers.length} brokers`;
  const found: Finding = {
    grade: 'good',
    what: 'version',
    text: `${releaseOf(versions)}, ${count}.`,
    remedy: null,
  };
  if (hasConsumerProtocol(versions)) return [found];
  const text = 'The newer consumer protocol is switched off, and nobody can log in without it.';
  const remedy = 'scripts/kafka-tool.sh features upgrade --feature group.version=1';
  return [found, { grade: 'broken', what: 'group.version=0', text, remedy }];
}

/** A broker's settings are its own: each is asked for its own. */
async function checkBrokers(
  cluster: Cluster,
  nodes: readonly number[],
  around: Surroundings,
  principal: string,
): Promise<Finding[]> {
  const found = new Map<string, BrokerSetting & { nodes: number[] }>();
  const answers = await Promise.allSettled(nodes.map((node) => settingsOf(cluster, node)));
  const unseen: Finding[] = [];
  for (const [index, answer] of answers.entries()) {
    const node = nodes[index] ?? -1;
    if (answer.status === 'rejected') {
      unseen.push(whyUnseen(node, answer.reason, principal));
      continue;
    }
    for (const { name, value, readOnly } of answer.value) {
      if (value === null || value === undefined) continue;
      const key = `${name}=${value}`;
      const setting = found.get(key) ?? { name, value, readOnly, nodes: [] as number[] };
      setting.nodes.push(node);
      found.set(key, setting);
    }
  }
  const judged = judgeSettings([...found.values()], around);
  const isGood = judged.length === 0 && unseen.length === 0;
  const good: Finding = {
    grade: 'good',
    what: 'settings',
    text: 'The brokers are set as Milena needs it.',
    remedy: null,
  };
  // All brokers refuse alike.
  return isGood ? [good] : [...judged, ...unseen.slice(0, 1)];
}

async function settingsOf(cluster: Cluster, node: number) {
  const resource = {
    ...{ resourceType: ConfigResourceTypes.BROKER, resourceName: String(node) },
    configurationKeys: [...BROKER_SETTINGS],
  };
  const { results } = await cluster.request(node, 'control', describeConfigsV4.api, [resource], false, false);
  const { errorCode = KafkaCode.UNKNOWN_SERVER_ERROR, configs = [] } = results[0] ?? {};
  if (errorCode !== KafkaCode.NONE) throw new KafkaError(`DescribeConfigs of broker ${node}`, errorCode);
  return configs;
}

function whyUnseen(node: number, error: unknown, principal: string): Finding {
  if (error instanceof KafkaError && isRefusal(error.kafkaCode)) {
    return {
      grade: 'dangerous',
      what: `right DescribeConfigs on cluster for ${principal}`,
      text: "The brokers' settings cannot be looked at: whether they are safe nobody can tell.",
      remedy: aclCommand('DescribeConfigs', 'cluster', '', false, principal),
    };
  }
  const text = `Its settings could not be looked at: ${error instanceof Error ? error.message : String(error)}`;
  return { grade: 'dangerous', what: `broker ${node}`, text, remedy: 'Look into its log.' };
}

type OwnTopics = Awaited<ReturnType<typeof metadataV12.api.async>>['topics'];

async function ownTopics(cluster: Cluster): Promise<OwnTopics> {
  const { topics } = await cluster.requestAny(metadataV12.api, Object.keys(OWN_TOPICS), false, false);
  return topics;
}

/** Our own topics, where they are there already. */
async function checkTopics(cluster: Cluster, topics: OwnTopics): Promise<Finding[]> {
  const there = topics.filter(({ errorCode }) => errorCode === KafkaCode.NONE);
  if (there.length === 0) return [];
  const findings: Finding[] = [];
  const copiesOf = new Map<string, number>();
  for (const { name, partitions } of there) {
    copiesOf.set(name ?? '', partitions[0]?.replicaNodes.length ?? 1);
    if (partitions.length === 1) continue;
    const text = `It has ${partitions.length} partitions instead of one, so nothing has an order in it: some other program made it.`;
    findings.push({
      grade: 'broken',
      what: `topic ${name}`,
      text,
      remedy: 'Delete it, and start a frontend, which makes it.',
    });
  }
  const { results } = await cluster.requestAny(
    describeConfigsV4.api,
    [...copiesOf.keys()].map((resourceName) => ({
      ...{ resourceType: ConfigResourceTypes.TOPIC, resourceName },
      configurationKeys: [...Object.keys(OWN_TOPICS[resourceName] ?? {}), 'min.insync.replicas'],
    })),
    false,
    false,
  );
  for (const { resourceName, errorCode, configs } of results) {
    if (errorCode !== KafkaCode.NONE) continue; // the rights tell
    const copies = copiesOf.get(resourceName) ?? 1;
    for (const { name, value } of configs)
      findings.push(...judgeTopic(resourceName, name, value ?? '', copies));
  }
  return findings;
}

function judgeTopic(topic: string, name: string, value: string, copies: number): Finding[] {
  const what = `${name}=${value} of topic ${topic}`;
  if (name === 'min.insync.replicas') {
    if (Number(value) <= copies) return [];
    const remedy = alterTopic(topic, name, String(copies));
    return [{ grade: 'dangerous', what, text: fewerCopies(value, copies), remedy }];
  }
  const wanted = OWN_TOPICS[topic]?.[name];
  if (wanted === undefined || wanted === value) return [];
  const lost = name === 'cleanup.policy' ? DELETED_BY_AGE[topic] : undefined;
  const says = lost ?? 'What Milena writes there is not safe from others like that.';
  return [
    {
      grade: lost === undefined ? 'dangerous' : 'broken',
      what,
      text: `${says} A frontend that may alter it does so when it starts, and once an hour.`,
      remedy: alterTopic(topic, name, wanted),
      setBack: topic,
    },
  ];
}

/** What is lost where a table's records go by their age (`retention.ms`). */
const DELETED_BY_AGE: Readonly<Record<string, string>> = {
  [ACCOUNTS_TOPIC]:
    'Kafka deletes accounts by their age: no frontend that starts then knows them, and anybody can take their names.',
  [SESSIONS_TOPIC]: 'Kafka deletes logins by their age: nobody comes back by a token then.',
  [ROOMS_TOPIC]: 'Kafka deletes rooms by their age: no frontend that starts then knows them.',
  [MEMBERS_TOPIC]:
    'Kafka deletes members of rooms by their age: a frontend that starts then knows no such member.',
};

function alterTopic(topic: string, name: string, value: string): string {
  return `scripts/kafka-tool.sh configs --alter --entity-type topics --entity-name ${topic} --add-config '${name}=${value}'`;
}

/** Whether an inbox could be made: Kafka is asked, and makes none. */
async function checkCreation(
  cluster: Cluster,
  { inboxPrefix, replicationFactor }: Config,
): Promise<Finding[]> {
  const error = await tryInboxTopic(cluster, `${inboxPrefix}rights.probe`, replicationFactor);
  // Rights, and too few brokers, are told of elsewhere.
  const { kafkaCode: code = KafkaCode.NONE } = error ?? {};
  if (error === null || isRefusal(code) || code === KafkaCode.INVALID_REPLICATION_FACTOR || error.passing)
    return [];
  return [
    { grade: 'broken', what: 'inboxes', text: `None can be made. ${error.message}`, remedy: error.remedy },
  ];
}

/** Of a cluster that has had no group yet Kafka makes its topic now, which takes a moment. */
async function hasCoordinator(cluster: Cluster, inboxPrefix: string): Promise<boolean> {
  const group = `${inboxPrefix}rights.probe`;
  try {
    await retry(`coordinator of ${group}`, now() + COORDINATOR_TIMEOUT_MS, () =>
      cluster.coordinator('group', group),
    );
    return true;
  } catch (error) {
    return error instanceof KafkaError && isRefusal(error.kafkaCode);
  }
}
