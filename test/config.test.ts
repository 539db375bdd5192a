import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clusterKeysOf } from '../src/config/cluster-keys.ts';
import { readConfig } from '../src/config/config.ts';
import {
  ConfigError,
  SETTINGS,
  type Setting,
  unknownSettings,
  VARIABLE_NAMES,
} from '../src/config/setting-table.ts';
import { readTlsFiles } from '../src/server/net/tls.ts';
import { kafkaSecurity } from '../src/storage/kafka/wire/kafka-security.ts';
import { isLoopback } from '../src/util/networks.ts';
import { shown } from '../src/util/printable.ts';
import { ROOT } from './e2e/script.ts';

describe('configuration', () => {
  it('has working defaults', () => {
    expect(readConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      brokers: ['127.0.0.1:9092'],
      inboxPrefix: 'milena.inbox.',
      openAccounts: true,
    });
  });

  it('takes an empty variable as not set, and trims', () => {
    expect(readConfig({ MILENA_PORT: '', MILENA_KAFKA_BROKERS: ' a:1 , [::1]:2 ' })).toMatchObject({
      port: 8080,
      brokers: ['a:1', '[::1]:2'],
    });
  });

  it('allows open accounts by itself only where nobody else can come', () => {
    expect(readConfig({ MILENA_HOST: '0.0.0.0' }).openAccounts).toBe(false);
    expect(readConfig({ MILENA_HOST: '0.0.0.0', MILENA_OPEN_ACCOUNTS: 'true' }).openAccounts).toBe(true);
    expect(readConfig({ MILENA_OPEN_ACCOUNTS: 'false' }).openAccounts).toBe(false);
  });

  it.each([
    ['MILENA_PORT', '80800'],
    ['MILENA_PORT', 'http'],
    ['MILENA_STORAGE', 'disk'],
    ['MILENA_KAFKA_BROKERS', 'kafka'],
    ['MILENA_KAFKA_BROKERS', ','],
    ['MILENA_KAFKA_BROKERS', 'kafka:99999'],
    ['MILENA_KAFKA_BROKERS', 'kafka:0'],
    ['MILENA_KAFKA_SASL_MECHANISM', 'GSSAPI'],
    ['MILENA_UNFIT_KAFKA', 'yes'],
    ['MILENA_INBOX_PREFIX', 'in box'],
    ['MILENA_REPLICATION_FACTOR', '0'],
    ['MILENA_FRONTEND_LEASE_MS', '100'],
    ['MILENA_OPEN_ACCOUNTS', 'yes'],
    ['MILENA_LOG_LEVEL', 'loud'],
  ])('refuses %s=%s, naming both and an example', (name, value) => {
    const read = () => readConfig({ [name]: value });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(`${name}=${value}`);
    expect(read).toThrow(`For example: ${name}=`);
  });

  /** For each setting what is no value of it; null: any text is one. */
  const WRONG: Readonly<Record<Setting, string | null>> = {
    MILENA_HOST: null,
    MILENA_PORT: 'http',
    MILENA_STORAGE: 'disk',
    MILENA_MEMORY_MB: '0',
    MILENA_KAFKA_BROKERS: 'kafka',
    MILENA_INBOX_PREFIX: 'in box',
    MILENA_REPLICATION_FACTOR: '10',
    MILENA_FRONTEND_LEASE_MS: '100',
    MILENA_SEND_TIMEOUT_MS: '0',
    MILENA_MAX_CONNECTIONS: '1e99',
    MILENA_CONNECTIONS_PER_ADDRESS: '-1',
    MILENA_TLS_CERT: '/etc/only',
    MILENA_TLS_KEY: '/etc/only',
    MILENA_PLAINTEXT: 'yes',
    MILENA_PROXY_FROM: '10.0.0.0/33',
    MILENA_OPEN_ACCOUNTS: 'on',
    MILENA_LIST_BEFORE_LOGIN: 'off',
    MILENA_REGISTRATION: 'everybody',
    MILENA_MAX_ACCOUNTS: '1.5',
    MILENA_NEW_ACCOUNTS_PER_ADDRESS: 'NaN',
    MILENA_NEW_ACCOUNTS: 'Infinity',
    MILENA_PASSWORD_LENGTH: '129',
    MILENA_RESUME_HOURS: '0.5',
    MILENA_DEVICE_DAYS: '0',
    MILENA_WINDOW: '10001',
    MILENA_SENDS_PER_SECOND: '0',
    MILENA_PING_AFTER_MS: '86400001',
    MILENA_CLOSE_AFTER_MS: '1',
    MILENA_CLUSTER_KEYS: 'k1:secret',
    MILENA_CLUSTER_KEY_FILE: '/nowhere/\x1b[31mkey/',
    MILENA_UNSIGNED_RECORDS: 'perhaps',
    MILENA_MAILBOX_MESSAGES: '-5',
    MILENA_MAILBOX_MB: '0',
    MILENA_SENDER_SHARE: '2',
    MILENA_STRANGER_SHARE: '0',
    MILENA_HISTORY_HOURS: '-1',
    MILENA_FOLLOW_TOPICS: 'orders dlq',
    MILENA_FOLLOW_PER_SECOND: '0',
    MILENA_FOLLOW_HOURS: '0',
    MILENA_FOLLOW_RECORDS: '0',
    MILENA_UNFIT_KAFKA: 'perhaps',
    MILENA_KAFKA_TLS: 'TLS',
    MILENA_KAFKA_TLS_CA: '/nowhere\u202e.pem',
    MILENA_KAFKA_TLS_CERT: '/nowhere.pem',
    MILENA_KAFKA_TLS_KEY: tmpdir(),
    MILENA_KAFKA_SASL_MECHANISM: 'GSSAPI',
    MILENA_KAFKA_SASL_USERNAME: '',
    MILENA_KAFKA_SASL_PASSWORD: '',
    MILENA_LOG_LEVEL: 'loud',
  };
  const SECRETS: readonly Setting[] = ['MILENA_CLUSTER_KEYS', 'MILENA_KAFKA_SASL_PASSWORD'];

  /** Reads it, and what it names, as a frontend does. */
  function use(name: Setting, value: string): void {
    const others: Partial<Record<Setting, string>> = {
      ...(/KAFKA_TLS_(CERT|KEY)/.test(name) && { MILENA_KAFKA_TLS_CERT: value, MILENA_KAFKA_TLS_KEY: value }),
      ...(/SASL_(USER|PASS)/.test(name) && { MILENA_KAFKA_SASL_MECHANISM: 'PLAIN' }),
      ...(name === 'MILENA_KAFKA_SASL_PASSWORD' && { MILENA_KAFKA_SASL_USERNAME: 'milena' }),
      ...(name.startsWith('MILENA_TLS_') && { MILENA_TLS_CERT: value, MILENA_TLS_KEY: value }),
    };
    const config = readConfig({ ...others, [name]: value });
    if (config.tls !== null) readTlsFiles(config.tls);
    kafkaSecurity(config);
    clusterKeysOf({ ...config, brokers: ['192.0.2.1:9092'] });
  }

  it.each(SETTINGS.filter((name) => WRONG[name] !== null && WRONG[name] !== ''))(
    'refuses what is no %s with the variable, the value made printable, what is allowed and an example',
    (name) => {
      for (const value of [String(WRONG[name]), `${WRONG[name]}\x1b[2J\u202e${'y'.repeat(300)}`]) {
        let text = '';
        try {
          use(name, value);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
          text = String(error instanceof Error ? error.message : error);
        }
        // A certificate and its key are of use together only, and the first of them is looked at first.
        const told = name.replace(/TLS_KEY$/, 'TLS_CERT');
        expect(text).toMatch(
          new RegExp(`^${told}=\\P{C}*: it must be \\P{C}+\\. For example: ${told}=\\P{C}+$`, 'u'),
        );
        expect(text).not.toContain('y'.repeat(200));
        expect(text).not.toMatch(/expected|received|invalid/i);
        expect(text.includes(shown(value))).toBe(!SECRETS.includes(name));
      }
    },
  );

  it.each([
    'MILENA_KAFKA_SASL_USERNAME',
    'MILENA_KAFKA_SASL_PASSWORD',
    'MILENA_TLS_KEY',
    'MILENA_TLS_CERT',
  ] as const)('misses %s where another setting needs it', (name) => {
    const all = { MILENA_TLS_KEY: '/key', MILENA_TLS_CERT: '/cert', MILENA_KAFKA_SASL_MECHANISM: 'PLAIN' };
    const sasl = { MILENA_KAFKA_SASL_USERNAME: 'milena', MILENA_KAFKA_SASL_PASSWORD: 'secret' };
    expect(() => readConfig({ ...all, ...sasl, [name]: '' })).toThrow(
      new RegExp(`^${name} is not set, and MILENA_\\w+ is: it must be .+\\. For example: ${name}=.+$`),
    );
  });

  it('names every wrong setting at once', () => {
    expect(() => readConfig({ MILENA_PORT: 'x', MILENA_LOG_LEVEL: 'x' })).toThrow(
      /MILENA_PORT=x.*\nMILENA_LOG_LEVEL=x/,
    );
  });

  it('has a row for every setting in its table, and no other, with the true default', () => {
    const text = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8');
    const table = text.slice(text.indexOf('## The frontend'), text.indexOf('## The scripts'));
    const names = [...table.matchAll(/^\| `(MILENA_\w+)` \|/gm)].map(([, name]) => name);
    expect(names).toEqual(SETTINGS);
    const defaults = [...table.matchAll(/^\| `(MILENA_\w+)` \| `([^`]*)`/gm)].map(([, name, value]) => [
      name,
      value,
    ]);
    expect(readConfig(Object.fromEntries(defaults))).toEqual(readConfig({}));
  });

  it.each([
    ['localhost', true],
    ['127.0.0.1', true],
    ['127.1.2.3', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['127.0.0.1.example.org', false],
    ['10.0.0.1', false],
  ])('knows that %s is loopback: %s', (host, expected) => expect(isLoopback(host)).toBe(expected));

  describe('describes a Kafka as a whole', () => {
    const TLS = {
      MILENA_KAFKA_TLS_CA: 'ca.pem',
      MILENA_KAFKA_TLS_CERT: 'me.pem',
      MILENA_KAFKA_TLS_KEY: 'me.key',
    };
    const SASL = {
      MILENA_KAFKA_SASL_MECHANISM: 'PLAIN',
      MILENA_KAFKA_SASL_USERNAME: 'milena',
      MILENA_KAFKA_SASL_PASSWORD: 'secret',
    };

    it('takes files for TLS to mean TLS', () => {
      expect(readConfig({ MILENA_KAFKA_TLS_CA: 'ca.pem' }).kafka.tls).toMatchObject({ caFile: 'ca.pem' });
      expect(readConfig(TLS).kafka.tls).toMatchObject({ certFile: 'me.pem', keyFile: 'me.key' });
      expect(readConfig({ MILENA_KAFKA_TLS: 'true' }).kafka.tls).toMatchObject({ caFile: null });
      expect(readConfig({ MILENA_KAFKA_TLS: 'false' }).kafka.tls).toBeNull();
      expect(readConfig({}).kafka.tls).toBeNull();
    });

    it.each(Object.entries(TLS))('never leaves %s out because TLS is off', (name, value) => {
      expect(() => readConfig({ MILENA_KAFKA_TLS: 'false', [name]: value })).toThrow(
        'MILENA_KAFKA_TLS=false: ',
      );
    });

    it.each([
      ['MILENA_KAFKA_TLS_CERT', 'MILENA_KAFKA_TLS_KEY'],
      ['MILENA_KAFKA_TLS_KEY', 'MILENA_KAFKA_TLS_CERT'],
    ])('wants %s with %s', (given, missing) => {
      expect(() => readConfig({ [given]: 'file' })).toThrow(`${missing} is not set, and `);
    });

    it.each(Object.keys(SASL))('wants %s beside the other two, and never leaves those out', (missing) => {
      const { [missing]: _, ...others }: Record<string, string> = SASL;
      expect(() => readConfig(others)).toThrow(ConfigError);
      expect(() => readConfig(others)).toThrow(`${missing} is not set, and `);
      for (const [one, value] of Object.entries(others))
        expect(() => readConfig({ [one]: value })).toThrow(ConfigError);
      expect(readConfig(SASL).kafka.sasl).toEqual({
        mechanism: 'PLAIN',
        username: 'milena',
        password: 'secret',
      });
    });
  });

  describe('tells names that nobody reads', () => {
    it.each([
      ['MILENA_KAFKA_BROKER', 'MILENA_KAFKA_BROKERS'],
      ['MILENA_KAFKA_SASL_USER', 'MILENA_KAFKA_SASL_USERNAME'],
      ['MILENA_KAFKA_USERNAME', 'MILENA_KAFKA_SASL_USERNAME'],
      ['MILENA_KAFKA_SSL_CA', 'MILENA_KAFKA_TLS_CA'],
      ['MILENA_HIGH', 'MILENA_HIGHLIGHT'],
      ['MILENA_REPLICATION', 'MILENA_REPLICATION_FACTOR'],
    ])('%s with the nearest real one, %s', (name, near) => {
      expect(unknownSettings({ [name]: 'x' })).toEqual([expect.stringMatching(`${name}, .*${near} meant`)]);
    });

    it('and says so also where none is near', () => {
      expect(unknownSettings({ MILENA_XYZZY: '1' })).toEqual([
        expect.stringContaining('docs/configuration.md'),
      ]);
    });

    it('and no other', () => {
      const known = Object.fromEntries(VARIABLE_NAMES.map((name) => [name, 'x']));
      expect(unknownSettings({ ...known, PATH: '/bin', MILENA_TEST_LOG: 'info', MILENA_WRONG: ' ' })).toEqual(
        [],
      );
    });

    it('knowing all that the programs, scripts and documents name', () => {
      const files = execFileSync(
        'git',
        ['ls-files', 'src', 'scripts', 'docs', '*.sh', 'milena', 'docker-compose.yml'],
        { cwd: ROOT },
      );
      const named = new Set<string>();
      for (const file of files.toString().trim().split('\n')) {
        const text = readFileSync(join(ROOT, file), 'utf8');
        for (const [name] of text.matchAll(/\bMILENA_[A-Z0-9]+(?:_[A-Z0-9]+)*\b/g)) named.add(name);
      }
      const unknown = [...named].filter(
        (name) => !VARIABLE_NAMES.includes(name) && !name.startsWith('MILENA_TEST'),
      );
      expect(unknown).toEqual([]);
    });
  });
});
