// kafkajs is a CommonJS module whose named exports Node does not all see.
import kafkajs from 'kafkajs';
import { type Config, readConfig } from '../config/config.ts';
import { ConfigError, unknownSettings } from '../config/setting-table.ts';
import { EngineError } from '../core/errors.ts';
import { contactKafka } from '../storage/kafka/wire/contact.ts';
import { isRefusal, KafkaError } from '../storage/kafka/wire/kafka-error.ts';
import { meaningOf } from '../storage/kafka/wire/kafka-meaning.ts';
import { kafkaPems, principalOf } from '../storage/kafka/wire/kafka-security.ts';
import { aclCommand, type Operation } from '../storage/kafka/wire/operations.ts';
import { reasonOf, worthRetrying } from '../storage/kafka/wire/retry.ts';
import { TOOL_EXIT, ToolError } from './exit.ts';

const { Kafka, logLevel } = kafkajs;
type KafkaClient = InstanceType<typeof Kafka>;

/** The settings of the environment; what nobody reads is said on standard error. @throws ToolError */
export function toolConfig(): Config {
  try {
    const config = readConfig(process.env);
    for (const sentence of unknownSettings(process.env)) console.error(sentence);
    return config;
  } catch (error) {
    if (error instanceof ConfigError) throw new ToolError(TOOL_EXIT.CONFIG, error.message);
    throw error;
  }
}

/** A client that says by itself nothing; `patient` waits out a restart of Kafka, otherwise it gives up within seconds. */
export function kafkaClient(config: Config, options: { patient?: boolean } = {}): KafkaClient {
  const { sasl } = config.kafka;
  const pems = kafkaPems(config);
  return new Kafka({
    clientId: 'milena-tools',
    brokers: [...config.brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 3_000,
    ...(pems && {
      ssl: {
        ...(pems.ca !== null && { ca: pems.ca }),
        ...(pems.cert !== null && { cert: pems.cert }),
        ...(pems.key !== null && { key: pems.key }),
      },
    }),
    ...(sasl && { sasl: saslOptions(sasl) }),
    retry:
      options.patient === true ? { retries: 60, maxRetryTime: 2_000 } : { retries: 2, initialRetryTime: 200 },
  });
}

function saslOptions({
  mechanism,
  username,
  password,
}: NonNullable<Config['kafka']['sasl']>): kafkajs.SASLOptions {
  switch (mechanism) {
    case 'PLAIN':
      return { mechanism: 'plain', username, password };
    case 'SCRAM-SHA-256':
      return { mechanism: 'scram-sha-256', username, password };
    case 'SCRAM-SHA-512':
      return { mechanism: 'scram-sha-512', username, password };
  }
}

/** Says why this Kafka cannot be used as it is described, within seconds. @throws ToolError */
export async function demandKafka(config: Config): Promise<void> {
  try {
    await contactKafka(config);
  } catch (error) {
    if (error instanceof ConfigError) throw new ToolError(TOOL_EXIT.CONFIG, error.message, { cause: error });
    if (error instanceof EngineError) throw kafkaDown(config, error);
    throw error;
  }
}

/** The right on a topic that something needs. */
export interface TopicRight {
  readonly operation: Operation;
  readonly topic: string;
}

/** Something that Kafka could not do, as a sentence. @param right that it needed, where it is one */
export function kafkaFailure(config: Config, doing: string, error: unknown, right?: TopicRight): ToolError {
  if (error instanceof ToolError) return error;
  const code = kafkaCodeOf(error);
  if (code !== null) {
    const { name, says, remedy } = meaningOf(code);
    const principal = principalOf(config);
    const who = name.endsWith('_AUTHORIZATION_FAILED') ? ` (${principal})` : '';
    if (right !== undefined && isRefusal(code)) {
      const { operation, topic } = right;
      const grant = aclCommand(operation, 'topic', topic, false, principal);
      const text = `${doing} failed: ${name}${who}. It has not the right ${operation} on topic ${topic}. Who may change rights grants it:`;
      return new ToolError(TOOL_EXIT.FAILED, `${text}\n  ${grant}`, { cause: error });
    }
    return new ToolError(TOOL_EXIT.FAILED, `${doing} failed: ${name}${who}. ${says} ${remedy}`, {
      cause: error,
    });
  }
  if (worthRetrying(error)) return kafkaDown(config, error);
  const name = error instanceof Error ? error.name : '';
  if (/Connection|NumberOfRetries|BrokerNotFound/.test(name)) return kafkaDown(config, error);
  const reason = error instanceof Error ? error.message : String(error);
  return new ToolError(TOOL_EXIT.FAILED, `${doing} failed: ${reason}`, { cause: error });
}

/** Kafka's own error code, behind whatever the two libraries have put around it; null for one that passes, or none. */
function kafkaCodeOf(error: unknown): number | null {
  if (error instanceof KafkaError) return error.passing ? null : error.kafkaCode;
  let one = error;
  for (let depth = 0; one instanceof Error && depth < 10; depth++) {
    if (one instanceof kafkajs.KafkaJSProtocolError) return one.retriable ? null : one.code;
    const first: unknown = one instanceof kafkajs.KafkaJSAggregateError ? one.errors[0] : undefined;
    one = first ?? one.cause;
  }
  return null;
}

function kafkaDown(config: Config, cause: unknown): ToolError {
  const why = cause instanceof EngineError ? `: ${reasonOf(cause)}` : '.';
  return new ToolError(
    TOOL_EXIT.UNAVAILABLE,
    `No Kafka answers at ${config.brokers.join(', ')}${why} Start it with ./start_kafka.sh, or name another one in ` +
      'MILENA_KAFKA_BROKERS=host:port.',
    { cause },
  );
}

/**
 * Runs `work` with an admin client, which is closed afterwards.
 * @throws ToolError `UNAVAILABLE` when Kafka does not answer, `CONFIG` when it is not as it is described
 */
export async function withAdmin<Result>(
  config: Config,
  doing: string,
  work: (admin: ReturnType<KafkaClient['admin']>) => Promise<Result>,
  right?: TopicRight,
): Promise<Result> {
  await demandKafka(config);
  const admin = kafkaClient(config).admin();
  try {
    await admin.connect();
    return await work(admin);
  } catch (error) {
    throw kafkaFailure(config, doing, error, right);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
