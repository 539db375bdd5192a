import { z } from 'zod';

/** `127.0.0.1`, `localhost`, `::1`: addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

const port = z.coerce.number().int().min(0).max(65_535);
const milliseconds = z.coerce.number().int().positive().max(86_400_000);
const count = z.coerce.number().int().positive();
const flag = z.enum(['true', 'false', '1', '0']).transform((value) => value === 'true' || value === '1');
const hostPort = /^(\[[0-9a-fA-F:]+\]|[^\s:,]+):(\d{1,5})$/;

const brokers = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )
  .pipe(z.array(z.string().regex(hostPort, 'is not host:port')).min(1));

/**
 * Every setting of the frontend, one line each: environment variable, meaning of its unit, default.
 * docs/configuration.md is the table for people; a test holds the two together.
 */
const schema = z.object({
  MILENA_HOST: z.string().min(1).default('127.0.0.1'),
  MILENA_PORT: port.default(8080),
  MILENA_KAFKA_BROKERS: brokers.default(['127.0.0.1:9092']),
  MILENA_INBOX_PREFIX: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,100}$/, 'may hold letters, digits, dot, dash and underscore')
    .default('milena.inbox.'),
  MILENA_REPLICATION_FACTOR: count.max(9).default(1),
  MILENA_FRONTEND_LEASE_MS: milliseconds.min(6_000).default(10_000),
  MILENA_SEND_TIMEOUT_MS: milliseconds.default(10_000),
  MILENA_MAX_CONNECTIONS: count.default(12_000),
  MILENA_OPEN_ACCOUNTS: flag.optional(),
  MILENA_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

export interface Config {
  readonly host: string;
  readonly port: number;
  /** Bootstrap addresses, `host:port`. */
  readonly brokers: readonly string[];
  /** An inbox topic and its consumer group are both called this plus the username. */
  readonly inboxPrefix: string;
  readonly replicationFactor: number;
  /** Session time-out of the frontend's own lease: how long its users wait after it was killed. */
  readonly frontendLeaseMs: number;
  /** After this long without Kafka's answer a send fails as UNAVAILABLE. */
  readonly sendTimeoutMs: number;
  readonly maxConnections: number;
  /** Whether accounts without a password may be made and used: by default only when listening on loopback. */
  readonly openAccounts: boolean;
  readonly logLevel: string;
}

/** A setting that cannot be used; `message` names the variable, what was wrong and an example. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const EXAMPLES: Record<keyof z.infer<typeof schema>, string> = {
  MILENA_HOST: '127.0.0.1',
  MILENA_PORT: '8080',
  MILENA_KAFKA_BROKERS: '127.0.0.1:9092,127.0.0.1:9093',
  MILENA_INBOX_PREFIX: 'milena.inbox.',
  MILENA_REPLICATION_FACTOR: '3',
  MILENA_FRONTEND_LEASE_MS: '10000',
  MILENA_SEND_TIMEOUT_MS: '10000',
  MILENA_MAX_CONNECTIONS: '12000',
  MILENA_OPEN_ACCOUNTS: 'true',
  MILENA_LOG_LEVEL: 'info',
};

/** The names of all settings, in the order of the table. */
export const SETTINGS = Object.keys(EXAMPLES) as (keyof typeof EXAMPLES)[];

/**
 * Reads the configuration once, at the edge of the process. An empty variable counts as not set.
 * @throws ConfigError
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const given: Record<string, string> = {};
  for (const name of SETTINGS) {
    const value = environment[name];
    if (value !== undefined && value.trim() !== '') given[name] = value.trim();
  }
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => {
      const name = issue.path[0] as keyof typeof EXAMPLES;
      return `${name}=${given[name] ?? ''}: ${issue.message}. For example: ${name}=${EXAMPLES[name]}`;
    });
    throw new ConfigError(lines.join('\n'));
  }
  const values = parsed.data;
  return {
    host: values.MILENA_HOST,
    port: values.MILENA_PORT,
    brokers: values.MILENA_KAFKA_BROKERS,
    inboxPrefix: values.MILENA_INBOX_PREFIX,
    replicationFactor: values.MILENA_REPLICATION_FACTOR,
    frontendLeaseMs: values.MILENA_FRONTEND_LEASE_MS,
    sendTimeoutMs: values.MILENA_SEND_TIMEOUT_MS,
    maxConnections: values.MILENA_MAX_CONNECTIONS,
    openAccounts: values.MILENA_OPEN_ACCOUNTS ?? isLoopback(values.MILENA_HOST),
    logLevel: values.MILENA_LOG_LEVEL,
  };
}
