import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError, isLoopback, readConfig, SETTINGS } from '../src/config.ts';

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
