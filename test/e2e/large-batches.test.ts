/** Batches of 1 MiB in hundreds of inboxes: everybody gets them, and a frontend holds few of them at a time. */
import { afterAll, beforeAll, expect } from 'vitest';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { testBrokers } from '../broker/brokers.ts';
import { eventually, uniqueName } from '../contracts/cluster.ts';
import { rawBatch, recordsOf } from '../kafka/packed.ts';
import { appendRaw } from '../kafka/raw-append.ts';
import { RawClient2 } from '../server/raw-client2.ts';
import { inFull } from '../size.ts';
import { peakOf } from './peak.ts';
import { built, RunningFrontend } from './running-frontend.ts';

const PEOPLE = 200;
/** As large as a batch may be: ten records and a small one. */
const BODIES = [...Array.from({ length: 10 }, (_, i) => `${i}`.padEnd(104_000, '.')), 'last'];
const BATCH = rawBatch(recordsOf(BODIES), { count: BODIES.length, kind: 0 });

let frontend: RunningFrontend;
let raw: Cluster;
const clients: RawClient2[] = [];

beforeAll(async () => {
  await built();
  frontend = await RunningFrontend.start({ MILENA_KAFKA_BROKERS: testBrokers().join(',') });
  raw = new Cluster({ bootstrap: testBrokers(), clientId: 'large' });
  await raw.connect();
});
afterAll(async () => {
  for (const client of clients) client.socket.destroy();
  await raw.close();
  await frontend.remove();
});

async function write(name: string): Promise<void> {
  expect(await appendRaw(raw, `milena.inbox.${name}`, BATCH)).toBe(0);
}

async function person(): Promise<{ name: string; client: RawClient2 }> {
  const name = uniqueName('large');
  const client = await RawClient2.connect(frontend.address);
  clients.push(client);
  await client.create(name);
  return { name, client };
}

inFull(
  'reach two hundred people who are in, and who come back at the same moment',
  async () => {
    const people: Awaited<ReturnType<typeof person>>[] = [];
    // Accounts are made some at a time, as Kafka makes topics.
    while (people.length < PEOPLE) people.push(...(await Promise.all(Array.from({ length: 10 }, person))));
    const before = peakOf(frontend.child.pid ?? -1);
    const has = (client: RawClient2, times: number) =>
      client.bodies().filter((body) => body === 'last').length === times;
    for (const { name } of people) await write(name);
    await eventually(() => expect(people.every(({ client }) => has(client, 1))).toBe(true));
    // Nothing was acknowledged: all of it comes again.
    for (const { client } of people) client.socket.destroy();
    const back = await Promise.all(
      people.map(async ({ name }) => {
        const client = await RawClient2.connect(frontend.address);
        clients.push(client);
        await client.login(name, { takeover: true });
        return client;
      }),
    );
    await eventually(() => expect(back.every((client) => has(client, 1))).toBe(true));
    expect(peakOf(frontend.child.pid ?? -1) - before).toBeLessThan(250);
  },
  180_000,
);
