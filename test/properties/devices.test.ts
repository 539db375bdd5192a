/* Devices of one account, in memory; on Kafka in kafka/devices.test.ts. */
import fc from 'fast-check';
import { test } from 'vitest';
import { MemoryStore, openMemoryStorage } from '../../src/storage/memory/index.ts';
import { runs } from './checking.ts';
import { DEVICE_STEPS, playDevices } from './devices.ts';

test('each device gets what it is owed, once and in order, and all agree on what is delivered', async () => {
  await fc.assert(
    fc.asyncProperty(DEVICE_STEPS, async (all) => {
      const store = new MemoryStore();
      const [here, elsewhere] = [openMemoryStorage(store), openMemoryStorage(store)];
      const account = await here.accounts.create({ name: 'owner' });
      await playDevices({ here, elsewhere, close: async () => {} }, account, all);
    }),
    runs(60),
  );
});
