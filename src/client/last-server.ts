import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Address, serverText } from './address.ts';

const FILE = 'servers.json';
/** Lists of servers that are remembered; with one more the oldest goes. */
const MAX_LISTS = 50;
/** A file that is larger is not ours. */
const MAX_BYTES = 256 * 1024;

type Lists = Record<string, readonly [server: string, address: string]>;

/**
 * Which server of a list answered last, in a small file beside the histories: a later process begins with it, instead of
 * waiting for one that hangs. It only spares time, so no failure of the file counts.
 */
export class LastServer {
  readonly #directory: string;
  readonly #list: string;
  #known: readonly [string, string] | undefined;

  /** @param directory where histories lie; null: nothing is kept on disk */
  static in(directory: string | null, servers: readonly Address[]): LastServer | undefined {
    return directory === null ? undefined : new LastServer(directory, servers);
  }

  private constructor(directory: string, servers: readonly Address[]) {
    this.#directory = directory;
    this.#list = servers.map(serverText).join(',').toLowerCase();
    this.#known = this.#read()[this.#list];
  }

  /** `HOST:PORT`. */
  server(): string | undefined {
    return this.#known?.[0];
  }

  /** Its IP address. */
  address(): string | undefined {
    return this.#known?.[1];
  }

  remember(server: string, address: string): void {
    if (this.#known?.[0] === server && this.#known[1] === address) return;
    this.#known = [server, address];
    const file = join(this.#directory, FILE);
    const mine = `${file}.${process.pid}`;
    try {
      const { [this.#list]: _, ...others } = this.#read();
      const kept = Object.entries(others).slice(1 - MAX_LISTS);
      const text = JSON.stringify(Object.fromEntries([...kept, [this.#list, this.#known]]), null, 1);
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      // As a whole or not at all: other processes read it.
      writeFileSync(mine, `${text}\n`, { mode: 0o600 });
      renameSync(mine, file);
    } catch {
      // The next process begins with the first server.
    }
  }

  #read(): Lists {
    try {
      const file = join(this.#directory, FILE);
      if (statSync(file).size > MAX_BYTES) return {};
      const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
      return Object.fromEntries(Object.entries(content ?? {}).filter(isEntry));
    } catch {
      return {};
    }
  }
}

function isEntry(entry: [string, unknown]): entry is [string, readonly [string, string]] {
  const [, value] = entry;
  return Array.isArray(value) && value.length === 2 && value.every((text) => typeof text === 'string');
}
