import { blockListOf, isLoopback } from '../util/networks.ts';
import { missingError, readTable, type SettingValues, settingError } from './setting-table.ts';

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

/**
 * Reads the configuration once, at the edge of the process. An empty variable counts as not set.
 * @throws ConfigError
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>) {
  const values = readTable(environment);
  return {
    host: values.MILENA_HOST,
    port: values.MILENA_PORT,
    /** Where accounts and messages are kept; `memory`: as long as the process runs. */
    storage: values.MILENA_STORAGE,
    /** What a storage in memory keeps of messages, in all. */
    memoryBytes: values.MILENA_MEMORY_MB * 2 ** 20,
    /** Bootstrap addresses, `host:port`. */
    brokers: values.MILENA_KAFKA_BROKERS,
    /** An inbox topic and its consumer group are both called this plus the username. */
    inboxPrefix: values.MILENA_INBOX_PREFIX,
    replicationFactor: values.MILENA_REPLICATION_FACTOR,
    /** Session time-out of the frontend's own lease: how long its users wait after it was killed. */
    frontendLeaseMs: values.MILENA_FRONTEND_LEASE_MS,
    /** After this long without Kafka's answer a send fails as UNAVAILABLE. */
    sendTimeoutMs: values.MILENA_SEND_TIMEOUT_MS,
    maxConnections: values.MILENA_MAX_CONNECTIONS,
    /** Connections from one address: by default as many as from all where only this machine can come. */
    connectionsPerAddress:
      values.MILENA_CONNECTIONS_PER_ADDRESS ??
      (isLoopback(values.MILENA_HOST) ? values.MILENA_MAX_CONNECTIONS : 500),
    /** Files in PEM; null = no TLS. */
    tls: tlsOf(values),
    /** Listen without TLS where other machines can come. */
    plaintext: values.MILENA_PLAINTEXT,
    /** Balancers that speak PROXY protocol 2. */
    proxies: blockListOf(values.MILENA_PROXY_FROM),
    /** Whether accounts without a password may be made and used: by default only when listening on loopback. */
    openAccounts: values.MILENA_OPEN_ACCOUNTS ?? isLoopback(values.MILENA_HOST),
    /** Whether names are told to who is not logged in. */
    listBeforeLogin: values.MILENA_LIST_BEFORE_LOGIN,
    /** Who may make accounts: anybody, whoever has an invite, nobody. */
    registration: values.MILENA_REGISTRATION,
    /** Accounts in all; new ones from one address and from all, at once and within an hour. */
    maxAccounts: values.MILENA_MAX_ACCOUNTS,
    newAccountsPerAddress: values.MILENA_NEW_ACCOUNTS_PER_ADDRESS,
    newAccounts: values.MILENA_NEW_ACCOUNTS,
    /** Shortest password, in characters. */
    passwordCharacters: values.MILENA_PASSWORD_LENGTH,
    /** How long a client may come back by its token. */
    resumeMs: values.MILENA_RESUME_HOURS * 3_600_000,
    /** A device other than the main one that has not come for so long is forgotten. */
    deviceMs: values.MILENA_DEVICE_DAYS * 86_400_000,
    /** Messages pushed to one session and not acknowledged. */
    window: values.MILENA_WINDOW,
    /** Sends of one session in the long run. */
    sendsPerSecond: values.MILENA_SENDS_PER_SECOND,
    /** Silence after which a client is asked for a sign of life, and after which it is taken for dead. */
    pingAfterMs: values.MILENA_PING_AFTER_MS,
    closeAfterMs: closeAfter(values),
    /** Keys that sign messages, `id:secret` each, as given; null = in the file. */
    clusterKeys: values.MILENA_CLUSTER_KEYS ?? null,
    clusterKeyFile: values.MILENA_CLUSTER_KEY_FILE,
    /** Records that no frontend can be shown to have written count as well: for going over from a version that did not sign. */
    acceptsUnsigned: values.MILENA_UNSIGNED_RECORDS === 'accept',
    /** What one inbox may hold undelivered, and which share of `maxMessages` one sender may fill. */
    mailbox: {
      maxMessages: values.MILENA_MAILBOX_MESSAGES,
      // Told to clients, which know whole numbers only.
      maxBytes: Math.round(values.MILENA_MAILBOX_MB * 2 ** 20),
      senderShare: values.MILENA_SENDER_SHARE,
      strangerShare: values.MILENA_STRANGER_SHARE,
    },
    /** Delivered messages stay in the inbox topic for this long, for other Kafka tools to look back. */
    historyMs: values.MILENA_HISTORY_HOURS * 3_600_000,
    /** Which topics rooms may show; how many records a second; of how long, and of how many, who was away is told. */
    follow: {
      topics: values.MILENA_FOLLOW_TOPICS,
      perSecond: values.MILENA_FOLLOW_PER_SECOND,
      maxAgeMs: values.MILENA_FOLLOW_HOURS * 3_600_000,
      maxRecords: values.MILENA_FOLLOW_RECORDS,
    },
    /** A Kafka whose settings or rights break a promise of ours is used all the same. */
    acceptsUnfitKafka: values.MILENA_UNFIT_KAFKA === 'accept',
    kafka: { tls: kafkaTls(values), sasl: kafkaSasl(values) },
    logLevel: values.MILENA_LOG_LEVEL,
  };
}

/** What the settings say. */
export type Config = Readonly<ReturnType<typeof readConfig>>;

/** Who names an authority or a certificate means TLS. */
function kafkaTls(values: SettingValues): KafkaTls | null {
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
function kafkaSasl(values: SettingValues): KafkaSasl | null {
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
function tlsOf(values: SettingValues): { readonly certFile: string; readonly keyFile: string } | null {
  const { MILENA_TLS_CERT: certFile, MILENA_TLS_KEY: keyFile } = values;
  if (certFile === undefined && keyFile === undefined) return null;
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile };
  const missing = certFile === undefined ? 'MILENA_TLS_CERT' : 'MILENA_TLS_KEY';
  throw missingError(missing, certFile === undefined ? 'MILENA_TLS_KEY' : 'MILENA_TLS_CERT');
}

function closeAfter(values: SettingValues): number {
  const { MILENA_PING_AFTER_MS: ping, MILENA_CLOSE_AFTER_MS: close } = values;
  if (close > ping) return close;
  const why = `more than MILENA_PING_AFTER_MS=${ping}, or nobody could answer in time`;
  throw settingError('MILENA_CLOSE_AFTER_MS', String(close), why);
}
