import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/**
 * The text of a file that people write. Anything else under its name is not waited for: a pipe might never say a word, and
 * a device never end.
 * @param maxBytes one that is larger is not read
 * @throws what the file system throws, or an error with the code `EISDIR`, `NOT_REGULAR` or `TOO_LARGE`
 */
export function readRegularFile(file: string, maxBytes: number): string {
  // Without it, opening a pipe waits for somebody who writes.
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    if (stats.isDirectory()) throw failure(file, 'EISDIR');
    if (!stats.isFile()) throw failure(file, 'NOT_REGULAR');
    if (stats.size > maxBytes) throw failure(file, 'TOO_LARGE');
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

function failure(file: string, code: string): Error {
  return Object.assign(new Error(`${file}: ${code}`), { code });
}

/** Why a file could not be read, for a message; `error` is the file system's. */
export function whyNotRead(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EISDIR':
      return 'this is a folder';
    case 'NOT_REGULAR':
      return 'this is none, but a pipe, a socket or a device';
    case 'TOO_LARGE':
      return 'it is too large for one';
    case 'EACCES':
    case 'EPERM':
      return 'you may not read it';
    case 'ELOOP':
      return 'its links lead in a circle';
    default:
      return `it cannot be read (${code === '' ? error : code})`;
  }
}
