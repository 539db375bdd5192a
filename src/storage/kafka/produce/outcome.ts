import { isNoTopic, isPassing, isRefusal, KafkaCode } from '../wire/kafka-error.ts';

/** After these a batch may be in the log all the same. */
const OPEN: ReadonlySet<number> = new Set([
  KafkaCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  KafkaCode.REQUEST_TIMED_OUT,
]);

const OUT_OF_SEQUENCE: ReadonlySet<number> = new Set([
  KafkaCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
  KafkaCode.UNKNOWN_PRODUCER_ID,
  KafkaCode.INVALID_PRODUCER_EPOCH,
]);

/**
 * What Kafka's word on a batch means, where that is an error:
 * - `again`: the same bytes go again;
 * - `too large`: nothing was stored, and the topic is to blame;
 * - `out of sequence`: never sent before, so surely not stored: again under a new identity (the topic was made anew, or the
 *   broker has forgotten this producer);
 * - `refused`: not allowed;
 * - `unknown`: it may have been stored.
 */
export type Outcome =
  | 'again'
  | 'again, may be stored'
  | 'too large'
  | 'out of sequence'
  | 'refused'
  | 'unknown';

/** @param tries how often the batch was sent */
export function outcomeOf(code: number, tries: number): Outcome {
  if (isNoTopic(code) || isPassing(code)) return OPEN.has(code) ? 'again, may be stored' : 'again';
  if (code === KafkaCode.MESSAGE_TOO_LARGE || code === KafkaCode.RECORD_LIST_TOO_LARGE) return 'too large';
  if (tries === 1 && OUT_OF_SEQUENCE.has(code)) return 'out of sequence';
  return isRefusal(code) ? 'refused' : 'unknown';
}
