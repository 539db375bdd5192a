/** The process that measures Kafka itself, beside the product. */
import { BareKafka } from './bare-kafka.ts';
import type { HistogramData } from './histogram.ts';
import { type ObviousResult, obviousDesign } from './obvious.ts';
import { serve } from './rpc.ts';

/** As the worker processes of users, one task at a time. */
export class FloorTasks {
  #bare: BareKafka | null = null;
  #brokers = '';

  /** Connects, and makes the topics unless they exist. Again after the broker was restarted. */
  async open(options: { brokers: string; topics: readonly string[]; replicas: number }): Promise<void> {
    await this.#bare?.close();
    this.#brokers = options.brokers;
    this.#bare = new BareKafka(options.brokers.split(',')[0] ?? '');
    await this.#bare.open(options.topics, options.replicas);
  }

  latency({ count }: { count: number }): Promise<HistogramData> {
    return this.#opened.latency(count);
  }

  throughput({ seconds, inFlight }: { seconds: number; inFlight: number }): Promise<number> {
    return this.#opened.throughput(seconds, inFlight);
  }

  once({ inFlight }: { inFlight: number }): Promise<number> {
    return this.#opened.once(inFlight);
  }

  obvious(options: { users: number; idleSeconds: number; messages: number }): Promise<ObviousResult> {
    return obviousDesign(this.#opened, { ...options, brokers: this.#brokers });
  }

  get #opened(): BareKafka {
    if (this.#bare === null) throw new Error('open comes first');
    return this.#bare;
  }
}

serve(new FloorTasks());
