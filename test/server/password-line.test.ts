import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { HashLine } from '../../src/server/identity/hash-line.ts';
import { Passwords } from '../../src/server/identity/passwords.ts';
import { eventually } from '../contracts/cluster.ts';
import { openHouse } from './house.ts';

const wrong = (username: string) => ({ type: 'login', username, password: 'wrong' }) as const;
const forged = (username: string) => ({ type: 'login', username, token: Buffer.alloc(32) }) as const;
const NEVER = { burst: 1, perSecond: 0.001 };

describe('who waits in the line for passwords or wrong tokens', () => {
  it('leaves it when their session ends, and when their connection does', async () => {
    const none = { failuresPerPair: NEVER, failuresPerName: NEVER, wrongTokensPerAddress: NEVER };
    const house = await openHouse({ limits: { ...none, hashesAtOnce: 1, loginMs: 8_000 } });
    const lines = watchLines();
    const matches = vi.spyOn(Passwords.prototype, 'matches');
    const free = Promise.withResolvers<boolean>();
    onTestFinished(() => {
      free.resolve(false);
      matches.mockRestore();
    });
    const first = await house.connect2();
    // One more may not be wrong for a long time, with passwords and with tokens.
    for (let i = 0; i < 2; i++) expect(await first.refusal(wrong('anna'))).toBe('BAD_CREDENTIALS');
    expect(await first.refusal(forged('anna'))).toBe('BAD_CREDENTIALS');
    // Held up by the work that is done before theirs, which does not end.
    matches.mockReturnValueOnce(free.promise);
    const working = await house.connect2('127.0.0.2');
    working.write(wrong('bert'));
    await eventually(() => expect(matches).toHaveBeenCalledTimes(3));
    const asked = [
      wrong('anna'),
      forged('anna'),
      wrong('carl'),
      { type: 'create', username: 'new', password: 'correct horse' } as const,
    ];
    const waiting = await Promise.all(asked.map(() => house.connect2()));
    for (const [i, client] of waiting.entries()) {
      const request = asked[i];
      if (request !== undefined) client.write(request);
    }
    const cut = await Promise.all(asked.map(() => house.connect2()));
    for (const [i, client] of cut.entries()) {
      const request = asked[i];
      if (request !== undefined) client.write(request);
    }
    await eventually(() => expect(waitingIn(lines)).toBe(8));
    for (const client of cut) client.socket.resetAndDestroy();
    await eventually(() => expect(waitingIn(lines)).toBe(4));
    for (const client of waiting) {
      expect(await client.reply()).toMatchObject({ type: 'failure', code: 'UNAVAILABLE' });
      await expect(client.reply()).rejects.toThrow('TIMEOUT');
    }
    expect(waitingIn(lines)).toBe(0);
    // All but the one whose password is being looked at.
    await eventually(() => expect(house.frontend.sessionCount).toBe(1));
  });

  it('holds up no end of the frontend, even if they come while it ends', async () => {
    const house = await openHouse({ limits: { wrongTokensPerAddress: NEVER, drainMs: 10_000 } });
    await house.person2('anna');
    const client = await house.connect2();
    expect(await client.refusal(forged('anna'))).toBe('BAD_CREDENTIALS');
    const { tokens } = house.engine;
    const find = tokens.find.bind(tokens);
    const free = Promise.withResolvers<void>();
    const finding = vi.spyOn(tokens, 'find').mockImplementation(async (account) => {
      await free.promise;
      return find(account);
    });
    client.write(forged('anna'));
    await eventually(() => expect(finding).toHaveBeenCalledOnce());
    const drained = house.frontend.drain();
    free.resolve();
    expect(await drained).toBe(0);
    expect(await client.reply()).toMatchObject({ type: 'failure', code: 'SHUTTING_DOWN' });
  });

  it('has not been wrong by being told to wait', async () => {
    const limits = { wrongTokensPerAddress: NEVER, wrongTokensWaiting: 0 };
    const house = await openHouse({ limits });
    const client = await house.connect2();
    const pass = vi.spyOn(HashLine.prototype, 'pass');
    onTestFinished(() => {
      pass.mockRestore();
    });
    const codes: string[] = [];
    for (let i = 0; i < 3; i++) codes.push(await client.refusal(forged('anna')));
    expect(codes).toEqual(['BAD_CREDENTIALS', 'RATE_LIMITED', 'RATE_LIMITED']);
    expect(await client.refusal(wrong('anna'))).toBe('BAD_CREDENTIALS');
    expect(await client.refusal(wrong('anna'))).toBe('BAD_CREDENTIALS');
    expect(pass.mock.calls.map(([{ hasErred }]) => hasErred)).toEqual([false, false, false, false, true]);
  });
});

/** The lines that are used from now on. */
function watchLines(): ReadonlySet<HashLine> {
  const lines = new Set<HashLine>();
  const pass = HashLine.prototype.pass;
  const spy = vi.spyOn(HashLine.prototype, 'pass').mockImplementation(function (
    this: HashLine,
    work,
    compute,
  ) {
    lines.add(this);
    return pass.call(this, work, compute);
  } as typeof pass);
  onTestFinished(() => {
    spy.mockRestore();
  });
  return lines;
}

function waitingIn(lines: ReadonlySet<HashLine>): number {
  return [...lines].reduce((sum, line) => sum + line.waiting, 0);
}
