/* The section *Sending only*, on two servers with one storage. */
import { describe, expect } from 'vitest';
import { openHouse } from '../server/house.ts';
import { type Client, eventually, hexes, newId, newName, PASSWORD } from './client.ts';
import { type Fields, frame2 } from './frames.ts';
import { holds } from './sentences.ts';
import { login, open, type Person, person, serversInMemory } from './servers.ts';

const servers = serversInMemory(2);
const NONE = { password: PASSWORD, deliver: 'none' };

/** A login that only sends, by the password unless `how` says otherwise, and its reply. */
async function sender(server: number, username: string, how: Fields = NONE): Promise<[Client, Fields]> {
  const client = await open(servers[server]);
  return [client, await client.get(0x20, { username, ...how })];
}

/** Acknowledges everything that this client was pushed. */
function ack(client: Client): Buffer {
  return frame2(0x90, { upTo: client.seqs().at(-1) });
}

/** That somebody is still logged in. */
async function isThere({ client }: Person): Promise<void> {
  await client.inStep();
  expect(client.isOver).toBe(false);
}

describe('sending only', () => {
  holds(
    [
      'A login with `deliver: none` takes no inbox.',
      "There may be any number of them beside the account's own login, which they do not end and by which they are not ended, takeovers included;",
      '`takeover` changes nothing in such a login, and for others nobody is logged in by it.',
      '`none`: the login only sends, see *Sending only* |',
      'For programs that send and receive nothing:',
      "an alert, a script, a bot beside the person's own client.",
    ],
    async () => {
      const [own, other] = [await person(servers[0]), await person(servers[1])];
      const many = await Promise.all(
        Array.from({ length: 20 }, (_, i) => sender(i % 2, own.name, { ...NONE, takeover: i % 3 === 0 })),
      );
      await isThere(own);
      for (const [client] of many) await client.send(other.name, 'x');
      await eventually(() => expect(other.client.bodies()).toHaveLength(20));
      // Their own inbox is not theirs: it goes to the login that holds it.
      await other.client.send(own.name, 'hello');
      await eventually(() => expect(own.client.bodies()).toEqual(['hello']));
      const again = await login(servers[1], own.name, { password: PASSWORD, takeover: true });
      expect(await own.client.goodbye()).toBe('REPLACED');
      for (const [client] of many) await client.inStep();
      expect(many.flatMap(([client]) => client.bodies())).toEqual([]);
      again.client.socket.destroy();
      await eventually(async () =>
        expect(await other.client.get(0xa0, { names: [own.name] })).toEqual({ loggedIn: [] }),
      );
      for (const [client] of many) await client.inStep();
    },
  );

  holds(
    [
      'It sends, hears what became of its own sends, and asks;',
      "what is for the login that has the inbox gets ONLY_SENDS: messages, and whatever changes the account's password or ends its life.",
    ],
    async () => {
      const [own, other] = [await person(servers[0]), await person(servers[0])];
      const [client] = await sender(1, own.name);
      const [beside] = await sender(1, own.name);
      const id = newId();
      const { receipt } = await client.send(other.name, 'x', id);
      expect(await client.get(0xe0, { receipts: [receipt] })).toEqual({ fates: ['waiting'] });
      await eventually(() => expect(other.client.seqs()).toHaveLength(1));
      other.client.write(ack(other.client));
      await eventually(() => expect(client.delivered()).toEqual(hexes([id])));
      expect(await client.get(0xe0, { receipts: [receipt] })).toEqual({ fates: ['delivered'] });
      expect(await client.get(0xa0, { names: [other.name] })).toEqual({ loggedIn: [other.name] });
      expect(await client.get(0x50, { pattern: other.name })).toMatchObject({ names: [other.name] });
      expect(await client.get(0xf0)).toEqual({ blocked: [] });
      for (const [opcode, fields] of [
        [0x60, {}],
        [0x40, { password: PASSWORD, force: true }],
        [0xd0, { old: PASSWORD, new: 'another one' }],
      ] as const) {
        expect(await client.refusal(opcode, fields)).toBe('ONLY_SENDS');
      }
      client.write(ack(other.client));
      expect((await client.reply()).fields).toMatchObject({ code: 'ONLY_SENDS', request: 0x90 });
      // Of its own sends, not of others\'.
      expect(beside.delivered()).toEqual([]);
      expect(own.client.delivered()).toEqual([]);
      await isThere(own);
    },
  );

  holds(
    [
      'It shows whose it is as any other login does, by password or token, or neither for an open account, and what is said of wrong ones below holds for it.',
      "It gets no token, and the account's stays as it was: after a lost connection it logs in as it did before.",
      'this and the next four are absent of a login that only sends |',
    ],
    async () => {
      const own = await person(servers[0]);
      const { name: username, token } = own;
      for (const how of [NONE, { token, deliver: 'none' }]) {
        const [client, reply] = await sender(1, username, how);
        expect(Object.keys(reply).sort()).toEqual(['incarnation', 'limits', 'username']);
        expect(await client.get(0x30)).toEqual({});
      }
      await isThere(own);
      // Neither these logins nor their ends have touched the token.
      own.client.socket.destroy();
      expect((await login(servers[1], username, { token })).token).toEqual(token);
      const wrong = await open(servers[0]);
      for (const proof of [{ password: 'wrong horse' }, { token: new Uint8Array(32) }, {}]) {
        expect(await wrong.refusal(0x20, { username, ...proof, deliver: 'none' })).toBe('BAD_CREDENTIALS');
      }
      const anybody = newName();
      const made = await open(servers[0]);
      const reply = await made.get(0x10, { username: anybody, deliver: 'none' });
      expect(reply).toEqual(expect.not.objectContaining({ token: expect.anything() }));
      expect(await made.refusal(0x60)).toBe('ONLY_SENDS');
      await sender(1, anybody, { deliver: 'none' });
      await login(servers[1], anybody, {});
    },
  );

  holds(
    [
      'It ends with the account (goodbye NO_SUCH_USER), and when the password is changed or the account must not be used any more (goodbye BAD_CREDENTIALS), some seconds later at most.',
      'The end of a token does not end it.',
      'goodbye: the password was changed |',
    ],
    async () => {
      const own = await person(servers[0]);
      const { name, token } = own;
      const all = await Promise.all([
        sender(0, name),
        sender(1, name),
        sender(0, name, { token, deliver: 'none' }),
        sender(1, name, { token, deliver: 'none' }),
      ]);
      // Replaces the token, and then ends it.
      const newer = await login(servers[1], name, { password: PASSWORD, takeover: true });
      await newer.client.get(0x30);
      const back = await login(servers[0], name);
      for (const [client] of all) await client.inStep();
      await back.client.get(0xd0, { old: PASSWORD, new: 'another horse' });
      for (const [client] of all) expect(await client.goodbye()).toBe('BAD_CREDENTIALS');
      const last = await Promise.all(
        [0, 1].map((server) => sender(server, name, { password: 'another horse', deliver: 'none' })),
      );
      await back.client.get(0x40, { password: 'another horse', force: true });
      for (const [client] of last) expect(await client.goodbye()).toBe('NO_SUCH_USER');

      const house = await openHouse();
      const made = await open(house.frontend);
      await made.get(0x10, { username: 'anna', password: PASSWORD, deliver: 'none' });
      const account = house.engine.accounts.get('anna');
      if (account === undefined) throw new Error('no such account');
      house.cluster.putAccount({ ...account, disabled: true });
      expect(await made.goodbye()).toBe('BAD_CREDENTIALS');
    },
  );

  holds(
    [
      'All of one account on a server may send `messagesPerSecond` together.',
      'Where there are 256 of one account on a server, or 4,000 in all, and another one comes, the one that was idle for longest gets goodbye BUSY.',
    ],
    async () => {
      const limits = { sendersPerAccount: 2, senders: 3, sendsPerSecond: 1, sendBurst: 4 };
      const house = await openHouse({ limits });
      const enter = async (username: string) => {
        const client = await open(house.frontend);
        await client.get(0x20, { username, ...NONE });
        return client;
      };
      for (const username of ['anna', 'bert']) {
        const made = await open(house.frontend);
        await made.get(0x10, { username, password: PASSWORD });
      }
      const [one, two] = [await enter('anna'), await enter('anna')];
      for (const client of [one, two, one, two]) await client.send('bert', 'x');
      expect(await one.refusal(0x70, { id: newId(), to: 'bert', body: 'x' })).toBe('RATE_LIMITED');
      const three = await enter('anna');
      expect(await two.goodbye()).toBe('BUSY');
      await enter('bert');
      // In all: the account with most makes room.
      const four = await enter('bert');
      expect(await one.goodbye()).toBe('BUSY');
      for (const client of [three, four]) await client.inStep();
    },
  );
});
