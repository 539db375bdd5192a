import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Storage } from '../../src/core/storage.ts';
import { changeSettings } from '../../src/storage/kafka/check/topic-settings.ts';
import { describeMembers, removeMember } from '../../src/storage/kafka/groups/consumer-members.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { now } from '../../src/storage/kafka/wire/retry.ts';
import { testBrokers } from '../broker/brokers.ts';
import { makeTopics } from '../broker/topics.ts';
import { eventually, message, observe, uniqueName } from '../contracts/cluster.ts';
import { testConfig, testLog, testTrust, witness } from './cluster.ts';

/** What operators and other programs do to what is Kafka's of an inbox, while frontends run. */
describe('an inbox whose surroundings somebody has altered', () => {
  const lines: { msg: string; topic?: string }[] = [];
  const raw = new Cluster({ bootstrap: testBrokers(), clientId: 'operator' });
  let here: Storage;
  let elsewhere: Storage;

  beforeAll(async () => {
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    [here, elsewhere] = await Promise.all([
      openKafkaStorage(testConfig(), log),
      openKafkaStorage(testConfig(), testLog),
    ]);
    await raw.connect();
  });
  afterAll(async () => {
    await raw.close();
    await Promise.all([here?.close(), elsewhere?.close()]);
  });

  const make = (stem: string) => here.accounts.create({ name: uniqueName(stem) });

  it('takes long messages again soon after its batches were made too small, and none is called too large', async () => {
    const owner = await make('small');
    const topic = `milena.inbox.${owner.name}`;
    expect(await changeSettings(raw, [topic], { 'max.message.bytes': '1000' })).toEqual(new Map());
    const long = message(owner, 'x'.repeat(5_000));
    await eventually(async () => {
      const error = await here.inboxes.append(owner, long).then(
        () => null,
        (reason: unknown) => reason,
      );
      if (error !== null) expect(error).toMatchObject({ code: 'UNAVAILABLE' });
      expect(error).toBeNull();
    });
    const told = lines.filter((line) => line.topic === topic);
    expect(told).toMatchObject([{ msg: expect.stringContaining('max.message.bytes') }]);
  });

  it('ends for a holder whose group has lost its state as soon as somebody else logs in', async () => {
    const owner = await make('forgotten');
    const group = `milena.inbox.${owner.name}`;
    const first = await observe(here, owner);
    const deadline = now() + 10_000;
    const [members = []] = await describeMembers(raw, testTrust, [group], deadline);
    for (const member of members) await removeMember(raw, group, member, deadline);
    const second = await observe(elsewhere, owner);
    await eventually(() => expect(first.lost).toEqual(['fenced']));
    expect(second.lost).toEqual([]);
    await second.inbox.close();
  });

  it('cannot be made where Kafka takes its name for another’s, and Kafka’s own sentence says why', async () => {
    const name = uniqueName('alike');
    const admin = witness().admin();
    await admin.connect();
    await makeTopics(admin, [{ topic: `milena_inbox_${name}`, numPartitions: 1 }]);
    await expect(here.accounts.create({ name })).rejects.toMatchObject({
      code: 'REFUSED',
      message: expect.stringMatching(
        /INVALID_TOPIC_EXCEPTION.*Kafka says: ".*collides.*milena_inbox_.*delete/,
      ),
    });
    await admin.deleteTopics({ topics: [`milena_inbox_${name}`] });
    await admin.disconnect();
    await eventually(async () => expect(await here.accounts.create({ name })).toMatchObject({ name }));
  });
});
