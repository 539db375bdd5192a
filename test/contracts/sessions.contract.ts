import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredSession } from '../../src/core/sessions.ts';
import { type MakeCluster, type TestCluster, uniqueName } from './cluster.ts';

/** A session like those that a login stores, valid for a minute unless told otherwise. */
function session(validMs = 60_000): StoredSession {
  const tokenHash = createHash('sha256').update(randomBytes(32)).digest();
  return { tokenHash, expiresAt: Date.now() + validMs };
}

/** Every sentence of the `Sessions` interface, for any implementation of it. */
export function sessionsContract(name: string, makeCluster: MakeCluster): void {
  describe(`sessions: ${name}`, () => {
    let cluster: TestCluster;
    beforeAll(async () => {
      cluster = await makeCluster();
    });
    afterAll(async () => {
      await cluster.close();
    });
    const makeAccount = (stem: string) => cluster.here.accounts.create({ name: uniqueName(stem) });

    it('finds nothing where nothing was put', async () => {
      expect(await cluster.here.sessions.find(await makeAccount('never'))).toBeUndefined();
    });

    it('finds at once, here and elsewhere, what was put, byte for byte', async () => {
      for (let round = 0; round < 3; round++) {
        const account = await makeAccount('kept');
        const stored = session();
        await cluster.here.sessions.put(account, stored);
        expect(await cluster.elsewhere.sessions.find(account)).toEqual(stored);
        expect(await cluster.here.sessions.find(account)).toEqual(stored);
      }
    });

    it('keeps the latest of an account alone', async () => {
      const account = await makeAccount('latest');
      const [first, second, third] = [session(), session(), session()];
      await cluster.here.sessions.put(account, first);
      await cluster.here.sessions.put(account, second);
      expect(await cluster.here.sessions.find(account)).toEqual(second);
      await cluster.elsewhere.sessions.put(account, third);
      expect(await cluster.here.sessions.find(account)).toEqual(third);
      expect(await cluster.elsewhere.sessions.find(account)).toEqual(third);
    });

    it('keeps accounts apart, also when they are stored at once', async () => {
      const accounts = await Promise.all(['one', 'two', 'three', 'four'].map(makeAccount));
      const stored = accounts.map((account, i) => ({ account, session: session(60_000 + i) }));
      await Promise.all(stored.map((entry) => cluster.here.sessions.put(entry.account, entry.session)));
      for (const entry of stored) {
        expect(await cluster.elsewhere.sessions.find(entry.account)).toEqual(entry.session);
      }
    });

    it('does not show what has expired', async () => {
      const account = await makeAccount('old');
      await cluster.here.sessions.put(account, session(-1));
      expect(await cluster.here.sessions.find(account)).toBeUndefined();
      expect(await cluster.elsewhere.sessions.find(account)).toBeUndefined();
      const fresh = session();
      await cluster.here.sessions.put(account, fresh);
      expect(await cluster.elsewhere.sessions.find(account)).toEqual(fresh);
    });

    it('forgets what is removed, here and elsewhere, and only that', async () => {
      const [gone, stays] = [await makeAccount('gone'), await makeAccount('stays')];
      const kept = session();
      await cluster.here.sessions.put(gone, session());
      await cluster.here.sessions.put(stays, kept);
      await cluster.here.sessions.remove(gone);
      expect(await cluster.elsewhere.sessions.find(gone)).toBeUndefined();
      expect(await cluster.here.sessions.find(gone)).toBeUndefined();
      expect(await cluster.elsewhere.sessions.find(stays)).toEqual(kept);
      const again = session();
      await cluster.elsewhere.sessions.put(gone, again);
      expect(await cluster.here.sessions.find(gone)).toEqual(again);
    });

    it('removes what is not there without a word', async () => {
      const account = await makeAccount('empty');
      await cluster.here.sessions.remove(account);
      await cluster.here.sessions.remove(account);
      expect(await cluster.here.sessions.find(account)).toBeUndefined();
    });

    it('never shows another life of the name its session', async () => {
      const { accounts, sessions } = cluster.here;
      const first = await makeAccount('reborn');
      await sessions.put(first, session());
      await accounts.remove(first);
      const second = await accounts.create({ name: first.name });
      expect(await sessions.find(second)).toBeUndefined();
      expect(await cluster.elsewhere.sessions.find(second)).toBeUndefined();
      const stored = session();
      await sessions.put(second, stored);
      expect(await cluster.elsewhere.sessions.find(second)).toEqual(stored);
      expect(await cluster.elsewhere.sessions.find(first)).toBeUndefined();
    });
  });
}
