import {
  addPartitionsToTxnV3,
  type apiVersionsV3,
  consumerGroupDescribeV0,
  consumerGroupHeartbeatV1,
  createTopicsV7,
  deleteGroupsV2,
  deleteRecordsV2,
  deleteTopicsV6,
  describeConfigsV4,
  describeGroupsV5,
  endTxnV4,
  fetchV17,
  findCoordinatorV6,
  heartbeatV4,
  incrementalAlterConfigsV1,
  initProducerIdV5,
  joinGroupV9,
  leaveGroupV5,
  listGroupsV5,
  listOffsetsV9,
  metadataV12,
  offsetCommitV9,
  offsetFetchV9,
  offsetForLeaderEpochV4,
  produceV11,
  syncGroupV5,
} from '@platformatic/kafka';

/** The least version of Kafka that frontends work with. */
const LEAST_VERSION = '4.0';

/** Every request of ours, with its version. */
const REQUESTS: Readonly<Record<string, { readonly key: number; readonly version: number }>> = {
  AddPartitionsToTxn: addPartitionsToTxnV3.api,
  ConsumerGroupDescribe: consumerGroupDescribeV0.api,
  ConsumerGroupHeartbeat: consumerGroupHeartbeatV1.api,
  CreateTopics: createTopicsV7.api,
  DeleteGroups: deleteGroupsV2.api,
  DeleteRecords: deleteRecordsV2.api,
  DeleteTopics: deleteTopicsV6.api,
  DescribeConfigs: describeConfigsV4.api,
  DescribeGroups: describeGroupsV5.api,
  EndTxn: endTxnV4.api,
  Fetch: fetchV17.api,
  FindCoordinator: findCoordinatorV6.api,
  Heartbeat: heartbeatV4.api,
  IncrementalAlterConfigs: incrementalAlterConfigsV1.api,
  InitProducerId: initProducerIdV5.api,
  JoinGroup: joinGroupV9.api,
  LeaveGroup: leaveGroupV5.api,
  ListGroups: listGroupsV5.api,
  ListOffsets: listOffsetsV9.api,
  Metadata: metadataV12.api,
  OffsetCommit: offsetCommitV9.api,
  OffsetFetch: offsetFetchV9.api,
  OffsetForLeaderEpoch: offsetForLeaderEpochV4.api,
  Produce: produceV11.api,
  SyncGroup: syncGroupV5.api,
};

/** Levels of `metadata.version` by the release that brought the last of them. */
const RELEASES: readonly (readonly [level: number, release: string])[] = [
  ...([
    [7, '3.3'],
    [8, '3.4'],
    [11, '3.5'],
    [14, '3.6'],
    [19, '3.7'],
    [20, '3.8'],
    [21, '3.9'],
  ] as const),
  ...([
    [25, '4.0'],
    [27, '4.1'],
    [29, '4.2'],
    [30, '4.3'],
  ] as const),
];

/** What a broker says of itself. */
export type Versions = apiVersionsV3.ApiVersionsResponse;

/** `Kafka 3.7`, as far as it can be told. */
export function releaseOf({ supportedFeatures }: Versions): string {
  const level = supportedFeatures?.find(({ name }) => name === 'metadata.version')?.maxVersion;
  if (level === undefined) return 'a Kafka before 3.3, or another program';
  const release = RELEASES.find(([last]) => level <= last)?.[1];
  return release === undefined ? 'a Kafka after 4.3' : `Kafka ${release}`;
}

/** Why frontends cannot use a broker, as the end of a sentence; null: they can. */
export function whyTooOld(versions: Versions): string | null {
  const missing = Object.entries(REQUESTS).filter(([, { key, version }]) => {
    const offered = versions.apiKeys.find(({ apiKey }) => apiKey === key);
    return offered === undefined || version < offered.minVersion || version > offered.maxVersion;
  });
  if (missing.length === 0) return null;
  const [name, { version } = { version: 0 }] = missing[0] ?? [''];
  return (
    `runs ${releaseOf(versions)}, and Milena needs Kafka ${LEAST_VERSION} or later ` +
    `(it does not know ${name} version ${version}${missing.length > 1 ? ` and ${missing.length - 1} others` : ''}).`
  );
}

/** BrokerRegistration: brokers ask it of controllers, and do not answer it. */
const BROKER_REGISTRATION = 62;

/** Whether that is a controller's port, which no client talks to. */
export function isController({ apiKeys }: Versions): boolean {
  return apiKeys.some(({ apiKey }) => apiKey === BROKER_REGISTRATION);
}

/** Whether the cluster has the newer consumer protocol switched on: one that was brought here from Kafka 3 may not. */
export function hasConsumerProtocol({ finalizedFeatures }: Versions): boolean {
  return (finalizedFeatures?.find(({ name }) => name === 'group.version')?.maxVersionLevel ?? 0) >= 1;
}
