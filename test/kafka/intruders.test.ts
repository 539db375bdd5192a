/** Other programs in the consumer group of an inbox: whoever may read a group may join it. */
import { randomUUID } from 'node:crypto';
import { consumerGroupHeartbeatV1, joinGroupV9, syncGroupV5, Writer } from '@platformatic/kafka';
import type { Consumer } from 'kafkajs';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster } from '../../src/kafka/cluster.ts';
import { type Engine, openEngine } from '../../src/kafka/engine.ts';
import { EngineError } from '../../src/kafka/errors.ts';
import { testBrokers } from '../broker/brokers.ts';
import { appendAll, eventually, message, numbered, observe, uniqueName } from '../contracts/cluster.ts';
import { testConfig, witness } from './cluster.ts';

describe('strangers in an inbox’s group', () => {
  const lines: string[] = [];
  const raw = new Cluster({ bootstrap: testBrokers(), clientId: 'intruder' });
  let engine: Engine;

  beforeAll(async () => {
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    engine = await openEngine(testConfig(), log);
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

  /** Joins as the static member that ours are, with what it says it is, and holds the group. */
  async function joinAs(group: string, userData: string): Promise<void> {
    const protocol = randomUUID();
    const { memberId, generationId } = await raw.requestCoordinator(
      ...(['group', group, joinGroupV9.api, group, 10_000, 10_000, '', 'holder', 'consumer'] as const),
      [{ name: protocol, metadata: subscription(userData) }],
      null,
    );
    await raw.requestCoordinator(
      ...(['group', group, syncGroupV5.api, group, generationId, memberId, 'holder', 'consumer'] as const),
      protocol,
      [{ memberId, assignment: Buffer.alloc(10) }],
    );
  }

  /** A heartbeat of Kafka's newer protocol; the first one, of epoch 0, joins. */
  const beat = (group: string, member: string, epoch: number) =>
    raw.requestCoordinator(
      ...(['group', group, consumerGroupHeartbeatV1.api, group, member, epoch, null, null, 60_000] as const),
      [group],
      null,
      null,
      [],
    );

  it('are put out when the owner logs in, and do not come back while the owner is there', async () => {
    const owner = await make();
    const intruder = await intrude(owner.name);
    await appendAll(engine, owner, owner, numbered('early', 3));
    const { inbox, pushed, lost } = await observe(engine, owner, { deliver: 'all' });
    await appendAll(engine, owner, owner, numbered('late', 3));
    await eventually(() => expect(pushed).toHaveLength(6));
    const told = lines.find((line) => line.includes(`milena.inbox.${owner.name}`));
    expect(JSON.parse(told ?? '{}')).toMatchObject({ strangers: 1, who: [{ clientId: 'witness' }] });
    await inbox.confirm();
    expect(lost).toEqual([]);
    await inbox.close();
    await intruder.disconnect();
  });

  it('do not end a session, and no message is lost', async () => {
    const owner = await make();
    const { inbox, pushed, lost } = await observe(engine, owner);
    const consumer = witness().consumer({ groupId: `milena.inbox.${owner.name}`, retry: { retries: 2 } });
    const refused = new Promise((resolve) => consumer.on(consumer.events.CRASH, resolve));
    await consumer.connect();
    await consumer.subscribe({ topic: `milena.inbox.${owner.name}` });
    await Promise.race([consumer.run({ eachMessage: async () => {} }), refused]).catch(() => {});
    await appendAll(engine, owner, owner, numbered('m', 5));
    await eventually(() => expect(pushed).toHaveLength(5));
    await inbox.confirm();
    expect(lost).toEqual([]);
    await inbox.close();
    await consumer.disconnect();
  });

  it('that look like a frontend’s are strangers without its signature', async () => {
    const owner = await make();
    const group = `milena.inbox.${owner.name}`;
    for (const signature of ['', ` test:${'A'.repeat(43)}`, ` other:${'A'.repeat(43)}`]) {
      await joinAs(group, `${randomUUID()} ${randomUUID()}${signature}`);
      expect(await engine.inboxes.held([owner])).toEqual([false]);
      const { inbox } = await observe(engine, owner);
      await inbox.confirm();
      await inbox.close();
    }
  });

  it('that come back at once keep nobody waiting for ever, and the log says who they are', async () => {
    const owner = await make();
    const group = `milena.inbox.${owner.name}`;
    let stopped = false;
    const loop = async () => {
      while (!stopped) await joinAs(group, 'mine').catch(() => {});
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
    const { inbox } = await observe(engine, owner);
    await inbox.close();
  });

  it('of Kafka’s newer protocol are put out by the next login, too', async () => {
    const owner = await make();
    const group = `milena.inbox.${owner.name}`;
    const intruder = randomUUID();
    expect(await beat(group, intruder, 0)).toMatchObject({ errorCode: 0 });
    const { inbox } = await observe(engine, owner);
    expect((await beat(group, intruder, 2)).errorCode).not.toBe(0);
    expect(await engine.inboxes.held([owner])).toEqual([true]);
    // Kafka lets it in beside the owner and fences the owner, who comes again.
    expect((await beat(group, randomUUID(), 0)).errorCode).toBe(0);
    await engine.inboxes.append(owner, message(owner, 'kept'));
    await inbox.confirm().catch((error: unknown) => expect(error).toMatchObject({ code: 'LOST' }));
    await inbox.close();
    const next = await observe(engine, owner, { deliver: 'all' });
    await eventually(() => expect(next.bodies()).toEqual(['kept']));
    await next.inbox.confirm();
    await next.inbox.close();
  });
});

/** ConsumerProtocolSubscription, version 0. */
function subscription(userData: string): Buffer {
  return Writer.create()
    .appendInt16(0)
    .appendArray([], () => {}, false, false)
    .appendBytes(Buffer.from(userData), false).buffer;
}
