import { randomBytes } from 'node:crypto';

/** A key of the cluster: all frontends have the same ones. */
export interface ClusterKey {
  /** `[A-Za-z0-9_-]{1,32}`; tells which key a record was signed with. */
  readonly id: string;
  /** At least 32 bytes. */
  readonly secret: Buffer;
}

/** A new random key, named by the day it was made. */
export function newClusterKey(now = new Date()): ClusterKey {
  return { id: `k${now.toISOString().slice(0, 10).replaceAll('-', '')}`, secret: randomBytes(32) };
}
