import type { Version } from './version.ts';
import { version1 } from './version1.ts';
import { version2 } from './version2.ts';

/** By the first byte of a frame. */
export const VERSIONS: ReadonlyMap<number, Version> = new Map(
  [version1, version2].map((version) => [version.number, version]),
);

/** What somebody gets an answer in whose version is not known (yet). */
export const FALLBACK_VERSION: Version = version1;

/** The version of this number, or what somebody gets an answer in who has spoken none that is known. */
export function versionOf(number: number | undefined): Version {
  return (number === undefined ? undefined : VERSIONS.get(number)) ?? FALLBACK_VERSION;
}
