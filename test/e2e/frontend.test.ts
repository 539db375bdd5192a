import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, Kafka, logLevel, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { describeMembers } from '../../src/storage/kafka/groups/consumer-members.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { now } from '../../src/storage/kafka/wire/retry.ts';
import { testBrokers } from '../broker/brokers.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import { eventually, numbered, uniqueName } from '../contracts/cluster.ts';
import { testTrust } from '../kafka/cluster.ts';
import { RawClient } from '../server/raw-client.ts';
import { inFull, sized } from '../size.ts';
import { type FrontendHere, openFrontendHere } from './frontend-here.ts';
import { built, RunningFrontend } from './running-frontend.ts';
import { playVersion1 } from './version1-program.ts';

const PREFIX = 'milena.inbox.';
/** The shortest that the configuration allows: how long a killed frontend's users wait. */
const LEASE_MS = 6_000;

let north: FrontendHere;
let south: FrontendHere;
/** Independent Kafka clients, to see and to say what is really there. */
let kafka: Kafka;
let admin: Admin;
let producer: Producer;
/** For what kafkajs does not know: members of Kafka's newer groups. */
let groups: Cluster;

const settings = () => ({
  MILENA_KAFKA_BROKERS: testBrokers().join(','),
  MILENA_FRONTEND_LEASE_MS: String(LEASE_MS),
});

beforeAll(async () => {
  await built();
  [north, south] = await Promise.all([openFrontendHere(settings()), openFrontendHere(settings())]);
  kafka = new Kafka({ clientId: 'witness', brokers: testBrokers(), logLevel: logLevel.NOTHING });
  admin = kafka.admin();
  producer = kafka.producer(STORED_ONCE);
  groups = new Cluster({ bootstrap: testBrokers(), clientId: 'witness' });
  await Promise.all([admin.connect(), producer.connect(), groups.connect()]);
});

afterAll(async () => {
  await Promise.all([north?.remove(), south?.remove(), admin?.disconnect(), producer?.disconnect()]);
  await groups?.close();
});

/** A connection that is closed when the test is over. */
async function open(frontend: Pick<FrontendHere, 'address'>): Promise<RawClient> {
  const client = await RawClient.connect(frontend.address);
  onTestFinished(() => {
    client.socket.destroy();
  });
  return client;
}

async function person(frontend: Pick<FrontendHere, 'address'>, name: string): Promise<RawClient> {
  const client = await open(frontend);
  await client.create(name);
  return client;
}

/** A login that is tried again as long as somebody else holds the account. */
async function loginWhenFree(frontend: FrontendHere, name: string): Promise<RawClient> {
  const client = await open(frontend);
  await eventually(async () => {
    const reply = await client.ask({ type: 'login', name });
    if (reply.type !== 'logged-in')
      expect(reply).toMatchObject({ text: 'That account is already logged in.' });
    expect(reply.type).toBe('logged-in');
  });
  return client;
}

/** Everything that waits, by retrieving until nothing does. */
async function retrieveAll(client: RawClient): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const reply = await client.ask({ type: 'retrieve' });
    if (reply.type !== 'retrieved') throw new Error(JSON.stringify(reply));
    if (reply.entries.length === 0) return bodies;
    bodies.push(...reply.entries.map(({ body }) => body));
  }
}

async function logEnd(name: string): Promise<number> {
  const [partition] = await admin.fetchTopicOffsets(PREFIX + name);
  return Number(partition?.offset);
}

async function committed(name: string): Promise<number> {
  const [topic] = await admin.fetchOffsets({ groupId: PREFIX + name, topics: [PREFIX + name] });
  return Number(topic?.partitions[0]?.offset);
}

async function members(name: string): Promise<number> {
  const [found = []] = await describeMembers(groups, testTrust, [PREFIX + name], now() + 10_000);
  return found.length;
}

/** The values of an inbox topic, read by a consumer that knows nothing of Milena. */
async function readTopic(name: string): Promise<string[]> {
  const end = await logEnd(name);
  const values: string[] = [];
  const consumer = kafka.consumer({ groupId: uniqueName('witness') });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic: PREFIX + name, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        values.push(message.value?.toString() ?? '');
      },
    });
    await eventually(() => expect(values.length).toBeGreaterThanOrEqual(end));
  } finally {
    await consumer.disconnect();
  }
  return values;
}

describe('version 1 on real Kafka', () => {
  // Through one alone on a storage in memory: test/server/version1-program.test.ts.
  it('a program written only from its table gets exactly its replies, through two frontends', async () => {
    await playVersion1(north.address, south.address, uniqueName('b'));
  });

  it('two people on two frontends chat live', async () => {
    const [anna, bert] = [uniqueName('anna'), uniqueName('bert')];
    const a = await person(north, anna);
    const b = await person(south, bert);
    for (const body of numbered('ping', 25)) {
      expect(await a.ask({ type: 'send', to: bert, body })).toEqual({
        type: 'sent',
        text: `delivered to ${bert}`,
      });
      expect(await b.ask({ type: 'send', to: anna, body })).toEqual({
        type: 'sent',
        text: `delivered to ${anna}`,
      });
    }
    await eventually(() => expect(a.bodies()).toEqual(numbered('ping', 25)));
    await eventually(() => expect(b.bodies()).toEqual(numbered('ping', 25)));
    expect(a.pushes.every(({ sender }) => sender === bert)).toBe(true);
  });

  it('a record of a console producer reaches whoever is logged in, live, as external', async () => {
    const anna = uniqueName('anna');
    const client = await person(north, anna);
    await producer.send({ topic: PREFIX + anna, messages: [{ value: 'from the console' }] });
    await producer.send({ topic: PREFIX + anna, messages: [{ key: 'deploy-bot', value: 'v1.2 is out' }] });
    await eventually(() => expect(client.pushes).toHaveLength(2));
    expect(client.pushes).toEqual([
      { type: 'message', sender: '[external]', body: 'from the console' },
      { type: 'message', sender: '[external deploy-bot]', body: 'v1.2 is out' },
    ]);
  });
});

describe('seen by another Kafka client', () => {
  it('every confirmed message is in the topic, and the lag is the number of undelivered ones', async () => {
    const [anna, bert] = [uniqueName('anna'), uniqueName('bert')];
    const b = await person(south, bert);
    expect(await members(bert)).toBe(1);
    await b.logout();
    expect(await members(bert)).toBe(0);
    const a = await person(north, anna);
    const bodies = numbered('confirmed', 120);
    a.write(...bodies.map((body) => ({ type: 'send', to: bert, body }) as const));
    for (const _ of bodies) expect(await a.reply()).toEqual({ type: 'sent', text: `queued for ${bert}` });
    expect(await readTopic(bert)).toEqual(bodies);
    expect((await logEnd(bert)) - Math.max(0, await committed(bert))).toBe(120);

    const again = await loginWhenFree(south, bert);
    expect(await retrieveAll(again)).toEqual(bodies);
    await a.ask({ type: 'send', to: bert, body: 'live' });
    await eventually(() => expect(again.bodies()).toEqual(['live']));
    await eventually(async () => expect((await logEnd(bert)) - (await committed(bert))).toBe(0));
    await again.logout();
    await a.ask({ type: 'send', to: bert, body: 'waits' });
    expect((await logEnd(bert)) - (await committed(bert))).toBe(1);
  });
});

describe('one holder', () => {
  it('after each of many races for one account through two frontends', async () => {
    const name = uniqueName('prize');
    await (await person(north, name)).logout();
    for (let round = 0; round < sized(10, 200); round++) {
      const clients = await Promise.all([RawClient.connect(north.address), RawClient.connect(south.address)]);
      try {
        const replies = await Promise.all(clients.map((client) => client.ask({ type: 'login', name })));
        const winners = clients.filter((_, i) => replies[i]?.type === 'logged-in');
        expect(winners, `round ${round}: ${JSON.stringify(replies)}`).toHaveLength(1);
        expect(replies.find(({ type }) => type !== 'logged-in')).toEqual({
          type: 'failure',
          text: 'That account is already logged in.',
        });
        await winners[0]?.logout();
      } finally {
        for (const client of clients) client.socket.destroy();
      }
    }
  });
});

describe('a frontend that ends', () => {
  it('by kill -9: its users log in elsewhere within its short lease, and every confirmed message is there', async () => {
    const doomed = await RunningFrontend.start(settings());
    onTestFinished(() => doomed.remove());
    const [anna, bert] = [uniqueName('anna'), uniqueName('bert')];
    const a = await person(doomed, anna);
    const b = await person(south, bert);
    const onDoomed = await person(doomed, uniqueName('carl'));
    const confirmed: string[] = [];
    let sending = true;
    const send = async (client: RawClient, prefix: string) => {
      for (let i = 0; sending; i++) {
        const body = `${prefix} ${i}`;
        try {
          if ((await client.ask({ type: 'send', to: anna, body })).type === 'sent') confirmed.push(body);
          await sleep(5);
        } catch {
          return;
        }
      }
    };
    const senders = [send(b, 'south'), send(onDoomed, 'doomed')];
    await eventually(() => expect(confirmed.length).toBeGreaterThan(200));
    await doomed.kill('SIGKILL');
    const died = Date.now();
    const before = confirmed.length;
    await eventually(() => expect(confirmed.length).toBeGreaterThan(before + 100));
    const again = await loginWhenFree(south, anna);
    expect(Date.now() - died).toBeLessThan(LEASE_MS + 5_000);
    sending = false;
    await Promise.all(senders);

    const retrieved = await retrieveAll(again);
    await eventually(() => {
      const seen = new Set([...a.bodies(), ...retrieved, ...again.bodies()]);
      expect(confirmed.filter((body) => !seen.has(body))).toEqual([]);
    });
    // Each sender's messages in its order, to one and the same client each once.
    for (const prefix of ['south', 'doomed']) {
      for (const bodies of [a.bodies(), [...retrieved, ...again.bodies()]]) {
        const numbers = bodies
          .filter((body) => body.startsWith(prefix))
          .map((body) => Number(body.split(' ')[1]));
        expect(numbers).toEqual([...new Set(numbers)].sort((x, y) => x - y));
      }
    }
  });

  it('by SIGTERM: commits what was delivered, leaves all groups, and exits with 0', async () => {
    const leaving = await RunningFrontend.start(settings());
    onTestFinished(() => leaving.remove());
    const names = Array.from({ length: 30 }, () => uniqueName('guest'));
    const guests: RawClient[] = [];
    for (const name of names) guests.push(await person(leaving, name));
    const b = await person(south, uniqueName('bert'));
    for (const name of names) await b.ask({ type: 'send', to: name, body: 'hello' });
    for (const guest of guests) await eventually(() => expect(guest.bodies()).toEqual(['hello']));
    // At once, before the half second after which commits go out by themselves.
    expect(await leaving.kill('SIGTERM')).toBe(0);
    expect(leaving.stderr).toBe('');
    expect(leaving.hasLogged('stopped')).toBe(true);
    for (const [i, name] of names.entries()) {
      expect(await guests[i]?.reply()).toEqual({ type: 'failure', text: 'The server is shutting down.' });
      expect(await committed(name), name).toBe(1);
      expect(await members(name), name).toBe(0);
    }
    const [first] = names;
    const again = await open(south);
    await again.login(first ?? '');
    expect(await again.ask({ type: 'retrieve' })).toEqual({ type: 'retrieved', entries: [] });
  });

  inFull('by SIGINT as well', async () => {
    const leaving = await RunningFrontend.start(settings());
    expect(await leaving.kill('SIGINT')).toBe(0);
  });
});
