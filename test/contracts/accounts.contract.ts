import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import { EngineError } from '../../src/core/errors.ts';
import { uuidText } from '../../src/util/uuid.ts';
import { invitingContract } from './accounts/inviting.ts';
import { updatingContract } from './accounts/updating.ts';
import { eventually, type MakeCluster, type TestCluster, uniqueName } from './cluster.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Every sentence of the `Accounts` interface, for any implementation of it. */
export function accountsContract(name: string, makeCluster: MakeCluster): void {
  describe(`accounts: ${name}`, () => {
    let cluster: TestCluster;
    beforeAll(async () => {
      cluster = await makeCluster();
    });
    afterAll(async () => {
      await cluster.close();
    });

    it('makes an account that the own table shows at once', async () => {
      const { accounts } = cluster.here;
      const before = Date.now();
      const wanted = uniqueName('anna');
      const made = await accounts.create({ name: wanted });
      expect(made).toMatchObject({
        name: wanted,
        displayName: null,
        credential: null,
        disabled: false,
        blocked: [],
      });
      expect(uuidText(made.incarnation)).toMatch(UUID);
      expect(made.topicId).toMatch(UUID);
      expect(made.createdAt).toBeGreaterThanOrEqual(before);
      expect(made.createdAt).toBeLessThanOrEqual(Date.now());
      expect(accounts.get(wanted)).toEqual(made);
      expect(await accounts.list(wanted)).toEqual([wanted]);
    });

    it('keeps display name and credential as given', async () => {
      const wanted = uniqueName('dora');
      await cluster.here.accounts.create({ name: wanted, displayName: 'Dóra ☂', credential: '$argon2id$x' });
      expect(await cluster.elsewhere.accounts.find(wanted)).toMatchObject({
        displayName: 'Dóra ☂',
        credential: '$argon2id$x',
      });
    });

    it('finds through another frontend what was just made', async () => {
      for (let round = 0; round < 3; round++) {
        const made = await cluster.here.accounts.create({ name: uniqueName('fresh') });
        expect(await cluster.elsewhere.accounts.find(made.name)).toEqual(made);
        expect(cluster.elsewhere.accounts.get(made.name)).toEqual(made);
      }
    });

    it('shows in every table, in the end, what one frontend made and removed', async () => {
      const made = await cluster.here.accounts.create({ name: uniqueName('wide') });
      await eventually(() => expect(cluster.elsewhere.accounts.get(made.name)).toEqual(made));
      await cluster.here.accounts.remove(made);
      await eventually(() => expect(cluster.elsewhere.accounts.get(made.name)).toBeUndefined());
    });

    it('finds nobody under a name that nobody has', async () => {
      const name = uniqueName('ghost');
      expect(cluster.here.accounts.get(name)).toBeUndefined();
      expect(await cluster.here.accounts.find(name)).toBeUndefined();
      expect(await cluster.here.accounts.list(name)).toEqual([]);
    });

    it('refuses a name that is taken, here and elsewhere', async () => {
      const made = await cluster.here.accounts.create({ name: uniqueName('once') });
      for (const engine of [cluster.here, cluster.elsewhere]) {
        expect(await failureOf(engine.accounts.create({ name: made.name }))).toBe('USERNAME_TAKEN');
      }
      expect(cluster.here.accounts.get(made.name)).toEqual(made);
    });

    it('lets exactly one of two creators win who race through two frontends', async () => {
      for (let round = 0; round < 8; round++) {
        const name = uniqueName('race');
        const attempts = await Promise.allSettled([
          cluster.here.accounts.create({ name }),
          cluster.elsewhere.accounts.create({ name }),
        ]);
        const winner = onlyWinner(attempts);
        expect(await cluster.here.accounts.find(name)).toEqual(winner);
        expect(await cluster.elsewhere.accounts.find(name)).toEqual(winner);
      }
    });

    it('lets exactly one of two creators win who race through one frontend', async () => {
      for (let round = 0; round < 4; round++) {
        const name = uniqueName('rush');
        const attempts = await Promise.allSettled([
          cluster.here.accounts.create({ name }),
          cluster.here.accounts.create({ name }),
        ]);
        expect(cluster.here.accounts.get(name)).toEqual(onlyWinner(attempts));
      }
    });

    it('makes different accounts at the same time', async () => {
      const names = Array.from({ length: 10 }, () => uniqueName('many'));
      const made = await Promise.all(
        names.map((name, i) => (i % 2 === 0 ? cluster.here : cluster.elsewhere).accounts.create({ name })),
      );
      expect(made.map(({ name }) => name)).toEqual(names);
      expect(new Set(made.map(({ incarnation }) => uuidText(incarnation))).size).toBe(names.length);
      expect(new Set(made.map(({ topicId }) => topicId)).size).toBe(names.length);
    });

    it('removes an account, and the name may be taken again as another life', async () => {
      const { accounts } = cluster.here;
      const first = await accounts.create({ name: uniqueName('phoenix') });
      await accounts.remove(first);
      expect(accounts.get(first.name)).toBeUndefined();
      expect(await accounts.find(first.name)).toBeUndefined();
      expect(await accounts.list(first.name)).toEqual([]);

      const second = await cluster.elsewhere.accounts.create({ name: first.name });
      expect(second.incarnation).not.toEqual(first.incarnation);
      expect(second.topicId).not.toBe(first.topicId);
      expect(await accounts.find(first.name)).toEqual(second);
    });

    it('does not remove what is gone already', async () => {
      const made = await cluster.here.accounts.create({ name: uniqueName('gone') });
      await cluster.here.accounts.remove(made);
      for (const engine of [cluster.here, cluster.elsewhere]) {
        expect(await failureOf(engine.accounts.remove(made))).toBe('NO_SUCH_USER');
      }
    });

    it('does not remove another life of the name', async () => {
      const { accounts } = cluster.here;
      const first = await accounts.create({ name: uniqueName('reborn') });
      await accounts.remove(first);
      const second = await accounts.create({ name: first.name });
      for (const engine of [cluster.here, cluster.elsewhere]) {
        expect(await failureOf(engine.accounts.remove(first))).toBe('NO_SUCH_USER');
      }
      expect(await cluster.elsewhere.accounts.find(first.name)).toEqual(second);
      expect(accounts.get(first.name)).toEqual(second);
    });

    it('lets exactly one of two removers win', async () => {
      const made = await cluster.here.accounts.create({ name: uniqueName('twice') });
      await cluster.elsewhere.accounts.find(made.name);
      const attempts = await Promise.allSettled([
        cluster.here.accounts.remove(made),
        cluster.elsewhere.accounts.remove(made),
      ]);
      expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const attempt of attempts) {
        if (attempt.status === 'rejected') expect(['NO_SUCH_USER', 'BUSY']).toContain(codeOf(attempt.reason));
      }
      expect(await cluster.here.accounts.find(made.name)).toBeUndefined();
    });

    it('gives an answer to a removal and a creation that race, and both tables agree on it', async () => {
      for (let round = 0; round < 4; round++) {
        const first = await cluster.here.accounts.create({ name: uniqueName('mixed') });
        await cluster.elsewhere.accounts.find(first.name);
        const [removed, created] = await Promise.allSettled([
          cluster.here.accounts.remove(first),
          cluster.elsewhere.accounts.create({ name: first.name }),
        ]);
        if (removed.status === 'rejected') expect(codeOf(removed.reason)).toBe('BUSY');
        if (created.status === 'rejected') {
          expect(['USERNAME_TAKEN', 'BUSY']).toContain(codeOf(created.reason));
        }
        let expected: Account | undefined = first;
        if (created.status === 'fulfilled') expected = created.value;
        else if (removed.status === 'fulfilled') expected = undefined;
        await eventually(() => expect(cluster.here.accounts.get(first.name)).toEqual(expected));
        await eventually(() => expect(cluster.elsewhere.accounts.get(first.name)).toEqual(expected));
      }
    });

    updatingContract(() => cluster);
    invitingContract(() => cluster);

    describe('list', () => {
      const stem = uniqueName('l');
      /** Ascending by code unit: dash, digits, underscore, letters. */
      const suffixes = ['-x', '0', '10', '9', '_y', 'a', 'ab', 'abc', 'b'];
      const names = suffixes.map((suffix) => stem + suffix);
      beforeAll(async () => {
        for (const name of [...names].reverse()) await cluster.here.accounts.create({ name });
      });
      const listed = (pattern: string, options?: { after?: string; limit?: number }) =>
        cluster.here.accounts.list(pattern, options);

      it('is ascending by code unit', async () => {
        expect(await listed(`${stem}*`)).toEqual(names);
      });

      it('shows everybody for an empty pattern', async () => {
        const all = await listed('');
        expect(all.filter((name) => name.startsWith(stem))).toEqual(names);
        expect(all).toEqual(await listed('*'));
        expect(all).toEqual([...all].sort());
      });

      it.each([
        ['?', ['0', '9', 'a', 'b']],
        ['??', ['-x', '10', '_y', 'ab']],
        ['a*', ['a', 'ab', 'abc']],
        ['a?*', ['ab', 'abc']],
        ['*b*', ['ab', 'abc', 'b']],
        ['*b', ['ab', 'b']],
        ['a*c', ['abc']],
        ['**', suffixes],
        ['ab', ['ab']],
        ['A', []],
        ['.', []],
        ['.*', []],
        ['[ab]', []],
        ['(a|b)', []],
        ['a$', []],
        ['\\?', []],
        ['a+', []],
        ['zzz', []],
      ])('knows * and ? and takes everything else as itself: %s', async (pattern, expected) => {
        expect(await listed(stem + pattern)).toEqual(expected.map((suffix) => stem + suffix));
      });

      it('matches the whole name, not a part of it', async () => {
        expect(await listed(stem.slice(1))).toEqual([]);
        expect(await listed(`*${stem.slice(1)}a`)).toEqual([`${stem}a`]);
      });

      it('is not slowed down by a pattern full of stars', async () => {
        expect(await listed(`${stem}${'*a'.repeat(20)}*z`)).toEqual([]);
      });

      it('comes in pages', async () => {
        expect(await listed(`${stem}*`, { limit: 3 })).toEqual(names.slice(0, 3));
        expect(await listed(`${stem}*`, { limit: 0 })).toEqual([]);
        expect(await listed(`${stem}*`, { after: `${stem}ab` })).toEqual(names.slice(7));
        expect(await listed(`${stem}*`, { after: `${stem}b` })).toEqual([]);
        const paged: string[] = [];
        for (;;) {
          const after = paged.at(-1);
          const page = await listed(`${stem}*`, after === undefined ? { limit: 2 } : { after, limit: 2 });
          if (page.length === 0) break;
          paged.push(...page);
        }
        expect(paged).toEqual(names);
      });

      it('goes on after a name that is not there', async () => {
        expect(await listed(`${stem}*`, { after: `${stem}aa`, limit: 1 })).toEqual([`${stem}ab`]);
      });
    });
  });
}

function codeOf(error: unknown): string {
  expect(error).toBeInstanceOf(EngineError);
  return error instanceof EngineError ? error.code : '';
}

async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return codeOf(error);
  }
  return 'nothing failed';
}

/** The account of the one attempt that succeeded, after checking that the others failed as documented. */
function onlyWinner(attempts: PromiseSettledResult<Account>[]): Account | undefined {
  const winners = attempts.filter((attempt) => attempt.status === 'fulfilled');
  expect(winners).toHaveLength(1);
  for (const attempt of attempts) {
    if (attempt.status === 'rejected') expect(['USERNAME_TAKEN', 'BUSY']).toContain(codeOf(attempt.reason));
  }
  return winners[0]?.value;
}
