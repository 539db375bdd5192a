import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { eventually, type TestCluster, uniqueName } from '../cluster.ts';

/** `create` with an invite. */
export function invitingContract(cluster: () => TestCluster): void {
  const newInvite = (uses: number) => ({ id: randomBytes(8).toString('hex'), uses });

  describe('an invite', () => {
    it('makes as many accounts as it says, through all frontends together, and others are not concerned', async () => {
      const { here, elsewhere } = cluster();
      const invite = newInvite(2);
      const made = await here.accounts.create({ name: uniqueName('first'), invite });
      expect(made.invite).toBe(invite.id);
      await here.accounts.create({ name: uniqueName('second'), invite });
      const third = uniqueName('third');
      await expect(here.accounts.create({ name: third, invite })).rejects.toMatchObject({
        code: 'INVITE_USED',
      });
      await expect(elsewhere.accounts.create({ name: third, invite })).rejects.toMatchObject({
        code: 'INVITE_USED',
      });
      expect(await elsewhere.accounts.find(third)).toBeUndefined();
      await elsewhere.accounts.create({ name: third, invite: newInvite(1) });
    });

    it('is good for one of many who use it at the same moment, here and elsewhere', async () => {
      const { here, elsewhere } = cluster();
      for (let round = 0; round < 5; round++) {
        const invite = newInvite(1);
        const names = Array.from({ length: 6 }, () => uniqueName('racer'));
        const results = await Promise.allSettled(
          names.map((name, i) => (i % 2 === 0 ? here : elsewhere).accounts.create({ name, invite })),
        );
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        const there = names.filter((_, i) => results[i]?.status === 'fulfilled');
        for (const { accounts } of [here, elsewhere]) {
          await eventually(() => {
            expect(names.filter((name) => accounts.get(name) !== undefined)).toEqual(there);
          });
        }
      }
    });

    it('stays used when the account changes, and is free again when it is removed', async () => {
      const { accounts } = cluster().here;
      const invite = newInvite(1);
      const made = await accounts.create({ name: uniqueName('anna'), invite });
      const changed = await accounts.update(made, { displayName: 'Anna', blocked: ['eve'] });
      expect(changed.invite).toBe(invite.id);
      const name = uniqueName('bert');
      await expect(accounts.create({ name, invite })).rejects.toMatchObject({ code: 'INVITE_USED' });
      await accounts.remove(changed);
      await accounts.create({ name, invite });
    });

    it('is known to a frontend that starts later', async () => {
      const { here, elsewhere } = cluster();
      const invite = newInvite(1);
      const { name } = await here.accounts.create({ name: uniqueName('anna'), invite });
      expect((await elsewhere.accounts.find(name))?.invite).toBe(invite.id);
    });
  });

  it('the number of accounts goes with them', async () => {
    const { accounts } = cluster().here;
    const before = accounts.size;
    const made = await accounts.create({ name: uniqueName('counted') });
    expect(accounts.size).toBeGreaterThan(before);
    await accounts.remove(made);
    expect(accounts.get(made.name)).toBeUndefined();
  });
}
