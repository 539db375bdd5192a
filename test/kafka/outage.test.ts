import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { EngineError } from '../../src/core/errors.ts';
import type { Storage } from '../../src/core/storage.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { contactKafka } from '../../src/storage/kafka/wire/contact.ts';
import { borrowBroker } from '../broker/borrow.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { eventually, message, observe, uniqueName } from '../contracts/cluster.ts';
import { FULL, sized } from '../size.ts';
import { testLog } from './cluster.ts';

/** A broker of its own, so that it can be killed. */
describe('Kafka killed and started again', () => {
  let broker: TestBroker;
  let engine: Storage;

  beforeAll(async () => {
    broker = await borrowBroker();
    engine = await openKafkaStorage(
      readConfig({ MILENA_KAFKA_BROKERS: broker.brokers, MILENA_SEND_TIMEOUT_MS: '30000' }),
      testLog,
    );
  });
  afterAll(async () => {
    await engine?.close();
    await broker?.stop();
  });

  it('loses nothing that was accepted, keeps the order, and goes on by itself', async () => {
    const sender = await engine.accounts.create({ name: uniqueName('sender') });
    const owner = await engine.accounts.create({ name: uniqueName('owner') });
    const reader = await observe(engine, owner, {
      onMessage: ({ offset }) => reader.inbox.acknowledge(offset, offset),
    });
    const accepted: string[] = [];
    const failed: unknown[] = [];
    let sending = true;
    const send = async (lane: number) => {
      for (let i = 0; sending; i++) {
        const body = `${lane} ${i}`;
        await engine.inboxes.append(owner, message(sender, body)).then(
          () => accepted.push(body),
          (error: unknown) => failed.push(error),
        );
        await sleep(10);
      }
    };
    const lanes = Array.from({ length: 8 }, (_, lane) => send(lane));
    await eventually(() => expect(accepted.length).toBeGreaterThan(200));
    await broker.kill();
    const before = accepted.length;
    await broker.start();
    await eventually(() => expect(accepted.length).toBeGreaterThan(before + 200));
    sending = false;
    await Promise.all(lanes);

    expect(failed.every((error) => error instanceof EngineError && error.code === 'UNAVAILABLE')).toBe(true);
    await eventually(() =>
      expect(new Set(reader.bodies())).toEqual(new Set([...reader.bodies(), ...accepted])),
    );
    expect(new Set(reader.bodies()).size, 'no message twice').toBe(reader.bodies().length);
    for (let lane = 0; lane < 8; lane++) {
      const numbers = reader
        .bodies()
        .filter((body) => body.startsWith(`${lane} `))
        .map((body) => Number(body.split(' ')[1]));
      expect(numbers, `lane ${lane} in order`).toEqual([...numbers].sort((a, b) => a - b));
    }
    expect(reader.lost).toEqual([]);
    await reader.inbox.close();
  });

  it('fails clearly while it is away, and then works again', async () => {
    const owner = await engine.accounts.create({ name: uniqueName('owner') });
    const impatient = await openKafkaStorage(
      readConfig({
        MILENA_KAFKA_BROKERS: broker.brokers,
        MILENA_SEND_TIMEOUT_MS: '1000',
        MILENA_FRONTEND_LEASE_MS: '6000',
      }),
      testLog,
    );
    const held = await observe(impatient, owner);
    expect(held.inbox.acknowledge(0, 0)).toBe(true);
    // Another start of a broker costs as much as all else here.
    await (FULL ? broker.kill() : broker.freeze());
    await expect(impatient.inboxes.append(owner, message(owner, 'lost?'))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    await expect(engine.accounts.find(uniqueName('nobody'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await eventually(() => expect(held.inbox.acknowledge(0, 0)).toBe(false));
    await (FULL ? broker.start() : broker.thaw());
    await eventually(async () => {
      expect((await impatient.inboxes.append(owner, message(owner, 'here'))).offset).toBeGreaterThanOrEqual(
        0,
      );
    });
    const made = await impatient.accounts.create({ name: uniqueName('later') });
    const reader = await observe(impatient, made);
    await impatient.inboxes.append(made, message(owner, 'live again'));
    await eventually(() => expect(reader.bodies()).toEqual(['live again']));
    await Promise.all([reader.inbox.close(), held.inbox.close()]);
    await impatient.close();
  });

  it('takes messages again at once after it hung for longer than a send waits', async () => {
    const impatient = await openKafkaStorage(
      readConfig({ MILENA_KAFKA_BROKERS: broker.brokers, MILENA_SEND_TIMEOUT_MS: '500' }),
      testLog,
    );
    const owner = await impatient.accounts.create({ name: uniqueName('owner') });
    for (let round = 0; round < sized(1, 3); round++) {
      await broker.freeze();
      const sends = Array.from({ length: 5 }, (_, i) =>
        impatient.inboxes.append(owner, message(owner, `${round} ${i}`)),
      );
      for (const send of await Promise.allSettled(sends)) {
        expect(send).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } });
      }
      if (round === 0) {
        const config = readConfig({ MILENA_KAFKA_BROKERS: broker.brokers });
        await expect(contactKafka(config)).rejects.toThrow(
          `What listens at ${broker.brokers} takes connections and answers nothing`,
        );
      }
      await broker.thaw();
      await eventually(() => impatient.inboxes.append(owner, message(owner, `${round} back`)));
    }
    await impatient.close();
  });
});
