// kafkajs is a CommonJS module whose named exports Node does not all see.
import kafkajs from 'kafkajs';
import { type Config, ConfigError, readConfig } from '../config.ts';
import { worthRetrying } from '../kafka/retry.ts';
import { EXIT, ToolError } from './exit.ts';

const { Kafka, logLevel } = kafkajs;
type KafkaClient = InstanceType<typeof Kafka>;

/** The settings of the environment. @throws ToolError */
export function toolConfig(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (error instanceof ConfigError) throw new ToolError(EXIT.USAGE, error.message);
    throw error;
  }
}

/** A client that says by itself nothing; `patient` waits out a restart of Kafka, otherwise it gives up within seconds. */
export function kafkaClient(config: Config, options: { patient?: boolean } = {}): KafkaClient {
  return new Kafka({
    clientId: 'milena-tools',
    brokers: [...config.brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3_000,
    retry:
      options.patient === true ? { retries: 60, maxRetryTime: 2_000 } : { retries: 2, initialRetryTime: 200 },
  });
}

/** Something that Kafka could not do, as a sentence. */
export function kafkaFailure(config: Config, doing: string, error: unknown): ToolError {
  if (error instanceof ToolError) return error;
  if (worthRetrying(error)) return kafkaDown(config, error);
  const name = error instanceof Error ? error.name : '';
  if (/Connection|NumberOfRetries|BrokerNotFound/.test(name)) return kafkaDown(config, error);
  const reason = error instanceof Error ? error.message : String(error);
  return new ToolError(EXIT.FAILED, `${doing} failed: ${reason}`, { cause: error });
}

function kafkaDown(config: Config, cause: unknown): ToolError {
  return new ToolError(
    EXIT.UNAVAILABLE,
    `No Kafka answers at ${config.brokers.join(', ')}. Start it with ./start_kafka.sh, or name another one in ` +
      'MILENA_KAFKA_BROKERS=host:port.',
    { cause },
  );
}

/**
 * Runs `work` with an admin client, which is closed afterwards.
 * @throws ToolError `UNAVAILABLE` when Kafka does not answer
 */
export async function withAdmin<Result>(
  config: Config,
  doing: string,
  work: (admin: ReturnType<KafkaClient['admin']>) => Promise<Result>,
): Promise<Result> {
  const admin = kafkaClient(config).admin();
  try {
    await admin.connect();
    return await work(admin);
  } catch (error) {
    throw kafkaFailure(config, doing, error);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
