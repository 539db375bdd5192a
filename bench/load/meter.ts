import { nowUs } from './clock.ts';
import { Histogram } from './histogram.ts';
import type { RunOptions, RunResult } from './tasks.ts';

/** Counts one run's messages. */
export class Meter {
  readonly run: number;
  readonly #fromUs: number;
  readonly #toUs: number;
  readonly #accept = new Histogram();
  readonly #deliver = new Histogram();
  readonly #cpu = process.cpuUsage();
  received = 0;
  #receivedInWindow = 0;
  #acceptedInWindow = 0;
  #lastUs = 0;
  /** By the moment when a message was to be sent: when it arrived for the last time. */
  readonly #lasts: Map<number, number> | null;

  constructor({ run, fromUs, toUs, lasts = false }: RunOptions) {
    this.run = run;
    this.#lasts = lasts ? new Map() : null;
    this.#fromUs = fromUs;
    this.#toUs = toUs;
  }

  arrived(timeUs: number): void {
    const now = nowUs();
    this.received++;
    this.#lastUs = now;
    this.#lasts?.set(timeUs, now);
    if (now >= this.#fromUs && now < this.#toUs) this.#receivedInWindow++;
    if (timeUs >= this.#fromUs && timeUs < this.#toUs) this.#deliver.record(now - timeUs);
  }

  accepted(timeUs: number, now: number): void {
    if (now >= this.#fromUs && now < this.#toUs) this.#acceptedInWindow++;
    if (timeUs >= this.#fromUs && timeUs < this.#toUs) this.#accept.record(now - timeUs);
  }

  result(): RunResult {
    const cpu = process.cpuUsage(this.#cpu);
    return {
      received: this.received,
      acceptedInWindow: this.#acceptedInWindow,
      receivedInWindow: this.#receivedInWindow,
      lastUs: this.#lastUs,
      lasts: [...(this.#lasts ?? [])],
      accept: this.#accept.data(),
      deliver: this.#deliver.data(),
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
    };
  }
}
