/** How long service was away, from a history. Pure. */
import type { HistoryEvent } from './history.ts';

/** Milliseconds; null: nothing was measured. */
export interface Times {
  readonly p50: number;
  readonly longest: number;
  readonly count: number;
}

/**
 * For each sender, or each inbox, the longest time without an accepted message that ended behind the first fault.
 * @param by whose times: those of senders show what a server does to its clients, those of inboxes what a broker does
 */
export function silences(history: readonly HistoryEvent[], by: 'from' | 'to'): Times | null {
  const fault = history.find(({ kind }) => kind === 'fault')?.at;
  if (fault === undefined) return null;
  const last = new Map<string, number>();
  const longest = new Map<string, number>();
  for (const event of history) {
    if (event.kind !== 'accepted') continue;
    const whose = event[by];
    if (event.at > fault) {
      const since = event.at - Math.max(fault, last.get(whose) ?? fault);
      longest.set(whose, Math.max(since, longest.get(whose) ?? 0));
    }
    last.set(whose, event.at);
  }
  return timesOf([...longest.values()]);
}

/** How long it took clients that a fault had cut off to be logged in again, from that fault on. */
export function returns(history: readonly HistoryEvent[]): Times | null {
  let fault: number | undefined;
  /** Since when each is away. */
  const away = new Map<string, number>();
  const took: number[] = [];
  for (const event of history) {
    if (event.kind === 'fault') fault = event.at;
    if (event.kind === 'cut' && fault !== undefined && !away.has(event.client)) away.set(event.client, fault);
    if (event.kind !== 'login') continue;
    const since = away.get(event.client);
    away.delete(event.client);
    if (since !== undefined && event.how === 'token') took.push(event.at - since);
  }
  return timesOf(took);
}

function timesOf(microseconds: readonly number[]): Times | null {
  const sorted = microseconds.map((us) => Math.round(us / 1_000)).sort((a, b) => a - b);
  const longest = sorted.at(-1);
  if (longest === undefined) return null;
  return { p50: sorted[Math.floor(sorted.length / 2)] ?? longest, longest, count: sorted.length };
}
