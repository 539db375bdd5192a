import { z } from 'zod';
import { isNetwork } from '../util/networks.ts';
import { shown } from '../util/printable.ts';
import { suggest } from '../util/suggest.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const milliseconds = z.coerce.number().int().positive().max(86_400_000);
const count = z.coerce.number().int().positive();
/** Up to a pebibyte: its bytes are a whole number that every client can read. */
const megabytes = z.coerce
  .number()
  .min(0.001)
  .max(2 ** 30);
const text = z.string().optional();
const flag = z.enum(['true', 'false', '1', '0']).transform((value) => value === 'true' || value === '1');
const hostPort = /^(\[[0-9a-fA-F:]+\]|[^\s:,]+):(\d{1,5})$/;

const listed = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
const isHostPort = (server: string): boolean => {
  const number = Number(hostPort.exec(server)?.[2] ?? 0);
  return number >= 1 && number <= 65_535;
};
const brokers = listed.pipe(z.array(z.string().refine(isHostPort)).min(1));
const networks = listed.refine((list) => list.every(isNetwork));

const FLAG = 'true or false';
const COUNT = `a whole number from 1 to ${Number.MAX_SAFE_INTEGER}`;
const MILLISECONDS = 'a whole number from 1 to 86400000';
const MEGABYTES = 'a number from 0.001 to 1073741824';
const SHARE = 'a number above 0, and at most 1';

/**
 * Every setting of the frontend: environment variable, what it is read by and its default, what it must be, behind "must be", and an
 * example. docs/configuration.md is the table for people; a test holds the two together.
 */
const TABLE = {
  MILENA_HOST: [
    z
      .string()
      .min(1)
      .transform((host) => host.replace(/^\[(.*)\]$/, '$1'))
      .default('127.0.0.1'),
    'an address of this machine',
    '127.0.0.1',
  ],
  MILENA_PORT: [port.default(8080), 'a whole number from 0 (any free port) to 65535', '8080'],
  MILENA_STORAGE: [z.enum(['kafka', 'memory']).default('kafka'), 'kafka or memory', 'memory'],
  MILENA_MEMORY_MB: [megabytes.default(256), MEGABYTES, '256'],
  MILENA_KAFKA_BROKERS: [
    brokers.default(['127.0.0.1:9092']),
    'host:port, with a port from 1 to 65535, or several of them joined by commas',
    '127.0.0.1:9092,127.0.0.1:9093',
  ],
  MILENA_INBOX_PREFIX: [
    z
      .string()
      .regex(/^[a-zA-Z0-9._-]{1,100}$/)
      .default('milena.inbox.'),
    'at most 100 letters, digits, dots, dashes and underscores',
    'milena.inbox.',
  ],
  MILENA_REPLICATION_FACTOR: [count.max(9).default(1), 'a whole number from 1 to 9', '3'],
  MILENA_FRONTEND_LEASE_MS: [
    milliseconds.min(6_000).default(10_000),
    'a whole number from 6000 to 86400000',
    '10000',
  ],
  MILENA_SEND_TIMEOUT_MS: [milliseconds.default(10_000), MILLISECONDS, '10000'],
  MILENA_MAX_CONNECTIONS: [count.default(12_000), COUNT, '12000'],
  MILENA_CONNECTIONS_PER_ADDRESS: [count.optional(), COUNT, '500'],
  MILENA_TLS_CERT: [text, 'the path of a certificate chain in PEM', '/etc/milena/tls.crt'],
  MILENA_TLS_KEY: [text, "the path of the certificate's private key in PEM", '/etc/milena/tls.key'],
  MILENA_PLAINTEXT: [flag.default(false), FLAG, 'true'],
  MILENA_PROXY_FROM: [
    networks.default([]),
    'addresses and networks joined by commas',
    '10.0.0.7,fd00:1::/64',
  ],
  MILENA_OPEN_ACCOUNTS: [flag.optional(), FLAG, 'true'],
  MILENA_LIST_BEFORE_LOGIN: [flag.default(true), FLAG, 'false'],
  MILENA_REGISTRATION: [
    z.enum(['open', 'invite', 'closed']).default('open'),
    'open, invite or closed',
    'invite',
  ],
  MILENA_MAX_ACCOUNTS: [count.default(12_000), COUNT, '12000'],
  MILENA_NEW_ACCOUNTS_PER_ADDRESS: [count.default(60), COUNT, '60'],
  MILENA_NEW_ACCOUNTS: [count.default(1_200), COUNT, '1200'],
  MILENA_PASSWORD_LENGTH: [count.max(128).default(8), 'a whole number from 1 to 128', '8'],
  MILENA_RESUME_HOURS: [count.max(8_760).default(168), 'a whole number from 1 to 8760', '168'],
  MILENA_DEVICE_DAYS: [count.max(3_650).default(30), 'a whole number from 1 to 3650', '30'],
  MILENA_WINDOW: [count.max(10_000).default(256), 'a whole number from 1 to 10000', '256'],
  MILENA_SENDS_PER_SECOND: [count.default(500), COUNT, '500'],
  MILENA_PING_AFTER_MS: [milliseconds.default(300_000), MILLISECONDS, '300000'],
  MILENA_CLOSE_AFTER_MS: [milliseconds.default(420_000), MILLISECONDS, '420000'],
  MILENA_CLUSTER_KEYS: [
    text,
    'keys joined by commas, id:secret each, the secret 32 bytes or more in base64 (./milena keys makes one)',
    'k2:ZjRl…,k1:OWEx…',
  ],
  MILENA_CLUSTER_KEY_FILE: [
    z.string().min(1).default('.milena/cluster.key'),
    'the path of a file of keys that only its owner may read (./milena keys makes one)',
    '.milena/cluster.key',
  ],
  MILENA_UNSIGNED_RECORDS: [z.enum(['accept', 'refuse']).default('refuse'), 'accept or refuse', 'accept'],
  MILENA_MAILBOX_MESSAGES: [count.default(100_000), COUNT, '100000'],
  MILENA_MAILBOX_MB: [megabytes.default(256), MEGABYTES, '256'],
  MILENA_SENDER_SHARE: [z.coerce.number().positive().max(1).default(0.5), SHARE, '0.5'],
  MILENA_STRANGER_SHARE: [z.coerce.number().positive().max(1).default(0.75), SHARE, '0.75'],
  MILENA_HISTORY_HOURS: [
    z.coerce.number().nonnegative().max(87_600).default(72),
    'a number from 0 to 87600',
    '72',
  ],
  MILENA_FOLLOW_TOPICS: [
    listed.pipe(z.array(z.string().regex(/^[a-zA-Z0-9._*?-]{1,249}$/))).default([]),
    'names of topics joined by commas, with * for any characters and ? for one',
    'orders.dlq,alerts.*',
  ],
  MILENA_FOLLOW_PER_SECOND: [count.max(1_000).default(10), 'a whole number from 1 to 1000', '10'],
  MILENA_FOLLOW_HOURS: [count.max(8_760).default(24), 'a whole number from 1 to 8760', '24'],
  MILENA_FOLLOW_RECORDS: [
    count.max(10_000_000).default(100_000),
    'a whole number from 1 to 10000000',
    '100000',
  ],
  MILENA_UNFIT_KAFKA: [z.enum(['accept', 'refuse']).default('refuse'), 'accept or refuse', 'accept'],
  MILENA_KAFKA_TLS: [flag.optional(), FLAG, 'true'],
  MILENA_KAFKA_TLS_CA: [text, 'the path of certificates of authorities in PEM', '/etc/milena/kafka-ca.pem'],
  MILENA_KAFKA_TLS_CERT: [text, 'the path of a certificate in PEM', '/etc/milena/frontend.pem'],
  MILENA_KAFKA_TLS_KEY: [
    text,
    "the path of the certificate's private key in PEM",
    '/etc/milena/frontend.key',
  ],
  MILENA_KAFKA_SASL_MECHANISM: [
    z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).optional(),
    'PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512',
    'SCRAM-SHA-512',
  ],
  MILENA_KAFKA_SASL_USERNAME: [text, 'a name, as the mechanism needs one', 'milena'],
  MILENA_KAFKA_SASL_PASSWORD: [text, 'a password, as the mechanism needs one', 'its password'],
  MILENA_LOG_LEVEL: [
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
    'trace, debug, info, warn, error, fatal or silent',
    'info',
  ],
} as const satisfies Readonly<Record<string, readonly [check: z.ZodType, expected: string, example: string]>>;

export type Setting = keyof typeof TABLE;
type Checks = { [Name in Setting]: (typeof TABLE)[Name][0] };

/** The names of all settings, in the order of the table. */
export const SETTINGS = Object.keys(TABLE) as Setting[];
const schema = z.object(Object.fromEntries(SETTINGS.map((name) => [name, TABLE[name][0]])) as Checks);
/** What the variables mean, defaults among them. */
export type SettingValues = z.infer<typeof schema>;

/** What nobody else may read, nor a log. */
const SECRET: readonly Setting[] = ['MILENA_CLUSTER_KEYS', 'MILENA_KAFKA_SASL_PASSWORD'];

/** A setting that cannot be used; `message` names the variable, what was wrong and an example. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * The error for a setting that cannot be used: its variable, the value as it was given, what it must be, an example.
 * @param why what is wrong with it beyond that, behind "and"
 */
export function settingError(name: Setting, value: string, why?: string): ConfigError {
  const given = SECRET.includes(name) && value !== '' ? '(not shown)' : shown(value);
  const [, expected, example] = TABLE[name];
  const reason = why === undefined ? '' : `, and ${why}`;
  return new ConfigError(
    `${name}=${given}: it must be ${expected}${reason}. For example: ${name}=${example}`,
  );
}

/** Of settings that are good for nothing without each other. */
export function missingError(name: Setting, given: Setting): ConfigError {
  const [, expected, example] = TABLE[name];
  return new ConfigError(
    `${name} is not set, and ${given} is: it must be ${expected}. For example: ${name}=${example}`,
  );
}

/** Checks each variable by itself; an empty one counts as not set. @throws ConfigError with a line for each that cannot be used */
export function readTable(environment: Readonly<Record<string, string | undefined>>): SettingValues {
  const given: Record<string, string> = {};
  for (const name of SETTINGS) {
    const value = environment[name];
    if (value !== undefined && value.trim() !== '') given[name] = value.trim();
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  // One line each, whatever else is wrong with the same one.
  const names = new Set(parsed.error.issues.map((issue) => issue.path[0] as Setting));
  throw new ConfigError([...names].map((name) => settingError(name, given[name] ?? '').message).join('\n'));
}

/** What others than frontends read: the scripts, also from each other, and the client (src/terminal/setting-table.ts). */
// biome-ignore format: several a line
const OTHERS = [
  'MILENA_KAFKA', 'MILENA_KAFKA_PORT', 'MILENA_KAFKA_IMAGE', 'MILENA_KAFKA_HEAP', 'MILENA_STATE_DIR',
  'MILENA_CLUSTER_HEAP', 'MILENA_OWN_KAFKA', 'MILENA_SERVER', 'MILENA_USER', 'MILENA_PASSWORD',
  'MILENA_PASSWORD_FILE', 'MILENA_NEW_PASSWORD', 'MILENA_TLS', 'MILENA_TLS_CA', 'MILENA_INSECURE',
  'MILENA_PROTOCOL', 'MILENA_THEME', 'MILENA_PASSWORD_COMMAND', 'MILENA_SIGNS', 'MILENA_LINKS',
  'MILENA_MOUSE', 'MILENA_HIGHLIGHT', 'MILENA_DESKTOP', 'MILENA_CLIPBOARD', 'MILENA_NOTIFY', 'MILENA_OPEN',
  'MILENA_STAY_LOGGED_IN', 'MILENA_BELL', 'MILENA_PLAIN', 'MILENA_HISTORY', 'MILENA_DATA_DIR',
  'MILENA_SETTINGS', 'MILENA_DEVICE', 'MILENA_LAST',
];

/** Every variable that a program or script of ours reads. */
export const VARIABLE_NAMES: readonly string[] = [...SETTINGS, ...OTHERS];

/** A sentence for each variable MILENA_… that nobody reads, with the nearest one that somebody does; those of tests are left out. */
export function unknownSettings(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set(VARIABLE_NAMES);
  return Object.keys(environment)
    .filter((name) => /^MILENA_(?!TEST_|FUZZ_)/.test(name) && environment[name]?.trim() && !known.has(name))
    .sort()
    .map((name) => {
      const near = suggest(name, VARIABLE_NAMES) ?? nearestPart(name);
      const meant = near === null ? 'docs/configuration.md has all of them.' : `Is ${near} meant?`;
      return `There is no setting ${name}, so it does nothing. ${meant}`;
    });
}

/** The one that shares most words with it, where it has another number of them. */
function nearestPart(name: string): string | null {
  const words = wordsOf(name);
  let best: string | null = null;
  let most = 0;
  for (const known of VARIABLE_NAMES) {
    const others = wordsOf(known);
    const shared = words.filter((word) => others.includes(word)).length;
    const likeness = shared / Math.max(words.length, others.length);
    if (likeness > most) [best, most] = [known, likeness];
  }
  return most >= 0.5 ? best : null;
}

function wordsOf(name: string): string[] {
  return name.split('_').slice(1);
}
