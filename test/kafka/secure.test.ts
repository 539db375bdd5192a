import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/setting-table.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { startBroker } from '../broker/broker.ts';
import { javaUsable } from '../broker/java.ts';
import { freePort } from '../broker/ports.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { eventually, message, observe, uniqueName } from '../contracts/cluster.ts';
import { FULL, inFullSize } from '../size.ts';
import { testLog } from './cluster.ts';

const PASSWORD = 'not a secret of anybody';
const NO_SASL = {
  ...{ MILENA_KAFKA_SASL_MECHANISM: '', MILENA_KAFKA_SASL_USERNAME: '' },
  MILENA_KAFKA_SASL_PASSWORD: '',
};

/**
 * A broker with a listener that demands TLS and a password. Left out where there is no Java: the test broker in a
 * container has listeners of its own, without a certificate. In the full size, since e2e/mismatches.test.ts has another one.
 */
describe.skipIf(!FULL || !(await javaUsable()))(inFullSize('Kafka that demands TLS and SASL'), () => {
  let folder: string;
  let certificate: string;
  let broker: TestBroker;
  let address: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'milena-tls-'));
    certificate = join(folder, 'broker.pem');
    const key = join(folder, 'broker.key');
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const kind = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-x509',
      '-days',
      '2',
    ];
    await promisify(execFile)('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', certificate]);
    const store = join(folder, 'store.pem');
    writeFileSync(store, readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8'));
    chmodSync(store, 0o600);
    const port = await freePort();
    address = `localhost:${port}`;
    broker = await startBroker({
      listener: `SECURE://localhost:${port}`,
      properties: {
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL',
        'listener.name.secure.ssl.keystore.type': 'PEM',
        'listener.name.secure.ssl.keystore.location': store,
        'listener.name.secure.sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.secure.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_milena="${PASSWORD}";`,
      },
    });
  });
  afterAll(async () => {
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (changes: Record<string, string> = {}) =>
    openKafkaStorage(
      readConfig({
        MILENA_KAFKA_BROKERS: address,
        MILENA_KAFKA_TLS: 'true',
        MILENA_KAFKA_TLS_CA: certificate,
        MILENA_KAFKA_SASL_MECHANISM: 'PLAIN',
        MILENA_KAFKA_SASL_USERNAME: 'milena',
        MILENA_KAFKA_SASL_PASSWORD: PASSWORD,
        ...changes,
      }),
      testLog,
    );

  it('is used like any other', async () => {
    const engine = await open();
    const owner = await engine.accounts.create({ name: uniqueName('safe') });
    const reader = await observe(engine, owner);
    await engine.inboxes.append(owner, message(owner, 'sealed'));
    await eventually(() => expect(reader.bodies()).toEqual(['sealed']));
    await reader.inbox.close();
    await engine.close();
  });

  it.each([
    ['a wrong password', { MILENA_KAFKA_SASL_PASSWORD: 'guessed' }, 'refused the credentials of milena'],
    ['no password', NO_SASL, 'MILENA_KAFKA_SASL_MECHANISM'],
    ['no TLS', { MILENA_KAFKA_TLS: 'false', MILENA_KAFKA_TLS_CA: '' }, 'speaks TLS'],
    ['an authority that did not sign its certificate', { MILENA_KAFKA_TLS_CA: '' }, 'signed by none of'],
  ])('is not reached with %s', async (_what, changes, said) => {
    await expect(open(changes)).rejects.toBeInstanceOf(ConfigError);
    await expect(open(changes)).rejects.toThrow(said);
  });
});
