import { readConfig } from '../../src/config/config.ts';
import { type Server, startServer } from '../../src/server/index.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { TEST_KEYS, testBrokers } from '../broker/brokers.ts';
import { testLog } from '../kafka/cluster.ts';
import { CHEAP } from '../server/house.ts';

export interface FrontendHere {
  readonly address: Server['address'];
  /** Ends it in order. */
  remove(): Promise<void>;
}

/**
 * A frontend within this process, over the Kafka of the whole run: where it is not the process that is looked at, which takes as
 * much of a core to start as many a test does. Its hashes of passwords cost next to nothing.
 * @param settings as a frontend's environment variables
 */
export async function openFrontendHere(
  settings: Readonly<Record<string, string>> = {},
): Promise<FrontendHere> {
  const config = readConfig({
    ...{ MILENA_KAFKA_BROKERS: testBrokers().join(','), MILENA_CLUSTER_KEYS: TEST_KEYS, MILENA_PORT: '0' },
    ...settings,
  });
  const storage = await openKafkaStorage(config, testLog);
  const limits = { lingerMs: 200, passwordCost: CHEAP, newAccountsPerAddress: 100_000, newAccounts: 100_000 };
  const server = await startServer(storage, config, { log: testLog, limits });
  const remove = async () => {
    await server.drain();
    await storage.close();
  };
  return { address: server.address, remove };
}
