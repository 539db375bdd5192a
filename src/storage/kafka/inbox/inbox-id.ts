import { createHash } from 'node:crypto';
import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';

/**
 * Names an inbox so that with an offset it names one message for ever: by its topic, and once its log was found cut, so that
 * offsets came again, by the leader epoch at which that was.
 * @param topicId Kafka's id of the topic (a UUID), which it is while it was never cut
 * @returns a UUID
 */
export function inboxId(topicId: string, cutUnder: number): string {
  if (cutUnder === UNKNOWN_EPOCH) return topicId;
  const hash = createHash('sha256').update(`${topicId} ${cutUnder}`).digest('hex');
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    hash.slice(12, 16),
    hash.slice(16, 20),
    hash.slice(20, 32),
  ].join('-');
}
