import type { Leader } from '../wire/cluster.ts';
import type { Producer } from '../wire/record-batch.ts';
import { now } from '../wire/retry.ts';
import { type Batch, makeBatch, type Partition } from './batch.ts';

/** Bytes of one Produce request; what is left over goes with the next. */
const MAX_REQUEST_BYTES = 2 * 1024 * 1024;

/** What goes to one broker in one request. */
export type Round = Map<Partition, Batch>;

export interface Gathering {
  readonly producer: Producer;
  readonly leaderOf: (partition: Partition) => Leader | undefined;
  /** Whether a broker takes no further request now. */
  readonly isBusy: (node: number) => boolean;
  /** Called for what has no leader and is not being asked about. */
  readonly onNoLeader: (partition: Partition) => void;
}

/**
 * Makes the batches of one round, per broker: for brokers that are not busy and partitions that are due.
 * @param ready partitions with something to send, without those that are sent when this has returned
 * @returns as `nextDue` when the next one is due, on the clock of `now`
 */
export function gatherRounds(
  ready: Set<Partition>,
  { producer, leaderOf, isBusy, onNoLeader }: Gathering,
): { readonly rounds: ReadonlyMap<number, Round>; readonly nextDue: number } {
  const rounds = new Map<number, Round>();
  const bytesOf = new Map<number, number>();
  const moment = now();
  let nextDue = Number.POSITIVE_INFINITY;
  for (const partition of ready) {
    // Its senders were all told that it took too long.
    if (!partition.batch && partition.queue.length === 0) {
      ready.delete(partition);
      continue;
    }
    const leader = leaderOf(partition);
    if (!leader || partition.batch?.sending) {
      // Comes back when the leader is known, or the batch is answered.
      ready.delete(partition);
      if (!leader && !partition.locating) onNoLeader(partition);
      continue;
    }
    if (partition.batch && partition.batch.notBefore > moment) {
      nextDue = Math.min(nextDue, partition.batch.notBefore);
      continue;
    }
    const bytes = bytesOf.get(leader.node) ?? 0;
    // What does not go with this request is looked at again when a request to that broker is answered.
    if (isBusy(leader.node) || bytes > MAX_REQUEST_BYTES) continue;
    partition.batch ??= makeBatch(partition, producer);
    const { batch } = partition;
    batch.epoch = leader.epoch;
    const round: Round = rounds.get(leader.node) ?? new Map();
    ready.delete(partition);
    round.set(partition, batch);
    rounds.set(leader.node, round);
    bytesOf.set(leader.node, bytes + batch.bytes.length);
  }
  return { rounds, nextDue };
}
