/** Local time as `HH:MM` or `HH:MM:SS`, in the terminal's time zone. @param at milliseconds since the epoch */
export function clock(at: number, seconds = false): string {
  const time = new Date(at);
  const parts = [time.getHours(), time.getMinutes(), ...(seconds ? [time.getSeconds()] : [])];
  return parts.map((value) => String(value).padStart(2, '0')).join(':');
}

/** Counts local days: the same number for two times of one day. */
function daysSince(at: number): number {
  const time = new Date(at);
  // Noon by UTC of the local date: no change to summer time moves it into another day.
  return Math.floor(Date.UTC(time.getFullYear(), time.getMonth(), time.getDate(), 12) / 86_400_000);
}

/** A day as a person names it: `Today`, `Yesterday`, `Mon 21 Nov`, with the year if it is another one. */
export function day(at: number, now: number): string {
  const days = daysSince(now) - daysSince(at);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  const [weekday, month, date, year] = new Date(at).toDateString().split(' ');
  const words = `${weekday} ${Number(date)} ${month}`;
  return new Date(at).getFullYear() === new Date(now).getFullYear() ? words : `${words} ${year}`;
}

/**
 * Where days begin among messages in the order in which they came. A day begins once: what was dated earlier than
 * something before it, by whichever clock, stands below the heading that is there. A day that is still to come (some
 * program may write any time) has its heading, and none after it is kept from theirs.
 */
export class DayHeadings {
  readonly #tomorrow: number;
  #latest = Number.NEGATIVE_INFINITY;
  #future: number | null = null;

  /** @param now milliseconds since the epoch */
  constructor(now: number) {
    this.#tomorrow = daysSince(now) + 1;
  }

  /** The heading above the next message, which was sent at `at`; null: none. */
  before(at: number | null): number | null {
    if (at === null) return null;
    const days = daysSince(at);
    const begins = days > this.#tomorrow ? days !== this.#future : days > this.#latest;
    if (days > this.#tomorrow) this.#future = days;
    else this.#latest = Math.max(this.#latest, days);
    return begins ? at : null;
  }
}

/** When something was: the time today, before with the day, in another year the day with the year. In twelve cells or fewer. */
export function when(at: number, now: number): string {
  if (daysSince(now) === daysSince(at)) return clock(at);
  const [, month = '', date, year = ''] = new Date(at).toDateString().split(' ');
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return `${Number(date)} ${month} ${isThisYear ? clock(at) : year}`;
}

/** When something was, in five cells or fewer: the time today, otherwise the day. */
export function lately(at: number, now: number): string {
  const days = daysSince(now) - daysSince(at);
  if (days === 0) return clock(at);
  const [weekday = '', month = '', date] = new Date(at).toDateString().split(' ');
  if (days > 0 && days < 7) return weekday;
  return days < 300 ? `${Number(date)}${month}` : String(new Date(at).getFullYear());
}
