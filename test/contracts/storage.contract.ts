import { describe, expect, it } from 'vitest';
import type { MakeCluster } from './cluster.ts';

/** What the `Storage` interface says of a storage as a whole, for any implementation of it. */
export function storageContract(name: string, makeCluster: MakeCluster): void {
  describe(`storage: ${name}`, () => {
    it('is healthy while it is open, and not when it is closed', async () => {
      const cluster = await makeCluster();
      const both = [cluster.here, cluster.elsewhere];
      expect(both.map(({ isHealthy }) => isHealthy)).toEqual([true, true]);
      await cluster.close();
      expect(both.map(({ isHealthy }) => isHealthy)).toEqual([false, false]);
    });
  });
}
