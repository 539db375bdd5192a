import { afterAll, beforeAll, describe } from 'vitest';
import type { MakeCluster, TestCluster } from './cluster.ts';
import { appendingContract } from './inboxes/appending.ts';
import { deliveryContract } from './inboxes/delivery.ts';
import { devicesContract } from './inboxes/devices.ts';
import { holdingContract } from './inboxes/holding.ts';
import { interleavingContract } from './inboxes/interleaving.ts';
import { livesContract } from './inboxes/lives.ts';
import { notesContract } from './inboxes/notes.ts';
import { outsideContract } from './inboxes/outside.ts';
import { readingContract } from './inboxes/reading.ts';
import { receiptsContract } from './inboxes/receipts.ts';

/** Every sentence of the `Inboxes` and `Inbox` interfaces, for any implementation of them. */
export function inboxesContract(name: string, makeCluster: MakeCluster): void {
  describe(`inboxes: ${name}`, () => {
    let made: TestCluster | undefined;
    beforeAll(async () => {
      made = await makeCluster();
    });
    afterAll(async () => {
      await made?.close();
    });
    const cluster = (): TestCluster => {
      if (made === undefined) throw new Error('the cluster is made before the first test runs');
      return made;
    };

    appendingContract(cluster);
    deliveryContract(cluster);
    interleavingContract(cluster);
    readingContract(cluster);
    receiptsContract(cluster);
    holdingContract(cluster);
    devicesContract(cluster);
    notesContract(cluster);
    livesContract(cluster);
    outsideContract(cluster);
  });
}
