import { accountsContract } from '../contracts/accounts.contract.ts';
import type { TestCluster } from '../contracts/cluster.ts';
import { inboxesContract } from '../contracts/inboxes.contract.ts';
import { resumeTokensContract } from '../contracts/resume-tokens.contract.ts';
import { MemoryCluster } from './cluster.ts';

async function makeCluster(): Promise<TestCluster> {
  const cluster = new MemoryCluster();
  const here = cluster.engine();
  const elsewhere = cluster.engine();
  return {
    here,
    elsewhere,
    produceRaw: (account, record) => cluster.produceRaw(account, record),
    close: async () => {
      await Promise.all([here.close(), elsewhere.close()]);
    },
  };
}

accountsContract('in memory', makeCluster);
inboxesContract('in memory', makeCluster);
resumeTokensContract('in memory', makeCluster);
