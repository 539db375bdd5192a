/** A page of something that is in the order of its names. */
interface Page<Item> {
  readonly items: readonly Item[];
  /** The name of the last one. */
  readonly last: string | undefined;
  /** Whether others come behind these. */
  readonly more: boolean;
}

/** All of them, page after page as they are read. @param ask for those behind that name; undefined: from the first one on */
export async function* pageByPage<Item>(
  ask: (after: string | undefined) => Promise<Page<Item>>,
): AsyncGenerator<Item, void> {
  let after: string | undefined;
  for (let more = true; more; ) {
    const page = await ask(after);
    yield* page.items;
    after = page.last;
    more = page.more && after !== undefined;
  }
}
