import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, uniqueName } from '../contracts/cluster.ts';
import { RawClient2 } from '../server/raw-client2.ts';
import { roundsAtOnce, sized } from '../size.ts';
import { type FrontendHere, openFrontendHere } from './frontend-here.ts';

const PASSWORD = 'correct horse';
const ROUNDS = sized(24, 200);

/** Two frontends on real Kafka. */
let north: FrontendHere;
let south: FrontendHere;
const clients: RawClient2[] = [];

beforeAll(async () => {
  [north, south] = await Promise.all([openFrontendHere(), openFrontendHere()]);
});

afterAll(async () => {
  for (const client of clients) client.socket.destroy();
  await Promise.all([north?.remove(), south?.remove()]);
});

async function connect(frontend: FrontendHere): Promise<RawClient2> {
  const client = await RawClient2.connect(frontend.address);
  clients.push(client);
  return client;
}

/** Ends a login as one should, so that the next round finds nobody there. */
async function logout(client: RawClient2): Promise<void> {
  client.write({ type: 'logout' });
  await client.over();
}

/** What a failure says to its reader, for when a round went wrong. */
const reasons: string[] = [];

/** The type of a reply; of a failure its code. */
async function outcome(client: RawClient2): Promise<string> {
  const reply = await client.reply();
  if (reply.type !== 'failure') return reply.type;
  reasons.push(reply.message);
  return reply.code;
}

describe(`${ROUNDS} rounds at once through two frontends`, { timeout: 600_000 }, () => {
  it('of two logins: exactly one wins', async () => {
    const names = Array.from({ length: 8 }, () => uniqueName('login'));
    for (const username of names) {
      const maker = await connect(north);
      await maker.create(username);
      await logout(maker);
    }
    // Each name's rounds one after the other: the next one finds nobody there.
    await roundsAtOnce(names.length, async (at) => {
      const username = names[at] ?? '';
      for (let round = 0; round < ROUNDS / names.length; round++) await loginTogether(username);
    });
  });

  async function loginTogether(username: string): Promise<void> {
    const pair = await Promise.all([connect(north), connect(south)]);
    for (const client of pair) client.write({ type: 'login', username });
    const outcomes = await Promise.all(pair.map(outcome));
    expect([...outcomes].sort()).toEqual(['ALREADY_LOGGED_IN', 'logged-in']);
    for (const [i, client] of pair.entries()) {
      if (outcomes[i] === 'logged-in') await logout(client);
      else client.socket.destroy();
    }
  }

  it('of two creates: exactly one wins', async () => {
    await roundsAtOnce(ROUNDS, async () => {
      const username = uniqueName('create');
      const pair = await Promise.all([connect(north), connect(south)]);
      for (const client of pair) client.write({ type: 'create', username });
      const outcomes = await Promise.all(pair.map(outcome));
      expect([...outcomes].sort(), reasons.slice(-2).join(' | ')).toEqual(['USERNAME_TAKEN', 'created']);
      const winner = pair[outcomes.indexOf('created')];
      winner?.write({ type: 'delete' });
      expect(winner && (await outcome(winner))).toBe('deleted');
      for (const client of pair) client.socket.destroy();
    });
  });

  it('of a create and a deletion: both answers are true together', async () => {
    await roundsAtOnce(ROUNDS, async () => {
      const username = uniqueName('mixed');
      const [owner, other] = await Promise.all([connect(north), connect(south)]);
      await owner.create(username);
      const life = owner.session?.incarnation ?? Buffer.alloc(0);
      owner.write({ type: 'delete' });
      other.write({ type: 'create', username });
      const [deleted, created] = await Promise.all([outcome(owner), outcome(other)]);
      expect(['deleted', 'BUSY']).toContain(deleted);
      expect(['created', 'USERNAME_TAKEN', 'BUSY']).toContain(created);
      if (created === 'created') {
        expect(deleted).toBe('deleted');
        expect(Buffer.from(other.session?.incarnation ?? [])).not.toEqual(Buffer.from(life));
        other.write({ type: 'delete' });
        expect(await outcome(other)).toBe('deleted');
      } else if (deleted === 'BUSY') {
        await owner.inStep();
        await eventually(async () => {
          owner.write({ type: 'delete' });
          expect(await outcome(owner)).toBe('deleted');
        });
      }
      owner.socket.destroy();
      other.socket.destroy();
    });
  });

  it('of a send and a deletion with a new life: nobody reads what was for another', async () => {
    await roundsAtOnce(ROUNDS, async (round) => {
      const sender = await connect(north);
      await sender.create(uniqueName('sender'));
      const username = uniqueName('reborn');
      const first = await connect(south);
      await first.create(username);
      const bodies = ['before', 'during', 'after'].map((word) => `${word} ${round}`);
      const id = () => randomBytes(16);
      await sender.send(username, bodies[0] ?? '');
      first.write({ type: 'delete', force: true });
      sender.write({ type: 'send', id: id(), to: username, body: bodies[1] ?? '' });
      expect(await outcome(first)).toBe('deleted');
      expect(['sent', 'NO_SUCH_USER', 'UNAVAILABLE']).toContain(await outcome(sender));
      const second = await connect(south);
      await second.create(username);
      // Until its table shows the new life, the sender's frontend sends to the old one or to nobody.
      await eventually(async () => {
        await sender.send(username, bodies[2] ?? '');
        expect(second.bodies()).toContain(bodies[2]);
      });
      expect(new Set(second.bodies())).toEqual(new Set([bodies[2]]));
      second.write({ type: 'delete', force: true });
      expect(await outcome(second)).toBe('deleted');
      for (const client of [first, second]) client.socket.destroy();
      await logout(sender);
    });
  });
});

describe('between the push and the acknowledgement', () => {
  it('a client may die: the message comes again at the next login, through any frontend', async () => {
    const [anna, bert] = [uniqueName('anna'), uniqueName('bert')];
    const sender = await connect(north);
    await sender.create(bert, PASSWORD);
    let reader = await connect(north);
    await reader.create(anna, PASSWORD);
    const sent = [];
    for (const body of ['one', 'two', 'three']) sent.push(await sender.send(anna, body));
    await eventually(() => expect(reader.bodies()).toEqual(['one', 'two', 'three']));
    reader.ack(reader.seqs()[0] ?? -1);
    await reader.inStep();
    const token = reader.session?.token;
    reader.cut();
    if (token === undefined) throw new Error('a login gives a token');
    reader = await connect(south);
    expect((await reader.login(anna, { token })).undelivered).toBe(2);
    await eventually(() => expect(reader.bodies()).toEqual(['two', 'three']));
    reader.ack(reader.seqs()[1] ?? -1);
    // The sender hears of all three: of the first from its own frontend, of the others by what is committed.
    await eventually(() => expect(sender.delivered).toHaveLength(3));
    const receipts = sent.map(({ receipt }) => receipt);
    expect(await sender.ask({ type: 'receipts', receipts })).toMatchObject({
      fates: ['delivered', 'delivered', 'delivered'],
    });
    await logout(reader);
    reader = await connect(north);
    expect((await reader.login(anna, { password: PASSWORD })).undelivered).toBe(0);
    await reader.inStep();
    expect(reader.messages).toEqual([]);
  });

  it('takeover and deletion are told to those concerned, through another frontend', async () => {
    const [anna, bert] = [uniqueName('anna'), uniqueName('bert')];
    const sender = await connect(north);
    await sender.create(bert, PASSWORD);
    const first = await connect(north);
    await first.create(anna, PASSWORD);
    const second = await connect(south);
    expect(await second.refusal({ type: 'login', username: anna, password: PASSWORD })).toBe(
      'ALREADY_LOGGED_IN',
    );
    await second.login(anna, { password: PASSWORD, takeover: true });
    expect(await first.over()).toBe('REPLACED');
    await sender.send(anna, 'never read');
    await eventually(() => expect(second.messages).toHaveLength(1));
    const failure = await second.expect('failure', { type: 'delete', password: PASSWORD });
    expect(failure).toMatchObject({ code: 'HAS_UNDELIVERED', undelivered: 1 });
    second.write({ type: 'delete', password: PASSWORD, force: true });
    expect(await outcome(second)).toBe('deleted');
    await eventually(() => expect(sender.undeliverable).toHaveLength(1));
  });
});
