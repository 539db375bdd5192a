import { Bursts, isInput } from './bursts.ts';
import { Decoder } from './decoder.ts';
import type { InputEvent } from './input-event.ts';

/**
 * The decoder with a clock: bytes in, events out, also those that only time brings: a lone Escape, the end of a paste.
 */
export class Keyboard {
  readonly #decoder = new Decoder();
  readonly #bursts = new Bursts();
  readonly #on: (events: readonly InputEvent[]) => void;
  readonly #clock: () => number;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param clock milliseconds that do not go back */
  constructor(on: (events: readonly InputEvent[]) => void, clock: () => number = () => performance.now()) {
    this.#on = on;
    this.#clock = clock;
  }

  /** What one read has brought. */
  push(bytes: Uint8Array): void {
    const now = this.#clock();
    this.#tell(this.#bursts.push(this.#decoder.push(bytes, now), now));
  }

  /**
   * What was typed before anybody read: several lines at once are no paste. The terminal may have made LF of Enter.
   */
  pushAhead(bytes: Uint8Array): void {
    const events = this.#decoder.push(bytes, this.#clock());
    this.#tell(
      events
        .filter(isInput)
        .map((event) =>
          event.type === 'key' && event.key === 'ctrl+j' ? { type: 'key', key: 'enter' } : event,
        ),
    );
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #tell(events: readonly InputEvent[]): void {
    if (events.length > 0) this.#on(events);
    this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const due = [this.#decoder.dueAt, this.#bursts.dueAt].filter((at) => at !== null);
    if (due.length === 0 || this.#closed) return;
    const wait = Math.max(1, Math.ceil(Math.min(...due) - this.#clock()));
    // First what may lie there to be read: it came before the time was over.
    this.#timer = setTimeout(() => setImmediate(() => this.#tick()), wait);
  }

  #tick(): void {
    if (this.#closed) return;
    const now = this.#clock();
    const decoded = this.#decoder.tick(now);
    this.#tell([...this.#bursts.tick(now), ...(decoded.length > 0 ? this.#bursts.push(decoded, now) : [])]);
  }
}
