import type { Logger } from 'pino';
import { bringBack } from '../check/topic-settings.ts';
import type { Cluster } from '../wire/cluster.ts';
import { nameOfCode } from '../wire/kafka-error.ts';
import { RareWarning } from '../wire/rare-warning.ts';
import { reasonOf } from '../wire/retry.ts';

/** Topics whose settings are set back at the same time; others come with their next message. */
const MAX_BRINGING = 16;

/** Topics that somebody has altered so that they take smaller batches than they have to: they are set back. */
export class SmallTopics {
  readonly #cluster: Cluster;
  readonly #log: Logger;
  readonly #found: RareWarning;
  /** Being set back now. */
  readonly #bringing = new Set<string>();

  constructor(cluster: Cluster, log: Logger) {
    this.#cluster = cluster;
    this.#log = log;
    this.#found = new RareWarning((fields) =>
      log.warn(fields, 'a topic takes smaller batches than it has to (max.message.bytes): it is set back'),
    );
  }

  /** @param code by which Kafka has refused a batch */
  setBack(topic: string, code: number): void {
    this.#found.note({ topic, code: nameOfCode(code) });
    if (this.#bringing.has(topic) || this.#bringing.size >= MAX_BRINGING) return;
    this.#bringing.add(topic);
    bringBack(this.#cluster, this.#log, topic)
      .catch((error: unknown) =>
        this.#log.warn({ topic, reason: reasonOf(error) }, 'settings of topics not changed'),
      )
      .finally(() => this.#bringing.delete(topic));
  }
}
