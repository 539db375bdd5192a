import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Identity, isUsername, type LoginStore } from '../client/index.ts';
import { fileName } from './history/files.ts';
import type { Settings } from './settings.ts';
import { putInPlace } from './small-file.ts';

const FOLDER = 'logins';
const FOLDER_MODE = 0o700;
/** Everybody but the owner. */
const OTHERS = 0o077;
const TOKEN_BYTES = 32;
/** Accounts whose login is kept; with one more the one that was kept longest ago goes. */
const MAX_FILES = 100;
/** A file that is larger is not ours. */
const MAX_BYTES = 4_096;

/** A login that can be gone on with. */
export interface KeptLogin extends Identity {
  readonly token: Uint8Array;
}

/**
 * Whether logins are kept: every one (`all`, the chat), only where one is kept already, so that it does not become worthless
 * (`known`, the commands), or none, and the one that there was goes (`none`).
 */
export type Keeping = 'all' | 'known' | 'none';

/**
 * The resume token of the last login of each account, in a file of its own beside the histories: whoever has it is in
 * without a password, so nobody but the owner may read it. A failure of the file costs the person a password, never more.
 */
export class KeptLogins implements LoginStore {
  readonly #folder: string | null;
  /** A token that came encrypted does not go in plain text. */
  readonly #isEncrypted: boolean;
  readonly #servers: readonly string[];
  /** Each has a token of its own; null: the main one. */
  readonly #device: string | null;
  readonly #keeping: Keeping;
  readonly #onProblem: (sentence: string) => void;

  /** @param onProblem gets a sentence about why a login is not kept, or one that was kept is not used */
  constructor(
    settings: Pick<Settings, 'directory' | 'server' | 'others' | 'device' | 'tls' | 'staysLoggedIn'>,
    keeping: Exclude<Keeping, 'none'>,
    onProblem: (sentence: string) => void,
  ) {
    const { directory, server, others, device, tls, staysLoggedIn } = settings;
    this.#folder = directory === null ? null : join(directory, FOLDER);
    this.#isEncrypted = tls !== undefined;
    this.#servers = [server, ...others];
    this.#device = device;
    this.#keeping = staysLoggedIn ? keeping : 'none';
    this.#onProblem = onProblem;
  }

  /** The login of an account; null if there is none that can be used. */
  find(name: string): KeptLogin | null {
    const file = this.#keeping === 'none' ? null : this.#fileOf(name);
    if (file === null) return null;
    const kept = this.#read(file);
    if (typeof kept === 'string') {
      this.#onProblem(`The login of ${name} that is kept on this machine is not used: ${kept}`);
      return null;
    }
    if (kept === null || kept.name !== name || (kept.isEncrypted && !this.#isEncrypted)) return null;
    if (kept.expiresAt > Date.now()) return kept;
    this.#remove(file);
    this.#onProblem(`The login of ${name} that was kept on this machine has run out.`);
    return null;
  }

  /** Whether the login of an account outlives this process. */
  has(name: string): boolean {
    return this.#keeping !== 'none' && this.#fileOf(name) !== null;
  }

  /** There is another token. @param expiresAt milliseconds since the epoch */
  keep(identity: Identity, expiresAt: number): void {
    const { name, token } = identity;
    const before = this.#fileOf(name);
    if (this.#keeping === 'none') {
      this.#remove(before);
      return;
    }
    const isWanted = this.#keeping === 'all' || before !== null;
    if (!isWanted || this.#folder === null || token === null) return;
    const file = before ?? this.#fileFor(this.#folder, this.#servers[0] ?? '', name);
    const content = {
      ...identity,
      token: Buffer.from(token).toString('base64url'),
      expiresAt,
      isEncrypted: this.#isEncrypted,
    };
    try {
      mkdirSync(this.#folder, { recursive: true, mode: FOLDER_MODE });
      const problem = notPrivate(this.#folder, lstatSync(this.#folder), 'a folder');
      if (problem !== null) {
        this.#onProblem(`The login of ${name} is not kept: ${problem}`);
        return;
      }
      putInPlace(file, `${JSON.stringify(content)}\n`);
    } catch (error) {
      this.#onProblem(`The login of ${name} is not kept: ${reasonOf(error)}`);
      return;
    }
    this.#bound(this.#folder);
  }

  /** @param token only if it is the one that is kept: another program may have kept a newer one */
  forget(name: string, token: Uint8Array | null = null): void {
    const file = this.#fileOf(name);
    if (file === null) return;
    const kept = this.#read(file);
    const isOther = token !== null && kept !== null && typeof kept !== 'string';
    if (isOther && !Buffer.from(kept.token).equals(token)) return;
    this.#remove(file);
  }

  /** The file of the first server of the list that has one: the same for a list that was made longer. */
  #fileOf(name: string): string | null {
    const folder = this.#folder;
    if (folder === null) return null;
    const files = this.#servers.map((server) => this.#fileFor(folder, server, name));
    return files.find(isThere) ?? null;
  }

  #fileFor(folder: string, server: string, name: string): string {
    return join(folder, fileName(server, name, this.#device).replace(/\.db$/, '.json'));
  }

  /** The login; a sentence about why it may not be used; null for what is none. */
  #read(
    file: string,
  ): (KeptLogin & { readonly expiresAt: number; readonly isEncrypted: boolean }) | string | null {
    try {
      const folder = join(file, '..');
      const stats = lstatSync(file);
      const problem = notPrivate(folder, lstatSync(folder), 'a folder') ?? notPrivate(file, stats, 'a file');
      if (problem !== null) return problem;
      if (stats.size > MAX_BYTES) return null;
      return loginIn(JSON.parse(readFileSync(file, 'utf8')));
    } catch {
      return null;
    }
  }

  #remove(file: string | null): void {
    if (file === null) return;
    try {
      rmSync(file, { force: true });
    } catch (error) {
      this.#onProblem(`A login that was kept is not taken away: ${reasonOf(error)}`);
    }
  }

  #bound(folder: string): void {
    for (const file of filesByAge(folder).slice(MAX_FILES)) this.#remove(file);
  }
}

/** The newest first; none where the folder cannot be read. */
function filesByAge(folder: string): string[] {
  try {
    return readdirSync(folder)
      .map((name) => join(folder, name))
      .map((file) => ({ file, at: statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
      .toSorted((one, other) => other.at - one.at)
      .map(({ file }) => file);
  } catch {
    return [];
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Also a link that leads nowhere. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** Why others might read or change it; null if nobody but the owner can. */
function notPrivate(path: string, stats: Stats, what: 'a file' | 'a folder'): string | null {
  const isRight = what === 'a file' ? stats.isFile() : stats.isDirectory();
  if (!isRight) return `${path} is not ${what}. Move it away.`;
  // Windows has neither owners nor rights of this kind.
  if (process.getuid === undefined) return null;
  if (stats.uid !== process.getuid()) return `${path} belongs to somebody else. Move it away.`;
  if ((stats.mode & OTHERS) === 0) return null;
  return `others may look into ${path}:  chmod go-rwx ${path}`;
}

function loginIn(content: unknown) {
  if (typeof content !== 'object' || content === null) return null;
  const { name, incarnation, inbox, isOpen, token, expiresAt, isEncrypted } = content as Record<
    string,
    unknown
  >;
  if (typeof name !== 'string' || !isUsername(name)) return null;
  if (!isHex(incarnation) || !isHex(inbox) || typeof token !== 'string') return null;
  if (typeof expiresAt !== 'number' || typeof isEncrypted !== 'boolean' || typeof isOpen !== 'boolean')
    return null;
  const bytes = new Uint8Array(Buffer.from(token, 'base64url'));
  if (bytes.length !== TOKEN_BYTES) return null;
  return { name, incarnation, inbox, isOpen, token: bytes, expiresAt, isEncrypted };
}

function isHex(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{32}$/.test(text);
}
