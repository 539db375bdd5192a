import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredToken } from '../../src/core/storage.ts';
import { type MakeCluster, type TestCluster, uniqueName } from './cluster.ts';

/** A token like those that a login stores, valid for a minute unless told otherwise. */
function token(validMs = 60_000): StoredToken {
  const tokenHash = createHash('sha256').update(randomBytes(32)).digest();
  return { tokenHash, expiresAt: Date.now() + validMs };
}

/** Every sentence of the `ResumeTokens` interface, for any implementation of it. */
export function resumeTokensContract(name: string, makeCluster: MakeCluster): void {
  describe(`resume tokens: ${name}`, () => {
    let cluster: TestCluster;
    beforeAll(async () => {
      cluster = await makeCluster();
    });
    afterAll(async () => {
      await cluster.close();
    });
    const makeAccount = (stem: string) => cluster.here.accounts.create({ name: uniqueName(stem) });

    it('finds nothing where nothing was put', async () => {
      expect(await cluster.here.tokens.find(await makeAccount('never'))).toBeUndefined();
    });

    it('finds at once, here and elsewhere, what was put, byte for byte', async () => {
      for (let round = 0; round < 3; round++) {
        const account = await makeAccount('kept');
        const stored = token();
        await cluster.here.tokens.put(account, stored);
        expect(await cluster.elsewhere.tokens.find(account)).toEqual(stored);
        expect(await cluster.here.tokens.find(account)).toEqual(stored);
      }
    });

    it('keeps the latest of an account alone', async () => {
      const account = await makeAccount('latest');
      const [first, second, third] = [token(), token(), token()];
      await cluster.here.tokens.put(account, first);
      await cluster.here.tokens.put(account, second);
      expect(await cluster.here.tokens.find(account)).toEqual(second);
      await cluster.elsewhere.tokens.put(account, third);
      expect(await cluster.here.tokens.find(account)).toEqual(third);
      expect(await cluster.elsewhere.tokens.find(account)).toEqual(third);
    });

    it('keeps accounts apart, also when they are stored at once', async () => {
      const accounts = await Promise.all(['one', 'two', 'three', 'four'].map(makeAccount));
      const stored = accounts.map((account, i) => ({ account, token: token(60_000 + i) }));
      await Promise.all(stored.map((entry) => cluster.here.tokens.put(entry.account, entry.token)));
      for (const entry of stored) {
        expect(await cluster.elsewhere.tokens.find(entry.account)).toEqual(entry.token);
      }
    });

    it('does not show what has expired', async () => {
      const account = await makeAccount('old');
      await cluster.here.tokens.put(account, token(-1));
      expect(await cluster.here.tokens.find(account)).toBeUndefined();
      expect(await cluster.elsewhere.tokens.find(account)).toBeUndefined();
      const fresh = token();
      await cluster.here.tokens.put(account, fresh);
      expect(await cluster.elsewhere.tokens.find(account)).toEqual(fresh);
    });

    it('forgets what is removed, here and elsewhere, and only that', async () => {
      const [gone, stays] = [await makeAccount('gone'), await makeAccount('stays')];
      const kept = token();
      await cluster.here.tokens.put(gone, token());
      await cluster.here.tokens.put(stays, kept);
      await cluster.here.tokens.remove(gone);
      expect(await cluster.elsewhere.tokens.find(gone)).toBeUndefined();
      expect(await cluster.here.tokens.find(gone)).toBeUndefined();
      expect(await cluster.elsewhere.tokens.find(stays)).toEqual(kept);
      const again = token();
      await cluster.elsewhere.tokens.put(gone, again);
      expect(await cluster.here.tokens.find(gone)).toEqual(again);
    });

    it('removes what is not there without a word', async () => {
      const account = await makeAccount('empty');
      await cluster.here.tokens.remove(account);
      await cluster.here.tokens.remove(account);
      expect(await cluster.here.tokens.find(account)).toBeUndefined();
    });

    it('never shows another life of the name its token', async () => {
      const { accounts, tokens } = cluster.here;
      const first = await makeAccount('reborn');
      await tokens.put(first, token());
      await accounts.remove(first);
      const second = await accounts.create({ name: first.name });
      expect(await tokens.find(second)).toBeUndefined();
      expect(await cluster.elsewhere.tokens.find(second)).toBeUndefined();
      const stored = token();
      await tokens.put(second, stored);
      expect(await cluster.elsewhere.tokens.find(second)).toEqual(stored);
      expect(await cluster.elsewhere.tokens.find(first)).toBeUndefined();
    });
  });
}
