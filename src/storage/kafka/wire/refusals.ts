import type { Logger } from 'pino';
import { KafkaCode } from './kafka-code.ts';
import { aclCommand, type Operation, type ResourceKind } from './operations.ts';
import { RareWarning } from './trouble.ts';

/** The kind of resource that a code is about. */
const KINDS: ReadonlyMap<number, ResourceKind> = new Map([
  [KafkaCode.TOPIC_AUTHORIZATION_FAILED, 'topic'],
  [KafkaCode.GROUP_AUTHORIZATION_FAILED, 'group'],
  [KafkaCode.CLUSTER_AUTHORIZATION_FAILED, 'cluster'],
  [KafkaCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 'transactional-id'],
]);

/**
 * A producer that has no transactional id may write to the cluster by the right to write to any topic. There is no `Write` on a
 * cluster.
 */
const INIT_PRODUCER_ID = 22;
/** All that begins so is a frontend's. */
const OWN_PREFIX = 'milena.';

/** What each request (by its key in Kafka's protocol) needs, where it is not the same for all that it is about. */
const OPERATIONS: Readonly<Record<number, Operation | Partial<Record<ResourceKind, Operation>>>> = {
  0: 'Write',
  1: 'Read',
  2: 'Describe',
  3: 'Describe',
  8: 'Read',
  9: 'Describe',
  10: 'Describe',
  11: 'Read',
  12: 'Read',
  13: 'Read',
  14: 'Read',
  15: 'Describe',
  19: 'Create',
  20: 'Delete',
  21: 'Delete',
  [INIT_PRODUCER_ID]: 'Write',
  23: 'Describe',
  24: 'Write',
  26: 'Write',
  32: 'DescribeConfigs',
  42: 'Delete',
  44: 'AlterConfigs',
  68: { group: 'Read', topic: 'Describe' },
  69: 'Describe',
};

export interface MissingRight {
  readonly operation: Operation;
  readonly kind: ResourceKind;
  /** Of the topic, group or transactional id; empty where it is not known, or is the cluster. */
  readonly name: string;
}

/** What Kafka refuses for want of a right: one line for each right that is missing, again after a while. */
export class Refusals {
  readonly #log: Logger;
  readonly #principal: string;
  /** By operation and kind: some dozens. */
  readonly #warnings = new Map<string, RareWarning>();

  constructor(log: Logger, principal: string) {
    this.#log = log;
    this.#principal = principal;
  }

  /** @param apiKey the request's; @param code any of Kafka's; @param name what it was about */
  note(apiKey: number, code: number, name: string): void {
    if (apiKey === INIT_PRODUCER_ID && code === KafkaCode.CLUSTER_AUTHORIZATION_FAILED) {
      this.#note('Write', 'topic', `${OWN_PREFIX}*`);
      return;
    }
    const kind = KINDS.get(code);
    if (kind === undefined) return;
    const found = OPERATIONS[apiKey];
    const operation = (typeof found === 'string' ? found : found?.[kind]) ?? 'Describe';
    this.#note(operation, kind, name);
  }

  #note(operation: Operation, kind: ResourceKind, name: string): void {
    const key = `${operation} ${kind}`;
    const warning =
      this.#warnings.get(key) ?? new RareWarning((fields) => this.#tell(operation, kind, fields));
    this.#warnings.set(key, warning);
    warning.note({ resource: name });
  }

  #tell(operation: Operation, kind: ResourceKind, fields: Readonly<Record<string, unknown>>): void {
    const principal = this.#principal;
    const name = typeof fields.resource === 'string' ? fields.resource : '';
    const isPrefix = name.endsWith('*');
    const grant = aclCommand(operation, kind, isPrefix ? name.slice(0, -1) : name, isPrefix, principal);
    this.#log.error(
      { operation, kind, ...fields, principal, grant },
      `Kafka refuses: ${principal} has not the right ${operation} on ${kind}${name === '' ? '' : ` ${name}`}`,
    );
  }
}

/** The names that responses give to what they are about. */
const NAMES = ['name', 'topicName', 'groupId', 'transactionalId', 'resourceName', 'key'] as const;

/**
 * The name of what an error in a response is about: the innermost one on its path.
 * @param path as the library gives it: `/topics/0/partitions/0`
 */
export function nameAt(response: unknown, path: string): string {
  let name = '';
  let at: unknown = response;
  for (const part of path.split('/')) {
    if (typeof at !== 'object' || at === null) break;
    if (part !== '') at = Reflect.get(at, part);
    if (typeof at !== 'object' || at === null) break;
    for (const field of NAMES) {
      const value: unknown = Reflect.get(at, field);
      if (typeof value === 'string') name = value;
    }
  }
  return name;
}
