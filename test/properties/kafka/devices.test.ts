/* Devices of one account, on Kafka. */
import fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import type { TestCluster } from '../../contracts/cluster.ts';
import { kafkaCluster } from '../../kafka/cluster.ts';
import { runs } from '../checking.ts';
import { DEVICE_STEPS, playDevices } from '../devices.ts';
import { newAccount } from './new-account.ts';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await kafkaCluster();
});
afterAll(() => cluster.close());

test('each device gets what it is owed, once and in order, and all agree on what is delivered', async () => {
  await fc.assert(
    fc.asyncProperty(DEVICE_STEPS, async (all) => {
      await playDevices(cluster, await newAccount(cluster, 'several'), all);
    }),
    runs(8),
  );
});
