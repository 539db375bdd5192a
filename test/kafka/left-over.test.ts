import { randomUUID } from 'node:crypto';
import type { Admin } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newClusterKey } from '../../src/core/cluster-key.ts';
import { GroupMember } from '../../src/storage/kafka/groups/group-member.ts';
import { newMemberId } from '../../src/storage/kafka/groups/holder-name.ts';
import { Signer } from '../../src/storage/kafka/inbox/signature.ts';
import { Trust } from '../../src/storage/kafka/inbox/trust.ts';
import { BrokerClock } from '../../src/storage/kafka/wire/broker-clock.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { now } from '../../src/storage/kafka/wire/retry.ts';
import { uuidText } from '../../src/util/uuid.ts';
import { testBrokers } from '../broker/brokers.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import { makeTopics } from '../broker/topics.ts';
import {
  appendAll,
  eventually,
  message,
  observe,
  type TestCluster,
  textOf,
  uniqueName,
} from '../contracts/cluster.ts';
import { kafkaCluster, witness } from './cluster.ts';

/** What a frontend that died, or a former owner of the name, may leave behind in Kafka. */
describe('left-overs', () => {
  let cluster: TestCluster;
  let admin: Admin;

  beforeAll(async () => {
    cluster = await kafkaCluster();
    admin = witness().admin();
    await admin.connect();
  });
  afterAll(async () => {
    await admin.disconnect();
    await cluster.close();
  });

  it('an inbox topic without an account is replaced by an empty one', async () => {
    const name = uniqueName('half-made');
    const topic = `milena.inbox.${name}`;
    await makeTopics(admin, [{ topic, numPartitions: 1 }]);
    const producer = witness().producer(STORED_ONCE);
    await producer.connect();
    await producer.send({ topic, messages: [{ value: 'for nobody' }] });
    await producer.disconnect();
    const owner = await cluster.here.accounts.create({ name });
    const { inbox } = await observe(cluster.here, owner);
    expect(await inbox.undelivered()).toBe(0);
    await cluster.here.inboxes.append(owner, message(owner, 'mine'));
    await inbox.close();
  });

  it('without the commit everything is delivered again, from the start of the log', async () => {
    const owner = await cluster.here.accounts.create({ name: uniqueName('forgotten') });
    const group = `milena.inbox.${owner.name}`;
    await appendAll(cluster.here, owner, owner, ['a', 'b', 'c']);
    const first = await observe(cluster.here, owner);
    first.inbox.acknowledge(0, 2);
    await first.inbox.read({ maxBytes: 1_000 });
    first.inbox.acknowledge(0, 2);
    await first.inbox.close();
    await admin.deleteGroups([group]);
    const second = await observe(cluster.elsewhere, owner);
    expect((await second.inbox.read({ maxBytes: 1_000 })).map(textOf)).toEqual(['a', 'b', 'c']);
    await second.inbox.close();
  });

  it("a commit of the name's former life, or outside the log, is not believed", async () => {
    for (const { offset, incarnation } of [
      { offset: 2, incarnation: randomUUID() },
      { offset: 2, incarnation: null },
      { offset: 900, incarnation: 'own' },
    ]) {
      const owner = await cluster.here.accounts.create({ name: uniqueName('former') });
      await appendAll(cluster.here, owner, owner, ['a', 'b', 'c']);
      const own = incarnation === 'own' ? uuidText(owner.incarnation) : incarnation;
      await commitAsMember(`milena.inbox.${owner.name}`, offset, own === null ? '' : `1 ${own} `);
      const reader = await observe(cluster.here, owner, { deliver: 'all' });
      await eventually(() => expect(reader.bodies()).toEqual(['a', 'b', 'c']));
      await reader.inbox.close();
    }
  });

  it('a producer identity that Kafka has forgotten does no harm', async () => {
    const name = uniqueName('again');
    for (let life = 0; life < 3; life++) {
      const owner = await cluster.here.accounts.create({ name });
      for (let i = 0; i < 3; i++) await cluster.here.inboxes.append(owner, message(owner, `${life} ${i}`));
      const reader = await observe(cluster.here, owner, { deliver: 'all' });
      await eventually(() => expect(reader.bodies()).toEqual([`${life} 0`, `${life} 1`, `${life} 2`]));
      await cluster.here.accounts.remove(owner);
      await reader.inbox.discard();
    }
  });
});

/** Holds the group for the moment of one commit, as a frontend of the name's former life did. */
async function commitAsMember(group: string, offset: number, metadata: string): Promise<void> {
  const kafka = new Cluster({ bootstrap: testBrokers(), clientId: 'former-frontend' });
  const deadline = now() + 10_000;
  const trust = new Trust(new Signer([newClusterKey()]), new BrokerClock(), false, 0);
  const memberId = newMemberId('former');
  const member = await GroupMember.join(kafka, { group, topic: group, memberId, trust, deadline });
  await member?.commit([{ topic: group, commit: { offset, epoch: -1, metadata } }]);
  await member?.leave(deadline);
  await kafka.close();
}
