import { EngineError } from '../../../core/errors.ts';
import { isRefusal, KafkaError } from '../../../storage/kafka/wire/kafka-error.ts';
import { type Check, hint } from './check.ts';

/** What Kafka did not let us look at. @param otherwise what to do where it is not for want of a right */
export function notSeen(name: string, what: string, error: Error, otherwise: string): Check {
  const text = `${what}: ${error.message.replace(/\.$/, '')}.`;
  return hint(name, text, isForRights(error) ? 'Grant the rights above.' : otherwise);
}

function isForRights(error: unknown): boolean {
  if (error instanceof KafkaError) return isRefusal(error.kafkaCode);
  return error instanceof EngineError && (error.code === 'REFUSED' || isForRights(error.cause));
}
