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
