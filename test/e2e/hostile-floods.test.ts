import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { FLOODS } from '../../bench/hostile/floods.ts';
import { Honest, makeFlooders } from '../../bench/hostile/pair.ts';
import { borrowBroker } from '../broker/borrow.ts';
import { TEST_KEYS } from '../broker/brokers.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { FULL } from '../size.ts';
import { built, RunningFrontend } from './running-frontend.ts';
import { ROOT } from './script.ts';

/** Kafka's own lower limit: a frontend that is kept from its heartbeats for 5 s loses its lease. */
const LEASE_MS = 6_000;
const CONNECTIONS = 100;
/** Accounts of those who flood when they are logged in. */
const PEOPLE = 20;
const MESSAGES = 20;

let broker: TestBroker;
let frontend: RunningFrontend;
let port = 0;
let anna: Honest;
let bert: Honest;
let beganAt = 0;

beforeAll(async () => {
  await built();
  broker = await borrowBroker();
  frontend = await RunningFrontend.start({
    MILENA_KAFKA_BROKERS: broker.brokers,
    MILENA_CLUSTER_KEYS: TEST_KEYS,
    MILENA_FRONTEND_LEASE_MS: String(LEASE_MS),
    MILENA_CONNECTIONS_PER_ADDRESS: String(CONNECTIONS + 100),
    MILENA_NEW_ACCOUNTS_PER_ADDRESS: '60',
  });
  port = frontend.address.port;
  anna = await Honest.connect(port, 'anna', '127.0.0.2');
  bert = await Honest.connect(port, 'bert', '127.0.0.2');
  await Promise.all([anna.enter(), bert.enter()]);
  await makeFlooders(port, PEOPLE);
  beganAt = performance.now();
});

afterAll(async () => {
  await frontend.remove();
  await broker.stop();
});

/** That many, others in each run; all where all are asked for. */
function some(names: readonly string[], count: number): readonly string[] {
  if (FULL) return names;
  const first = randomInt(names.length);
  return Array.from(
    { length: count },
    (_, at) => names[(first + at * Math.floor(names.length / count)) % names.length] ?? '',
  );
}

/** A process that floods until it is ended; resolves once it has begun. */
async function flood(name: string): Promise<ChildProcess> {
  const connections = FLOODS[name]?.loggedIn === true ? PEOPLE : CONNECTIONS;
  const child = spawn(
    process.execPath,
    [
      ...['bench/hostile/flooder.ts', '--port', String(port), '--flood', name],
      ...['--connections', String(connections), '--seconds', '120'],
    ],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(createInterface({ input: child.stdout }), 'line');
  return child;
}

describe('beside a flood', () => {
  it.each(some(Object.keys(FLOODS), 2))(
    'of "%s" an honest pair talks and newcomers come in',
    async (name) => {
      const flooder = await flood(name);
      const talk = async (): Promise<void> => {
        for (let i = 0; i < MESSAGES; i++) await anna.sendTo(bert, `${name} ${i}`);
      };
      const comeIn = async (): Promise<void> => {
        const newcomer = await Honest.connect(port, 'newcomer', '127.0.0.3');
        await newcomer.enter();
        newcomer.close();
      };
      await Promise.all([talk(), comeIn()]);
      expect(flooder.exitCode, 'the flood goes on').toBeNull();
      expect([anna.isOver, bert.isOver]).toEqual([false, false]);
    },
  );

  it('the frontend kept its lease, and its log stayed short', () => {
    expect(frontend.stdout).not.toContain('lease lost');
    const lines = frontend.stdout.split('\n').length;
    expect(lines).toBeLessThan((10 * (performance.now() - beganAt)) / 1_000 + 50);
  });
});
