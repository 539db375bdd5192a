/** Frontends of the version that held inboxes by Kafka's older group protocol. */
import { randomUUID } from 'node:crypto';
import {
  createTopicsV7,
  joinGroupV9,
  leaveGroupV5,
  offsetCommitV9,
  syncGroupV5,
  Writer,
} from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/setting-table.ts';
import { newClusterKey } from '../../src/core/cluster-key.ts';
import type { Storage } from '../../src/core/storage.ts';
import { Signer } from '../../src/storage/kafka/inbox/signature.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { expectNone, KafkaCode } from '../../src/storage/kafka/wire/kafka-error.ts';
import { now, retry } from '../../src/storage/kafka/wire/retry.ts';
import { uuidText } from '../../src/util/uuid.ts';
import { borrowBroker } from '../broker/borrow.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { eventually, message, observe, uniqueName } from '../contracts/cluster.ts';
import { testConfig, testLog, testTrust } from './cluster.ts';

/** Its topic, which it makes before it does anything else. */
const TOPIC = 'milena.control';

describe('beside frontends of the older kind', () => {
  let broker: TestBroker;
  let raw: Cluster;

  beforeAll(async () => {
    broker = await borrowBroker();
    raw = new Cluster({ bootstrap: [broker.brokers], clientId: 'older' });
    await raw.connect();
    // A new cluster has no coordinators for its first seconds.
    await eventually(() => raw.coordinator('group', 'any'));
  });
  afterAll(async () => {
    await raw?.close();
    await broker?.stop();
  });

  const open = (): Promise<Storage> =>
    openKafkaStorage(testConfig({ MILENA_KAFKA_BROKERS: broker.brokers }), testLog);

  /** As the older version did: the static member `holder`, under a random protocol name. */
  async function hold(group: string, signer: Signer | null = testTrust.signer): Promise<() => Promise<void>> {
    const [nonce, frontendId] = [randomUUID(), randomUUID()];
    const parts = ['milena-member-1', group, frontendId, nonce];
    const userData = `${frontendId} ${nonce}${signer ? ` ${signer.signParts(parts)}` : ''}`;
    const metadata = Writer.create()
      .appendInt16(0)
      .appendArray([] as string[], (writer, topic) => writer.appendString(topic, false), false, false)
      .appendBytes(Buffer.from(userData), false).buffer;
    const deadline = now() + 20_000;
    const { memberId, generationId } = await retry('join', deadline, async () => {
      const joined = await raw.requestCoordinator(
        'group',
        group,
        joinGroupV9.api,
        group,
        60_000,
        10_000,
        '',
        'holder',
        'consumer',
        [{ name: nonce, metadata }],
        null,
      );
      expectNone('JoinGroup', joined.errorCode);
      return joined;
    });
    const synced = await raw.requestCoordinator(
      'group',
      group,
      syncGroupV5.api,
      group,
      generationId,
      memberId,
      'holder',
      'consumer',
      nonce,
      [{ memberId, assignment: Buffer.alloc(10) }],
    );
    expect(synced.errorCode).toBe(0);
    return async () => {
      const self = { memberId, groupInstanceId: 'holder', reason: null };
      await raw.requestCoordinator('group', group, leaveGroupV5.api, group, [self]);
    };
  }

  async function makeOlderTopic(): Promise<number | undefined> {
    const topic = { name: TOPIC, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
    const { topics } = await raw.requestAny(createTopicsV7.api, [topic], 5_000, false);
    return topics[0]?.errorCode;
  }

  it('one of this kind does not start while one of them lives, and changes nothing', async () => {
    expect(await makeOlderTopic()).toBe(0);
    const leave = await hold(`milena.frontend.${randomUUID()}`);
    await expect(open()).rejects.toThrow(ConfigError);
    await expect(open()).rejects.toThrow(/older version is running \(group milena\.frontend\..*Going over/);
    expect(await makeOlderTopic()).toBe(KafkaCode.TOPIC_ALREADY_EXISTS);
    await leave();
    await (await open()).close();
  });

  it('whoever is called like one of them keeps nobody from starting', async () => {
    const group = `milena.frontend.${randomUUID()}`;
    const leaves = [await hold(group, null), await hold(`${group}-1`, new Signer([newClusterKey()]))];
    await (await open()).close();
    for (const leave of leaves) await leave();
  });

  it('none of them can start once one of this kind has: it cannot make its topic', async () => {
    await (await open()).close();
    expect(await makeOlderTopic()).toBe(KafkaCode.INVALID_TOPIC_EXCEPTION);
    // Also after this one has started again.
    await (await open()).close();
    expect(await makeOlderTopic()).toBe(KafkaCode.INVALID_TOPIC_EXCEPTION);
  });

  it('what one of them held when it was killed, and had committed, is taken over', async () => {
    const engine = await open();
    const owner = await engine.accounts.create({ name: uniqueName('heir') });
    for (const body of ['a', 'b', 'c']) await engine.inboxes.append(owner, message(owner, body));
    const group = `milena.inbox.${owner.name}`;
    const committed = { committedOffset: 1n, committedMetadata: `1 ${uuidText(owner.incarnation)} ` };
    const partition = { partitionIndex: 0, committedLeaderEpoch: -1, ...committed };
    await raw.requestCoordinator('group', group, offsetCommitV9.api, group, -1, '', null, [
      { name: group, partitions: [partition] },
    ]);
    await hold(group);
    const { inbox } = await observe(engine, owner);
    expect(await inbox.undelivered()).toBe(2);
    await inbox.confirm();
    await inbox.close();
    await engine.close();
  });
});
