import type { BlockList } from 'node:net';
import { z } from 'zod';
import { isLoopback } from '../util/loopback.ts';
import { blockListOf, isNetwork } from '../util/networks.ts';
import { shown } from '../util/printable.ts';

export { isLoopback };

const port = z.coerce.number().int().min(0).max(65_535);
const milliseconds = z.coerce.number().int().positive().max(86_400_000);
const count = z.coerce.number().int().positive();
/** A pebibyte: its bytes are a whole number that every client can read. */
const MAX_MAILBOX_MB = 2 ** 30;
const flag = z.enum(['true', 'false', '1', '0']).transform((value) => value === 'true' || value === '1');
const hostPort = /^(\[[0-9a-fA-F:]+\]|[^\s:,]+):(\d{1,5})$/;

const listed = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
const isHostPort = (text: string): boolean => {
  const number = Number(hostPort.exec(text)?.[2] ?? 0);
  return number >= 1 && number <= 65_535;
};
const brokers = listed.pipe(z.array(z.string().refine(isHostPort)).min(1));
const networks = listed.refine((list) => list.every(isNetwork));

/**
 * Every setting of the frontend, one line each: environment variable, meaning of its unit, default.
 * docs/configuration.md is the table for people; a test holds the two together.
 */
const schema = z.object({
  MILENA_HOST: z
    .string()
    .min(1)
    .transform((host) => host.replace(/^\[(.*)\]$/, '$1'))
    .default('127.0.0.1'),
  MILENA_PORT: port.default(8080),
  MILENA_STORAGE: z.enum(['kafka', 'memory']).default('kafka'),
  MILENA_MEMORY_MB: z.coerce.number().min(0.001).max(MAX_MAILBOX_MB).default(256),
  MILENA_KAFKA_BROKERS: brokers.default(['127.0.0.1:9092']),
  MILENA_INBOX_PREFIX: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,100}$/)
    .default('milena.inbox.'),
  MILENA_REPLICATION_FACTOR: count.max(9).default(1),
  MILENA_FRONTEND_LEASE_MS: milliseconds.min(6_000).default(10_000),
  MILENA_SEND_TIMEOUT_MS: milliseconds.default(10_000),
  MILENA_MAX_CONNECTIONS: count.default(12_000),
  MILENA_CONNECTIONS_PER_ADDRESS: count.optional(),
  MILENA_TLS_CERT: z.string().optional(),
  MILENA_TLS_KEY: z.string().optional(),
  MILENA_PLAINTEXT: flag.default(false),
  MILENA_PROXY_FROM: networks.default([]),
  MILENA_OPEN_ACCOUNTS: flag.optional(),
  MILENA_LIST_BEFORE_LOGIN: flag.default(true),
  MILENA_REGISTRATION: z.enum(['open', 'invite', 'closed']).default('open'),
  MILENA_MAX_ACCOUNTS: count.default(12_000),
  MILENA_NEW_ACCOUNTS_PER_ADDRESS: count.default(60),
  MILENA_NEW_ACCOUNTS: count.default(1_200),
  MILENA_PASSWORD_LENGTH: count.max(128).default(8),
  MILENA_RESUME_HOURS: count.max(8_760).default(168),
  MILENA_WINDOW: count.max(10_000).default(256),
  MILENA_SENDS_PER_SECOND: count.default(500),
  MILENA_PING_AFTER_MS: milliseconds.default(300_000),
  MILENA_CLOSE_AFTER_MS: milliseconds.default(420_000),
  MILENA_CLUSTER_KEYS: z.string().optional(),
  MILENA_CLUSTER_KEY_FILE: z.string().min(1).default('.milena/cluster.key'),
  MILENA_UNSIGNED_RECORDS: z.enum(['accept', 'refuse']).default('refuse'),
  MILENA_MAILBOX_MESSAGES: count.default(100_000),
  MILENA_MAILBOX_MB: z.coerce.number().min(0.001).max(MAX_MAILBOX_MB).default(256),
  MILENA_SENDER_SHARE: z.coerce.number().positive().max(1).default(0.5),
  MILENA_STRANGER_SHARE: z.coerce.number().positive().max(1).default(0.75),
  MILENA_HISTORY_HOURS: z.coerce.number().nonnegative().max(87_600).default(72),
  MILENA_UNFIT_KAFKA: z.enum(['accept', 'refuse']).default('refuse'),
  MILENA_KAFKA_TLS: flag.optional(),
  MILENA_KAFKA_TLS_CA: z.string().optional(),
  MILENA_KAFKA_TLS_CERT: z.string().optional(),
  MILENA_KAFKA_TLS_KEY: z.string().optional(),
  MILENA_KAFKA_SASL_MECHANISM: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).optional(),
  MILENA_KAFKA_SASL_USERNAME: z.string().optional(),
  MILENA_KAFKA_SASL_PASSWORD: z.string().optional(),
  MILENA_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

export interface Config {
  readonly host: string;
  readonly port: number;
  /** Where accounts and messages are kept; `memory`: as long as the process runs. */
  readonly storage: 'kafka' | 'memory';
  /** What a storage in memory keeps of messages, in all. */
  readonly memoryBytes: number;
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
  /** Connections from one address: by default as many as from all where only this machine can come. */
  readonly connectionsPerAddress: number;
  /** Files in PEM; null = no TLS. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  /** Listen without TLS where other machines can come. */
  readonly plaintext: boolean;
  /** Balancers that speak PROXY protocol 2. */
  readonly proxies: BlockList;
  /** Whether accounts without a password may be made and used: by default only when listening on loopback. */
  readonly openAccounts: boolean;
  /** Whether names are told to who is not logged in. */
  readonly listBeforeLogin: boolean;
  /** Who may make accounts: anybody, whoever has an invite, nobody. */
  readonly registration: 'open' | 'invite' | 'closed';
  /** Accounts in all; new ones from one address and from all, at once and within an hour. */
  readonly maxAccounts: number;
  readonly newAccountsPerAddress: number;
  readonly newAccounts: number;
  /** Shortest password, in characters. */
  readonly passwordCharacters: number;
  /** How long a client may come back by its token. */
  readonly resumeMs: number;
  /** Messages pushed to one session and not acknowledged. */
  readonly window: number;
  /** Sends of one session in the long run. */
  readonly sendsPerSecond: number;
  /** Silence after which a client is asked for a sign of life, and after which it is taken for dead. */
  readonly pingAfterMs: number;
  readonly closeAfterMs: number;
  /** Keys that sign messages, `id:secret` each, as given; null = in the file. */
  readonly clusterKeys: string | null;
  readonly clusterKeyFile: string;
  /** Records that no frontend can be shown to have written count as well: for going over from a version that did not sign. */
  readonly acceptsUnsigned: boolean;
  /** What one inbox may hold undelivered, and which share of `maxMessages` one sender may fill. */
  readonly mailbox: {
    readonly maxMessages: number;
    readonly maxBytes: number;
    readonly senderShare: number;
    readonly strangerShare: number;
  };
  /** Delivered messages stay in the inbox topic for this long, for other Kafka tools to look back. */
  readonly historyMs: number;
  /** A Kafka whose settings or rights break a promise of ours is used all the same. */
  readonly acceptsUnfitKafka: boolean;
  readonly kafka: { readonly tls: KafkaTls | null; readonly sasl: KafkaSasl | null };
  readonly logLevel: string;
}

/** Files in PEM; null = the system's authorities, or no certificate of our own. */
export interface KafkaTls {
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
}

export interface KafkaSasl {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly username: string;
  readonly password: string;
}

/** A setting that cannot be used; `message` names the variable, what was wrong and an example. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const FLAG = 'true or false';
const COUNT = `a whole number from 1 to ${Number.MAX_SAFE_INTEGER}`;
const MILLISECONDS = 'a whole number from 1 to 86400000';
const SHARE = 'a number above 0, and at most 1';

/** What each setting must be, behind "must be", and an example. */
const WORDS: Record<keyof z.infer<typeof schema>, readonly [expected: string, example: string]> = {
  MILENA_HOST: ['an address of this machine', '127.0.0.1'],
  MILENA_PORT: ['a whole number from 0 (any free port) to 65535', '8080'],
  MILENA_STORAGE: ['kafka or memory', 'memory'],
  MILENA_MEMORY_MB: ['a number from 0.001 to 1073741824', '256'],
  MILENA_KAFKA_BROKERS: [
    'host:port, with a port from 1 to 65535, or several of them joined by commas',
    '127.0.0.1:9092,127.0.0.1:9093',
  ],
  MILENA_INBOX_PREFIX: ['at most 100 letters, digits, dots, dashes and underscores', 'milena.inbox.'],
  MILENA_REPLICATION_FACTOR: ['a whole number from 1 to 9', '3'],
  MILENA_FRONTEND_LEASE_MS: ['a whole number from 6000 to 86400000', '10000'],
  MILENA_SEND_TIMEOUT_MS: [MILLISECONDS, '10000'],
  MILENA_MAX_CONNECTIONS: [COUNT, '12000'],
  MILENA_CONNECTIONS_PER_ADDRESS: [COUNT, '500'],
  MILENA_TLS_CERT: ['the path of a certificate chain in PEM', '/etc/milena/tls.crt'],
  MILENA_TLS_KEY: ["the path of the certificate's private key in PEM", '/etc/milena/tls.key'],
  MILENA_PLAINTEXT: [FLAG, 'true'],
  MILENA_PROXY_FROM: ['addresses and networks joined by commas', '10.0.0.7,fd00:1::/64'],
  MILENA_OPEN_ACCOUNTS: [FLAG, 'true'],
  MILENA_LIST_BEFORE_LOGIN: [FLAG, 'false'],
  MILENA_REGISTRATION: ['open, invite or closed', 'invite'],
  MILENA_MAX_ACCOUNTS: [COUNT, '12000'],
  MILENA_NEW_ACCOUNTS_PER_ADDRESS: [COUNT, '60'],
  MILENA_NEW_ACCOUNTS: [COUNT, '1200'],
  MILENA_PASSWORD_LENGTH: ['a whole number from 1 to 128', '8'],
  MILENA_RESUME_HOURS: ['a whole number from 1 to 8760', '168'],
  MILENA_WINDOW: ['a whole number from 1 to 10000', '256'],
  MILENA_SENDS_PER_SECOND: [COUNT, '500'],
  MILENA_PING_AFTER_MS: [MILLISECONDS, '300000'],
  MILENA_CLOSE_AFTER_MS: [MILLISECONDS, '420000'],
  MILENA_CLUSTER_KEYS: [
    'keys joined by commas, id:secret each, the secret 32 bytes or more in base64 (./milena keys makes one)',
    'k2:ZjRl…,k1:OWEx…',
  ],
  MILENA_CLUSTER_KEY_FILE: [
    'the path of a file of keys that only its owner may read (./milena keys makes one)',
    '.milena/cluster.key',
  ],
  MILENA_UNSIGNED_RECORDS: ['accept or refuse', 'accept'],
  MILENA_MAILBOX_MESSAGES: [COUNT, '100000'],
  MILENA_MAILBOX_MB: ['a number from 0.001 to 1073741824', '256'],
  MILENA_SENDER_SHARE: [SHARE, '0.5'],
  MILENA_STRANGER_SHARE: [SHARE, '0.75'],
  MILENA_HISTORY_HOURS: ['a number from 0 to 87600', '72'],
  MILENA_UNFIT_KAFKA: ['accept or refuse', 'accept'],
  MILENA_KAFKA_TLS: [FLAG, 'true'],
  MILENA_KAFKA_TLS_CA: ['the path of certificates of authorities in PEM', '/etc/milena/kafka-ca.pem'],
  MILENA_KAFKA_TLS_CERT: ['the path of a certificate in PEM', '/etc/milena/frontend.pem'],
  MILENA_KAFKA_TLS_KEY: ["the path of the certificate's private key in PEM", '/etc/milena/frontend.key'],
  MILENA_KAFKA_SASL_MECHANISM: ['PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512', 'SCRAM-SHA-512'],
  MILENA_KAFKA_SASL_USERNAME: ['a name, as the mechanism needs one', 'milena'],
  MILENA_KAFKA_SASL_PASSWORD: ['a password, as the mechanism needs one', 'its password'],
  MILENA_LOG_LEVEL: ['trace, debug, info, warn, error, fatal or silent', 'info'],
};

export type Setting = keyof typeof WORDS;

/** What nobody else may read, nor a log. */
const SECRET: readonly Setting[] = ['MILENA_CLUSTER_KEYS', 'MILENA_KAFKA_SASL_PASSWORD'];

/**
 * The error for a setting that cannot be used: its variable, the value as it was given, what it must be, an example.
 * @param why what is wrong with it beyond that, behind "and"
 */
export function settingError(name: Setting, value: string, why?: string): ConfigError {
  const given = SECRET.includes(name) && value !== '' ? '(not shown)' : shown(value);
  const [expected, example] = WORDS[name];
  const reason = why === undefined ? '' : `, and ${why}`;
  return new ConfigError(
    `${name}=${given}: it must be ${expected}${reason}. For example: ${name}=${example}`,
  );
}

/** Of settings that are good for nothing without each other. */
function missingError(name: Setting, given: Setting): ConfigError {
  const [expected, example] = WORDS[name];
  return new ConfigError(
    `${name} is not set, and ${given} is: it must be ${expected}. For example: ${name}=${example}`,
  );
}

/** The names of all settings, in the order of the table. */
export const SETTINGS = Object.keys(WORDS) as Setting[];

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
    // One line each, whatever else is wrong with the same one.
    const names = new Set(parsed.error.issues.map((issue) => issue.path[0] as Setting));
    const lines = [...names].map((name) => settingError(name, given[name] ?? '').message);
    throw new ConfigError(lines.join('\n'));
  }
  const values = parsed.data;
  return {
    host: values.MILENA_HOST,
    port: values.MILENA_PORT,
    storage: values.MILENA_STORAGE,
    memoryBytes: values.MILENA_MEMORY_MB * 2 ** 20,
    brokers: values.MILENA_KAFKA_BROKERS,
    inboxPrefix: values.MILENA_INBOX_PREFIX,
    replicationFactor: values.MILENA_REPLICATION_FACTOR,
    frontendLeaseMs: values.MILENA_FRONTEND_LEASE_MS,
    sendTimeoutMs: values.MILENA_SEND_TIMEOUT_MS,
    maxConnections: values.MILENA_MAX_CONNECTIONS,
    connectionsPerAddress:
      values.MILENA_CONNECTIONS_PER_ADDRESS ??
      (isLoopback(values.MILENA_HOST) ? values.MILENA_MAX_CONNECTIONS : 500),
    tls: tlsOf(values),
    plaintext: values.MILENA_PLAINTEXT,
    proxies: blockListOf(values.MILENA_PROXY_FROM),
    openAccounts: values.MILENA_OPEN_ACCOUNTS ?? isLoopback(values.MILENA_HOST),
    listBeforeLogin: values.MILENA_LIST_BEFORE_LOGIN,
    registration: values.MILENA_REGISTRATION,
    maxAccounts: values.MILENA_MAX_ACCOUNTS,
    newAccountsPerAddress: values.MILENA_NEW_ACCOUNTS_PER_ADDRESS,
    newAccounts: values.MILENA_NEW_ACCOUNTS,
    passwordCharacters: values.MILENA_PASSWORD_LENGTH,
    resumeMs: values.MILENA_RESUME_HOURS * 3_600_000,
    window: values.MILENA_WINDOW,
    sendsPerSecond: values.MILENA_SENDS_PER_SECOND,
    pingAfterMs: values.MILENA_PING_AFTER_MS,
    closeAfterMs: closeAfter(values),
    clusterKeys: values.MILENA_CLUSTER_KEYS ?? null,
    clusterKeyFile: values.MILENA_CLUSTER_KEY_FILE,
    acceptsUnsigned: values.MILENA_UNSIGNED_RECORDS === 'accept',
    mailbox: {
      maxMessages: values.MILENA_MAILBOX_MESSAGES,
      // Told to clients, which know whole numbers only.
      maxBytes: Math.round(values.MILENA_MAILBOX_MB * 2 ** 20),
      senderShare: values.MILENA_SENDER_SHARE,
      strangerShare: values.MILENA_STRANGER_SHARE,
    },
    historyMs: values.MILENA_HISTORY_HOURS * 3_600_000,
    acceptsUnfitKafka: values.MILENA_UNFIT_KAFKA === 'accept',
    kafka: { tls: kafkaTls(values), sasl: kafkaSasl(values) },
    logLevel: values.MILENA_LOG_LEVEL,
  };
}

/** Who names an authority or a certificate means TLS. */
function kafkaTls(values: z.infer<typeof schema>): KafkaTls | null {
  const {
    MILENA_KAFKA_TLS: wanted,
    MILENA_KAFKA_TLS_CA: caFile = null,
    MILENA_KAFKA_TLS_CERT: certFile = null,
    MILENA_KAFKA_TLS_KEY: keyFile = null,
  } = values;
  const hasFiles = caFile !== null || certFile !== null || keyFile !== null;
  if (wanted === false && hasFiles) {
    throw settingError('MILENA_KAFKA_TLS', 'false', 'files for it are given, which would not be used');
  }
  if (wanted !== true && !hasFiles) return null;
  if (certFile === null && keyFile !== null)
    throw missingError('MILENA_KAFKA_TLS_CERT', 'MILENA_KAFKA_TLS_KEY');
  if (certFile !== null && keyFile === null)
    throw missingError('MILENA_KAFKA_TLS_KEY', 'MILENA_KAFKA_TLS_CERT');
  return { caFile, certFile, keyFile };
}

/** All three, or none: half of a login would be none, and nobody would notice. */
function kafkaSasl(values: z.infer<typeof schema>): KafkaSasl | null {
  const {
    MILENA_KAFKA_SASL_MECHANISM: mechanism,
    MILENA_KAFKA_SASL_USERNAME: username,
    MILENA_KAFKA_SASL_PASSWORD: password,
  } = values;
  if (mechanism === undefined && username === undefined && password === undefined) return null;
  if (mechanism !== undefined && username !== undefined && password !== undefined)
    return { mechanism, username, password };
  const names = [
    'MILENA_KAFKA_SASL_MECHANISM',
    'MILENA_KAFKA_SASL_USERNAME',
    'MILENA_KAFKA_SASL_PASSWORD',
  ] as const;
  const missing = names.find((name) => values[name] === undefined) ?? names[0];
  const given = names.find((name) => values[name] !== undefined) ?? names[0];
  throw missingError(missing, given);
}

/** A certificate is worth nothing without its key. */
function tlsOf(values: z.infer<typeof schema>): Config['tls'] {
  const { MILENA_TLS_CERT: certFile, MILENA_TLS_KEY: keyFile } = values;
  if (certFile === undefined && keyFile === undefined) return null;
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile };
  const missing = certFile === undefined ? 'MILENA_TLS_CERT' : 'MILENA_TLS_KEY';
  throw missingError(missing, certFile === undefined ? 'MILENA_TLS_KEY' : 'MILENA_TLS_CERT');
}

function closeAfter(values: z.infer<typeof schema>): number {
  const { MILENA_PING_AFTER_MS: ping, MILENA_CLOSE_AFTER_MS: close } = values;
  if (close > ping) return close;
  const why = `more than MILENA_PING_AFTER_MS=${ping}, or nobody could answer in time`;
  throw settingError('MILENA_CLOSE_AFTER_MS', String(close), why);
}
