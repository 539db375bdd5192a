import { describe, expect, it } from 'vitest';
import type { Account } from '../../../src/core/accounts.ts';
import { EngineError } from '../../../src/core/errors.ts';
import { eventually, type TestCluster, uniqueName } from '../cluster.ts';

/** `update`: what may change in one life of an account. */
export function updatingContract(cluster: () => TestCluster): void {
  const make = (stem: string): Promise<Account> =>
    cluster().here.accounts.create({
      name: uniqueName(stem),
      displayName: 'As made',
      credential: '$argon2id$a',
    });

  describe('update', () => {
    it('changes what is given and keeps the rest; the own table shows it at once', async () => {
      const { accounts } = cluster().here;
      const made = await make('changed');
      const renamed = await accounts.update(made, { displayName: 'Änderung ☂' });
      expect(renamed).toEqual({ ...made, displayName: 'Änderung ☂' });
      expect(accounts.get(made.name)).toEqual(renamed);
      const blocking = await accounts.update(renamed, { blocked: ['eve', 'mallory'] });
      expect(blocking).toEqual({ ...renamed, blocked: ['eve', 'mallory'] });
      expect(accounts.get(made.name)).toEqual(blocking);
      await eventually(() => expect(cluster().elsewhere.accounts.get(made.name)).toEqual(blocking));
    });

    it('takes null and the empty list as values', async () => {
      const { accounts } = cluster().here;
      const made = await make('emptied');
      await accounts.update(made, { blocked: ['eve'], disabled: true });
      const emptied = await accounts.update(made, {
        displayName: null,
        credential: null,
        blocked: [],
        disabled: false,
      });
      expect(emptied).toEqual({ ...made, displayName: null, credential: null });
    });

    it('changes nothing when nothing is given', async () => {
      const made = await make('same');
      expect(await cluster().here.accounts.update(made, {})).toEqual(made);
    });

    it('goes by the life, not by what the caller remembers of it', async () => {
      const made = await make('stale');
      await cluster().here.accounts.update(made, { displayName: 'first' });
      const second = await cluster().elsewhere.accounts.update(made, { credential: '$argon2id$b' });
      expect(second).toEqual({ ...made, displayName: 'first', credential: '$argon2id$b' });
      expect(cluster().elsewhere.accounts.get(made.name)).toEqual(second);
      await eventually(() => expect(cluster().here.accounts.get(made.name)).toEqual(second));
    });

    it('refuses a life that is gone, and leaves its successor alone', async () => {
      const { accounts } = cluster().here;
      const first = await make('over');
      await accounts.remove(first);
      for (const engine of [cluster().here, cluster().elsewhere]) {
        expect(await failureOf(engine.accounts.update(first, { displayName: 'x' }))).toBe('NO_SUCH_USER');
      }
      expect(await accounts.find(first.name)).toBeUndefined();
      const second = await accounts.create({ name: first.name });
      for (const engine of [cluster().here, cluster().elsewhere]) {
        expect(await failureOf(engine.accounts.update(first, { displayName: 'x' }))).toBe('NO_SUCH_USER');
      }
      expect(accounts.get(first.name)).toEqual(second);
      expect(await cluster().elsewhere.accounts.find(first.name)).toEqual(second);
    });

    it('loses none of two changes that race through two frontends and both succeed', async () => {
      for (let round = 0; round < 4; round++) {
        const made = await make('race');
        const [renamed, blocked] = await Promise.allSettled([
          cluster().here.accounts.update(made, { displayName: `round ${round}` }),
          cluster().elsewhere.accounts.update(made, { blocked: ['eve'] }),
        ]);
        const expected = { ...made };
        if (renamed.status === 'fulfilled') expected.displayName = `round ${round}`;
        else expect(codeOf(renamed.reason)).toBe('BUSY');
        if (blocked.status === 'fulfilled') expected.blocked = ['eve'];
        else expect(codeOf(blocked.reason)).toBe('BUSY');
        expect([renamed.status, blocked.status]).toContain('fulfilled');
        await eventually(() => expect(cluster().here.accounts.get(made.name)).toEqual(expected));
        await eventually(() => expect(cluster().elsewhere.accounts.get(made.name)).toEqual(expected));
      }
    });

    it('never brings back an account that a race with its removal has removed', async () => {
      for (let round = 0; round < 4; round++) {
        const made = await make('doomed');
        await cluster().elsewhere.accounts.find(made.name);
        const [removed, changed] = await Promise.allSettled([
          cluster().here.accounts.remove(made),
          cluster().elsewhere.accounts.update(made, { displayName: 'too late?' }),
        ]);
        if (removed.status === 'rejected') expect(codeOf(removed.reason)).toBe('BUSY');
        if (changed.status === 'rejected') expect(['NO_SUCH_USER', 'BUSY']).toContain(codeOf(changed.reason));
        let expected: Account | undefined;
        if (removed.status === 'rejected') {
          expected = changed.status === 'fulfilled' ? changed.value : made;
        }
        await eventually(() => expect(cluster().here.accounts.get(made.name)).toEqual(expected));
        await eventually(() => expect(cluster().elsewhere.accounts.get(made.name)).toEqual(expected));
      }
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
