/**
 * Three brokers, restarted in turn while people talk: nobody is told anything, and nothing is lost. In the full size: each day
 * outage.test.ts has a broker that is killed, and e2e/cluster.test.ts three of which one is.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import type { Account } from '../../src/core/accounts.ts';
import { EngineError } from '../../src/core/errors.ts';
import type { Storage } from '../../src/core/storage.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { borrowCluster, type LentCluster } from '../broker/borrow.ts';
import { TEST_KEYS } from '../broker/brokers.ts';
import { javaUsable } from '../broker/java.ts';
import { eventually, message, type ObservedInbox, observe, uniqueName } from '../contracts/cluster.ts';
import { FULL, inFullSize } from '../size.ts';
import { testLog } from './cluster.ts';

const PEOPLE = 60;
const ROUNDS = Number(process.env.MILENA_TEST_ROUNDS ?? 1);

const PATIENCE = { timeout: 120_000 + ROUNDS * 120_000 };

describe.skipIf(!FULL || !(await javaUsable()))(inFullSize('a rolling restart'), PATIENCE, () => {
  let cluster: LentCluster;
  let engines: Storage[] = [];

  beforeAll(async () => {
    cluster = await borrowCluster();
    const settings = {
      MILENA_KAFKA_BROKERS: cluster.brokers,
      MILENA_CLUSTER_KEYS: TEST_KEYS,
      MILENA_REPLICATION_FACTOR: '3',
      MILENA_SEND_TIMEOUT_MS: '30000',
    };
    engines = [
      await openKafkaStorage(readConfig(settings), testLog),
      await openKafkaStorage(readConfig(settings), testLog),
    ];
  });
  afterAll(async () => {
    await Promise.all(engines.map((engine) => engine.close()));
    await cluster?.stop();
  });

  it('ends no session, and everything that was confirmed arrives once and in order', async () => {
    const people: Account[] = [];
    for (let i = 0; i < PEOPLE; i++) {
      const name = uniqueName(`p${i}`);
      people.push(await (engines[i % 2] as Storage).accounts.create({ name }));
    }
    const readers: ObservedInbox[] = [];
    for (const [i, account] of people.entries()) {
      const engine = engines[i % 2] as Storage;
      const reader = await observe(engine, account, {
        deliver: 'all',
        onMessage: ({ offset }) => readers[i]?.inbox.acknowledge(0, offset),
      });
      readers[i] = reader;
    }
    const accepted = people.map(() => [] as string[]);
    const failed: unknown[] = [];
    let talking = true;
    let lastAt = performance.now();
    let longestMs = 0;
    const talk = async (i: number) => {
      const to = (i * 7 + 1) % PEOPLE;
      for (let n = 0; talking; n++) {
        const body = `${i} ${n}`;
        try {
          await (engines[i % 2] as Storage).inboxes.append(
            people[to] as Account,
            message(people[i] as Account, body),
          );
          accepted[to]?.push(body);
          longestMs = Math.max(longestMs, performance.now() - lastAt);
          lastAt = performance.now();
        } catch (error) {
          failed.push(error);
        }
        // Some are quiet for longer than a leader moves.
        await new Promise((resolve) => setTimeout(resolve, i % 3 === 0 ? 4_000 : 100));
      }
    };
    const talks = people.map((_, i) => talk(i));
    for (let round = 0; round < ROUNDS; round++) {
      for (const node of cluster.nodes) {
        await node.halt();
        await node.start();
      }
    }
    talking = false;
    await Promise.all(talks);
    console.log(
      `rolling restarts: ${ROUNDS}; longest time with nothing accepted: ${Math.round(longestMs)} ms`,
    );
    expect(failed.filter((error) => !(error instanceof EngineError && error.code === 'UNAVAILABLE'))).toEqual(
      [],
    );
    expect(readers.flatMap(({ lost }) => lost)).toEqual([]);
    for (const [i, reader] of readers.entries()) {
      const confirmed = new Set(accepted[i]);
      const arrived = () => reader.bodies().filter((body) => confirmed.has(body));
      await eventually(() => expect(arrived().length).toBeGreaterThanOrEqual(confirmed.size));
      // What nobody has confirmed may have arrived, too, but nothing twice.
      expect(new Set(reader.bodies()).size).toBe(reader.bodies().length);
      const ofEach = (bodies: readonly string[]) => Map.groupBy(bodies, (body) => body.split(' ')[0]);
      expect(ofEach(arrived())).toEqual(ofEach([...confirmed]));
    }
    await Promise.all(readers.map(({ inbox }) => inbox.close()));
  });
});
