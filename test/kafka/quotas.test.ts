import { alterClientQuotasV1 } from '@platformatic/kafka';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Storage } from '../../src/core/storage.ts';
import { checkKafka } from '../../src/storage/kafka/check/kafka-check.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { contactKafka } from '../../src/storage/kafka/wire/contact.ts';
import { borrowBroker } from '../broker/borrow.ts';
import { kafkaTool } from '../broker/kafka-tool.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { eventually, message, uniqueName } from '../contracts/cluster.ts';
import { FULL } from '../size.ts';
import { testConfig } from './cluster.ts';

interface Line {
  readonly msg: string;
  readonly quota?: string;
  readonly user?: string;
  readonly clientId?: string;
  readonly remedy?: string;
}

/** A command for the producers' quota as a request: the tool itself is a JVM. */
function requestOf(args: string): { user: string | null; value: number } {
  const known =
    /^--alter --entity-type users (?:--entity-default|--entity-name '(\w+)') --add-config 'producer_byte_rate=(\d+)'$/;
  const [, user = null, value] = known.exec(args) ?? [];
  if (value === undefined) throw new Error(`no such command: ${args}`);
  return { user, value: Number(value) };
}

describe('a quota of Kafka’s', { timeout: 120_000 }, () => {
  const lines: Line[] = [];
  /** Of its own: everybody there is slowed down. */
  let broker: TestBroker;
  let engine: Storage;

  beforeAll(async () => {
    broker = await borrowBroker();
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    engine = await openKafkaStorage(config(), log);
  });
  afterAll(async () => {
    await engine?.close();
    await broker?.stop();
  });

  const config = () => testConfig({ MILENA_KAFKA_BROKERS: broker.brokers });
  const slow = async () => {
    const findings = await checkKafka(config(), await contactKafka(config()));
    return findings.filter(({ grade }) => grade === 'slow');
  };
  async function carryOut(args: string): Promise<void> {
    const { user, value } = requestOf(args);
    const cluster = new Cluster({ bootstrap: [broker.brokers], clientId: 'operator' });
    const entities = [{ entityType: 'user' as const, entityName: user }];
    const ops = [{ key: 'producer_byte_rate' as const, value, remove: false as const }];
    const { entries } = await cluster.requestAny(alterClientQuotasV1.api, [{ entities, ops }], false);
    expect(entries.map(({ errorCode }) => errorCode)).toEqual([0]);
    await cluster.close();
  }
  const told = () => lines.filter(({ msg }) => msg.startsWith('Kafka slows this frontend down'));

  it('is seen by the doctor, and told of in one line when it is used up and one when it is over', async () => {
    const owner = await engine.accounts.create({ name: uniqueName('owner') });
    expect(await slow()).toEqual([]);
    await carryOut("--alter --entity-type users --entity-default --add-config 'producer_byte_rate=2000'");
    const [finding] = await slow();
    expect(finding).toMatchObject({ what: 'quota producer_byte_rate=2000 of every user' });
    for (let i = 0; i < 5; i++) await engine.inboxes.append(owner, message(owner, 'x'.repeat(5_000)));
    await eventually(() => expect(told()).toHaveLength(1));
    const [line] = told();
    expect(line).toMatchObject({ quota: 'producer_byte_rate', user: 'ANONYMOUS' });
    expect(line?.clientId).toMatch(/^milena-/);
    // What the lines say is what ends it.
    for (const remedy of [finding?.remedy, line?.remedy]) {
      const [, args = ''] = /^scripts\/kafka-tool\.sh configs (.*)$/.exec(remedy ?? '') ?? [];
      if (FULL) await kafkaTool(broker.brokers, 'configs', args.replaceAll("'", '').split(' '));
      else await carryOut(args);
    }
    await eventually(() => expect(told().map(({ msg }) => msg.split(': ').at(-1))).toContain('over'));
    expect(told()).toHaveLength(2);
  });
});
