import type { Account } from '../../../src/core/accounts.ts';
import { EngineError } from '../../../src/core/errors.ts';
import { type TestCluster, uniqueName } from '../../contracts/cluster.ts';

/** Under another name where a broker that has just begun is so slow that nobody knows whether it was made. */
export async function newAccount({ here }: TestCluster, stem: string): Promise<Account> {
  for (;;) {
    try {
      return await here.accounts.create({ name: uniqueName(stem) });
    } catch (error) {
      if (!(error instanceof EngineError && ['BUSY', 'UNAVAILABLE'].includes(error.code))) throw error;
    }
  }
}
