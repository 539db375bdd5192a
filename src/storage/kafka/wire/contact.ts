import { apiVersionsV3, Connection, metadataV12 } from '@platformatic/kafka';
import type { Config } from '../../../config/config.ts';
import { ConfigError } from '../../../config/setting-table.ts';
import { EngineError } from '../../../core/errors.ts';
import { type ContactFailure, type ContactStep, contactFailure } from './contact-failure.ts';
import { type KafkaSecurity, kafkaSecurity, securityTo } from './kafka-security.ts';
import { isController, type Versions, whyTooOld } from './kafka-version.ts';
import { send } from './send.ts';

/** Of connecting, and of each question: who is there answers within some ms. */
const TIMEOUT_MS = 3_000;
const CLIENT = { name: 'milena', version: '1' };

/** A Kafka that answered. */
export interface Contact {
  /** The bootstrap address that did. */
  readonly address: string;
  readonly versions: Versions;
  readonly brokers: readonly Broker[];
  /** A sentence for each broker that cannot be reached where it says that it is, while others can. */
  readonly unreachable: readonly string[];
  /** A sentence for each bootstrap address that does not answer, while another does. */
  readonly silent: readonly string[];
}

export interface Broker {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

/**
 * Talks to a Kafka for the first time, as it is described in the configuration: TLS, version, password, and whether its
 * brokers can be reached where they say that they are. Takes six seconds at most.
 * @throws ConfigError where this Kafka and the settings do not fit; EngineError `UNAVAILABLE` where nobody answers.
 *   Either with one true sentence for an operator.
 */
export async function contactKafka(config: Config): Promise<Contact> {
  const security = kafkaSecurity(config);
  const tried = await Promise.all(config.brokers.map((address) => greet(address, config, security)));
  const found = tried.find((one) => !('failure' in one));
  const failures = tried.flatMap((one) => ('failure' in one ? [one.failure] : []));
  if (found === undefined || 'failure' in found) {
    const worst = failures.find(({ isSetting }) => isSetting);
    if (worst) throw new ConfigError(worst.sentence);
    const sentences = new Set(failures.map(({ sentence }) => sentence));
    throw new EngineError('UNAVAILABLE', [...sentences].join(' '));
  }
  const silent = failures.map(({ sentence }) => sentence);
  return { ...found, unreachable: await unreachable(found, config, security), silent };
}

type Greeting = Omit<Contact, 'unreachable' | 'silent'>;

async function greet(
  address: string,
  config: Config,
  security: KafkaSecurity,
): Promise<Greeting | { failure: ContactFailure }> {
  const { sasl: _, ...open } = security;
  let step: ContactStep = 'connect';
  const lines: Line[] = [];
  try {
    const first = new Line(address, open);
    lines.push(first);
    await first.connect();
    step = 'versions';
    const versions = await first.ask(() =>
      send(first.connection, apiVersionsV3.api, CLIENT.name, CLIENT.version),
    );
    if (isController(versions)) {
      const sentence = `What listens at ${address} is a controller's port: name a broker's in MILENA_KAFKA_BROKERS.`;
      return { failure: { isSetting: true, sentence } };
    }
    const tooOld = whyTooOld(versions);
    if (tooOld !== null)
      return { failure: { isSetting: true, sentence: `The broker at ${address} ${tooOld}` } };
    let line = first;
    if (config.kafka.sasl !== null) {
      step = 'login';
      line = new Line(address, security);
      lines.push(line);
      await line.connect();
    }
    step = 'metadata';
    const { brokers } = await line.ask(() => send(line.connection, metadataV12.api, [], false, false));
    return { address, versions, brokers };
  } catch (error) {
    return { failure: contactFailure(address, step, error, config) };
  } finally {
    for (const line of lines) line.end();
  }
}

/** @throws ConfigError where none of them can be reached */
async function unreachable(
  { address, brokers }: Greeting,
  config: Config,
  security: KafkaSecurity,
): Promise<string[]> {
  const sentences = await Promise.all(
    brokers.map(async (broker) => {
      const own = `${broker.host.includes(':') ? `[${broker.host}]` : broker.host}:${broker.port}`;
      if (own === address) return null;
      const line = new Line(own, security);
      try {
        await line.connect();
        return null;
      } catch (error) {
        const { sentence } = contactFailure(own, 'connect', error, config);
        return (
          `The broker at ${address} says that broker ${broker.nodeId} is reached at ${own} (advertised.listeners), ` +
          `and that cannot be reached from here: ${sentence}`
        );
      } finally {
        line.end();
      }
    }),
  );
  const failed = sentences.filter((sentence) => sentence !== null);
  const [first] = failed;
  if (first !== undefined && failed.length === brokers.length) throw new ConfigError(first);
  return failed;
}

/** One connection, and why it ended: the library tells that to whoever listens, and not to whoever asks. */
class Line {
  readonly connection: Connection;
  readonly #host: string;
  readonly #port: number;
  #reason: unknown;

  constructor(address: string, security: KafkaSecurity) {
    const colon = address.lastIndexOf(':');
    this.#host = address.slice(0, colon).replace(/^\[|\]$/g, '');
    this.#port = Number(address.slice(colon + 1));
    this.connection = new Connection(CLIENT.name, {
      ...securityTo(this.#host, security),
      connectTimeout: TIMEOUT_MS,
      requestTimeout: TIMEOUT_MS,
    });
    this.connection.on('error', (error: unknown) => {
      this.#reason ??= error;
    });
  }

  async connect(): Promise<void> {
    await this.ask(async () => this.connection.connect(this.#host, this.#port));
  }

  async ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (error) {
      // The socket's error may come in the turn after the one in which the question failed.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#reason === undefined || this.#reason === error) throw error;
      throw new AggregateError([error, this.#reason], 'the connection failed');
    }
  }

  end(): void {
    this.connection.close().catch(() => {});
    this.connection.socket?.destroy();
  }
}
