import { join } from 'node:path';
import { type Address, type LastServer, serverText } from '../client/index.ts';
import { readEntries, writeEntries } from './small-file.ts';

const FILE = 'servers.json';
/** Lists of servers that are remembered; with one more the oldest goes. */
const MAX_LISTS = 50;

type Answered = readonly [server: string, address: string];

/**
 * Which server of a list answered last, in a small file beside the histories: a later process begins with it, instead of
 * waiting for one that hangs. It only spares time, so no failure of the file counts.
 */
export class LastServerFile implements LastServer {
  readonly #file: string;
  readonly #list: string;
  #known: Answered | undefined;

  /** @param directory where histories lie; null: nothing is kept on disk */
  static in(directory: string | null, servers: readonly Address[]): LastServerFile | undefined {
    return directory === null ? undefined : new LastServerFile(directory, servers);
  }

  private constructor(directory: string, servers: readonly Address[]) {
    this.#file = join(directory, FILE);
    this.#list = servers.map(serverText).join(',').toLowerCase();
    this.#known = readEntries(this.#file, isAnswered).get(this.#list);
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
    const lists = new Map(readEntries(this.#file, isAnswered));
    lists.delete(this.#list);
    writeEntries(this.#file, lists.set(this.#list, this.#known), MAX_LISTS);
  }
}

function isAnswered(value: unknown): value is Answered {
  return Array.isArray(value) && value.length === 2 && value.every((text) => typeof text === 'string');
}
