/** Other programs in the consumer group of an inbox: whoever may read a group may join it. */
import { randomUUID } from 'node:crypto';
import { joinGroupV9, syncGroupV5, Writer } from '@platformatic/kafka';
import type { Consumer } from 'kafkajs';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newClusterKey } from '../../src/core/cluster-key.ts';
import { EngineError } from '../../src/core/errors.ts';
import type { Storage } from '../../src/core/storage.ts';
import { describeMembers, HOLDER, sendHeartbeat } from '../../src/storage/kafka/groups/consumer-members.ts';
import { newMemberId, sealOf } from '../../src/storage/kafka/groups/holder-name.ts';
import type { KafkaInbox } from '../../src/storage/kafka/inbox/inbox.ts';
import { Signer } from '../../src/storage/kafka/inbox/signature.ts';
import { Trust } from '../../src/storage/kafka/inbox/trust.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { BrokerClock } from '../../src/storage/kafka/wire/broker-clock.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { now } from '../../src/storage/kafka/wire/retry.ts';
import { testBrokers } from '../broker/brokers.ts';
import { appendAll, eventually, message, numbered, observe, uniqueName } from '../contracts/cluster.ts';
import { testConfig, witness } from './cluster.ts';

/** Of somebody who has other keys than the frontends. */
const strange = new Trust(new Signer([newClusterKey()]), new BrokerClock(), false, 0);

describe('strangers in an inbox’s group', () => {
  const lines: string[] = [];
  const raw = new Cluster({ bootstrap: testBrokers(), clientId: 'intruder' });
  let engine: Storage;

  beforeAll(async () => {
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    engine = await openKafkaStorage(testConfig(), log);
    await raw.connect();
  });
  afterAll(async () => {
    await raw.close();
    await engine.close();
  });

  const make = () => engine.accounts.create({ name: uniqueName('owner') });

  /** A plain consumer, as kafkajs has it, once it is in the group. */
  async function intrude(name: string): Promise<Consumer> {
    const consumer = witness().consumer({ groupId: `milena.inbox.${name}`, retry: { retries: 100 } });
    const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()));
    await consumer.connect();
    await consumer.subscribe({ topic: `milena.inbox.${name}`, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachMessage: async () => {} });
    await joined;
    return consumer;
  }

  /** Joins the older protocol as the static member that ours are, and holds the group. */
  async function joinClassic(group: string, instanceId = HOLDER, protocolType = 'consumer'): Promise<void> {
    const protocol = randomUUID();
    const { memberId, generationId } = await raw.requestCoordinator(
      'group',
      group,
      joinGroupV9.api,
      group,
      10_000,
      10_000,
      '',
      instanceId,
      protocolType,
      [{ name: protocol, metadata: subscription(group) }],
      null,
    );
    await raw.requestCoordinator(
      'group',
      group,
      syncGroupV5.api,
      group,
      generationId,
      memberId,
      instanceId,
      protocolType,
      protocol,
      [{ memberId, assignment: assignment(group) }],
    );
  }

  /** Joins the newer protocol, under any name. @returns the error code */
  async function join(
    group: string,
    {
      memberId = randomUUID() as string,
      instanceId = null as string | null,
      rackId = null as string | null,
    } = {},
  ): Promise<number> {
    const joining = { rebalanceTimeoutMs: 60_000, rackId, topics: [group] };
    return (await sendHeartbeat(raw, group, { memberId, instanceId }, 0, joining)).errorCode;
  }

  const memberIds = async (group: string): Promise<string[]> => {
    const [members = []] = await describeMembers(raw, strange, [group], now() + 10_000);
    return members.map(({ memberId }) => memberId);
  };

  /** What the coordinator's word leads to, now and not at the next heartbeat. */
  const look = (inbox: unknown) => (inbox as KafkaInbox).checkLease();

  it('are put out when the owner logs in', async () => {
    const owner = await make();
    const group = `milena.inbox.${owner.name}`;
    const intruder = await intrude(owner.name);
    await appendAll(engine, owner, owner, numbered('early', 3));
    const { inbox, pushed, lost } = await observe(engine, owner, { deliver: 'all' });
    const told = lines.find((line) => line.includes(`"${group}"`) && line.includes('strangers'));
    expect(JSON.parse(told ?? '{}')).toMatchObject({ strangers: 1, who: [{ clientId: 'witness' }] });
    await intruder.disconnect();
    await appendAll(engine, owner, owner, numbered('late', 3));
    await eventually(() => expect(pushed).toHaveLength(6));
    await inbox.confirm();
    expect(lost).toEqual([]);
    expect(await memberIds(group)).toHaveLength(1);
    await inbox.close();
  });

  it.each([
    ['a plain consumer', () => undefined],
    ['a member of the newer protocol', randomUUID],
  ])('that come in beside the owner end no session, and are put out: %s', async (_what, newId) => {
    const owner = await make();
    const group = `milena.inbox.${owner.name}`;
    const { inbox, pushed, lost } = await observe(engine, owner);
    const [holder] = await memberIds(group);
    const memberId = newId();
    if (memberId === undefined) await joinClassic(group, 'reader');
    else expect(await join(group, { memberId })).toBe(0);
    expect(await memberIds(group)).toHaveLength(2);

    const offsets = await appendAll(engine, owner, owner, numbered('m', 5));
    await eventually(() => expect(pushed).toHaveLength(5));
    // Committed under an epoch that is out of date by now.
    inbox.acknowledge(offsets[0] ?? -1, offsets[4] ?? -1);
    const receipts = offsets.map((offset) => ({ to: owner, offset, epoch: -1, acceptedAt: null }));
    await eventually(async () => {
      const fates = await engine.inboxes.fates(receipts, { inLog: false });
      expect(new Set(fates)).toEqual(new Set(['delivered']));
    });
    // Kafka moves a member on from heartbeat to heartbeat.
    await eventually(async () => {
      await look(inbox);
      expect(await memberIds(group)).toEqual([holder]);
    });
    await inbox.confirm();
    expect(lost).toEqual([]);
    await inbox.close();
  });

  it('that come by the hundred keep nobody out, and are put out bit by bit', async () => {
    const owner = await make();
    const group = `milena.inbox.${owner.name}`;
    for (let i = 0; i < 250; i++) expect(await join(group)).toBe(0);
    const { inbox } = await observe(engine, owner);
    await inbox.confirm();
    await eventually(async () => {
      await look(inbox);
      expect(await memberIds(group)).toHaveLength(1);
    });
    await inbox.close();
  });

  it('that are called as a holder is are strangers without a frontend’s seal', async () => {
    const owner = await make();
    const group = `milena.inbox.${owner.name}`;
    const other = await make();
    const holder = await observe(engine, other);
    const [members = []] = await describeMembers(
      raw,
      strange,
      [`milena.inbox.${other.name}`],
      now() + 10_000,
    );
    const name = members[0]?.memberId ?? '';
    const seals = [null, `test:${'A'.repeat(43)}`, sealOf(strange, group, name), 'rack-1'];
    for (const rackId of seals) {
      expect(await join(group, { memberId: name, instanceId: HOLDER, rackId })).toBe(0);
      expect(await engine.inboxes.held([owner])).toEqual([false]);
      const { inbox } = await observe(engine, owner);
      await inbox.confirm();
      await inbox.close();
    }
    await holder.inbox.close();
  });

  it.each(['consumer', 'something else'])(
    'of Kafka’s older protocol that are called so keep nobody out, of type %s',
    async (protocolType) => {
      const owner = await make();
      const group = `milena.inbox.${owner.name}`;
      for (const instanceId of [HOLDER, 'another']) {
        await joinClassic(group, instanceId, protocolType);
        expect(await engine.inboxes.held([owner])).toEqual([false]);
        const { inbox } = await observe(engine, owner);
        await inbox.confirm();
        expect(await memberIds(group)).toHaveLength(1);
        await inbox.close();
      }
    },
  );

  it('that come back at once keep nobody waiting for ever, and the log says who they are', async () => {
    const owner = await make();
    const group = `milena.inbox.${owner.name}`;
    let stopped = false;
    const loop = async () => {
      while (!stopped) await join(group, { memberId: newMemberId('mine'), instanceId: HOLDER });
    };
    const looping = loop();
    // In, or told what to do: which of the two is luck.
    const outcome = await observe(engine, owner).then(
      ({ inbox }) => inbox.close().then(() => 'in'),
      (error: unknown) => (error instanceof EngineError ? error.code : String(error)),
    );
    stopped = true;
    await looping;
    expect(['in', 'BUSY']).toContain(outcome);
    if (outcome === 'BUSY') {
      const told = lines.findLast((line) => line.includes(group));
      expect(JSON.parse(told ?? '{}')).toMatchObject({ who: [{ clientId: 'intruder' }] });
    }
    await engine.inboxes.append(owner, message(owner, 'kept'));
    const next = await observe(engine, owner, { deliver: 'all' });
    await eventually(() => expect(next.bodies()).toEqual(['kept']));
    await next.inbox.close();
  });
});

/** ConsumerProtocolSubscription, version 0. */
function subscription(topic: string): Buffer {
  return Writer.create()
    .appendInt16(0)
    .appendArray([topic], (writer, name) => writer.appendString(name, false), false, false)
    .appendBytes(Buffer.alloc(0), false).buffer;
}

/** ConsumerProtocolAssignment, version 0: the topic's one partition. */
function assignment(topic: string): Buffer {
  return Writer.create()
    .appendInt16(0)
    .appendArray(
      [topic],
      (writer, name) =>
        writer
          .appendString(name, false)
          .appendArray([0], (inner, partition) => inner.appendInt32(partition), false, false),
      false,
      false,
    )
    .appendBytes(Buffer.alloc(0), false).buffer;
}
