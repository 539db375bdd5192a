/** Groups of other types that have the name of an inbox's: whoever may read a group may make one. */
import { randomUUID } from 'node:crypto';
import { createAPI, Writer } from '@platformatic/kafka';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import type { Storage } from '../../src/core/storage.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { testBrokers } from '../broker/brokers.ts';
import { eventually, message, observe, uniqueName } from '../contracts/cluster.ts';
import { testConfig, witness } from './cluster.ts';

/*
  ShareGroupHeartbeat, version 1, and the beginning of its answer:
    group_id member_id COMPACT_STRING  member_epoch INT32  rack_id COMPACT_NULLABLE_STRING  [subscribed topic names]
    throttle_time_ms INT32  error_code INT16
*/
const shareGroupHeartbeat = createAPI<[group: string, memberId: string, epoch: number], number>(
  76,
  1,
  (group, memberId, epoch) =>
    Writer.create()
      .appendString(group)
      .appendString(memberId)
      .appendInt32(epoch)
      .appendString(null)
      .appendArray([group], (writer, topic) => writer.appendString(topic), true, false)
      .appendTaggedFields(),
  (_id, _key, _version, reader) => {
    reader.readInt32();
    return reader.readInt16();
  },
);

describe('a group of another type that has an inbox’s name', () => {
  const lines: { msg: string; group?: string; type?: string }[] = [];
  const raw = new Cluster({ bootstrap: testBrokers(), clientId: 'foreign' });
  let engine: Storage;

  beforeAll(async () => {
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    engine = await openKafkaStorage(testConfig(), log);
    await raw.connect();
  });
  afterAll(async () => {
    await raw.close();
    await engine?.close();
  });

  const share = (group: string, memberId: string, epoch: number) =>
    eventually(async () => {
      const code = await raw.requestCoordinator('group', group, shareGroupHeartbeat, group, memberId, epoch);
      expect(code).toBe(0);
    });

  /** Somebody whose group an operator has deleted: with its first commit it would be nobody else's. */
  async function withoutGroup(): Promise<{ owner: Account; group: string }> {
    const owner = await engine.accounts.create({ name: uniqueName('share') });
    const group = `milena.inbox.${owner.name}`;
    const admin = witness().admin();
    await admin.connect();
    await admin.deleteGroups([group]);
    await admin.disconnect();
    return { owner, group };
  }

  it('keeps nobody out when it is a share group with nobody in it', async () => {
    const { owner, group } = await withoutGroup();
    const memberId = randomUUID();
    await share(group, memberId, 0);
    await share(group, memberId, -1);
    await engine.inboxes.append(owner, message(owner, 'kept'));
    const { inbox, bodies } = await observe(engine, owner, { deliver: 'all' });
    await eventually(() => expect(bodies()).toEqual(['kept']));
    await inbox.close();
    const told = lines.filter((line) => line.group === group);
    expect(told).toMatchObject([{ type: 'share', msg: expect.stringContaining('deleted') }]);
  });

  it('that somebody is in is refused with its type and with what to do, and keeps nobody out any more then', async () => {
    const { owner, group } = await withoutGroup();
    const memberId = randomUUID();
    await share(group, memberId, 0);
    await expect(observe(engine, owner)).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringMatching(/A share group has the name milena\.inbox\..*: end the program/),
    });
    await share(group, memberId, -1);
    const { inbox } = await observe(engine, owner);
    await inbox.close();
  });

  it('takes no position with it: it cannot come upon one', async () => {
    const owner = await engine.accounts.create({ name: uniqueName('share') });
    const group = `milena.inbox.${owner.name}`;
    const first = await observe(engine, owner);
    await engine.inboxes.append(owner, message(owner, 'read'));
    await eventually(() => expect(first.pushed).toHaveLength(1));
    first.inbox.acknowledge(0, first.pushed[0]?.offset ?? -1);
    await first.inbox.close();
    const code = await raw.requestCoordinator('group', group, shareGroupHeartbeat, group, randomUUID(), 0);
    expect(code).not.toBe(0);
    const admin = witness().admin();
    await admin.connect();
    // The same where an operator has set an offset of a group that nobody was ever in: it is a classic one.
    const classic = `milena.inbox.${uniqueName('classic')}`;
    await admin.setOffsets({ groupId: classic, topic: group, partitions: [{ partition: 0, offset: '1' }] });
    await admin.disconnect();
    expect(
      await raw.requestCoordinator('group', classic, shareGroupHeartbeat, classic, randomUUID(), 0),
    ).not.toBe(0);
    const second = await observe(engine, owner);
    expect(await second.inbox.undelivered()).toBe(0);
    await second.inbox.close();
  });
});
