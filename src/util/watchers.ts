/** Who wants to hear of what happens to something, by its key. There are as many as watch, which is theirs to bound. */
export class Watchers<Told extends readonly unknown[]> {
  readonly #watchers = new Map<string, Set<(...told: Told) => void>>();

  get isEmpty(): boolean {
    return this.#watchers.size === 0;
  }

  /** @param told another function each time @returns ends that */
  watch(key: string, told: (...told: Told) => void): () => void {
    const watchers = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, watchers.add(told));
    return () => {
      watchers.delete(told);
      if (watchers.size === 0 && this.#watchers.get(key) === watchers) this.#watchers.delete(key);
    };
  }

  tell(key: string, ...told: Told): void {
    for (const tell of [...(this.#watchers.get(key) ?? [])]) tell(...told);
  }
}
