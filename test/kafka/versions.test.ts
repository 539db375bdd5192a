import kafkajs from 'kafkajs';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/setting-table.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { contactKafka } from '../../src/storage/kafka/wire/contact.ts';
import { releaseOf } from '../../src/storage/kafka/wire/kafka-version.ts';
import { startBroker } from '../broker/broker.ts';
import { TEST_KEYS, testBrokers } from '../broker/brokers.ts';
import { hasVersion } from '../broker/java.ts';
import { eventually, message, observe, uniqueName } from '../contracts/cluster.ts';
import { built, RunningFrontend } from '../e2e/running-frontend.ts';
import { testLog, witness } from './cluster.ts';

const LEAST = ['4.0.1'];
const TOO_OLD = ['3.9.1'];
const UNLESS = 'skipped unless its jars are here: MILENA_TEST_KAFKA_VERSIONS=fetch brings them';

const here = new Set<string>();
for (const version of [...LEAST, ...TOO_OLD]) if (await hasVersion(version)) here.add(version);

const settingsOf = (brokers: string) => ({ MILENA_KAFKA_BROKERS: brokers, MILENA_CLUSTER_KEYS: TEST_KEYS });

describe('versions of Kafka', () => {
  beforeAll(built);

  it('are told by what a broker says of itself', async () => {
    const { versions } = await contactKafka(readConfig(settingsOf(testBrokers().join(','))));
    expect(releaseOf(versions)).toBe('Kafka 4.3');
    expect(releaseOf({ ...versions, supportedFeatures: [] })).toContain('before 3.3');
  });

  it('a port of a controller is told as that', async ({ skip }) => {
    const admin = witness().admin();
    await admin.connect();
    onTestFinished(() => admin.disconnect());
    const { brokers } = await admin.describeCluster();
    const name = String(brokers[0]?.nodeId);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [
        { type: kafkajs.ConfigResourceTypes.BROKER, name, configNames: ['controller.quorum.voters'] },
      ],
    });
    const [, controller = ''] = resources[0]?.configEntries[0]?.configValue.split(/[@,]/) ?? [];
    if (!controller.startsWith('127.')) skip('a controller in a container has no port here');
    await expect(contactKafka(readConfig(settingsOf(controller)))).rejects.toThrow(
      `What listens at ${controller} is a controller's port: name a broker's in MILENA_KAFKA_BROKERS.`,
    );
  });

  it('an address that does not answer beside one that does is named', async () => {
    const { silent } = await contactKafka(readConfig(settingsOf(`127.0.0.1:9,${testBrokers()[0]}`)));
    expect(silent).toEqual(['Nothing listens at 127.0.0.1:9.']);
  });

  for (const version of LEAST) {
    it.skipIf(!here.has(version))(`${version} is good enough (${UNLESS})`, async () => {
      const broker = await startBroker({ version });
      onTestFinished(() => broker.stop());
      const config = readConfig(settingsOf(broker.brokers));
      expect(releaseOf((await contactKafka(config)).versions)).toBe(`Kafka ${version.slice(0, 3)}`);
      const engine = await openKafkaStorage(config, testLog);
      onTestFinished(() => engine.close());
      const owner = await engine.accounts.create({ name: uniqueName('owner') });
      const reader = await observe(engine, owner);
      await engine.inboxes.append(owner, message(owner, 'hello'));
      await eventually(() => expect(reader.bodies()).toEqual(['hello']));
      await reader.inbox.close();
      await engine.accounts.remove(owner);
    });
  }

  for (const version of TOO_OLD) {
    it.skipIf(!here.has(version))(`${version} is refused in one sentence (${UNLESS})`, async () => {
      const broker = await startBroker({ version });
      onTestFinished(() => broker.stop());
      await expect(openKafkaStorage(readConfig(settingsOf(broker.brokers)), testLog)).rejects.toBeInstanceOf(
        ConfigError,
      );
      const frontend = new RunningFrontend(settingsOf(broker.brokers));
      onTestFinished(() => frontend.remove());
      expect(await frontend.exited).toBe(78);
      expect(frontend.stderr).toBe(
        `The broker at ${broker.brokers} runs Kafka ${version.slice(0, 3)}, and Milena needs Kafka 4.0 or later ` +
          `${/\(it does not know .*\)\.\n$/.exec(frontend.stderr)?.[0]}`,
      );
      expect(frontend.stdout).toBe('');
    });
  }
});
