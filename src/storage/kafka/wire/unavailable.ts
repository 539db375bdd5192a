import { EngineError } from '../../../core/errors.ts';
import { isFinal, KafkaError } from './kafka-error.ts';

/**
 * For `catch`: what Kafka refused for good becomes `REFUSED`, whatever else it or the network threw `UNAVAILABLE`, with the
 * cause kept for the log.
 */
export function unavailable(error: unknown): never {
  if (error instanceof EngineError) throw error;
  if (error instanceof KafkaError && isFinal(error.kafkaCode)) {
    throw new EngineError('REFUSED', `${error.message} ${error.remedy}`, { cause: error });
  }
  throw new EngineError('UNAVAILABLE', 'Kafka did not do what was asked', { cause: error });
}
