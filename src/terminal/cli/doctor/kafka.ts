/* Kafka itself, where this machine may be expected to reach it: only servers need that. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, readConfig } from '../../../config/config.ts';
import { ConfigError, unknownSettings } from '../../../config/setting-table.ts';
import { EngineError } from '../../../core/errors.ts';
import type { Finding } from '../../../storage/kafka/check/finding.ts';
import { checkKafka as lookAtKafka } from '../../../storage/kafka/check/kafka-check.ts';
import { contactKafka } from '../../../storage/kafka/wire/contact.ts';
import { KafkaError } from '../../../storage/kafka/wire/kafka-error.ts';
import { reasonOf, worthRetrying } from '../../../storage/kafka/wire/retry.ts';
import { ToolError } from '../../../tools/exit.ts';
import { withAdmin } from '../../../tools/kafka.ts';
import { isLoopback } from '../../../util/networks.ts';
import type { Environment } from '../../environment.ts';
import type { Settings } from '../../settings.ts';
import { isInMemoryHere, kafkaHere, keyFileHere } from '../../started.ts';
import { EXIT } from '../exit.ts';
import { type Check, failed, hint, ok } from './check.ts';
import { checkInboxes } from './inboxes.ts';
import { checkRecords } from './records.ts';

const NAME = 'kafka';
const TIMEOUT_MS = 25_000;

/** Where Kafka and the keys are: as the environment says, else where the scripts have them. @throws ConfigError */
export function kafkaConfig(environment: Environment): Config {
  const port = environment.MILENA_KAFKA_PORT?.trim();
  const started = startedHere(environment);
  const here = started?.brokers ?? (!isNamed(environment) && port ? `127.0.0.1:${port}` : undefined);
  return readConfig({
    ...environment,
    ...(here === undefined ? {} : { MILENA_KAFKA_BROKERS: here }),
    // From whichever folder this is called.
    MILENA_CLUSTER_KEY_FILE: started?.keyFile ?? keyFileHere(environment),
  });
}

/** The Kafka that the scripts have started, where nobody says another one. */
function startedHere(environment: Environment): ReturnType<typeof kafkaHere> {
  return isNamed(environment) || environment.MILENA_KAFKA_PORT?.trim() ? null : kafkaHere(environment);
}

/** Whether this machine may be expected to reach Kafka. */
export function isKafkaExpected({ servers }: Settings, environment: Environment): boolean {
  if (isNamed(environment)) return true;
  return servers.some(({ host }) => isLoopback(host)) && !isInMemoryHere(environment);
}

/** @param all also what is well */
export async function kafkaChecks(environment: Environment, all: boolean): Promise<Check[]> {
  const unknown = unknownSettings(environment).map((text) =>
    hint('settings', text, 'Correct its name, or take it out.'),
  );
  const named = isNamed(environment);
  const started = startedHere(environment);
  let config: Config;
  try {
    config = kafkaConfig(environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [...unknown, failed('settings', error.message, null, EXIT.CONFIG)];
  }
  const brokers = config.brokers.join(', ');
  try {
    const checks = await Promise.race([checksOf(config, all), tooLate()]);
    return [...unknown, ...checks, ...(await checkInboxes(config))];
  } catch (error) {
    if (error instanceof ConfigError) return [...unknown, failed(NAME, error.message, null, EXIT.CONFIG)];
    const reason = reasonOfSilence(error);
    if (reason === null) throw error;
    if (named || all) {
      const text = `No Kafka answers at ${brokers}: ${reason}`;
      return [
        ...unknown,
        failed(
          NAME,
          text,
          'Start it (./start_kafka.sh), or set MILENA_KAFKA_BROKERS to where it is.',
          EXIT.UNAVAILABLE,
        ),
      ];
    }
    const script = started?.kind === 'cluster' ? 'scripts/cluster.sh start' : './start_kafka.sh';
    const next = `${script} starts one here; if yours is elsewhere, all is well.`;
    const why = started === null ? 'where Kafka is by default' : 'where the scripts started Kafka last';
    return [...unknown, hint(NAME, `Nothing answers at ${brokers}, ${why}.`, next)];
  }
}

/** @throws ConfigError, EngineError, KafkaError, ToolError; the network's */
async function checksOf(config: Config, all: boolean): Promise<Check[]> {
  const contact = await contactKafka(config);
  const count = contact.brokers.length === 1 ? '1 broker' : `${contact.brokers.length} brokers`;
  const findings = await lookAtKafka(config, contact);
  const told = findings
    .filter(({ grade }) => all || grade !== 'good')
    .map((finding) => checkOf(finding, config));
  const records = await withAdmin(config, 'Looking at the records', (admin) =>
    checkRecords(config, admin),
  ).catch((error: unknown) => {
    if (!(error instanceof ToolError)) throw error;
    return hint('records', error.message, 'Without that nobody can say whether all accounts are signed.');
  });
  const named = contact.silent.length === 0 ? config.brokers.join(', ') : contact.address;
  return [ok(NAME, `${named} answers: ${count}`), ...told, records];
}

function checkOf({ grade, what, text, remedy }: Finding, config: Config): Check {
  const line = `${grade === 'good' || grade === 'broken' ? '' : `${grade}: `}${what}: ${text}`;
  if (grade === 'good') return ok(NAME, line);
  if (grade === 'broken' && !config.acceptsUnfitKafka) return failed(NAME, line, remedy, EXIT.CONFIG);
  return hint(NAME, line, remedy ?? 'Look into its log.');
}

function isNamed(environment: Environment): boolean {
  return Boolean(environment.MILENA_KAFKA_BROKERS?.trim());
}

/** Null for what is no silence of Kafka's. */
function reasonOfSilence(error: unknown): string | null {
  const isKnown = error instanceof EngineError || error instanceof ToolError || error instanceof KafkaError;
  return isKnown || worthRetrying(error) ? reasonOf(error) : null;
}

/** For what takes the connection and says nothing. @throws ToolError */
async function tooLate(): Promise<never> {
  await sleep(TIMEOUT_MS, undefined, { ref: false });
  throw new ToolError(EXIT.UNAVAILABLE, `it did not say all that was asked within ${TIMEOUT_MS / 1_000} s.`);
}
