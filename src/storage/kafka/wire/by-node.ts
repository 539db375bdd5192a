/** How many names, each of which belongs to one broker, are asked about. */
export interface QuestionsByNode<Answer> {
  /** The broker that a name belongs to. */
  readonly nodeOf: (name: string) => Promise<number>;
  /** Asks one broker about its names and puts an answer, or the error, of each into `found`. */
  readonly ask: (node: number, names: readonly string[], found: Map<string, Answer | Error>) => Promise<void>;
  /** A broker did not answer: another one may have its names by now. */
  readonly forget: (name: string) => void;
}

/**
 * Asks about many names with one request for each broker, all at once, about each once: Kafka refuses a request that names a
 * partition twice. What goes wrong with one broker is the error of its names and of no others.
 */
export async function askByNode<Answer>(
  wanted: readonly string[],
  { nodeOf, ask, forget }: QuestionsByNode<Answer>,
): Promise<Map<string, Answer | Error>> {
  const names = [...new Set(wanted)];
  const found = new Map<string, Answer | Error>();
  const byNode = new Map<number, string[]>();
  const nodes = await Promise.allSettled(names.map(nodeOf));
  for (const [index, name] of names.entries()) {
    const node = nodes[index];
    if (node?.status !== 'fulfilled') {
      found.set(name, asError(node?.reason));
      continue;
    }
    const list = byNode.get(node.value) ?? [];
    if (list.push(name) === 1) byNode.set(node.value, list);
  }
  const asked = [...byNode].map(async ([node, some]) => {
    try {
      await ask(node, some, found);
    } catch (error) {
      for (const name of some) {
        forget(name);
        found.set(name, asError(error));
      }
    }
  });
  await Promise.all(asked);
  return found;
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
