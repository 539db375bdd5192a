import { once } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Passwords } from '../../src/server/identity/passwords.ts';
import { eventually } from '../contracts/cluster.ts';
import { CHEAP, openHouse, PASSWORD } from './house.ts';
import type { RawClient2 } from './raw-client2.ts';

const wrong = { type: 'login', username: 'anna', password: 'wrong' } as const;
type Wrong = Omit<typeof wrong, 'username'> & { readonly username: string };

describe('a wrong password', () => {
  it('and an unknown user get the same answer', async () => {
    const house = await openHouse();
    (await house.person2('anna')).cut();
    const client = await house.connect2();
    const answers = [await client.ask(wrong), await client.ask({ ...wrong, username: 'nobody' })];
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject({ code: 'BAD_CREDENTIALS' });
  });

  it('too often for one name from one address lets the next one wait there, and only there, but no token', async () => {
    const failures = { burst: 1, perSecond: 0.001 };
    const limits = { failuresPerKnownPair: failures, failuresPerPair: failures, failuresPerName: failures };
    const house = await openHouse({ limits });
    const anna = await house.person2('anna');
    const token = anna.session?.token;
    anna.cut();
    await eventually(() => expect(house.engine.inboxes.openCount).toBe(0));
    const client = await house.connect2();
    // A name that nobody has waits alike.
    for (const username of ['anna', 'nobody']) {
      for (let i = 0; i < 2; i++) {
        expect(await client.refusal({ ...wrong, username })).toBe('BAD_CREDENTIALS');
      }
    }
    const waiting = await Promise.all([house.connect2(), house.connect2()]);
    const looks = vi.spyOn(Passwords.prototype, 'matches');
    onTestFinished(() => {
      looks.mockRestore();
    });
    for (const [i, username] of ['anna', 'nobody'].entries()) waiting[i]?.write({ ...wrong, username });
    // Others are not concerned, and the owner has other ways in.
    await house.person2('bert');
    await (await house.connect2('127.0.0.2')).login('anna', { password: PASSWORD });
    expect(looks.mock.calls.map(([, password]) => password)).toEqual([PASSWORD]);
    if (token === undefined) throw new Error('a login gives a token');
    const elsewhere = await house.connect2('127.0.0.3');
    const { token: newest } = await elsewhere.login('anna', { password: PASSWORD, takeover: true });
    await house.login2('anna', { token: newest });
  });

  it('does not keep the right one out that comes after it, however often it came', async () => {
    const failures = { burst: 1, perSecond: 20 };
    const limits = { failuresPerKnownPair: failures, failuresPerPair: failures, failuresPerName: failures };
    const house = await openHouse({ limits });
    await house.engine.accounts.create({ name: 'anna', credential: await credential() });
    let answered = -40;
    const next = () => {
      answered += 1;
      return wrong;
    };
    for (const guesser of await Promise.all(Array.from({ length: 40 }, () => house.connect2()))) {
      void flood(guesser, next);
    }
    await eventually(() => expect(answered).toBeGreaterThan(50));
    for (let i = 0; i < 5; i++) await house.login2('anna', { password: PASSWORD, takeover: true });
  });

  it('for any names, from forty connections without end, keeps nobody out behind the same address', async () => {
    const house = await openHouse();
    const people = Array.from({ length: 10 }, (_, i) => `person-${i}`);
    for (const name of people) await house.engine.accounts.create({ name, credential: await credential() });
    let answered = 0;
    const next = () => ({ ...wrong, username: `name-${answered++}` });
    for (const guesser of await Promise.all(Array.from({ length: 40 }, () => house.connect2()))) {
      void flood(guesser, next);
    }
    // What the address may be wrong at once is used up.
    await eventually(() => expect(answered).toBeGreaterThan(150));
    await Promise.all(people.map((name) => house.login2(name)));
  });

  it('from connections that are new each time keeps nobody out behind the same address either', async () => {
    const house = await openHouse({ limits: { failuresPerAddress: { burst: 5, perSecond: 20 } } });
    await house.engine.accounts.create({ name: 'anna', credential: await credential() });
    let guessing = true;
    let answered = 0;
    const guesses = Array.from({ length: 40 }, async (_, i) => {
      for (let count = 0; guessing; count++) {
        const guesser = await house.connect2();
        const code = await guesser.refusal({ ...wrong, username: `name-${i}-${count}` });
        if (guessing) expect(code).toBe('BAD_CREDENTIALS');
        answered += 1;
        guesser.cut();
      }
    });
    await eventually(() => expect(answered).toBeGreaterThan(20));
    for (let i = 0; i < 2; i++) await house.login2('anna', { password: PASSWORD, takeover: true });
    guessing = false;
    await Promise.all(guesses);
  });

  it('keeps nobody out elsewhere, however many come from however many addresses', async () => {
    const house = await openHouse();
    await house.engine.accounts.create({ name: 'anna', credential: await credential() });
    const guessers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => house.connect2(`127.0.1.${1 + (i % 20)}`)),
    );
    let answered = -40;
    const next = () => {
      answered += 1;
      return wrong;
    };
    for (const guesser of guessers) void flood(guesser, next);
    // The first ones of each address, and those that all have in common.
    await eventually(() => expect(answered).toBeGreaterThanOrEqual(20 * 5 + 10));
    // One whom nobody has seen, again and again, and then from addresses of which each is new.
    for (let i = 0; i < 40; i++) {
      const owner = await house.connect2(i < 20 ? '127.0.0.1' : `127.0.2.${i}`);
      await owner.login('anna', { password: PASSWORD, takeover: true });
    }
  });

  it('for forty-four names keeps nobody out behind the same address', async () => {
    const house = await openHouse();
    await house.engine.accounts.create({ name: 'anna', credential: await credential() });
    const client = await house.connect2();
    for (let i = 0; i < 44; i++) {
      expect(await client.refusal({ ...wrong, username: `name-${i}` })).toBe('BAD_CREDENTIALS');
    }
    await client.login('anna', { password: PASSWORD });
  });

  it('too often from one address makes strangers there wait, and nobody whose name got in from it', async () => {
    const house = await openHouse({ limits: { failuresPerAddress: { burst: 3, perSecond: 5 } } });
    await house.engine.accounts.create({ name: 'new', credential: await credential() });
    (await house.person2('anna')).cut();
    const client = await house.connect2();
    for (const username of ['nobody', 'no-one', 'none']) {
      expect(await client.refusal({ ...wrong, username })).toBe('BAD_CREDENTIALS');
    }
    // The one at once, the other when the address may be wrong again.
    await Promise.all([house.login2('anna', { password: PASSWORD, takeover: true }), house.login2('new')]);
  });

  it('of somebody else for the account that one holds is nothing to its holder', async () => {
    const failures = { burst: 1, perSecond: 0.001 };
    const limits = {
      failuresPerPair: failures,
      failuresPerName: failures,
      failuresPerKnownPair: { burst: 1, perSecond: 2 },
    };
    const house = await openHouse({ limits });
    const anna = await house.person2('anna');
    const client = await house.connect2('127.0.0.2');
    for (let i = 0; i < 2; i++) expect(await client.refusal(wrong)).toBe('BAD_CREDENTIALS');
    client.write(wrong);
    await anna.expect('password-changed', { type: 'password', old: PASSWORD, new: 'battery staple' });
    // A thief of an open session may not guess on and on either.
    const guess = { type: 'password', old: 'wrong', new: 'battery staple' } as const;
    const began = performance.now();
    for (let i = 0; i < 2; i++) expect(await anna.refusal(guess)).toBe('BAD_CREDENTIALS');
    expect(await anna.refusal({ type: 'delete', password: 'wrong' })).toBe('BAD_CREDENTIALS');
    expect(performance.now() - began).toBeGreaterThan(900);
  });

  it('is none for tokens that are right, however many come at once beside wrong ones', async () => {
    const house = await openHouse({ limits: { failuresPerAddress: { burst: 1, perSecond: 0.001 } } });
    const names = Array.from({ length: 20 }, (_, i) => `anna-${i}`);
    const people = await Promise.all(names.map((name) => house.person2(name)));
    for (const person of people) person.cut();
    const client = await house.connect2();
    const forged = { type: 'login', username: 'anna-0', token: Buffer.alloc(32) } as const;
    for (let i = 0; i < 20; i++) expect(await client.refusal(forged)).toBe('BAD_CREDENTIALS');
    await Promise.all(
      people.map(({ session }, i) => house.login2(`anna-${i}`, { token: session?.token ?? Buffer.alloc(0) })),
    );
  });

  it('has a kind of its own in tokens: where they are too many their answers come late, and right ones get in at once', async () => {
    const limits = { wrongTokensPerAddress: { burst: 3, perSecond: 0.001 }, wrongTokensWaiting: 5 };
    const house = await openHouse({ limits });
    const anna = await house.person2('anna');
    const token = anna.session?.token;
    if (token === undefined) throw new Error('a login gives a token');
    anna.cut();
    const guess = (i: number) =>
      ({ type: 'login', username: i % 2 ? 'anna' : `nobody-${i}`, token: Buffer.alloc(32) }) as const;
    const client = await house.connect2();
    for (let i = 0; i < 3; i++) expect(await client.refusal(guess(i))).toBe('BAD_CREDENTIALS');
    const late = await Promise.all(Array.from({ length: 7 }, () => house.connect2()));
    const codes: unknown[] = [];
    for (const [i, each] of late.entries()) {
      void each.refusal(guess(i)).then(
        (code) => codes.push(code),
        () => {},
      );
    }
    await eventually(() => expect(codes).toEqual(['RATE_LIMITED', 'RATE_LIMITED']));
    // Neither the right one nor what comes from elsewhere waits.
    await house.login2('anna', { token });
    expect(await (await house.connect2('127.0.0.2')).refusal(guess(0))).toBe('BAD_CREDENTIALS');
    expect(codes).toHaveLength(2);
  });

  it('of clients that have ended their side holds up nobody who is there', async () => {
    const house = await openHouse({ limits: { hashesAtOnce: 1 } });
    await house.engine.accounts.create({ name: 'anna', credential: await credential() });
    const matches = vi.spyOn(Passwords.prototype, 'matches');
    onTestFinished(() => {
      matches.mockRestore();
    });
    const free = Promise.withResolvers<boolean>();
    matches.mockReturnValueOnce(free.promise);
    const find = vi.spyOn(house.engine.accounts, 'findEvenly');
    const flood = await Promise.all(Array.from({ length: 30 }, (_, i) => house.connect2(`127.0.1.${1 + i}`)));
    for (const [i, client] of flood.entries()) client.write({ ...wrong, username: `name-${i}` });
    await eventually(() => expect(find).toHaveBeenCalledTimes(30));
    await Promise.all(flood.map(({ socket }) => once(socket.end(), 'finish')));
    const anna = await house.connect2();
    const isIn = anna.login('anna', { password: PASSWORD });
    await eventually(() => expect(find).toHaveBeenLastCalledWith('anna'));
    // Whoever awaited this before is in the line then.
    await find.mock.results.at(-1)?.value;
    free.resolve(false);
    await isIn;
    // After the one that was begun.
    expect(matches.mock.calls.map(([, password]) => password).indexOf(PASSWORD)).toBe(1);
    // They are answered all the same.
    for (const client of flood) expect(await client.reply()).toMatchObject({ code: 'BAD_CREDENTIALS' });
  });

  it('costs nothing when it is right: twenty logins of one account at once, a hundred people behind one address', async () => {
    const none = { burst: 1, perSecond: 0.001 };
    const limits = { failuresPerPair: none, failuresPerName: none, failuresPerAddress: none };
    const house = await openHouse({ limits });
    const password = await credential();
    const names = Array.from({ length: 100 }, (_, i) => `person-${i}`);
    for (const name of ['anna', ...names]) {
      await house.engine.accounts.create({ name, credential: password });
    }
    const twenty = await Promise.all(Array.from({ length: 20 }, () => house.connect2()));
    const login = { type: 'login', username: 'anna', password: PASSWORD, takeover: true } as const;
    for (const client of twenty) client.write(login);
    for (const client of twenty) {
      const reply = await client.reply();
      // The takeover of one is the end of another: the password is right all the same.
      if (reply.type === 'failure') expect(['ALREADY_LOGGED_IN', 'REPLACED', 'BUSY']).toContain(reply.code);
    }
    await Promise.all(names.map((name) => house.login2(name)));
  });
});

/** One request after the other, until there is no answer any more or another one than for a wrong guess. */
async function flood(client: RawClient2, next: () => Wrong): Promise<void> {
  try {
    while ((await client.refusal(next())) === 'BAD_CREDENTIALS');
  } catch {
    // The house is closed.
  }
}

function credential(): Promise<string> {
  return new Passwords(CHEAP).hash(PASSWORD);
}
