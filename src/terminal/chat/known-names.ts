import { putLast } from '../../util/bounded-map.ts';

/** How long a completion waits for the server; what comes later is there for the next Tab. */
const PATIENCE_MS = 300;
/** How long an answer is good for. */
const FRESH_MS = 30_000;
/** Beginnings whose names are remembered; with one more the oldest goes. */
const MAX_BEGINNINGS = 50;
/** A name of any account begins like this, and nothing else goes into a pattern. */
const BEGINNING = /^[a-z0-9_-]{0,32}$/;

interface Answer {
  readonly names: readonly string[];
  /** Whether the server knows others that begin so. */
  readonly more: boolean;
  /** By the monotonic clock. */
  readonly at: number;
}

/**
 * The server's names by their beginnings, for Tab: asked for once each, and not at all where a shorter beginning has
 * brought them all.
 */
export class KnownNames {
  readonly #list: (pattern: string) => Promise<Omit<Answer, 'at'>>;
  readonly #answers = new Map<string, Answer>();
  readonly #asked = new Map<string, Promise<readonly string[]>>();

  /** @param list the server's answer to a pattern */
  constructor(list: (pattern: string) => Promise<Omit<Answer, 'at'>>) {
    this.#list = list;
  }

  /** At once where they are known; otherwise as soon as the server has answered, or without names when it takes too long. */
  like(typed: string): readonly string[] | Promise<readonly string[]> {
    const beginning = typed.toLowerCase();
    if (!BEGINNING.test(beginning)) return [];
    const known = this.#known(beginning);
    if (known !== null) return known;
    const asked = this.#asked.get(beginning) ?? this.#ask(beginning);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<readonly string[]>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS, []);
    });
    return Promise.race([asked, late]).finally(() => clearTimeout(timer));
  }

  #known(beginning: string): readonly string[] | null {
    const now = performance.now();
    for (let length = beginning.length; length >= 0; length--) {
      const answer = this.#answers.get(beginning.slice(0, length));
      const isWhole = answer !== undefined && (length === beginning.length || !answer.more);
      if (isWhole && now - answer.at < FRESH_MS) {
        return answer.names.filter((name) => name.startsWith(beginning));
      }
    }
    return null;
  }

  #ask(beginning: string): Promise<readonly string[]> {
    const asked = this.#list(`${beginning}*`)
      .then(({ names, more }) => {
        putLast(this.#answers, beginning, { names, more, at: performance.now() }, MAX_BEGINNINGS);
        return names;
      })
      // Nobody has to know: the next Tab asks again.
      .catch(() => [])
      .finally(() => this.#asked.delete(beginning));
    this.#asked.set(beginning, asked);
    return asked;
  }
}
