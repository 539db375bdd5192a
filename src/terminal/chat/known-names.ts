import { putLast } from '../../util/bounded-map.ts';

/** How long a completion waits for the server; what comes later is there for the next Tab. */
const PATIENCE_MS = 300;
/** How long an answer is good for. */
const FRESH_MS = 30_000;
/** Beginnings whose names are remembered; with one more the oldest goes. */
const MAX_BEGINNINGS = 50;
/** A name of any account or room begins like this, and nothing else goes into a pattern. */
const BEGINNING = /^#?[a-z0-9_-]{0,32}$/;

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

/** A part of what there is. */
interface Some {
  readonly names: readonly string[];
  /** Whether there are others. */
  readonly more: boolean;
}

/** What the server is asked for names. Each throws ClientError. */
export interface NamesPort {
  /** Accounts that match. */
  list(pattern: string): Promise<Some>;
  readonly rooms: {
    /** Rooms that match. */
    like(pattern: string): Promise<Some>;
    /** Who is in a room. */
    members(room: string): Promise<Some>;
  };
}

type Names = readonly string[] | Promise<readonly string[]>;

/** All kinds of names that the server knows, by their beginnings; none without a connection. */
export class ServerNames {
  readonly #port: () => NamesPort;
  readonly #isOnline: () => boolean;
  readonly #people = new KnownNames((pattern) => this.#port().list(pattern));
  readonly #rooms = new KnownNames((pattern) => this.#port().rooms.like(pattern));
  /** Who is in the room that was asked about last. */
  #members: { readonly room: string; readonly names: KnownNames } | null = null;

  constructor(port: () => NamesPort, isOnline: () => boolean) {
    this.#port = port;
    this.#isOnline = isOnline;
  }

  people(typed: string): Names {
    return this.#isOnline() ? this.#people.like(typed) : [];
  }

  rooms(typed: string): Names {
    return this.#isOnline() ? this.#rooms.like(typed) : [];
  }

  members(room: string, typed: string): Names {
    if (!this.#isOnline()) return [];
    if (this.#members?.room !== room) {
      this.#members = { room, names: new KnownNames(() => this.#port().rooms.members(room)) };
    }
    const isMeant = (name: string) => name.startsWith(typed.toLowerCase());
    const all = this.#members.names.like('');
    return all instanceof Promise ? all.then((names) => names.filter(isMeant)) : all.filter(isMeant);
  }
}
