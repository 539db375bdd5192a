import { createHash } from 'node:crypto';
import { UNKNOWN_EPOCH } from '../../../core/epochs.ts';
import { demandUuid } from '../../../util/uuid.ts';

const BYTES = 16;

/**
 * Names an inbox so that with an offset it names one message for ever: by its topic, and once its log was found cut, so that
 * offsets came again, by the leader epoch at which that was.
 * @param topicId Kafka's id of the topic (a UUID), which it is while it was never cut
 * @returns 16 bytes
 */
export function inboxId(topicId: string, cutUnder: number): Uint8Array {
  if (cutUnder === UNKNOWN_EPOCH) return demandUuid(topicId);
  return createHash('sha256').update(`${topicId} ${cutUnder}`).digest().subarray(0, BYTES);
}
