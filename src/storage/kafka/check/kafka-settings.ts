import type { Finding, Grade } from './finding.ts';

/** What judging a setting needs to know of this Kafka and of the frontend. */
export interface Surroundings {
  readonly brokers: number;
  /** Copies that Milena's topics are made with. */
  readonly replicationFactor: number;
  readonly frontendLeaseMs: number;
  /** Whether somebody coordinates groups: false where Kafka cannot make its topic for that. */
  readonly hasCoordinator: boolean;
  /** Whether all of the frontends' own topics are there. */
  readonly hasOwnTopics: boolean;
}

/** A broker's setting, as one or several of them have it. */
export interface BrokerSetting {
  readonly name: string;
  readonly value: string;
  /** Only in the broker's file, and not while it runs. */
  readonly readOnly: boolean;
  readonly nodes: readonly number[];
}

interface Verdict {
  readonly grade: Grade;
  readonly text: string;
  /** What it should be; null: something else has to be changed, as `remedy` says. */
  readonly wanted: string | null;
  readonly remedy?: string;
}

type Rule = (value: string, around: Surroundings) => Verdict | null;

/** An inbox's lease on our own brokers. */
const LONG_SESSION_MS = 1_800_000;
const YEAR_MINUTES = 525_600;
/** Twice the fetch sessions of one frontend: it has 340 at most. */
const FETCH_SESSIONS = 680;
/** Connections of one frontend: its fetch sessions, and some for each broker. */
const CONNECTIONS = 400;
/** Characters of a commit's metadata that hold what was acknowledged out of order (delivered-offsets.ts). */
const COMMIT_METADATA = 4_096;
/** Largest request to append, with its batches. */
const REQUEST_BYTES = 4 * 1024 * 1024;
/** Of a change of an account (account-transaction.ts). */
const TRANSACTION_MS = 5_000;

/** Every setting of a broker that Milena rests on, with what is wrong with a value. */
const RULES: Readonly<Record<string, Rule>> = {
  'delete.topic.enable': (value) =>
    value === 'false'
      ? slow(
          'true',
          'Each account that is deleted leaves an empty topic behind, until its name is used again.',
        )
      : null,
  'group.coordinator.rebalance.protocols': (value) =>
    value.split(',').some((name) => name.trim() === 'consumer')
      ? null
      : broken('classic,consumer', 'Nobody can log in: an inbox is held by the newer consumer protocol.'),
  'group.min.session.timeout.ms': (value, { frontendLeaseMs }) =>
    Number(value) > frontendLeaseMs
      ? broken(
          String(Math.min(6_000, frontendLeaseMs)),
          `No frontend gets its lease of ${frontendLeaseMs} ms (MILENA_FRONTEND_LEASE_MS).`,
        )
      : null,
  'group.max.session.timeout.ms': (value, { frontendLeaseMs }) =>
    Number(value) < frontendLeaseMs
      ? broken(
          String(Math.max(LONG_SESSION_MS, frontendLeaseMs)),
          `No frontend gets its lease of ${frontendLeaseMs} ms (MILENA_FRONTEND_LEASE_MS).`,
        )
      : null,
  'offset.metadata.max.bytes': (value) =>
    Number(value) < COMMIT_METADATA
      ? broken(
          String(COMMIT_METADATA),
          'What was delivered out of order cannot be noted, so it is delivered again.',
        )
      : null,
  'socket.request.max.bytes': (value) =>
    Number(value) < REQUEST_BYTES
      ? broken('104857600', 'The broker cuts the connection when many messages are stored at once.')
      : null,
  'transaction.max.timeout.ms': (value) =>
    Number(value) < TRANSACTION_MS ? broken('900000', 'No account can be made, changed or deleted.') : null,
  'offsets.topic.replication.factor': (value, { brokers, hasCoordinator }) =>
    copies(value, brokers, hasCoordinator, 'who holds an inbox and what was delivered'),
  'transaction.state.log.replication.factor': (value, { brokers, hasCoordinator }) =>
    copies(value, brokers, hasCoordinator, 'changes of accounts that are under way'),
  'min.insync.replicas': (value, { replicationFactor }) =>
    replicationFactor < 3 && Number(value) > replicationFactor
      ? {
          ...dangerous(null, fewerCopies(value, replicationFactor)),
          remedy: `Set MILENA_REPLICATION_FACTOR=3 before the first start, or on the brokers min.insync.replicas=${replicationFactor}.`,
        }
      : null,
  'offsets.retention.minutes': (value) =>
    Number(value) < YEAR_MINUTES
      ? dangerous(
          '2147483647',
          `What somebody has received is forgotten when nobody has logged in to the account for ${duration(Number(value))}: ` +
            'mail comes again then.',
        )
      : null,
  'auto.create.topics.enable': (value) =>
    value === 'true'
      ? dangerous(
          'false',
          'Any program that names a topic makes it, with settings of its own: a misspelt name takes mail that nobody reads.',
        )
      : null,
  'unclean.leader.election.enable': (value) =>
    value === 'true'
      ? dangerous(
          'false',
          'After a broker has died, a copy that lacks the last messages may take its place: what was confirmed is lost.',
        )
      : null,
  'log.cleaner.enable': (value) =>
    value === 'false' ? dangerous('true', 'The topics of accounts and sessions grow without end.') : null,
  'max.connections': (value) => connections(value, 'in all'),
  'max.connections.per.ip': (value) => connections(value, 'from one address'),
  'group.initial.rebalance.delay.ms': (value) =>
    Number(value) > 0
      ? slow(
          '0',
          `Each start of a frontend takes ${duration(Number(value) / 60_000)} longer, and so does what else uses classic groups.`,
        )
      : null,
  // Never above group.consumer.max.session.timeout.ms: no broker starts like that.
  'group.consumer.session.timeout.ms': (value) =>
    Number(value) < LONG_SESSION_MS
      ? {
          ...slow(
            null,
            `Inboxes need a heartbeat each ${duration(Number(value) / 3 / 60_000)} instead of each ten minutes: ` +
              `10,000 people cost ${Math.round(10_000 / (Number(value) / 3_000))} requests a second.`,
          ),
          remedy: inFile(
            `group.consumer.session.timeout.ms=${LONG_SESSION_MS} and group.consumer.max.session.timeout.ms=${LONG_SESSION_MS}`,
          ),
        }
      : null,
  'max.incremental.fetch.session.cache.slots': (value) =>
    Number(value) < FETCH_SESSIONS
      ? slow(
          '10000',
          'With many people online a fetch names all inboxes each time: two times 340 slots for each frontend.',
        )
      : null,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': (value) =>
    Number(value) > 5_000
      ? slow(
          '1000',
          `After a frontend died, changes of accounts that it had begun hold up others for up to ${duration(Number(value) / 60_000)}.`,
        )
      : null,
};

/** The settings to ask the brokers for. */
export const BROKER_SETTINGS: readonly string[] = Object.keys(RULES);

/** What is wrong with the brokers' settings. */
export function judgeSettings(settings: readonly BrokerSetting[], around: Surroundings): Finding[] {
  return settings.flatMap(({ name, value, readOnly, nodes }) => {
    const verdict = RULES[name]?.(value, around);
    if (!verdict) return [];
    const { grade, text, wanted } = verdict;
    const where =
      nodes.length === around.brokers
        ? ''
        : ` (${nodes.length === 1 ? 'broker' : 'brokers'} ${nodes.join(', ')})`;
    const remedy = verdict.remedy ?? remedyOf(name, wanted ?? value, readOnly);
    return [{ grade, what: `${name}=${value}${where}`, text, remedy }];
  });
}

/** Of our own topics, beside the brokers. */
export function judgeCopies({ brokers, replicationFactor, hasOwnTopics }: Surroundings): Finding[] {
  const what = `MILENA_REPLICATION_FACTOR=${replicationFactor}`;
  if (replicationFactor > brokers) {
    const there = `while there ${brokers === 1 ? 'is 1 broker' : `are ${brokers} brokers`}`;
    const remedy = `Start the others, or set it to ${brokers}.`;
    if (hasOwnTopics) return [{ grade: 'dangerous', what, text: `No account can be made ${there}.`, remedy }];
    return [
      { grade: 'broken', what, text: `No frontend can start ${there}: its topics cannot be made.`, remedy },
    ];
  }
  if (brokers < 3 || replicationFactor >= 3) return [];
  const text = `New topics have ${replicationFactor === 1 ? 'one copy' : 'two copies'}, though there are ${brokers} brokers: what is on one that dies is away with it.`;
  return [
    {
      grade: 'dangerous',
      what,
      text,
      remedy: 'Set it to 3 on every frontend; topics that are there keep their copies.',
    },
  ];
}

/**
 * What `min.insync.replicas` above the number of copies means: Kafka asks for no more of them than there are.
 * @param value of the setting
 */
export function fewerCopies(value: string, copies: number): string {
  const asks = `It asks for ${value} copies of what is stored, where there ${copies === 1 ? 'is one' : `are ${copies}`}`;
  return copies === 1
    ? `${asks}: Kafka confirms what one broker has, and what is on it is lost with it.`
    : `${asks}: Kafka asks for all of these, so nothing can be stored while one of the brokers is away.`;
}

function inFile(settings: string): string {
  return `Write ${settings} into each broker's server.properties, and start them anew one after the other.`;
}

function remedyOf(name: string, wanted: string, readOnly: boolean): string {
  if (readOnly) return inFile(`${name}=${wanted}`);
  return `scripts/kafka-tool.sh configs --alter --entity-type brokers --entity-default --add-config '${name}=${wanted}'`;
}

function broken(wanted: string | null, text: string): Verdict {
  return { grade: 'broken', wanted, text };
}

function dangerous(wanted: string | null, text: string): Verdict {
  return { grade: 'dangerous', wanted, text };
}

function slow(wanted: string | null, text: string): Verdict {
  return { grade: 'slow', wanted, text };
}

function copies(value: string, brokers: number, hasCoordinator: boolean, what: string): Verdict | null {
  const factor = Number(value);
  if (factor > brokers && !hasCoordinator) {
    const text = `Kafka cannot make its topic for ${what}: it wants ${factor} copies and has ${brokers === 1 ? 'one broker' : `${brokers} brokers`}.`;
    return broken(String(Math.min(brokers, 3)), text);
  }
  if (factor > 1 || brokers < 3) return null;
  return dangerous(
    '3',
    `There is one copy of ${what}, though there are ${brokers} brokers: a broker that dies takes it along.`,
  );
}

function connections(value: string, which: string): Verdict | null {
  if (Number(value) >= CONNECTIONS) return null;
  return dangerous(
    String(10 * CONNECTIONS),
    `A frontend has up to ${CONNECTIONS} connections, and the broker takes ${value} ${which}.`,
  );
}

/** @param minutes may be a part of one */
function duration(minutes: number): string {
  if (minutes >= 2 * 1_440) return `${Math.round(minutes / 1_440)} days`;
  if (minutes >= 120) return `${Math.round(minutes / 60)} hours`;
  if (minutes >= 2) return `${Math.round(minutes)} minutes`;
  return `${Number((minutes * 60).toPrecision(2))} s`;
}
