/** Times outside of these are taken for no times: nobody has a server from before or after. */
const EARLIEST = Date.UTC(2020, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);
/** Of a difference this large, in milliseconds, the person hears. */
const WORTH_TELLING_MS = 60_000;

/** Whether a server's time, in milliseconds since the epoch, can be one. */
export function isTime(at: number): boolean {
  return at >= EARLIEST && at < LATEST;
}

/**
 * The server's clock, as far as it is known; until then this machine's. By it everything is dated that is shown beside
 * messages, which the server has dated: a clock here that is hours off must not mix up their days.
 */
export class ServerClock {
  #aheadMs = 0;
  #isTold = false;

  /** Milliseconds since the epoch. */
  readonly now = (): number => Date.now() + this.#aheadMs;

  /**
   * The server has told its time just now. Some milliseconds of the way are not counted.
   * @returns a sentence for the person if this machine's clock is far off, once
   */
  heard(time: number): string | null {
    if (!isTime(time)) return null;
    this.#aheadMs = time - Date.now();
    if (Math.abs(this.#aheadMs) < WORTH_TELLING_MS || this.#isTold) return null;
    this.#isTold = true;
    const way = this.#aheadMs > 0 ? 'slow' : 'fast';
    return `This machine's clock is ${duration(this.#aheadMs)} ${way}: times here are the server's.`;
  }
}

function duration(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
