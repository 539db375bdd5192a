/* Kafka itself, where this machine may be expected to reach it: only servers need that. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, ConfigError, readConfig } from '../../../config.ts';
import { isLoopback } from '../../../loopback.ts';
import { EXIT as TOOL_EXIT, ToolError } from '../../../tools/exit.ts';
import { withAdmin } from '../../../tools/kafka.ts';
import type { Environment, Settings } from '../../settings.ts';
import { kafkaHere, keyFileHere } from '../../started.ts';
import { EXIT } from '../exit.ts';
import { type Check, failed, hint, ok } from './check.ts';
import { checkInboxes } from './inboxes.ts';
import { checkRecords } from './records.ts';

const TIMEOUT_MS = 15_000;

/** Where Kafka and the keys are: as the environment says, else where the scripts have them. @throws ConfigError */
export function kafkaConfig(environment: Environment): Config {
  const isNamed = Boolean(environment.MILENA_KAFKA_BROKERS?.trim());
  const port = environment.MILENA_KAFKA_PORT?.trim();
  const started = isNamed || port ? null : kafkaHere(environment);
  const here = started?.brokers ?? (!isNamed && port ? `127.0.0.1:${port}` : undefined);
  return readConfig({
    ...environment,
    ...(here === undefined ? {} : { MILENA_KAFKA_BROKERS: here }),
    // From whichever folder this is called.
    MILENA_CLUSTER_KEY_FILE: started?.keyFile ?? keyFileHere(environment),
  });
}

/** None where nobody expects Kafka to be reachable. */
export async function checkKafka({ servers }: Settings, environment: Environment): Promise<Check[]> {
  const name = 'kafka';
  const isNamed = Boolean(environment.MILENA_KAFKA_BROKERS?.trim());
  const started = isNamed || environment.MILENA_KAFKA_PORT?.trim() ? null : kafkaHere(environment);
  if (!isNamed && !servers.some(({ host }) => isLoopback(host))) return [];
  try {
    const config = kafkaConfig(environment);
    const brokers = config.brokers.join(', ');
    if (config.kafka.tls !== null || config.kafka.sasl !== null) {
      return [ok(name, `${brokers} not tried: this asks without TLS and SASL only`)];
    }
    try {
      const looking = withAdmin(config, 'Looking at Kafka', async (admin) => {
        const found = await admin.describeCluster();
        const count = found.brokers.length === 1 ? '1 broker' : `${found.brokers.length} brokers`;
        return [ok(name, `${brokers} answers: ${count}`), await checkRecords(config, admin)];
      });
      const checks = await Promise.race([looking, tooLate(brokers)]);
      return [...checks, ...(await checkInboxes(config))];
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      if (isNamed) return [failed(name, error.message, null, EXIT.UNAVAILABLE)];
      const script = started?.kind === 'cluster' ? 'scripts/cluster.sh start' : './start_kafka.sh';
      const next = `${script} starts one here; if yours is elsewhere, all is well.`;
      const why = started === null ? 'where Kafka is by default' : 'where the scripts started Kafka last';
      return [hint(name, `Nothing answers at ${brokers}, ${why}.`, next)];
    }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [failed(name, error.message, null, EXIT.USAGE)];
  }
}

/** For what takes the connection and says nothing. @throws ToolError */
async function tooLate(brokers: string): Promise<never> {
  await sleep(TIMEOUT_MS, undefined, { ref: false });
  throw new ToolError(
    TOOL_EXIT.UNAVAILABLE,
    `No Kafka answers at ${brokers} within ${TIMEOUT_MS / 1_000} s.`,
  );
}
