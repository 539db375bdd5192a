import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { ConfigError, isLoopback, readConfig, SETTINGS, type Setting } from '../src/config.ts';
import { readTlsFiles } from '../src/frontend/tls.ts';
import { clusterKeysOf } from '../src/kafka/engine.ts';
import { kafkaSecurity } from '../src/kafka/kafka-security.ts';
import { shown } from '../src/printable.ts';

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
    ['MILENA_KAFKA_BROKERS', 'kafka'],
    ['MILENA_KAFKA_BROKERS', ','],
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
      ...(name.startsWith('MILENA_KAFKA_TLS_') && { MILENA_KAFKA_TLS: 'true' }),
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
        const told = name === 'MILENA_TLS_KEY' ? 'MILENA_TLS_CERT' : name;
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
      new RegExp(`^${name}=: it must be .+, and .+\\. For example: ${name}=.+$`),
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
});
