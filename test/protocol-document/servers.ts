import { Kafka, logLevel, type Producer } from 'kafkajs';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { type Server, startServer } from '../../src/server/index.ts';
import { MemoryStore, openMemoryStorage } from '../../src/storage/memory/index.ts';
import { testBrokers } from '../broker/brokers.ts';
import { STORED_ONCE } from '../broker/stored-once.ts';
import { type FrontendHere, openFrontendHere } from '../e2e/frontend-here.ts';
import { CHEAP, testSettings } from '../server/house.ts';
import { Client, newName, PASSWORD } from './client.ts';
import { frame } from './frames.ts';

/** Frontends of this file's tests, in this process and on real Kafka. */
export function serversOnKafka(count: number, settings: Record<string, string> = {}): FrontendHere[] {
  const frontends: FrontendHere[] = [];
  beforeAll(async () => {
    const all = Array.from({ length: count }, () => openFrontendHere(settings));
    frontends.push(...(await Promise.all(all)));
  });
  afterAll(() => Promise.all(frontends.map((frontend) => frontend.remove())));
  return frontends;
}

/** Servers of this file's tests, in this process and on one storage in memory: for what is the same with any storage. */
export function serversInMemory(count: number): Server[] {
  const servers: Server[] = [];
  beforeAll(async () => {
    const { memoryBytes, mailbox } = readConfig({});
    const store = new MemoryStore({ maxBytes: memoryBytes, mailbox });
    const log = pino({ level: 'silent' });
    const limits = { passwordCost: CHEAP, newAccountsPerAddress: 100_000, newAccounts: 100_000 };
    for (let made = 0; made < count; made++) {
      servers.push(await startServer(openMemoryStorage(store), testSettings(), { log, limits }));
    }
  });
  afterAll(() => Promise.all(servers.map((server) => server.drain())));
  return servers;
}

/** Something that listens. */
interface Listening {
  readonly address: { readonly host: string; readonly port: number };
}

/** A connection that is closed when the test is over. */
export async function open(server: Listening | undefined, localAddress?: string): Promise<Client> {
  if (server === undefined) throw new Error('no such server');
  const client = await Client.connect({
    ...server.address,
    ...(localAddress !== undefined && { localAddress }),
  });
  onTestFinished(() => {
    client.socket.destroy();
  });
  return client;
}

export interface Person {
  readonly name: string;
  readonly client: Client;
  /** Of the session reply. */
  readonly token: unknown;
}

/** Somebody with a new account of version 2. */
export async function person(server: Listening | undefined, name = newName()): Promise<Person> {
  const client = await open(server);
  const { token } = await client.get(0x10, { username: name, password: PASSWORD });
  return { name, client, token };
}

/** Logged in by the password, unless `how` says otherwise. */
export async function login(
  server: Listening | undefined,
  username: string,
  how: Record<string, unknown> = { password: PASSWORD },
): Promise<Person> {
  const client = await open(server);
  const { token } = await client.get(0x20, { username, ...how });
  return { name: username, client, token };
}

/** Ends the session and waits for it. */
export async function logout({ client }: Person): Promise<void> {
  await client.get(0x30);
  await client.over();
  client.socket.destroy();
}

/** Somebody with a new account of version 1. */
export async function person1(server: Listening | undefined, name = newName()): Promise<Person> {
  const client = await open(server);
  client.write(frame(1, 0x10, name));
  return { name, client, token: await client.text(0x11) };
}

export async function login1(server: Listening | undefined, name: string): Promise<Person> {
  const client = await open(server);
  client.write(frame(1, 0x20, name));
  return { name, client, token: await client.text(0x21) };
}

export async function logout1({ client }: Person): Promise<void> {
  client.write(frame(1, 0x30));
  await client.over();
}

/** What was pushed in version 1: senders and bodies. */
export function pushed1({ client }: Pick<Person, 'client'>): [string, string][] {
  return client.pushes().map(({ opcode, payload }) => {
    expect(opcode).toBe(0x72);
    const bodyAt = 4 + payload.readUInt32BE(0);
    return [payload.subarray(4, bodyAt).toString(), payload.subarray(bodyAt).toString()];
  });
}

export async function retrieve1({ client }: Person): Promise<string> {
  client.write(frame(1, 0x60));
  return client.text(0x61);
}

export interface OutsideRecord {
  readonly key?: string | null;
  readonly value: string;
  readonly headers?: Record<string, string>;
}

/** A producer that is no frontend, and writes in transactions. */
export async function transactional(): Promise<Producer> {
  const kafka = new Kafka({ clientId: 'outside', brokers: testBrokers(), logLevel: logLevel.NOTHING });
  const settings = { transactionalId: newName(), maxInFlightRequests: 1, idempotent: true };
  const producer = kafka.producer(settings);
  await producer.connect();
  return producer;
}

/** Records by a producer that is no frontend, in somebody's inbox. */
export async function produce(name: string, ...messages: OutsideRecord[]): Promise<void> {
  const kafka = new Kafka({ clientId: 'outside', brokers: testBrokers(), logLevel: logLevel.NOTHING });
  const producer = kafka.producer(STORED_ONCE);
  await producer.connect();
  await producer.send({ topic: `milena.inbox.${name}`, messages });
  await producer.disconnect();
}
