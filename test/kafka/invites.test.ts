/** The last use of an invite, where Kafka is away at the wrong moment. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { EngineError } from '../../src/core/errors.ts';
import { eventually, type TestCluster, uniqueName } from '../contracts/cluster.ts';
import { kafkaCluster } from './cluster.ts';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await kafkaCluster();
});
afterAll(async () => {
  await cluster.close();
});

it('an invite is good for no more accounts where the one too many cannot be removed at once', async () => {
  const { here, elsewhere } = cluster;
  const removals = [here, elsewhere].map(({ accounts }) =>
    vi.spyOn(accounts, 'remove').mockRejectedValueOnce(new EngineError('UNAVAILABLE', 'Kafka is away')),
  );
  for (let left = 0; left === 0; ) {
    const invite = { id: randomBytes(8).toString('hex'), uses: 1 };
    const names = Array.from({ length: 6 }, () => uniqueName('racer'));
    const results = await Promise.allSettled(
      names.map((name, i) => (i % 2 === 0 ? here : elsewhere).accounts.create({ name, invite })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    left = removals.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    for (const { accounts } of [here, elsewhere]) {
      await eventually(() => {
        expect(names.filter((name) => accounts.get(name) !== undefined)).toHaveLength(1);
      });
    }
  }
});
