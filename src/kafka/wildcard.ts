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

/**
 * The names that match, in their order.
 * @param names ascending by code unit
 * @param pattern empty = all
 * @param after only names greater than this one
 */
export function select(
  names: readonly string[],
  pattern: string,
  after: string | undefined,
  limit: number,
): string[] {
  const wanted = pattern === '' ? '*' : pattern;
  const prefix = /^[^*?]*/.exec(wanted)?.[0] ?? '';
  const found: string[] = [];
  const from =
    after !== undefined && after >= prefix
      ? firstIndex(names, (name) => name > after)
      : firstIndex(names, (name) => name >= prefix);
  for (let index = from; index < names.length && found.length < limit; index++) {
    const name = names[index] ?? '';
    if (!name.startsWith(prefix)) break;
    if (matches(wanted, name)) found.push(name);
  }
  return found;
}

/** Index of the first name for which the condition holds, given that it holds for all after it. */
function firstIndex(names: readonly string[], holds: (name: string) => boolean): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(names[middle] ?? '')) high = middle;
    else low = middle + 1;
  }
  return low;
}
