import { now } from '../wire/retry.ts';

/** So often each broker is asked. */
const INTERVAL_MS = 4_000;

export interface BrokerLivenessOptions {
  /** The brokers that matter now. */
  readonly nodes: () => Iterable<number>;
  /** Whether a broker gives a sign of life; takes its time over the answer no. */
  readonly ask: (node: number) => Promise<boolean>;
  /** It gave none. @param since when it was asked, on the clock of `now` */
  readonly onSilent: (node: number, since: number) => void;
}

/**
 * Asks brokers for a sign of life. A request that is parked at one says nothing until it is answered, so a frozen broker
 * would be found when that is due; asked by each connection, a quiet one would cost as many wake-ups.
 */
export class BrokerLiveness {
  readonly #options: BrokerLivenessOptions;
  /** Whose answer is awaited. */
  readonly #asked = new Set<number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: BrokerLivenessOptions) {
    this.#options = options;
  }

  /** Does nothing when it is started already. */
  start(): void {
    this.#timer ??= setInterval(() => this.#tick(), INTERVAL_MS);
  }

  /** Nothing is asked or told any more. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #tick(): void {
    for (const node of this.#options.nodes()) if (!this.#asked.has(node)) void this.#ask(node);
  }

  async #ask(node: number): Promise<void> {
    const since = now();
    this.#asked.add(node);
    const isAlive = await this.#options.ask(node);
    this.#asked.delete(node);
    if (!isAlive && this.#timer !== null) this.#options.onSilent(node, since);
  }
}
