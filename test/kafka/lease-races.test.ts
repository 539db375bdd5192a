/** Races for one inbox, through two frontends, in numbers. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import { describeMembers, HOLDER, holderOf } from '../../src/storage/kafka/groups/consumer-members.ts';
import { GroupMember } from '../../src/storage/kafka/groups/group-member.ts';
import { newMemberId } from '../../src/storage/kafka/groups/holder-name.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { now } from '../../src/storage/kafka/wire/retry.ts';
import { testBrokers } from '../broker/brokers.ts';
import { type ObservedInbox, observe, type TestCluster, uniqueName } from '../contracts/cluster.ts';
import { roundsAtOnce, sized } from '../size.ts';
import { kafkaCluster, testTrust } from './cluster.ts';

describe('rounds of two at once through two frontends', { timeout: 300_000 }, () => {
  const raw = new Cluster({ bootstrap: testBrokers(), clientId: 'observer' });
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await kafkaCluster();
    await raw.connect();
  });
  afterAll(async () => {
    await raw.close();
    await cluster.close();
  });

  const deadline = () => now() + 10_000;

  async function members(owner: Account) {
    const [found = []] = await describeMembers(raw, testTrust, [`milena.inbox.${owner.name}`], deadline());
    return found;
  }

  /** Both at once. @returns those who are in, and the codes of the others */
  async function race(owner: Account, takeover: boolean): Promise<[ObservedInbox[], string[]]> {
    const engines = [cluster.here, cluster.elsewhere];
    const attempts = await Promise.allSettled(engines.map((engine) => observe(engine, owner, { takeover })));
    const winners: ObservedInbox[] = [];
    const codes: string[] = [];
    for (const attempt of attempts) {
      if (attempt.status === 'fulfilled') winners.push(attempt.value);
      else codes.push(attempt.reason.code);
    }
    return [winners, codes];
  }

  /** Of each of eight accounts its rounds one after the other, and the eight at once. */
  async function eachOfEight(rounds: number, act: (owner: Account) => Promise<() => Promise<void>>) {
    await roundsAtOnce(8, async (at) => {
      const round = await act(await cluster.here.accounts.create({ name: uniqueName(`prize-${at}`) }));
      for (let left = rounds / 8; left > 0; left--) await round();
    });
  }

  it('of two logins: one gets in, the other hears that somebody is', async () => {
    await eachOfEight(sized(32, 304), async (owner) => async () => {
      const [winners, codes] = await race(owner, false);
      expect(winners).toHaveLength(1);
      expect(codes).toEqual(['ALREADY_LOGGED_IN']);
      await winners[0]?.inbox.confirm();
      await winners[0]?.inbox.close();
      expect(winners[0]?.lost).toEqual([]);
    });
  });

  it('of two takeovers: one holds it at the end', async () => {
    const rounds = sized(32, 200);
    await eachOfEight(rounds, async (owner) => {
      let before = [await observe(cluster.here, owner)];
      let left = rounds / 8;
      return async () => {
        const [winners, codes] = await race(owner, true);
        expect(codes).toEqual([]);
        const confirmed = await Promise.allSettled(winners.map(({ inbox }) => inbox.confirm()));
        const holders = winners.filter((_, i) => confirmed[i]?.status === 'fulfilled');
        expect(holders).toHaveLength(1);
        for (const { inbox } of before) await expect(inbox.confirm()).rejects.toMatchObject({ code: 'LOST' });
        expect(await members(owner)).toHaveLength(1);
        before = holders;
        left -= 1;
        if (left > 0) return;
        for (const { inbox } of before) await inbox.close();
        expect(await members(owner)).toEqual([]);
      };
    });
  });

  it('of two logins that find a dead holder: one of them puts it out and is in', async () => {
    await eachOfEight(sized(32, 200), async (owner) => {
      const group = `milena.inbox.${owner.name}`;
      return async () => {
        // Of a frontend that is not there any more.
        const dead = {
          group,
          topic: group,
          memberId: newMemberId(randomUUID()),
          trust: testTrust,
          deadline: deadline(),
        };
        const member = await GroupMember.join(raw, dead);
        expect(holderOf(await members(owner))).toMatchObject({
          memberId: dead.memberId,
          instanceId: HOLDER,
        });
        const [winners, codes] = await race(owner, false);
        expect(winners).toHaveLength(1);
        expect(codes).toEqual(['ALREADY_LOGGED_IN']);
        await winners[0]?.inbox.confirm();
        await expect(member?.heartbeat()).rejects.toMatchObject({ code: 'LOST' });
        await winners[0]?.inbox.close();
      };
    });
  });
});
