import kafkajs from 'kafkajs';
import type { Config } from '../config/config.ts';
import { kafkaClient, kafkaFailure } from './kafka.ts';

/** Where an acknowledged message lies. */
export interface Stored {
  readonly partition: number;
  /** Of the first message written together. */
  readonly offset: string;
}

export interface Writer {
  /** Resolves when Kafka has stored all of them (`acks=all`), in this order. @throws ToolError */
  write(key: string | null, values: readonly string[]): Promise<Stored>;
  close(): Promise<void>;
}

/** Writes to one topic; a retried write is stored once. @throws ToolError */
export async function openWriter(config: Config, topic: string): Promise<Writer> {
  const producer = kafkaClient(config, { patient: true }).producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    retry: { retries: 8, initialRetryTime: 200 },
  });
  try {
    await producer.connect();
  } catch (error) {
    // Its connections would keep the process alive.
    await producer.disconnect().catch(() => {});
    throw kafkaFailure(config, `Writing to ${topic}`, error, { operation: 'Write', topic });
  }
  return {
    async write(key, values) {
      try {
        const [written] = await producer.send({
          topic,
          acks: -1,
          messages: values.map((value) => ({ key, value })),
        });
        if (written === undefined || written.errorCode !== 0)
          throw new Error('Kafka gave no acknowledgement');
        return { partition: written.partition, offset: written.baseOffset ?? '?' };
      } catch (error) {
        throw kafkaFailure(config, `Writing to ${topic}`, error, { operation: 'Write', topic });
      }
    },
    close: () => producer.disconnect().catch(() => {}),
  };
}
