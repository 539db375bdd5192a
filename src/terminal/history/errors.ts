/** Why a history cannot be used; `message` is a sentence or two for the person: what is wrong, and what to do. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError';
}

/** What SQLite throws through node:sqlite. */
interface SqliteError extends Error {
  /** Its extended result code. */
  readonly errcode: number;
}

export function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
}

/** These bits of a result code are the primary one; an extended code says more in its upper bits. */
export const PRIMARY = 0xff;

/** By SQLite's primary result code. */
const BY_RESULT: ReadonlyMap<number, (file: string) => string> = new Map([
  [3, forbidden],
  [5, held],
  [6, held],
  [8, forbidden],
  [10, unreadable],
  [11, damaged],
  [13, full],
  [14, forbidden],
  [26, damaged],
]);

/** By the operating system's error code. */
const BY_CODE: ReadonlyMap<string, (path: string) => string> = new Map([
  ['EACCES', forbidden],
  ['EPERM', forbidden],
  ['EROFS', forbidden],
  ['ENOSPC', full],
  ['EDQUOT', full],
  ['EEXIST', noDirectory],
  ['ENOTDIR', noDirectory],
]);

/** An error of SQLite or of the file system as a HistoryError; anything else as it is. */
export function historyError(error: unknown, path: string): unknown {
  if (error instanceof HistoryError || !(error instanceof Error)) return error;
  if (isSqliteError(error)) {
    const sentence = BY_RESULT.get(error.errcode & PRIMARY);
    return new HistoryError(sentence?.(path) ?? other(path, error), { cause: error });
  }
  if (!('syscall' in error) || !('code' in error)) return error;
  return new HistoryError(BY_CODE.get(String(error.code))?.(path) ?? other(path, error), { cause: error });
}

function forbidden(path: string): string {
  return `The history in ${path} may not be read and written. Give yourself the rights, or name another directory.`;
}

function held(path: string): string {
  return `Another program holds the history in ${path}. End it.`;
}

function unreadable(path: string): string {
  return `The disk fails to read or write the history in ${path}. Look after the disk, or name another directory.`;
}

/** Its -wal and -shm would be taken for those of a new file. */
function damaged(path: string): string {
  return `The history in ${path} is damaged. Move it away, with all files whose names begin like it, to begin a new one.`;
}

function full(path: string): string {
  return `There is no room on the disk for the history in ${path}. Make room.`;
}

function noDirectory(path: string): string {
  return `${path} is to be a directory for the history, and something else is there. Name another directory.`;
}

function other(path: string, error: Error): string {
  return `The history in ${path} cannot be used: ${error.message}. Mend that, or name another directory.`;
}
