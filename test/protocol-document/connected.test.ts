/* The section *Staying connected*, between two frontends on one Kafka. */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { testBrokers } from '../broker/brokers.ts';
import { built, RunningFrontend } from '../e2e/running-frontend.ts';
import { openHouse } from '../server/house.ts';
import { sized } from '../size.ts';
import { type Client, eventually, newId, newName, PASSWORD, read } from './client.ts';
import { frame2 } from './frames.ts';
import { holds } from './sentences.ts';
import { login, logout, open, type Person, person, serversOnKafka } from './servers.ts';

const ROUNDS = sized(8, 40);
const servers = serversOnKafka(2);
/** A process, which can stand still; with the shortest lease there is. */
let standing: RunningFrontend;

beforeAll(async () => {
  await built();
  standing = await RunningFrontend.start({
    MILENA_KAFKA_BROKERS: testBrokers().join(','),
    MILENA_FRONTEND_LEASE_MS: '6000',
  });
});
afterAll(() => standing?.remove());

/** The code of a refused login, or null of one that was let in. */
async function tryLogin(server: number, username: string, how: Record<string, unknown>): Promise<unknown> {
  const client = await open(servers[server]);
  const { opcode, fields } = await client.ask(0x20, { username, ...how });
  return opcode === 0x22 ? fields.code : null;
}

describe('the token', () => {
  holds(
    [
      "**Token**: every create, password change and login without a token, but for those that only send, replaces the device's only token; a login by token keeps it, and makes it last longer when less than half of its time is left.",
      'It is valid until `tokenExpiresAt`, on every server; a logout or a deletion ends it.',
      'After a lost connection log in with it: that takes the account over from the old connection without asking.',
      'BAD_CREDENTIALS then means that somebody logged in since, or it expired: ask the person.',
      '| 0xd1 password changed | `token` | bytes 32 | replaces the token one has |',
      '| | `tokenExpiresAt` | time | |',
      '| 0xd0 password | `old?` | text 1–1,024 | absent if the account was open |',
    ],
    async () => {
      const first = await person(servers[0]);
      const { name } = first;
      // By token, here and there: the same one, over a session that lives.
      const second = await login(servers[1], name, { token: first.token });
      expect(second.token).toEqual(first.token);
      expect(await first.client.goodbye()).toBe('REPLACED');
      const third = await login(servers[0], name, { token: first.token });
      expect(await second.client.goodbye()).toBe('REPLACED');
      // Another one by the password.
      const fourth = await login(servers[1], name, { password: PASSWORD, takeover: true });
      expect(fourth.token).not.toEqual(third.token);
      expect(await tryLogin(0, name, { token: third.token })).toBe('BAD_CREDENTIALS');
      const changed = await fourth.client.get(0xd0, { old: PASSWORD, new: 'another one' });
      expect(changed.token).not.toEqual(fourth.token);
      fourth.client.socket.destroy();
      expect(await tryLogin(0, name, { token: fourth.token })).toBe('BAD_CREDENTIALS');
      const fifth = await login(servers[0], name, { token: changed.token });
      await logout(fifth);
      expect(await tryLogin(1, name, { token: changed.token })).toBe('BAD_CREDENTIALS');
      expect(await tryLogin(1, name, { password: PASSWORD })).toBe('BAD_CREDENTIALS');
      expect(await tryLogin(1, name, { password: 'another one' })).toBeNull();
      // An open account gets its first password without an old one.
      const username = newName();
      const anybody = await open(servers[0]);
      await anybody.get(0x10, { username });
      await anybody.get(0xd0, { new: PASSWORD });
      anybody.write(frame2(0x30));
      await anybody.over();
      expect(await tryLogin(1, username, {})).toBe('BAD_CREDENTIALS');
      expect(await tryLogin(1, username, { password: PASSWORD })).toBeNull();
    },
  );
});

describe('takeover', () => {
  holds(
    [
      '**Takeover**: a login to an account that is logged in gets ALREADY_LOGGED_IN, unless `takeover` is true.',
      'The session that loses the account gets goodbye REPLACED.',
      "log in although the account is logged in elsewhere, and end that session; false: don't, by a token neither |",
      'or the account is logged in elsewhere |',
      'A program that kept a token over its end sends `takeover` false with it: what holds the account then may be another program that kept the same one, and it gets ALREADY_LOGGED_IN.',
    ],
    async () => {
      const one = await person(servers[0]);
      for (const server of [0, 1]) {
        expect(await tryLogin(server, one.name, { password: PASSWORD })).toBe('ALREADY_LOGGED_IN');
        const asking = { token: one.token, takeover: false };
        expect(await tryLogin(server, one.name, asking)).toBe('ALREADY_LOGGED_IN');
      }
      await one.client.inStep();
      await login(servers[1], one.name, { password: PASSWORD, takeover: true });
      expect(await one.client.goodbye()).toBe('REPLACED');
    },
  );

  holds(
    [
      'Of several takeovers at once the last one wins; the others get REPLACED, as a failure or a goodbye, or BUSY.',
      'failure: that happened while the request was carried out (a login, retrieve, delete, password) |',
      'or another login to the account is under way,',
      'and a login that takes over may have ended the other session before it failed.',
      'In a failure the request was not carried out, but for three cases:',
    ],
    async () => {
      const { name } = await person(servers[0]);
      for (let round = 0; round < ROUNDS; round++) {
        const clients = await Promise.all([open(servers[0]), open(servers[1]), open(servers[round % 2])]);
        for (const client of clients) {
          client.write(frame2(0x20, { username: name, password: PASSWORD, takeover: true }));
        }
        const replies = await Promise.all(clients.map((client) => client.reply()));
        for (const { opcode, fields } of replies) {
          if (opcode === 0x22) expect(['REPLACED', 'BUSY'], String(fields.message)).toContain(fields.code);
        }
        const winners = clients.filter((_, i) => replies[i]?.opcode === 0x21);
        // Of those who were let in one stays, and the others hear why they do not.
        await eventually(() => expect(winners.filter(({ isOver }) => !isOver)).toHaveLength(1));
        for (const client of winners) if (client.isOver) expect(await client.goodbye()).toBe('REPLACED');
        for (const client of winners) if (!client.isOver) await client.inStep();
      }
    },
  );

  holds(
    [
      '**Giving up a login**: close its connection before the next try.',
      "A login whose client has ended its side takes no inbox: it gets BUSY, so that it can neither end the client's newer one nor replace its token.",
      'Only to take an inbox a client has to be there still (see *Giving up a login*).',
      'or the connection of a login has ended |',
    ],
    async () => {
      for (const proof of [{ password: PASSWORD, takeover: true }, { token: true }]) {
        const one = await person(servers[1]);
        const { name: username, token } = one;
        const how = 'token' in proof ? { token } : proof;
        // The first server stands still while the client asks it, gives up, and goes to the other one.
        standing.child.kill('SIGSTOP');
        let newer: Person;
        const givenUp = await open(standing);
        try {
          givenUp.write(frame2(0x20, { username, ...how }));
          givenUp.socket.end();
          newer = await login(servers[1], username, { token });
        } finally {
          standing.child.kill('SIGCONT');
        }
        const { fields } = await givenUp.reply();
        expect(fields).toMatchObject({ code: 'BUSY', request: 0x20 });
        await newer.client.inStep();
        expect(newer.client.isOver).toBe(false);
        // Its token counts as well.
        expect((await login(servers[1], username, { token })).token).toEqual(token);
      }
      // Also where nobody is: the token of a client that will come back stays good. To send, one need not stay.
      const other = await person(servers[0]);
      other.client.socket.destroy();
      const half = await open(servers[0]);
      const request = { username: other.name, password: PASSWORD, takeover: true };
      half.write(frame2(0x20, request), frame2(0x50, { pattern: other.name }));
      half.socket.end();
      expect((await half.reply()).fields).toMatchObject({ code: 'BUSY' });
      expect((await half.reply()).opcode).toBe(0x51);
      expect((await login(servers[1], other.name, { token: other.token })).token).toEqual(other.token);
      const only = await open(servers[0]);
      const id = newId();
      only.write(
        frame2(0x20, { username: other.name, password: PASSWORD, deliver: 'none' }),
        frame2(0x70, { id, to: other.name, body: 'x' }),
      );
      only.socket.end();
      expect((await only.reply()).opcode).toBe(0x21);
      expect((await only.reply()).opcode).toBe(0x71);
    },
  );

  holds(
    'A takeover, as by a token, waits for logins to the account that came to the server before it.',
    async () => {
      const { name: username, token } = await person(servers[0]);
      for (let round = 0; round < ROUNDS; round++) {
        const [first, second] = [await open(servers[0]), await open(servers[0])];
        for (const one of [first, second]) one.write(frame2(0x20, { username, token }));
        first.socket.destroy();
        expect(await second.reply()).toMatchObject({ opcode: 0x21 });
        second.socket.destroy();
      }
    },
  );
});

describe('a lost inbox', () => {
  holds(
    [
      '**Lost inbox**: goodbye INBOX_LOST is no takeover.',
      'The server stood still, or Kafka was silent, for so long that it cannot know any more who holds the inbox, and nobody else is known to.',
      'Log in again by the token, without asking anybody.',
      '| INBOX_LOST | goodbye: the server lost the inbox, and nobody else is known to hold it; failure: that happened while the request was carried out |',
    ],
    async () => {
      const [one, gone] = [await person(standing), await person(standing)];
      standing.child.kill('SIGSTOP');
      one.client.write(frame2(0x60));
      // Another server lets somebody in without a takeover as soon as the lease of this one has run out.
      await eventually(async () =>
        expect(await tryLogin(1, gone.name, { password: PASSWORD })).not.toBe('ALREADY_LOGGED_IN'),
      );
      standing.child.kill('SIGCONT');
      expect(await one.client.goodbye()).toBe('INBOX_LOST');
      // Answered where the inbox turned out to be held still.
      for (const reply of one.client.replies().slice(1).map(read)) {
        if (reply.opcode === 0x22) expect(reply.fields).toMatchObject({ code: 'INBOX_LOST', request: 0x60 });
      }
      expect(await gone.client.goodbye()).toMatch(/^(INBOX_LOST|REPLACED)$/);
      expect((await login(standing, one.name, { token: one.token })).token).toEqual(one.token);
      expect(await tryLogin(1, gone.name, { token: gone.token })).toBe('BAD_CREDENTIALS');
    },
  );
});

/** Answers every ping at once, as a client should. */
function alive(client: Client): void {
  let answered = 0;
  client.socket.on('data', () => {
    for (const pings = client.pushed(0xb2).length; answered < pings; answered++) client.write(frame2(0xb0));
  });
}

describe('silence', () => {
  holds(
    [
      '**Silence**: when a client that is logged in has sent nothing for `pingAfterMs` the server sends a ping push, and after `closeAfterMs` of silence goodbye TIMEOUT.',
      'Whatever the client sends ends a silence.',
      '| 0xb2 ping | – | | answer with any frame |',
      '| TIMEOUT | goodbye: silence, or a frame that was not whole in time |',
    ],
    async () => {
      const [pingAfterMs, closeAfterMs] = [300, 1_500];
      const { frontend } = await openHouse({ limits: { pingAfterMs, closeAfterMs } });
      const welcome = await (await open(frontend)).get(0x80, { client: 'x' });
      expect(welcome.limits).toMatchObject({ pingAfterMs, closeAfterMs });
      const [dead, living] = [await person(frontend), await person(frontend)];
      alive(living.client);
      expect(await dead.client.goodbye()).toBe('TIMEOUT');
      expect(dead.client.pushed(0xb2)).toEqual([{}]);
      // Whose own time would have been over twice.
      await eventually(() =>
        expect(living.client.pushed(0xb2).length).toBeGreaterThan((2 * closeAfterMs) / pingAfterMs),
      );
      expect(living.client.isOver).toBe(false);
    },
  );

  holds(
    [
      '| SHUTTING_DOWN | goodbye |',
      'In a goodbye the connection ends.',
      '| 0xc2 goodbye | `code` | text | as in a failure |',
      '| | `reason` | text | a sentence for a person |',
    ],
    async () => {
      const { frontend } = await openHouse();
      const [one, stranger, fresh] = [await person(frontend), await open(frontend), await open(frontend)];
      await stranger.inStep();
      // Accepted before the end begins.
      await fresh.get(0x80, { client: 'x' });
      const silent = await open(frontend);
      await stranger.inStep();
      const draining = frontend.drain();
      for (const client of [one.client, stranger]) {
        expect(await client.goodbye()).toBe('SHUTTING_DOWN');
        expect(client.pushed(0xc2)).toEqual([
          { code: 'SHUTTING_DOWN', reason: expect.stringMatching(/\w\.$/) },
        ]);
      }
      const last = await silent.over();
      if (last !== null) expect(last).toMatchObject({ version: 1, opcode: 0x22 });
      await draining;
    },
  );
});
