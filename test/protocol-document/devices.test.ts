/* The section *Devices*. */
import { describe, expect } from 'vitest';
import { LIMITS } from '../../src/server/limits.ts';
import { openHouse } from '../server/house.ts';
import { type Client, eventually, newId, newName, PASSWORD, read } from './client.ts';
import { frame2 } from './frames.ts';
import { holds } from './sentences.ts';
import { login, open, type Person, person, serversInMemory } from './servers.ts';

const servers = serversInMemory(2);

const withDevice = (name: string, device: string, server = 1, how: Record<string, unknown> = {}) =>
  login(servers[server], name, { password: PASSWORD, device, ...how });

async function send(to: string, ...texts: string[]): Promise<void> {
  const { client } = await person(servers[0]);
  for (const text of texts) await client.send(to, text);
}

/** A client that says that it knows devices. */
async function withDevices(username: string, how: Record<string, unknown>, server = 1): Promise<Client> {
  const client = await open(servers[server]);
  await client.get(0x80, { client: 'x', features: ['devices'] });
  await client.get(0x20, { username, password: PASSWORD, ...how });
  return client;
}

const bodies = ({ client }: Pick<Person, 'client'>) => client.bodies();

/** Acknowledges all that was pushed by now. */
async function acknowledge({ client }: Pick<Person, 'client'>): Promise<void> {
  client.write(frame2(0x90, { upTo: client.seqs().at(-1) }));
  await client.inStep();
}

describe('devices', () => {
  holds(
    [
      'Somebody may be logged in with several devices at the same time, each of which gets everything.',
      'Each device has the inbox for itself: what it acknowledged comes to it no more, and to the others all the same.',
      'What some device has not acknowledged is kept for it.',
      'A login with `device` is one with that device, any other login one with the main device.',
      "| | `device?` | name | the request's; absent: the main one |",
    ],
    async () => {
      const main = await person(servers[0]);
      const phone = await open(servers[1]);
      const fields = { username: main.name, password: PASSWORD, device: 'Phone' };
      expect(await phone.get(0x20, fields)).toMatchObject({ device: 'phone', undelivered: 0 });
      await send(main.name, 'a', 'b');
      await eventually(() => expect(bodies(main)).toEqual(['a', 'b']));
      await eventually(() => expect(bodies({ client: phone })).toEqual(['a', 'b']));
      await acknowledge(main);
      main.client.socket.destroy();
      phone.socket.destroy();
      const again = await withDevice(main.name, 'phone', 0, { takeover: true });
      await eventually(() => expect(bodies(again)).toEqual(['a', 'b']));
      const back = await login(servers[1], main.name, { password: PASSWORD, takeover: true });
      await send(main.name, 'c');
      await eventually(() => expect(bodies(back)).toEqual(['c']));
      await eventually(() => expect(bodies(again)).toEqual(['a', 'b', 'c']));
    },
  );

  holds(
    [
      'Its token and what is said of takeovers are its own: a login ends and replaces only one with the same device.',
      "replaces the device's only token;",
    ],
    async () => {
      const main = await person(servers[0]);
      const phone = await withDevice(main.name, 'phone');
      const client = await open(servers[0]);
      const again = { username: main.name, password: PASSWORD, device: 'phone' };
      expect(await client.refusal(0x20, again)).toBe('ALREADY_LOGGED_IN');
      await client.get(0x20, { ...again, takeover: true });
      expect(await phone.client.goodbye()).toBe('REPLACED');
      // Neither is a token for the other, and the main one's is as good as it was.
      const other = await open(servers[1]);
      const username = main.name;
      expect(await other.refusal(0x20, { username, device: 'phone', token: main.token })).toBe(
        'BAD_CREDENTIALS',
      );
      await main.client.inStep();
      const resumed = await login(servers[1], username, { token: main.token });
      expect(resumed.token).toEqual(main.token);
      await client.inStep();
    },
  );

  holds(
    [
      'An account has a main device and up to 16 others; one more gets TOO_MANY_DEVICES.',
      'A name is as a username; anything else gets INVALID_DEVICE.',
      '| TOO_MANY_DEVICES | a login with a device that would be one too many |',
      "| INVALID_DEVICE | a text that is no device's name |",
    ],
    async () => {
      const main = await person(servers[0]);
      for (let i = 0; i < 16; i++) (await withDevice(main.name, `d${i}`)).client.socket.destroy();
      const client = await open(servers[0]);
      const how = { username: main.name, password: PASSWORD };
      expect(await client.refusal(0x20, { ...how, device: 'one-more' })).toBe('TOO_MANY_DEVICES');
      expect(await client.refusal(0x20, { ...how, device: 'a b' })).toBe('INVALID_DEVICE');
      await client.get(0x20, { ...how, device: 'd3', takeover: true });
    },
  );

  holds(
    [
      'The first login with a name makes the device.',
      'It begins with what no device has acknowledged, and with the `last` newest messages that Kafka still holds.',
    ],
    async () => {
      const main = await person(servers[0]);
      // What all of them have is kept for nobody: one that is away keeps it.
      (await withDevice(main.name, 'away')).client.socket.destroy();
      await send(main.name, 'a', 'b', 'c');
      await eventually(() => expect(bodies(main)).toHaveLength(3));
      await acknowledge(main);
      await send(main.name, 'd');
      await eventually(() => expect(bodies(main)).toHaveLength(4));
      const plain = await withDevice(main.name, 'plain');
      await eventually(() => expect(bodies(plain)).toEqual(['d']));
      const late = await withDevice(main.name, 'late', 0, { last: 3 });
      await eventually(() => expect(bodies(late)).toEqual(['b', 'c', 'd']));
    },
  );

  holds(
    [
      'A message is delivered once some device has acknowledged it, and undelivered while none has.',
      'So `undelivered` counts what no device has, as do HAS_UNDELIVERED and MAILBOX_FULL.',
    ],
    async () => {
      const main = await person(servers[0]);
      const phone = await withDevice(main.name, 'phone');
      await send(main.name, 'a', 'b');
      await eventually(() => expect(bodies(phone)).toHaveLength(2));
      const [first] = phone.client.seqs();
      phone.client.write(frame2(0x90, { upTo: first }));
      await phone.client.inStep();
      expect(await main.client.ask(0x40, { password: PASSWORD })).toMatchObject({
        opcode: 0x22,
        fields: { code: 'HAS_UNDELIVERED', undelivered: 1 },
      });
      const { opcode, fields } = await main.client.ask(0xc4);
      expect([opcode, fields]).toEqual([
        0xc5,
        {
          devices: [
            { loggedIn: true, waiting: 2 },
            { device: 'phone', lastLogin: expect.any(Number), loggedIn: true, waiting: 1 },
          ],
        },
      ]);
      await main.client.get(0x40, { password: PASSWORD, force: true });
      expect(await phone.client.goodbye()).toBe('NO_SUCH_USER');
    },
  );

  holds(
    [
      "A forgotten device's session ends in goodbye REPLACED, and its token is worth nothing; what is no device gets NO_SUCH_DEVICE.",
      'What only it has acknowledged is undelivered again.',
      'By its next login it is one that comes for the first time.',
      '| NO_SUCH_DEVICE | forget device |',
      "| 0xd5 device forgotten | `device` | name | the request's |",
      '| 0xc4 devices | – | | which devices the account has |',
      "| 0xc5 devices | `devices` | list of map | the main one first, each with `device?` (name; absent: the main one), `lastLogin?` (time, a day old at most while it is logged in; absent: the main one's), `loggedIn` (bool), `waiting` (int: messages that it has not acknowledged) |",
    ],
    async () => {
      const main = await person(servers[0]);
      const phone = await withDevice(main.name, 'phone');
      await send(main.name, 'a');
      await eventually(() => expect(bodies(phone)).toEqual(['a']));
      await acknowledge(phone);
      expect(await main.client.refusal(0xd4, { device: 'tablet' })).toBe('NO_SUCH_DEVICE');
      expect(await main.client.get(0xd4, { device: 'phone' })).toEqual({ device: 'phone' });
      expect(await phone.client.goodbye()).toBe('REPLACED');
      const client = await open(servers[0]);
      const how = { username: main.name, device: 'phone' };
      expect(await client.refusal(0x20, { ...how, token: phone.token })).toBe('BAD_CREDENTIALS');
      expect(await main.client.get(0xc4)).toEqual({ devices: [{ loggedIn: true, waiting: 1 }] });
      expect(await client.get(0x20, { ...how, password: PASSWORD })).toMatchObject({ undelivered: 1 });
      await eventually(() => expect(client.bodies()).toEqual(['a']));
    },
  );

  holds(
    [
      "What was sent with one device is pushed to the others (0xc6), in one order with messages, once the recipient's inbox has taken it.",
      'What logins that only send have sent is not, and one may be missing where a server died.',
      'Neither comes to a client that has not said `devices` in the last hello before its login: for that both are stepped over, as by every retrieve.',
      '| 0xc6 sent elsewhere | `seq` | int | as of a message; acknowledged as one |',
      '| | `id` | bytes 16 | of the message that was sent |',
      '| | `to` | name | whom it was sent to |',
      '| | `toIncarnation` | bytes 16 | |',
      '| | `body` | text | |',
      '| | `sentAt` | time | |',
      '| | `device?` | name | with which it was sent; absent: the main one |',
    ],
    async () => {
      const bob = await person(servers[0]);
      const plain = await person(servers[0]);
      const phone = await withDevices(plain.name, { device: 'phone' });
      const desk = await withDevices(plain.name, { device: 'desk' }, 0);
      const id = newId();
      await phone.get(0x70, { id, to: bob.name, body: 'from the phone' });
      await eventually(() => expect(desk.pushed(0xc6)).toHaveLength(1));
      expect(desk.pushed(0xc6)[0]).toEqual({
        ...{
          seq: expect.any(Number),
          id: new Uint8Array(id),
          to: bob.name,
          toIncarnation: expect.any(Uint8Array),
        },
        ...{ body: 'from the phone', sentAt: expect.any(Number), device: 'phone' },
        contentType: 'text/plain; charset=utf-8',
      });
      // What is refused is told to nobody; and of a message to oneself there is one.
      expect(await phone.refusal(0x70, { id: newId(), to: newName('no'), body: 'x' })).toBe('NO_SUCH_USER');
      await plain.client.send(bob.name, 'from the main one');
      await phone.send(plain.name, 'to myself');
      await eventually(() => expect(phone.bodies()).toEqual(['to myself']));
      await eventually(() => expect(desk.bodies()).toEqual(['to myself']));
      await eventually(() => expect(plain.client.bodies()).toEqual(['to myself']));
      expect(phone.pushed(0xc6).map(({ body }) => body)).toEqual(['from the main one']);
      expect(desk.pushed(0xc6).map(({ body }) => body)).toEqual(['from the phone', 'from the main one']);
      const seqs = desk.frames.flatMap((frame) => (frame.opcode % 4 === 2 ? [read(frame).fields.seq] : []));
      expect(seqs).toEqual(seqs.toSorted((one, other) => Number(one) - Number(other)));
      const alert = await login(servers[0], plain.name, { password: PASSWORD, deliver: 'none' });
      await alert.client.send(bob.name, 'from a script');
      await desk.inStep();
      expect(desk.pushed(0xc6)).toHaveLength(2);
      // All of it counts as delivered to who does not know of it, and is acknowledged by who does.
      expect(plain.client.pushed(0xc6)).toEqual([]);
      plain.client.write(frame2(0x90, { upTo: plain.client.seqs().at(-1) }));
      desk.write(frame2(0x90, { upTo: seqs.at(-1) }));
      await desk.inStep();
      await plain.client.inStep();
      const { devices } = await desk.get(0xc4);
      expect(devices).toMatchObject([{ waiting: 0 }, { device: 'phone', waiting: 2 }, { waiting: 0 }]);
    },
  );

  holds(
    [
      'A mark read is pushed to the other devices (0xe6), of each conversation at most one in 2 s, the last of them; for more than 32 conversations in that time it gets RATE_LIMITED.',
      '| 0xe5 marked | – | | |',
      '| 0xe6 read elsewhere | `seq` | int | as of a message; acknowledged as one |',
      '| | `conversation` | text | as in the request |',
      '| | `upTo` | int | as in the request |',
      '| | `device?` | name | with which it was read; absent: the main one |',
    ],
    async () => {
      const main = await person(servers[0]);
      const phone = await withDevices(main.name, { device: 'phone' });
      const desk = await withDevices(main.name, { device: 'desk' }, 0);
      for (const upTo of [4, 9, 7]) expect(await phone.get(0xe4, { conversation: 'bob', upTo })).toEqual({});
      const seen = () =>
        desk.pushed(0xe6).map(({ conversation, upTo, device }) => [conversation, upTo, device]);
      await eventually(() =>
        expect(seen()).toEqual([
          ['bob', 4, 'phone'],
          ['bob', 9, 'phone'],
        ]),
      );
      expect(phone.pushed(0xe6)).toEqual([]);
      // All at the same moment: so many are written down, the others refused.
      phone.write(...Array.from({ length: 60 }, (_, i) => frame2(0xe4, { conversation: `c${i}`, upTo: 1 })));
      const codes: unknown[] = [];
      for (let i = 0; i < 60; i++) codes.push((await phone.reply()).fields.code);
      expect(codes.filter((code) => code === undefined).length).toBeGreaterThanOrEqual(31);
      expect(codes).toContain('RATE_LIMITED');
    },
  );

  holds(
    'A password change ends the tokens and logins (goodbye BAD_CREDENTIALS) of all devices but those of the one it came from.',
    async () => {
      const main = await person(servers[0]);
      const phone = await withDevice(main.name, 'phone');
      const changed = await phone.client.get(0xd0, { old: PASSWORD, new: 'another one' });
      expect(await main.client.goodbye()).toBe('BAD_CREDENTIALS');
      const client = await open(servers[1]);
      const { name: username } = main;
      expect(await client.refusal(0x20, { username, token: main.token })).toBe('BAD_CREDENTIALS');
      await client.get(0x20, { username, device: 'phone', token: changed.token });
      expect(await phone.client.goodbye()).toBe('REPLACED');
    },
  );

  holds(
    'A device that has not logged in for 30 days, or what the operator says, is forgotten; the main one never is.',
    async () => {
      expect(LIMITS.deviceMs).toBe(30 * 86_400_000);
      const house = await openHouse({ limits: { deviceMs: 0 } });
      const anna = await house.person2('anna');
      const phone = await house.login2('anna', { password: PASSWORD, device: 'phone' });
      anna.socket.destroy();
      // Some time has passed.
      const [{ lastLogin = Number.NaN } = {}] = house.engine.accounts.get('anna')?.devices ?? [];
      await eventually(() => expect(Date.now()).toBeGreaterThan(lastLogin));
      await house.login2('anna', { password: PASSWORD, takeover: true });
      await eventually(() => expect(phone.goodbye?.code).toBe('REPLACED'));
      expect(house.engine.accounts.get('anna')?.devices).toEqual([]);
    },
  );

  holds(
    '`devices` (0xc4, 0xd4, 0xe4, `device`) is told only to who has said it in the very hello.',
    async () => {
      const client = await open(servers[0]);
      const plain = ['block', 'deliver-none', 'receipts', 'resume', 'resume-asks', 'takeover'];
      expect((await client.get(0x80, { client: 'x', features: ['other'] })).features).toEqual(plain);
      const said = await client.get(0x80, { client: 'x', features: ['devices', 'other'] });
      expect(said.features).toEqual([...plain, 'devices'].sort());
      expect((await client.get(0x80, { client: 'x' })).features).toEqual(plain);
    },
  );
});
