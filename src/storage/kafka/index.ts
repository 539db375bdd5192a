/** Kafka as a storage: what is public of it. */
export { openKafkaStorage } from './kafka-storage.ts';
