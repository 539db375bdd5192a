import { openMemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { accountsContract } from '../contracts/accounts.contract.ts';
import type { MakeCluster } from '../contracts/cluster.ts';
import { inboxesContract } from '../contracts/inboxes.contract.ts';
import { resumeTokensContract } from '../contracts/resume-tokens.contract.ts';
import { roomMessagesContract } from '../contracts/room-messages.contract.ts';
import { roomsContract } from '../contracts/rooms.contract.ts';
import { FaultyStore } from './faulty-store.ts';

/** Two storages on one store: the true ones, or those that tests of the server run on. */
const onMemory =
  (open: (store: FaultyStore) => ReturnType<typeof openMemoryStorage>): MakeCluster =>
  async () => {
    const store = new FaultyStore();
    const [here, elsewhere] = [open(store), open(store)];
    return {
      here,
      elsewhere,
      produceRaw: (account, record) => store.produceRaw(account, record),
      close: async () => {
        await Promise.all([here.close(), elsewhere.close()]);
      },
    };
  };

for (const [name, makeCluster] of [
  ['memory', onMemory((store) => openMemoryStorage(store))],
  ['memory with faults', onMemory((store) => store.open())],
] as const) {
  accountsContract(name, makeCluster);
  inboxesContract(name, makeCluster);
  resumeTokensContract(name, makeCluster);
  roomsContract(name, makeCluster);
  roomMessagesContract(name, makeCluster);
}
