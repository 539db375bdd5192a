import { codeName, type KafkaCodeName } from './kafka-code.ts';

/** What an error code of Kafka says, and what to do about it. */
export interface Meaning {
  /** `NOT_COORDINATOR`, or `error 200` for a code of a newer Kafka. */
  readonly name: string;
  /** A sentence. */
  readonly says: string;
  /** What an operator does, as a sentence. */
  readonly remedy: string;
}

const WAIT = "It passes by itself; if it lasts, look into the brokers' logs.";
const GRANT = 'Grant the right: `milena doctor --kafka` names it, with the command.';
const NEVER = "Milena does not ask for that: look into the broker's log, and report it.";
const REPORT = "A fault of Milena's or the broker's: look into both logs, and report it.";
const ENDED = 'Nothing: the login or the change ends, and is made anew by whoever wants it.';

/** A sentence for each code. */
const SAYS: Readonly<Record<KafkaCodeName, string>> = {
  UNKNOWN_SERVER_ERROR: 'The broker failed in a way that it has no code for.',
  NONE: 'Nothing is wrong.',
  OFFSET_OUT_OF_RANGE: 'The log has no such offset (any more).',
  CORRUPT_MESSAGE: 'A batch is damaged, or has no key in a compacted topic.',
  UNKNOWN_TOPIC_OR_PARTITION: 'The broker knows no such topic, or it may not be described.',
  INVALID_FETCH_SIZE: 'The size asked for in a fetch is not valid.',
  LEADER_NOT_AVAILABLE: 'The topic has no leader at the moment.',
  NOT_LEADER_OR_FOLLOWER: 'The broker does not lead the topic (any more).',
  REQUEST_TIMED_OUT: 'The broker could not do it in time.',
  BROKER_NOT_AVAILABLE: 'The broker is not there.',
  REPLICA_NOT_AVAILABLE: 'The broker has no copy of the topic.',
  MESSAGE_TOO_LARGE: 'A batch is larger than the topic takes (max.message.bytes).',
  STALE_CONTROLLER_EPOCH: 'The controller has moved to another broker.',
  OFFSET_METADATA_TOO_LARGE: 'What is to be noted with an offset is larger than offset.metadata.max.bytes.',
  NETWORK_EXCEPTION: 'The connection ended before there was an answer.',
  COORDINATOR_LOAD_IN_PROGRESS: 'The coordinator is still reading its groups.',
  COORDINATOR_NOT_AVAILABLE: 'There is no coordinator at the moment.',
  NOT_COORDINATOR: 'The broker does not coordinate that group (any more).',
  INVALID_TOPIC_EXCEPTION: 'There cannot be a topic of that name.',
  RECORD_LIST_TOO_LARGE: 'A batch is larger than a segment of the log.',
  NOT_ENOUGH_REPLICAS: 'Fewer copies are in step than min.insync.replicas asks for: nothing was stored.',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'It was stored, in fewer copies than min.insync.replicas asks for.',
  INVALID_REQUIRED_ACKS: 'That is no valid number of acknowledgements.',
  ILLEGAL_GENERATION: 'The group has gone on without this member.',
  INCONSISTENT_GROUP_PROTOCOL: 'Somebody else is in the group, with another protocol.',
  INVALID_GROUP_ID: 'That is no name for a group.',
  UNKNOWN_MEMBER_ID: 'The group has no such member (any more).',
  INVALID_SESSION_TIMEOUT: 'The broker takes no session time-out of that length.',
  REBALANCE_IN_PROGRESS: 'The group is being put together anew.',
  INVALID_COMMIT_OFFSET_SIZE: 'The offsets to commit are too large.',
  TOPIC_AUTHORIZATION_FAILED: 'The principal has no right to do that to the topic.',
  GROUP_AUTHORIZATION_FAILED: 'The principal has no right to do that to the consumer group.',
  CLUSTER_AUTHORIZATION_FAILED: 'The principal has no right to do that to the cluster.',
  INVALID_TIMESTAMP: "A record's time is outside of what the topic takes.",
  UNSUPPORTED_SASL_MECHANISM: 'The broker does not know that SASL mechanism.',
  ILLEGAL_SASL_STATE: 'The broker does not expect a login at this point.',
  UNSUPPORTED_VERSION: 'The broker does not know that version of the request.',
  TOPIC_ALREADY_EXISTS: 'There is a topic of that name.',
  INVALID_PARTITIONS: 'That is no valid number of partitions.',
  INVALID_REPLICATION_FACTOR: 'There are fewer brokers than copies asked for.',
  INVALID_REPLICA_ASSIGNMENT: 'The copies cannot be spread like that.',
  INVALID_CONFIG: 'The broker does not take a setting of the topic.',
  NOT_CONTROLLER: 'The broker is not the controller (any more).',
  INVALID_REQUEST: 'The broker does not understand the request.',
  UNSUPPORTED_FOR_MESSAGE_FORMAT: "The topic's format of messages is too old for that.",
  POLICY_VIOLATION: 'A policy of the cluster does not allow it.',
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'A batch before this one is missing.',
  DUPLICATE_SEQUENCE_NUMBER: 'The batch was stored before.',
  INVALID_PRODUCER_EPOCH: "Another writer has taken this one's place.",
  INVALID_TXN_STATE: 'The transaction is not at that point.',
  INVALID_PRODUCER_ID_MAPPING: 'The transactional id belongs to another producer by now.',
  INVALID_TRANSACTION_TIMEOUT: 'The broker takes no transaction of that length (transaction.max.timeout.ms).',
  CONCURRENT_TRANSACTIONS: 'A transaction of the same id is still being ended.',
  TRANSACTION_COORDINATOR_FENCED: "The transaction's coordinator has been replaced.",
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'The principal has no right to use the transactional id.',
  SECURITY_DISABLED: 'The broker has no authorizer.',
  OPERATION_NOT_ATTEMPTED: 'It was not tried, since something else in the request failed.',
  KAFKA_STORAGE_ERROR: "The broker's disk failed.",
  LOG_DIR_NOT_FOUND: 'The broker has no such folder for logs.',
  SASL_AUTHENTICATION_FAILED: 'The broker refused the name or the password.',
  UNKNOWN_PRODUCER_ID: 'The broker has forgotten this producer.',
  REASSIGNMENT_IN_PROGRESS: 'The topic is being moved.',
  DELEGATION_TOKEN_AUTH_DISABLED: 'The broker takes no delegation tokens.',
  DELEGATION_TOKEN_NOT_FOUND: 'There is no such delegation token.',
  DELEGATION_TOKEN_OWNER_MISMATCH: "The delegation token is somebody else's.",
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: 'Delegation tokens cannot be asked for over this connection.',
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: 'The principal has no right to the delegation token.',
  DELEGATION_TOKEN_EXPIRED: 'The delegation token has run out.',
  INVALID_PRINCIPAL_TYPE: 'The broker does not know that kind of principal.',
  NON_EMPTY_GROUP: 'The group has members.',
  GROUP_ID_NOT_FOUND: 'There is no such group.',
  FETCH_SESSION_ID_NOT_FOUND: 'The broker has dropped the fetch session.',
  INVALID_FETCH_SESSION_EPOCH: 'The fetch session is at another point.',
  LISTENER_NOT_FOUND: 'The leader has no listener of that name.',
  TOPIC_DELETION_DISABLED: 'The brokers delete no topics (delete.topic.enable=false).',
  FENCED_LEADER_EPOCH: 'The topic has a newer leader than was thought.',
  UNKNOWN_LEADER_EPOCH: 'The broker has not heard of that leader yet.',
  UNSUPPORTED_COMPRESSION_TYPE: 'The broker does not know that compression.',
  STALE_BROKER_EPOCH: 'The broker has been started anew meanwhile.',
  OFFSET_NOT_AVAILABLE: "The leader is new and does not know the log's end yet.",
  MEMBER_ID_REQUIRED: 'The group wants a member id first.',
  PREFERRED_LEADER_NOT_AVAILABLE: 'The preferred leader is not there.',
  GROUP_MAX_SIZE_REACHED: 'The group has as many members as it may have.',
  FENCED_INSTANCE_ID: "Somebody else has taken this member's place in the group.",
  ELIGIBLE_LEADERS_NOT_AVAILABLE: 'No copy of the topic can lead it.',
  ELECTION_NOT_NEEDED: 'The leader is the right one already.',
  NO_REASSIGNMENT_IN_PROGRESS: 'The topic is not being moved.',
  GROUP_SUBSCRIBED_TO_TOPIC: 'The group is still subscribed to the topic.',
  INVALID_RECORD: 'The broker does not take a record of the batch.',
  UNSTABLE_OFFSET_COMMIT: 'An offset of the group is still within a transaction.',
  THROTTLING_QUOTA_EXCEEDED: 'A quota of the cluster is used up.',
  PRODUCER_FENCED: "Another writer has taken this one's place.",
  RESOURCE_NOT_FOUND: 'There is no such thing.',
  DUPLICATE_RESOURCE: 'It was named twice.',
  UNACCEPTABLE_CREDENTIAL: 'The broker does not take that password.',
  INCONSISTENT_VOTER_SET: 'The controllers do not agree on who they are.',
  INVALID_UPDATE_VERSION: 'The update has another version than expected.',
  FEATURE_UPDATE_FAILED: "The cluster's features could not be changed.",
  PRINCIPAL_DESERIALIZATION_FAILURE: 'A broker could not pass on who asks.',
  SNAPSHOT_NOT_FOUND: 'The controller has no such snapshot.',
  POSITION_OUT_OF_RANGE: 'The snapshot has no such position.',
  UNKNOWN_TOPIC_ID: 'The broker knows no topic of that id.',
  DUPLICATE_BROKER_REGISTRATION: 'Two brokers have the same number.',
  BROKER_ID_NOT_REGISTERED: 'The cluster has no broker of that number.',
  INCONSISTENT_TOPIC_ID: 'The topic was deleted and made again: it has another id.',
  INCONSISTENT_CLUSTER_ID: 'The broker belongs to another cluster.',
  TRANSACTIONAL_ID_NOT_FOUND: 'The broker has forgotten the transactional id.',
  FETCH_SESSION_TOPIC_ID_ERROR: 'The fetch session mixes topics with and without ids.',
  INELIGIBLE_REPLICA: 'That copy may not be in step.',
  NEW_LEADER_ELECTED: 'The topic has a new leader.',
  OFFSET_MOVED_TO_TIERED_STORAGE: 'That part of the log was moved to other storage.',
  FENCED_MEMBER_EPOCH: "Somebody else has taken this member's place in the group.",
  UNRELEASED_INSTANCE_ID: 'Somebody else holds that place in the group.',
  UNSUPPORTED_ASSIGNOR: 'The broker does not know that assignor.',
  STALE_MEMBER_EPOCH: 'The group has gone on; this member has not heard of it yet.',
  MISMATCHED_ENDPOINT_TYPE:
    "That is a controller's address, and a broker's is wanted, or the other way round.",
  UNSUPPORTED_ENDPOINT_TYPE: 'The broker does not know that kind of endpoint.',
  UNKNOWN_CONTROLLER_ID: 'There is no such controller.',
  UNKNOWN_SUBSCRIPTION_ID: "The broker's list of metrics is another one by now.",
  TELEMETRY_TOO_LARGE: 'The metrics sent are too large.',
  INVALID_REGISTRATION: 'The controller does not take the broker.',
  TRANSACTION_ABORTABLE: 'The transaction failed, and has to be aborted.',
  INVALID_RECORD_STATE: 'The record is not at that point.',
  SHARE_SESSION_NOT_FOUND: 'The broker has dropped the share session.',
  INVALID_SHARE_SESSION_EPOCH: 'The share session is at another point.',
  FENCED_STATE_EPOCH: 'The state of the share group is a newer one.',
  INVALID_VOTER_KEY: 'The controller does not know that voter by that key.',
  DUPLICATE_VOTER: 'The controller has that voter already.',
  VOTER_NOT_FOUND: 'The controller has no such voter.',
  INVALID_REGULAR_EXPRESSION: 'The pattern for topics is not valid.',
  REBOOTSTRAP_REQUIRED: 'What is known of the brokers is too old: they have to be asked anew.',
  STREAMS_INVALID_TOPOLOGY: "The streams application's topology is not valid.",
  STREAMS_INVALID_TOPOLOGY_EPOCH: "The topology's epoch is not valid.",
  STREAMS_TOPOLOGY_FENCED: "The topology is older than the group's.",
  SHARE_SESSION_LIMIT_REACHED: 'The broker has as many share sessions as it may have.',
};

/** What is not as for all others of its kind. */
const REMEDIES: Readonly<Partial<Record<KafkaCodeName, string>>> = {
  NONE: 'Nothing.',
  UNKNOWN_SERVER_ERROR: "Look into the broker's log at that moment.",
  CORRUPT_MESSAGE: "Look into the broker's log: a disk, or a program that writes what it should not.",
  OFFSET_OUT_OF_RANGE: 'Nothing, where delivered mail was removed; else see docs/operations.md.',
  UNKNOWN_TOPIC_OR_PARTITION: 'Look whether somebody deleted the topic: `milena doctor --kafka` tells.',
  UNKNOWN_TOPIC_ID: 'Look whether somebody deleted the topic: `milena doctor --kafka` tells.',
  INCONSISTENT_TOPIC_ID: 'Look whether somebody made the topic anew: `milena doctor --kafka` tells.',
  BROKER_NOT_AVAILABLE: 'Start the broker, or look why it cannot be reached.',
  MESSAGE_TOO_LARGE: 'Nothing: a frontend sets max.message.bytes of its topics back, where it may.',
  RECORD_LIST_TOO_LARGE: 'Send smaller ones, or set segment.bytes of the topic higher.',
  OFFSET_METADATA_TOO_LARGE: 'Set offset.metadata.max.bytes=4096 (the default) or more on the brokers.',
  NOT_ENOUGH_REPLICAS: 'Start the brokers that are away, or lower min.insync.replicas of the topic.',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    'Start the brokers that are away, or lower min.insync.replicas of the topic.',
  INVALID_TOPIC_EXCEPTION:
    'Where it is the same as that of another topic but for dots and underscores, delete that one, or use another name.',
  INVALID_SESSION_TIMEOUT:
    'Set group.min.session.timeout.ms and group.max.session.timeout.ms: see docs/operations.md.',
  INVALID_REPLICATION_FACTOR: 'Set MILENA_REPLICATION_FACTOR to the number of brokers or less.',
  INVALID_TRANSACTION_TIMEOUT: 'Set transaction.max.timeout.ms=900000 (the default) on the brokers.',
  INVALID_CONFIG: "Look into the broker's log for the setting that it does not take.",
  POLICY_VIOLATION: 'Let the policy (create.topic.policy.class.name) allow the topics of docs/operations.md.',
  TOPIC_DELETION_DISABLED: 'Set delete.topic.enable=true on the brokers and start them anew.',
  INVALID_TIMESTAMP: 'Set message.timestamp.type=LogAppendTime on the topic.',
  UNSUPPORTED_SASL_MECHANISM: 'Set MILENA_KAFKA_SASL_MECHANISM to one that the broker knows.',
  ILLEGAL_SASL_STATE: 'Leave MILENA_KAFKA_SASL_MECHANISM out, or name the port that asks for a password.',
  SASL_AUTHENTICATION_FAILED:
    'Set MILENA_KAFKA_SASL_USERNAME and MILENA_KAFKA_SASL_PASSWORD to what the broker knows.',
  UNSUPPORTED_VERSION: 'Milena needs Kafka 4.0 or later, with group.version 1: see docs/operations.md.',
  KAFKA_STORAGE_ERROR: "Look into the broker's log and at its disk.",
  THROTTLING_QUOTA_EXCEEDED: "Raise the quota for the frontend's principal (kafka-configs.sh).",
  SECURITY_DISABLED: 'Nothing: without an authorizer everybody may do everything.',
  GROUP_MAX_SIZE_REACHED: 'Take other members out of the group: it is to have one.',
  INCONSISTENT_CLUSTER_ID: 'Give MILENA_KAFKA_BROKERS addresses of one cluster only.',
  MISMATCHED_ENDPOINT_TYPE: 'Give MILENA_KAFKA_BROKERS a listener for clients.',
  TRANSACTIONAL_ID_NOT_FOUND: WAIT,
};

/** Each passes, or the request goes to another broker. */
const PASSING = [
  ...['LEADER_NOT_AVAILABLE', 'NOT_LEADER_OR_FOLLOWER', 'REQUEST_TIMED_OUT', 'REPLICA_NOT_AVAILABLE'],
  ...[
    'STALE_CONTROLLER_EPOCH',
    'NETWORK_EXCEPTION',
    'COORDINATOR_LOAD_IN_PROGRESS',
    'COORDINATOR_NOT_AVAILABLE',
  ],
  ...['NOT_COORDINATOR', 'NOT_CONTROLLER', 'REBALANCE_IN_PROGRESS', 'CONCURRENT_TRANSACTIONS'],
  ...['REASSIGNMENT_IN_PROGRESS', 'FETCH_SESSION_ID_NOT_FOUND', 'INVALID_FETCH_SESSION_EPOCH'],
  ...['FETCH_SESSION_TOPIC_ID_ERROR', 'FENCED_LEADER_EPOCH', 'UNKNOWN_LEADER_EPOCH', 'STALE_BROKER_EPOCH'],
  ...['OFFSET_NOT_AVAILABLE', 'PREFERRED_LEADER_NOT_AVAILABLE', 'ELIGIBLE_LEADERS_NOT_AVAILABLE'],
  ...['UNSTABLE_OFFSET_COMMIT', 'NEW_LEADER_ELECTED', 'STALE_MEMBER_EPOCH', 'REBOOTSTRAP_REQUIRED'],
  ...['OUT_OF_ORDER_SEQUENCE_NUMBER', 'DUPLICATE_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID'],
  ...[
    'TRANSACTION_COORDINATOR_FENCED',
    'LISTENER_NOT_FOUND',
    'MEMBER_ID_REQUIRED',
    'OPERATION_NOT_ATTEMPTED',
  ],
] as const satisfies readonly KafkaCodeName[];

/** Somebody else was quicker, or has come instead: part of daily life. */
const OVERTAKEN = [
  ...['ILLEGAL_GENERATION', 'INCONSISTENT_GROUP_PROTOCOL', 'UNKNOWN_MEMBER_ID', 'TOPIC_ALREADY_EXISTS'],
  ...['INVALID_PRODUCER_EPOCH', 'INVALID_TXN_STATE', 'INVALID_PRODUCER_ID_MAPPING', 'NON_EMPTY_GROUP'],
  ...['GROUP_ID_NOT_FOUND', 'FENCED_INSTANCE_ID', 'PRODUCER_FENCED', 'FENCED_MEMBER_EPOCH'],
  ...['UNRELEASED_INSTANCE_ID', 'TRANSACTION_ABORTABLE', 'GROUP_SUBSCRIBED_TO_TOPIC'],
] as const satisfies readonly KafkaCodeName[];

const KINDS: readonly [remedy: string, names: ReadonlySet<KafkaCodeName>][] = [
  [WAIT, new Set(PASSING)],
  [ENDED, new Set(OVERTAKEN)],
];
/** Of what Milena never asks for. */
const FOREIGN =
  /^(DELEGATION_|SHARE_|STREAMS_|TELEMETRY_|INVALID_SHARE|INVALID_VOTER|DUPLICATE_|VOTER_|SNAPSHOT_)/;

/** What a code says and what to do, for people. */
export function meaningOf(code: number): Meaning {
  const name = codeName(code);
  if (name === undefined) {
    const says = 'A newer Kafka has a reason that this version of Milena does not know.';
    return { name: `error ${code}`, says, remedy: "Look into the broker's log, and report it." };
  }
  return { name, says: SAYS[name], remedy: remedyOf(name) };
}

function remedyOf(name: KafkaCodeName): string {
  const own = REMEDIES[name];
  if (own !== undefined) return own;
  if (name.endsWith('_AUTHORIZATION_FAILED') && !FOREIGN.test(name)) return GRANT;
  for (const [remedy, names] of KINDS) if (names.has(name)) return remedy;
  return FOREIGN.test(name) ? NEVER : REPORT;
}
