import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Logger } from 'pino';
import { type Config, readConfig } from '../config/config.ts';
import { loadEnvFile } from '../config/env-file.ts';
import { ConfigError, SETTINGS, unknownSettings } from '../config/setting-table.ts';
import { EngineError } from '../core/errors.ts';
import type { Storage } from '../core/storage.ts';
import { IdleCollection } from '../server/idle-collection.ts';
import { type Server, startServer } from '../server/index.ts';
import { openLog } from '../server/log.ts';
import { demandProtected } from '../server/net/tls.ts';
import { MemoryStore, openMemoryStorage } from '../storage/memory/index.ts';
import { PACKAGE_VERSION } from '../util/package-version.ts';

/** Exit codes as in sysexits.h. */
const EXIT = { usage: 64, unavailable: 69, software: 70, config: 78 } as const;

const USAGE = `Usage: frontend [--storage kafka|memory] [--help] [--version]

Lets people's clients in and keeps their messages in Kafka, or in memory as long as it runs. It is configured by environment
variables, or by lines NAME=value in a file called .env in the current directory:

${SETTINGS.map((name) => `  ${name}`).join('\n')}

docs/configuration.md says what they mean.
SIGTERM or SIGINT ends it in order, a second one at once; SIGHUP reads the certificate anew.
`;

/** A reason not to start that a person can do something about. */
class StartError extends Error {
  override readonly name = 'StartError';
  readonly exitCode: number;

  constructor(exitCode: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

async function main(): Promise<void> {
  const options = readArguments(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (options.version) {
    process.stdout.write(`${PACKAGE_VERSION}\n`);
    return;
  }
  if (options.storage !== undefined) process.env.MILENA_STORAGE = options.storage;
  const config = readSettings();
  const log = openLog({ name: 'milena-frontend', level: config.logLevel });
  dieOfSurprises(log);
  for (const sentence of unknownSettings(process.env)) log.warn(sentence);
  await run(config, log);
}

async function run(config: Config, log: Logger): Promise<void> {
  const storage = await openStorage(config, log);
  let server: Server;
  try {
    server = await startServer(storage, config, { log });
  } catch (error) {
    await storage.close();
    throw listenFailure(config, error);
  }
  const { openAccounts, tls } = config;
  // Heard from before anybody can know that it listens: a signal in that very moment is to end it in order, too.
  const signalled = firstSignal();
  process.on('SIGHUP', () => server.reloadCertificate());
  log.info({ ...server.address, tls: tls !== null, openAccounts }, 'listening');
  // Only by its flag: a second context of V8's, the other way to it, costs each message 3 %.
  if (globalThis.gc !== undefined) new IdleCollection(globalThis.gc).start();

  const signal = await signalled;
  exitAtSecondSignal(log);
  log.info({ signal, sessions: server.sessionCount }, 'draining');
  const cutOff = await server.drain();
  await storage.close();
  if (cutOff > 0) log.warn({ cutOff }, 'some sessions were cut off at the deadline');
  log.info('stopped');
  process.exit(cutOff > 0 ? EXIT.unavailable : 0);
}

/** The one that the settings name. */
async function openStorage(config: Config, log: Logger): Promise<Storage> {
  if (config.storage === 'memory') {
    log.info(
      { storage: 'memory' },
      'accounts and messages are kept in memory: nothing outlives this process',
    );
    return openMemoryStorage(new MemoryStore({ maxBytes: config.memoryBytes, mailbox: config.mailbox }));
  }
  // Only now: to load what speaks with Kafka takes several times as long as all the rest.
  const { openKafkaStorage } = await import('../storage/kafka/index.ts');
  return openKafkaStorage(config, log).catch((error: unknown) => {
    throw storageFailure(config, error);
  });
}

function readArguments(args: string[]): { help?: boolean; version?: boolean; storage?: string } {
  try {
    const options = {
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'V' },
      storage: { type: 'string' },
    } as const;
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new StartError(EXIT.usage, `${messageOf(error)}\n\n${USAGE}`, error);
  }
}

/** The environment counts before the file. */
function readSettings(): Config {
  try {
    const odd = loadEnvFile('.env', process.env);
    // The scripts read the same file, and have said it.
    if (process.env.ENV_FILE_SAID === undefined) for (const sentence of odd) console.error(sentence);
    const config = readConfig(process.env);
    demandProtected(config);
    return config;
  } catch (error) {
    if (error instanceof ConfigError) throw new StartError(EXIT.config, error.message, error);
    throw error;
  }
}

function storageFailure(config: Config, error: unknown): unknown {
  if (error instanceof ConfigError) return new StartError(EXIT.config, error.message, error);
  if (!(error instanceof EngineError)) return error;
  if (error.code === 'REFUSED') return new StartError(EXIT.config, error.message, error);
  return new StartError(
    EXIT.unavailable,
    `Kafka cannot be used at ${config.brokers.join(', ')}: ${error.message}\n` +
      'Start it with ./start_kafka.sh, or set MILENA_KAFKA_BROKERS to where it is.',
    error,
  );
}

function listenFailure(config: Config, error: unknown): unknown {
  if (error instanceof ConfigError) return new StartError(EXIT.config, error.message, error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const where = `${config.host.includes(':') ? `[${config.host}]` : config.host}:${config.port}`;
  switch (code) {
    case 'EADDRINUSE':
      return new StartError(
        EXIT.unavailable,
        `Something else listens on ${where} already: end it, or set MILENA_PORT to another port.`,
        error,
      );
    case 'EACCES':
      return new StartError(
        EXIT.unavailable,
        `${where} is not allowed for this user: set MILENA_PORT to a port from 1024 on.`,
        error,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new StartError(
        EXIT.config,
        `${config.host} is no address of this machine: set MILENA_HOST to one, for example 127.0.0.1.`,
        error,
      );
    default:
      return error;
  }
}

function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
}

function exitAtSecondSignal(log: Logger): void {
  const numbers = { SIGTERM: 15, SIGINT: 2 } as const;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.warn({ signal }, 'stopped at once');
      process.exit(128 + numbers[signal]);
    });
  }
}

/** What nobody expected leaves a process that nobody can vouch for: better a new one. */
function dieOfSurprises(log: Logger): void {
  const die = (error: unknown) => {
    log.fatal({ err: error }, 'unexpected failure');
    process.exit(EXIT.software);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** @internal Only when run as a program, not when imported. */
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error: unknown) => {
    if (error instanceof StartError) {
      process.stderr.write(`${error.message}\n`);
      process.exit(error.exitCode);
    }
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(EXIT.software);
  });
}
