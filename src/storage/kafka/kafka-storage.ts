import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { clusterKeysOf } from '../../config/cluster-keys.ts';
import type { Config } from '../../config/config.ts';
import { ConfigError } from '../../config/setting-table.ts';
import { EngineError } from '../../core/errors.ts';
import type { Storage } from '../../core/storage.ts';
import type { Finding } from './check/finding.ts';
import { checkKafka, tellFindings } from './check/kafka-check.ts';
import { TopicSettings } from './check/topic-settings.ts';
import { partFromOlder } from './groups/older-frontends.ts';
import { KafkaInboxes } from './inbox/kafka-inboxes.ts';
import { Signer } from './inbox/signature.ts';
import { Trust } from './inbox/trust.ts';
import { Appender } from './produce/appender.ts';
import { KafkaRooms } from './rooms/kafka-rooms.ts';
import { RoomFollowers } from './rooms/room-followers.ts';
import { KafkaAccounts } from './tables/kafka-accounts.ts';
import { KafkaResumeTokens } from './tables/kafka-resume-tokens.ts';
import { BrokerClock } from './wire/broker-clock.ts';
import { Cluster } from './wire/cluster.ts';
import { demandConsumerProtocol } from './wire/consumer-protocol.ts';
import { type Contact, contactKafka } from './wire/contact.ts';
import { KafkaError } from './wire/kafka-error.ts';
import { kafkaSecurity, principalOf } from './wire/kafka-security.ts';
import { Refusals } from './wire/refusals.ts';
import { now, reasonOf, retry } from './wire/retry.ts';
import { Throttles } from './wire/throttles.ts';

/** How long Kafka may take to answer for the first time, milliseconds. */
const FIRST_CONTACT_MS = 5_000;
/** A new cluster has no coordinators for its first seconds. */
const START_TIMEOUT_MS = 60_000;
const CONTACT_PAUSE_MS = 200;

/**
 * Connects to Kafka, makes the topic of accounts if there is none, reads it, and takes this frontend's lease.
 * @param log standard output, unless given
 * @param wallClock milliseconds since the epoch, the machine's unless given; the brokers' time is learned
 * @throws EngineError `UNAVAILABLE`; ConfigError for keys that cannot be used, and for what else an operator has to do first
 */
export async function openKafkaStorage(
  config: Config,
  log: Logger = pino({ name: 'milena', level: config.logLevel }),
  wallClock?: () => number,
): Promise<Storage> {
  const { replicationFactor } = config;
  const signer = new Signer(clusterKeysOf(config));
  const clock = new BrokerClock(wallClock);
  const trust = new Trust(signer, clock, config.acceptsUnsigned, config.sendTimeoutMs);
  const clientId = `milena-${randomBytes(3).toString('hex')}`;
  const cluster = new Cluster({
    bootstrap: config.brokers,
    clientId,
    security: kafkaSecurity(config),
    log,
    refusals: new Refusals(log, principalOf(config)),
    throttles: new Throttles(log, principalOf(config), clientId),
  });
  const appender = new Appender(cluster, log, config.sendTimeoutMs, clock);
  const accounts = new KafkaAccounts({ ...config, cluster, log, trust, appender });
  const tokens = new KafkaResumeTokens({ cluster, log, trust, appender, replicationFactor });
  const roomFollowers = new RoomFollowers();
  const rooms = new KafkaRooms({ ...config, cluster, log, trust, appender, accounts, roomFollowers });
  const inboxes = new KafkaInboxes({
    ...{ ...config, cluster, log, trust, accounts, appender, roomFollowers },
    roomWindows: rooms.windows,
  });
  const settings = new TopicSettings({ ...config, cluster, log, accounts, rooms });
  const close = async () => {
    settings.close();
    await appender.close();
    await inboxes.close();
    await tokens.close();
    await rooms.close();
    await accounts.close();
    await cluster.close();
  };
  try {
    const contact = await firstContact(config);
    await retry(`Kafka at ${config.brokers.join(', ')}`, now() + FIRST_CONTACT_MS, () => cluster.connect());
    const found = await findings(config, contact, log);
    tellFindings(
      found.filter(({ setBack }) => setBack === undefined),
      config,
      log,
    );
    const deadline = now() + START_TIMEOUT_MS;
    await demandConsumerProtocol(cluster, deadline);
    await partFromOlder(cluster, trust, log, deadline);
    // Before anything else: what is written from now on is to have the brokers' time.
    const left = await settings.bringOwn();
    tellFindings(
      found.filter(({ setBack }) => setBack !== undefined && left.includes(setBack)),
      config,
      log,
    );
    await Promise.all([accounts.start(), tokens.start(), rooms.start()]);
    await inboxes.start();
  } catch (error) {
    await close();
    // Where the checks could not foresee it.
    if (error instanceof KafkaError) throw new ConfigError(`${error.message} ${error.remedy}`);
    throw error;
  }
  // Not waited for: there may be many thousand.
  void settings.keep();
  void settings.keepInUse(() => inboxes.ownersHere());
  return {
    accounts,
    inboxes,
    rooms,
    tokens,
    close,
  };
}

/** Waits a little for one that is starting. @throws ConfigError, EngineError `UNAVAILABLE` */
async function firstContact(config: Config): Promise<Contact> {
  const deadline = now() + FIRST_CONTACT_MS;
  for (;;) {
    try {
      return await contactKafka(config);
    } catch (error) {
      if (!(error instanceof EngineError) || now() > deadline) throw error;
      await sleep(CONTACT_PAUSE_MS);
    }
  }
}

/** None where Kafka cannot be looked at in this moment: that is no reason not to start. */
async function findings(config: Config, contact: Contact, log: Logger): Promise<Finding[]> {
  try {
    return await checkKafka(config, contact);
  } catch (error) {
    log.warn({ reason: reasonOf(error) }, 'Kafka was not looked at: `milena doctor --kafka` does it');
    return [];
  }
}
