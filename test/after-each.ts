const acts = new Set<() => unknown>();

/**
 * For what several files of tests use: their worker evaluates a module once, and a hook in it would be the first file's
 * alone.
 * @param act done after each test of each file from now on
 */
export function afterEachTest(act: () => unknown): void {
  acts.add(act);
}

/** Does all of it. */
export async function actAfterTest(): Promise<void> {
  await Promise.all([...acts].map((act) => act()));
}
