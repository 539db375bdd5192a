import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions } from '@platformatic/kafka';
import type { Config } from '../../../config/config.ts';
import { type Setting, settingError } from '../../../config/setting-table.ts';
import { whyNotRead } from '../../../util/regular-file.ts';

/** How connections to Kafka are secured: the part of the library's connection options that says so. */
export type KafkaSecurity = Pick<ConnectionOptions, 'tls' | 'tlsServerName' | 'sasl'>;

/** What the files of the configuration hold, PEM; null where none is named. */
export interface KafkaPems {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

/**
 * TLS and SASL towards Kafka, from the configuration. Files are read once.
 * @throws ConfigError for a file that cannot be read, or holds something else
 */
export function kafkaSecurity(config: Config): KafkaSecurity {
  const { sasl } = config.kafka;
  const pems = kafkaPems(config);
  return {
    ...(pems && {
      tls: {
        ...(pems.ca !== null && { ca: pems.ca }),
        ...(pems.cert !== null && { cert: pems.cert }),
        ...(pems.key !== null && { key: pems.key }),
      },
      // The certificate is checked against the name that the broker is reached by.
      tlsServerName: true,
    }),
    ...(sasl && { sasl }),
  };
}

/** The same for a connection to one host: TLS knows names of servers, and no addresses; those are checked all the same. */
export function securityTo(host: string, security: KafkaSecurity | undefined): KafkaSecurity {
  return { ...security, tlsServerName: security?.tlsServerName === true && isIP(host) === 0 };
}

/** Null without TLS. @throws ConfigError likewise */
export function kafkaPems({ kafka: { tls } }: Config): KafkaPems | null {
  if (tls === null) return null;
  const { caFile, certFile, keyFile } = tls;
  const ca = caFile === null ? null : read('MILENA_KAFKA_TLS_CA', caFile, demandCertificate);
  const cert = certFile === null ? null : read('MILENA_KAFKA_TLS_CERT', certFile, demandCertificate);
  const key = keyFile === null ? null : read('MILENA_KAFKA_TLS_KEY', keyFile, createPrivateKey);
  if (cert !== null && key !== null && !new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
    throw settingError('MILENA_KAFKA_TLS_KEY', keyFile ?? '', 'it belongs to another certificate');
  }
  return { ca, cert, key };
}

/** For whom Kafka takes this program, unless its operator has set rules of his own (`User:milena`). */
export function principalOf(config: Config): string {
  const { sasl } = config.kafka;
  if (sasl !== null) return `User:${sasl.username}`;
  const cert = kafkaPems(config)?.cert;
  if (!cert) return 'User:ANONYMOUS';
  // As Java writes it: the last part first, joined by commas.
  return `User:${new X509Certificate(cert).subject.split('\n').reverse().join(',')}`;
}

/** The name of a principal as quotas have it. @param principal `User:NAME` */
export function principalName(principal: string): string {
  return principal.replace(/^User:/, '');
}

function demandCertificate(text: string): void {
  new X509Certificate(text);
}

function read(variable: Setting, file: string, demand: (text: string) => unknown): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw settingError(variable, file, whyNotRead(error));
  }
  try {
    demand(text);
  } catch {
    throw settingError(variable, file, 'there is none in it (-----BEGIN …)');
  }
  return text;
}
