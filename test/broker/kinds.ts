import { withDoor } from './authorizer.ts';
import { type BrokerOptions, startBroker, startCluster } from './broker.ts';
import { coordinatorsReady } from './ready.ts';
import type { TestBroker } from './test-broker.ts';

/** Coordinators of groups and transactions: one of each has begun soon. */
const ONE_EACH = { 'offsets.topic.num.partitions': '1', 'transaction.state.log.num.partitions': '1' };
const THREE_EACH = { 'offsets.topic.num.partitions': '3', 'transaction.state.log.num.partitions': '3' };

interface Kind {
  /** Brokers that it consists of. */
  readonly size: 1 | 3;
  readonly options: BrokerOptions | (() => Promise<BrokerOptions>);
}

/** Brokers that several files of tests need, one after the other: see pool.ts. */
export const KINDS = {
  /** As the one of the whole run, to be killed or emptied; what Kafka does every few minutes it does at once. */
  plain: {
    size: 1,
    options: {
      properties: {
        ...ONE_EACH,
        'log.retention.check.interval.ms': '300',
        'log.initial.task.delay.ms': '100',
        'log.cleaner.backoff.ms': '200',
      },
    },
  },
  /** As somebody else has set it up: with Kafka's own settings, where ours differ in what people notice. */
  foreign: {
    size: 1,
    options: {
      properties: {
        ...ONE_EACH,
        'group.initial.rebalance.delay.ms': '3000',
        'group.consumer.session.timeout.ms': '45000',
        'group.consumer.max.session.timeout.ms': '60000',
        'auto.create.topics.enable': 'true',
        'num.partitions': '1',
      },
    },
  },
  /** That lets nobody do anything without a right, but by its first listener: see `doorOf`. */
  guarded: { size: 1, options: withDoor },
  /** Three of which each may be away. */
  three: { size: 3, options: { properties: THREE_EACH } },
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;

/** New ones of that kind, running. */
export async function startKind(name: KindName): Promise<readonly TestBroker[]> {
  const { size, options: known }: Kind = KINDS[name];
  const options = typeof known === 'function' ? await known() : known;
  const nodes = size === 1 ? [await startBroker(options)] : (await startCluster(size, options)).nodes;
  await coordinatorsReady(nodes.map(({ brokers }) => brokers));
  return nodes;
}
