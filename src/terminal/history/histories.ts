import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Identity, isUsername, type MessageStore, type Unsettled } from '../../client/index.ts';
import { readEntries, writeEntries } from '../small-file.ts';
import { HistoryError } from './errors.ts';
import { fileName, serverOf } from './files.ts';
import { History } from './history.ts';

export interface HistoriesOptions {
  /** Where the files are, one for each account and server; null: in memory only. */
  readonly directory: string | null;
  /** As `host:port`. */
  readonly server: string;
  /** Further servers of the same list: a history of theirs is this one's, too. */
  readonly others?: readonly string[] | undefined;
  /** Each device has its own: null unless it is given, the main one. */
  readonly device?: string | null;
  /** Gets each sentence once: why something is not kept, and what to do. */
  readonly onProblem: (sentence: string) => void;
  /** As `HistoryOptions.now`. */
  readonly now?: () => number;
}

/**
 * The histories of the accounts that somebody was logged in to in this process. One whose file cannot be used is in
 * memory. All stay open until `close`, since what is in memory would be lost and since events may still come.
 */
export class Histories implements MessageStore {
  readonly #options: HistoriesOptions;
  readonly #histories = new Map<string, History>();
  readonly #told = new Set<string>();
  #current: History | null = null;

  constructor(options: HistoriesOptions) {
    this.#options = options;
  }

  /** Of the account that was logged in to last, or that `open` was called for. */
  get current(): History | null {
    return this.#current;
  }

  /** The account that a person was logged in to last, in whatever process; null if there is none. */
  lastAccount(): string | null {
    const { directory } = this.#options;
    return directory === null ? null : lastAccount(directory, this.#servers);
  }

  /** A person is logged in: the next process asks for this account. */
  entered(account: string): void {
    const { directory } = this.#options;
    if (directory !== null) rememberAccount(directory, this.#servers, account);
  }

  /** The account's history without a login: for reading offline. */
  open(account: string): History {
    const name = account.toLowerCase();
    this.#current = this.#histories.get(name) ?? this.#make(name);
    this.#histories.set(name, this.#current);
    return this.#current;
  }

  /** As `open`, where there is a file of it: who is not let in leaves none. */
  openKept(account: string): void {
    if (this.#hasFile(account.toLowerCase())) this.open(account);
  }

  /** Whether there is anything in the account's history, of this process or an earlier one. */
  has(account: string): boolean {
    const name = account.toLowerCase();
    const opened = this.#histories.get(name);
    return opened === undefined ? this.#hasFile(name) : opened.conversations().length > 0;
  }

  begin({ name, incarnation, inbox }: Pick<Identity, 'name' | 'incarnation' | 'inbox'>): void {
    this.open(name).begin(incarnation, inbox);
  }

  commit(): void {
    this.#current?.commit();
  }

  hasSeen(key: string): boolean {
    return this.#current?.hasSeen(key) ?? false;
  }

  unsettled(): Unsettled[] {
    return this.#current?.unsettled() ?? [];
  }

  /** Commits and closes them all. Idempotent. */
  close(): void {
    for (const history of this.#histories.values()) history.close();
    this.#histories.clear();
    this.#current = null;
  }

  get #servers(): readonly string[] {
    const { server, others = [] } = this.#options;
    return [server, ...others];
  }

  #hasFile(account: string): boolean {
    const { directory, device = null } = this.#options;
    if (directory === null) return false;
    const server = serverOf(directory, this.#servers, account, device);
    return existsSync(join(directory, fileName(server, account, device)));
  }

  #make(account: string): History {
    const { directory, now, device = null } = this.#options;
    const server = serverOf(directory, this.#servers, account, device);
    const clock = now === undefined ? {} : { now };
    const onProblem = (sentence: string) => this.#tell(sentence);
    try {
      return History.open({ directory, server, account, device, onProblem, ...clock });
    } catch (error) {
      if (!(error instanceof HistoryError)) throw error;
      this.#tell(error.message);
      return History.open({ directory: null, server, account, ...clock });
    }
  }

  #tell(sentence: string): void {
    if (this.#told.has(sentence)) return;
    this.#told.add(sentence);
    this.#options.onProblem(
      `${sentence} Until the client is started again, messages are kept only as long as it runs.`,
    );
  }
}

const FILE = 'accounts.json';
/** Servers whose account is remembered; with one more the oldest goes. */
const MAX_SERVERS = 200;

/** The account that the chat was logged in to last on one of these servers; null if nobody knows. */
function lastAccount(directory: string, servers: readonly string[]): string | null {
  const accounts = readEntries(join(directory, FILE), isAccount);
  const server = servers.find((name) => accounts.has(name.toLowerCase()));
  return server === undefined ? null : (accounts.get(server.toLowerCase()) ?? null);
}

/** Somebody is logged in: a name that was only typed is nobody's. */
function rememberAccount(directory: string, servers: readonly string[], account: string): void {
  const file = join(directory, FILE);
  const accounts = new Map(readEntries(file, isAccount));
  const names = servers.map((server) => server.toLowerCase());
  if (names.every((server) => accounts.get(server) === account)) return;
  for (const server of names) {
    accounts.delete(server);
    accounts.set(server, account);
  }
  writeEntries(file, accounts, MAX_SERVERS);
}

function isAccount(value: unknown): value is string {
  return typeof value === 'string' && isUsername(value);
}
