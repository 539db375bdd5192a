import { parseArgs } from 'node:util';
import { first, growth, obvious, storm, tls, version1 } from './more-phases.ts';
import {
  create,
  drain,
  idle,
  latency,
  login,
  openLoop,
  type Phase,
  type Sizes,
  throughput,
} from './phases.ts';

/** In the order of a whole run. */
export const PHASES: Readonly<Record<string, Phase>> = {
  first,
  obvious,
  create,
  login,
  idle,
  latency,
  throughput,
  open: openLoop,
  growth,
  drain,
  storm,
  tls,
  version1,
};

export const USAGE = `Usage: node bench/load.ts [--full] [--phase PHASE[,PHASE...]] [options]

Phases, each of which may run alone, in the order given; without --phase all of them:
  first       Kafka alone: the first append to each topic after the broker's start, and those after it
  obvious     a kafkajs consumer for each user
  create      accounts made, 32 in flight
  login       without a password, and by token
  idle        CPU, memory and connections of ${'--users'} who do nothing
  latency     one message at a time on one frontend and on two, in turn with Kafka alone
  throughput  64 senders awaiting acceptance, beside Kafka alone
  open        rising offered load; latency from the moment when a message was due
  growth      CPU per message as more are online
  drain       what lies in 100 inboxes is fetched and acknowledged
  storm       a frontend is killed and all its users come back; a pair on another one goes on talking
  tls         latency and throughput over TLS
  version1    latency and throughput of version 1
  broker      only starts a broker, tells its address, waits for Ctrl+C: for many short runs one after the other

  --full             10,000 people, longer: half an hour instead of five minutes
  --users N          people online, in all phases
  --seconds N        of each load
  --messages N       of those sent one at a time
  --idle N           seconds of idleness
  --backlog N        messages to drain
  --consumers N      kafkajs consumers
  --rates A,B,C      offered loads, messages a second
  --protocol 1|2     what the clients speak (2)
  --tls              clients use TLS
  --workers N        processes that play users (1)
  --body N           bytes of a message's text (100)
  --prefix TEXT      of the usernames (load-); those of an earlier run against the same Kafka are used again
  --brokers N        brokers to start (1)
  --heap SIZE        limit of each broker's Java heap (768m; 2g with --full)
  --set NAME=VALUE   a setting of the frontends; may be repeated
  --node-flag FLAG   an argument of Node for the frontends, as --cpu-prof; may be repeated
  --no-build         uses dist/ as it is
  --results FOLDER   adds to FOLDER/load.jsonl, writes FOLDER/load.md and the plots

MILENA_KAFKA_BROKERS=host:port uses that Kafka instead of starting one.
`;

const SHORT: Sizes = {
  users: 1_000,
  most: 1_000,
  growth: [100, 1_000],
  idleSeconds: 15,
  loadSeconds: 6,
  messages: 1_000,
  backlog: 100_000,
  rates: [500, 1_000, 2_000, 4_000, 6_000, 8_000, 10_000, 12_000],
  consumers: 50,
};

const FULL: Sizes = {
  ...SHORT,
  most: 10_000,
  growth: [100, 1_000, 10_000],
  idleSeconds: 60,
  loadSeconds: 20,
  messages: 4_000,
  consumers: 200,
};

export type Options = ReturnType<typeof readOptions>;

/** @throws Error for an argument that is none; its message is for the person who gave it */
export function readOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      full: { type: 'boolean', default: false },
      phase: { type: 'string', default: Object.keys(PHASES).join(',') },
      users: { type: 'string' },
      seconds: { type: 'string' },
      messages: { type: 'string' },
      idle: { type: 'string' },
      backlog: { type: 'string' },
      consumers: { type: 'string' },
      rates: { type: 'string' },
      protocol: { type: 'string', default: '2' },
      tls: { type: 'boolean', default: false },
      workers: { type: 'string', default: '1' },
      body: { type: 'string', default: '100' },
      prefix: { type: 'string', default: 'load-' },
      brokers: { type: 'string', default: '1' },
      heap: { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
      'node-flag': { type: 'string', multiple: true, default: [] },
      'no-build': { type: 'boolean', default: false },
      results: { type: 'string' },
    },
  });
  const phases = values.phase.split(',');
  const unknown = phases.find((name) => !(name in PHASES) && name !== 'broker');
  if (unknown !== undefined) throw new Error(`No phase is called ${unknown}.\n\n${USAGE}`);
  return { ...values, phases, sizes: sizesOf(values), heap: values.heap ?? (values.full ? '2g' : '768m') };
}

interface SizeValues {
  readonly full: boolean;
  readonly users?: string | undefined;
  readonly seconds?: string | undefined;
  readonly messages?: string | undefined;
  readonly idle?: string | undefined;
  readonly backlog?: string | undefined;
  readonly consumers?: string | undefined;
  readonly rates?: string | undefined;
}

function sizesOf(values: SizeValues): Sizes {
  const base = values.full ? FULL : SHORT;
  const count = (text: string | undefined, standard: number) =>
    text === undefined ? standard : positive(text);
  const users = values.users === undefined ? undefined : positive(values.users);
  const steps = users === undefined ? base.growth : [...base.growth.filter((step) => step < users), users];
  return {
    users: users ?? base.users,
    most: users ?? base.most,
    growth: steps,
    idleSeconds: count(values.idle, base.idleSeconds),
    loadSeconds: count(values.seconds, base.loadSeconds),
    messages: count(values.messages, base.messages),
    backlog: count(values.backlog, base.backlog),
    consumers: count(values.consumers, base.consumers),
    rates: values.rates?.split(',').map(positive) ?? base.rates,
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new Error(`${text} is no number above zero.`);
}
