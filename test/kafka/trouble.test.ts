import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { EngineError } from '../../src/core/errors.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { KafkaCode, KafkaError } from '../../src/storage/kafka/wire/kafka-error.ts';
import { now } from '../../src/storage/kafka/wire/retry.ts';
import { Trouble } from '../../src/storage/kafka/wire/trouble.ts';
import { borrowBroker } from '../broker/borrow.ts';
import { TEST_KEYS } from '../broker/brokers.ts';
import { eventually, message, observe, uniqueName } from '../contracts/cluster.ts';

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly reason?: string;
  readonly failures?: number;
  readonly seconds?: number;
  readonly err?: { readonly stack?: string };
}

function recordingLog() {
  const lines: Line[] = [];
  const log = pino({ level: 'info' }, { write: (text: string) => void lines.push(JSON.parse(text)) });
  return { lines, log };
}

/** As the Kafka library makes them. */
function networkError(reason: string): Error {
  return Object.assign(new Error('Connection failed', { cause: new Error(reason) }), {
    code: 'PLT_KFK_NETWORK',
  });
}

afterEach(() => {
  vi.useRealTimers();
});

describe('something that fails over and over', () => {
  it('is one line at its beginning, one a minute, and one at its end', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { lines, log } = recordingLog();
    const trouble = new Trouble(log, 'it fails', { broker: 'b:1' });
    // Ten times a second for three and a half minutes.
    for (let tenth = 0; tenth < 2_100; tenth++) {
      trouble.failed(networkError('connect ECONNREFUSED'));
      vi.advanceTimersByTime(100);
    }
    trouble.over();
    trouble.over();
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      [40, 'it fails'],
      ...Array.from({ length: 3 }, () => [40, 'it fails: still so']),
      [30, 'it fails: over'],
    ]);
    expect(lines.at(-1)).toMatchObject({ broker: 'b:1', seconds: 210, failures: 2_100 });
    expect(lines[0]).toMatchObject({ reason: 'connect ECONNREFUSED' });
    trouble.failed(networkError('again'));
    expect(lines.at(-1)).toMatchObject({ msg: 'it fails', reason: 'again' });
  });

  it('that passes within a second is no line, and one where it lasts', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { lines, log } = recordingLog();
    const trouble = new Trouble(log, 'it fails');
    const passing = new KafkaError('Fetch milena.accounts', KafkaCode.UNKNOWN_LEADER_EPOCH);
    trouble.failed(passing);
    vi.advanceTimersByTime(900);
    trouble.failed(new EngineError('UNAVAILABLE', 'in time', { cause: passing }));
    trouble.over();
    expect(lines).toEqual([]);
    trouble.failed(passing);
    vi.advanceTimersByTime(1_000);
    trouble.failed(passing);
    vi.advanceTimersByTime(4_000);
    trouble.over();
    expect(lines.map(({ msg }) => msg)).toEqual(['it fails', 'it fails: over']);
    expect(lines[1]).toMatchObject({ seconds: 5, failures: 2 });
    // What does not pass is told at once.
    trouble.failed(new KafkaError('Fetch milena.accounts', KafkaCode.TOPIC_AUTHORIZATION_FAILED));
    expect(lines).toHaveLength(3);
  });

  it('has lasted since what failed was begun', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { lines, log } = recordingLog();
    const trouble = new Trouble(log, 'it hangs');
    const began = now();
    vi.advanceTimersByTime(7_000);
    trouble.failed(networkError('Request timed out'), began);
    vi.advanceTimersByTime(3_000);
    trouble.over();
    expect(lines.at(-1)).toMatchObject({ seconds: 10 });
  });

  it('has no stack where it was the network or Kafka, and one where it was anything else', () => {
    const { lines, log } = recordingLog();
    new Trouble(log, 'one').failed(networkError('gone'));
    const said = new KafkaError('InitProducerId', KafkaCode.CLUSTER_AUTHORIZATION_FAILED);
    new Trouble(log, 'said').failed(said);
    expect(lines.pop()).toMatchObject({ reason: said.message });
    new Trouble(log, 'other').failed(new TypeError('a fault of ours'));
    expect(lines[0]?.err).toBeUndefined();
    expect(lines[1]?.err?.stack).toContain('trouble.test');
  });
});

describe('Kafka away, with people logged in', () => {
  // A broker that comes back slowly may be away twice: then once more.
  it('is one line when it begins and one when it is over, without a stack', { retry: 2 }, async () => {
    const broker = await borrowBroker();
    onTestFinished(() => broker.stop());
    const { lines, log } = recordingLog();
    const config = readConfig({
      ...{ MILENA_KAFKA_BROKERS: broker.brokers, MILENA_CLUSTER_KEYS: TEST_KEYS },
      ...{ MILENA_SEND_TIMEOUT_MS: '500', MILENA_FRONTEND_LEASE_MS: '60000' },
    });
    const engine = await openKafkaStorage(config, log);
    onTestFinished(() => engine.close());
    const owner = await engine.accounts.create({ name: uniqueName('owner') });
    const reader = await observe(engine, owner);
    const before = lines.length;
    await broker.kill();
    for (let i = 0; i < 3; i++) {
      await expect(engine.inboxes.append(owner, message(owner, 'lost'))).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
    }
    // Everything that reads, beats or looks for a leader has had many turns.
    await sleep(3_000);
    await broker.start();
    await eventually(() => engine.inboxes.append(owner, message(owner, 'here again')));
    await eventually(() => expect(reader.bodies()).toContain('here again'));
    await eventually(() => expect(lines.some(({ msg }) => msg.endsWith(': over'))).toBe(true));
    await reader.inbox.close();

    const since = lines.slice(before);
    const ofBroker = since.filter(({ msg }) => msg.startsWith('Kafka does not answer'));
    expect(ofBroker.map(({ msg }) => msg)).toEqual(['Kafka does not answer', 'Kafka does not answer: over']);
    expect(since.filter(({ err }) => err?.stack !== undefined)).toEqual([]);
    expect(since.length, since.map(({ msg }) => msg).join('\n')).toBeLessThan(10);
  });
});
