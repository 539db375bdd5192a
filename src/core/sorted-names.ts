/** Names in one chunk; a full one is cut in two, and two that fit in half of one become one. */
const CHUNK = 512;

/**
 * Names, ascending by code unit, in short sorted arrays: to add or remove one of a million moves some hundred, and
 * nothing is ever sorted as a whole.
 */
export class SortedNames {
  /** None is empty. */
  readonly #chunks: string[][] = [];

  /** Takes the place of all there were. @param sorted ascending by code unit, each once */
  fill(sorted: readonly string[]): void {
    this.#chunks.length = 0;
    // Neither about to be cut nor about to be joined.
    const size = (CHUNK * 3) / 4;
    for (let at = 0; at < sorted.length; at += size) this.#chunks.push(sorted.slice(at, at + size));
  }

  /** Does nothing when it is there already. */
  add(name: string): void {
    // What comes before all others goes into the first chunk.
    const at = Math.max(0, this.#chunkOf(name));
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      this.#chunks.push([name]);
      return;
    }
    const index = firstIndex(chunk, name);
    if (chunk[index] === name) return;
    chunk.splice(index, 0, name);
    if (chunk.length > CHUNK) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK / 2));
  }

  /** Does nothing when it is not there. */
  delete(name: string): void {
    const at = this.#chunkOf(name);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    const index = firstIndex(chunk, name);
    if (chunk[index] !== name) return;
    chunk.splice(index, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
    else {
      this.#join(at);
      this.#join(at - 1);
    }
  }

  /**
   * Calls `visit` with one name after the other until it returns false or there are no more.
   * @param from the first name, or what comes before it
   * @param open leaves out `from` itself
   * @returns whether there are no more
   */
  visit(from: string, open: boolean, visit: (name: string) => boolean): boolean {
    for (let at = Math.max(0, this.#chunkOf(from)); at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] ?? [];
      for (let index = firstIndex(chunk, from); index < chunk.length; index++) {
        const name = chunk[index] ?? '';
        if (open && name === from) continue;
        if (!visit(name)) return false;
      }
    }
    return true;
  }

  /** The last chunk that begins with this name or one before it; -1 when there is none. */
  #chunkOf(name: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#chunks[middle]?.[0] ?? '') > name) high = middle;
      else low = middle + 1;
    }
    return low - 1;
  }

  /** Makes one chunk of this one and the next if both are small: no number of deletions leaves many small ones. */
  #join(at: number): void {
    const chunk = this.#chunks[at];
    const next = this.#chunks[at + 1];
    if (chunk === undefined || next === undefined || chunk.length + next.length > CHUNK / 2) return;
    chunk.push(...next);
    this.#chunks.splice(at + 1, 1);
  }
}

/** Index of the first name that is not before this one. */
function firstIndex(chunk: readonly string[], name: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((chunk[middle] ?? '') < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
