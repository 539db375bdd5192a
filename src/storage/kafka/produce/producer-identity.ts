import { initProducerIdV5 } from '@platformatic/kafka';
import type { Cluster } from '../wire/cluster.ts';
import { expectNone } from '../wire/kafka-error.ts';
import type { Producer } from '../wire/record-batch.ts';
import { now, retry } from '../wire/retry.ts';

const PATIENCE_MS = 50;

/** The idempotent producer's identity that is in use. Under a new one sequence numbers begin again at 0, for all partitions. */
export class ProducerIdentity {
  readonly #cluster: Cluster;
  readonly #timeoutMs: number;
  #current: Promise<Producer> | null = null;

  /** @param timeoutMs the broker's own time limit for making one */
  constructor(cluster: Cluster, timeoutMs: number) {
    this.#cluster = cluster;
    this.#timeoutMs = timeoutMs;
  }

  /** The identity in use, or a new one. @throws EngineError `UNAVAILABLE`, with what Kafka said as its cause */
  current(): Promise<Producer> {
    if (!this.#current) {
      const wanted = this.#make();
      this.#current = wanted;
      wanted.catch(() => {
        if (this.#current === wanted) this.#current = null;
      });
    }
    return this.#current;
  }

  /** Whether that is still in use. */
  isCurrent(identity: Promise<Producer>): boolean {
    return this.#current === identity;
  }

  /** Another one from now on. */
  renew(): void {
    this.#current = null;
  }

  #make(): Promise<Producer> {
    return retry('producer id', now() + PATIENCE_MS, async () => {
      const response = await this.#cluster.requestAny(initProducerIdV5.api, null, this.#timeoutMs);
      expectNone('InitProducerId', response.errorCode);
      return { id: response.producerId, epoch: response.producerEpoch };
    });
  }
}
