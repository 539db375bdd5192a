import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from '@platformatic/kafka';
import { type Config, type Setting, settingError } from '../config.ts';
import { whyNotRead } from '../why-not-read.ts';

/** How connections to Kafka are secured: the part of the library's connection options that says so. */
export type KafkaSecurity = Pick<ConnectionOptions, 'tls' | 'tlsServerName' | 'sasl'>;

/**
 * TLS and SASL towards Kafka, from the configuration. Files are read once.
 * @throws ConfigError for a file that cannot be read
 */
export function kafkaSecurity(config: Config): KafkaSecurity {
  const { tls, sasl } = config.kafka;
  return {
    ...(tls && {
      tls: {
        ...(tls.caFile && { ca: read('MILENA_KAFKA_TLS_CA', tls.caFile) }),
        ...(tls.certFile && { cert: read('MILENA_KAFKA_TLS_CERT', tls.certFile) }),
        ...(tls.keyFile && { key: read('MILENA_KAFKA_TLS_KEY', tls.keyFile) }),
      },
      // The certificate is checked against the name that the broker is reached by.
      tlsServerName: true,
    }),
    ...(sasl && { sasl }),
  };
}

function read(variable: Setting, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw settingError(variable, file, whyNotRead(error));
  }
}
