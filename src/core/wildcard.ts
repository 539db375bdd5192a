import type { InSteps } from './accounts.ts';
import type { SortedNames } from './sorted-names.ts';

/**
 * Whether a name matches a pattern of `*` (any run), `?` (any one character) and characters that mean themselves.
 * Takes at most name.length × pattern.length steps, whatever the pattern: outsiders choose it.
 */
export function matches(pattern: string, name: string): boolean {
  let p = 0;
  let n = 0;
  /** Where to go on when the run of the last star must be one longer. */
  let star = -1;
  let resume = 0;
  while (n < name.length) {
    if (pattern[p] === '*') {
      star = p++;
      resume = n;
    } else if (pattern[p] === '?' || pattern[p] === name[n]) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** How long one search may go on before everything else has its turn, milliseconds. */
const STEP_MS = 0.5;
/** Names looked at between two looks at the clock: a hostile pattern takes some 3 µs for a name. */
const NAMES_A_STEP = 64;

interface Search {
  readonly pattern: string;
  /** What every name that matches begins with. */
  readonly prefix: string;
  readonly limit: number;
  readonly found: string[];
  /** Where to go on. */
  from: string;
  /** Whether `from` itself was looked at. */
  open: boolean;
}

/**
 * Lists names by patterns. A search is carried out in short steps, so nobody can stop this process by asking for what
 * takes long to find; who asks says when each is done. Names that come or go meanwhile may or may not be in the list;
 * all others that match are, once.
 */
export class NameSearches {
  readonly #names: SortedNames;
  readonly #longestName: number;

  constructor(names: SortedNames, longestName: number) {
    this.#names = names;
    this.#longestName = longestName;
  }

  /**
   * @param pattern empty = all
   * @param after only names greater than this one
   * @param inSteps runs the search: calls the step until it returns true
   */
  async find(
    pattern: string,
    after: string | undefined,
    limit: number,
    inSteps: InSteps = oneATurn,
  ): Promise<string[]> {
    const wanted = pattern === '' ? '*' : pattern.replace(/\*+/g, '*');
    // No name has so many characters, and the bound on the pattern bounds the work for each name.
    if (wanted.replaceAll('*', '').length > this.#longestName || limit <= 0) return [];
    const prefix = /^[^*?]*/.exec(wanted)?.[0] ?? '';
    const open = after !== undefined && after >= prefix;
    const search = { pattern: wanted, prefix, limit, found: [], from: open ? after : prefix, open };
    await inSteps(() => this.#step(search));
    return search.found;
  }

  /** @returns whether the search is over */
  #step(search: Search): boolean {
    const { pattern, prefix, limit, found } = search;
    const until = performance.now() + STEP_MS;
    let looked = 0;
    let over = false;
    const isAtEnd = this.#names.visit(search.from, search.open, (name) => {
      if (name.startsWith(prefix)) {
        if (matches(pattern, name)) found.push(name);
        over = found.length >= limit;
      } else {
        over = true;
      }
      search.from = name;
      looked += 1;
      return !over && (looked % NAMES_A_STEP !== 0 || performance.now() < until);
    });
    search.open = true;
    return over || isAtEnd;
  }
}

/** For who is alone: everything else has a turn of the event loop between two steps. */
async function oneATurn(step: () => boolean): Promise<void> {
  while (!step()) await new Promise((resolve) => setImmediate(resolve));
}
