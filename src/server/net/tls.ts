import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Logger } from 'pino';
import type { Config } from '../../config/config.ts';
import { ConfigError, type Setting, settingError } from '../../config/setting-table.ts';
import { isLoopback } from '../../util/networks.ts';
import { shown } from '../../util/printable.ts';
import { whyNotRead } from '../../util/regular-file.ts';

/** Certificate chain and private key, both in PEM. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** How often the files are looked at, milliseconds: a renewed certificate has days before the old one ends. */
const POLL_MS = 5_000;

/**
 * Passwords must not go over a network in the clear by mistake.
 * @throws ConfigError for a listener without TLS that other machines can reach, unless that was asked for
 */
export function demandProtected(config: Pick<Config, 'host' | 'tls' | 'plaintext'>): void {
  if (config.tls !== null || config.plaintext || isLoopback(config.host)) return;
  throw new ConfigError(
    `MILENA_HOST=${config.host}: other machines can reach this address, and without TLS passwords and messages ` +
      'would cross the network in the clear. Set MILENA_TLS_CERT and MILENA_TLS_KEY to a certificate and its key; ' +
      'or MILENA_PLAINTEXT=true where something else, such as a proxy on this machine, does the encryption; ' +
      'or MILENA_HOST=127.0.0.1 for this machine alone.',
  );
}

/** @throws ConfigError naming the file that cannot be used */
export function readTlsFiles({ certFile, keyFile }: TlsFiles): SecureContextOptions {
  const read = (variable: Setting, file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch (error) {
      throw settingError(variable, file, whyNotRead(error));
    }
  };
  const options = {
    cert: read('MILENA_TLS_CERT', certFile),
    key: read('MILENA_TLS_KEY', keyFile),
    minVersion: 'TLSv1.3',
  } as const;
  try {
    createSecureContext(options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError(
      `MILENA_TLS_CERT=${shown(certFile)} and MILENA_TLS_KEY=${shown(keyFile)}: they must be a certificate chain and its ` +
        `private key in PEM, and cannot be used (${reason}). For example: MILENA_TLS_CERT=/etc/milena/tls.crt ` +
        'MILENA_TLS_KEY=/etc/milena/tls.key',
    );
  }
  return options;
}

/** Looks after the files of a running frontend. */
export class TlsReloader {
  readonly #files: TlsFiles;
  readonly #log: Logger;
  readonly #apply: (options: SecureContextOptions) => void;
  readonly #changed = () => this.reload();

  /** @param apply takes what new connections are to use from now on */
  constructor(files: TlsFiles, log: Logger, apply: (options: SecureContextOptions) => void) {
    this.#files = files;
    this.#log = log;
    this.#apply = apply;
    // Polling also sees a file that was replaced by another one of that name, as renewal programs do it.
    for (const file of this.#each()) {
      watchFile(file, { interval: POLL_MS, persistent: false }, this.#changed);
    }
  }

  /** New connections get what is in the files now; where that is no good, they go on with what they had. */
  reload(): void {
    try {
      this.#apply(readTlsFiles(this.#files));
      this.#log.info('certificate read anew');
    } catch (error) {
      this.#log.error({ err: error }, 'the new certificate cannot be used, the old one stays');
    }
  }

  close(): void {
    for (const file of this.#each()) unwatchFile(file, this.#changed);
  }

  #each(): string[] {
    return [this.#files.certFile, this.#files.keyFile];
  }
}
