import { readFileSync } from 'node:fs';

/** The version of this package: package.json lies beside src/ and dist/ alike. */
export const PACKAGE_VERSION = readVersion();

function readVersion(): string {
  const file: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  if (typeof file === 'object' && file !== null && 'version' in file) return String(file.version);
  throw new Error('package.json names no version');
}
