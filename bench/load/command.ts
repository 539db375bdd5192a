import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine } from '../bench-run.ts';
import { Bench, progress, type Result } from './bench.ts';
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
import { makeCertificate, Stage } from './stage.ts';

const PHASES: Readonly<Record<string, Phase>> = {
  create,
  login,
  latency,
  throughput,
  open: openLoop,
  drain,
  idle,
};

const USAGE = `Usage: node bench/load.ts [--phase PHASE[,PHASE...]] [options]

Phases, each of which may run alone, in the order given:
  ${Object.keys(PHASES).join(' ')}
  broker     only starts a broker, tells its address, and waits for Ctrl+C: for many short runs after each other

  --users N          people online (1000)
  --seconds N        of each load (10)
  --messages N       of those sent one at a time (2000)
  --idle N           seconds of idleness (20)
  --backlog N        messages to drain (100000)
  --rates A,B,C      offered loads of the phase open, messages a second
  --protocol 1|2     what the clients speak (2)
  --tls              clients use TLS
  --workers N        processes that play users (1)
  --body N           bytes of a message's text (100)
  --prefix TEXT      of the usernames; those of an earlier run against the same Kafka are used again (load-)
  --brokers N        brokers to start (1)
  --heap SIZE        limit of each broker's Java heap (768m)
  --set NAME=VALUE   a setting of the frontends; may be repeated
  --node-flag FLAG   an argument of Node for the frontends, as --cpu-prof; may be repeated
  --no-build         uses dist/ as it is
  --out FILE         adds the results to it, one JSON line each

MILENA_KAFKA_BROKERS=host:port uses that Kafka instead of starting one.
`;

export async function runCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      phase: { type: 'string', default: 'create,login,latency,throughput,open,drain,idle' },
      users: { type: 'string', default: '1000' },
      seconds: { type: 'string', default: '10' },
      messages: { type: 'string', default: '2000' },
      idle: { type: 'string', default: '20' },
      backlog: { type: 'string', default: '100000' },
      rates: { type: 'string', default: '500,1000,2000,4000,6000,8000,10000,12000' },
      protocol: { type: 'string', default: '2' },
      tls: { type: 'boolean', default: false },
      workers: { type: 'string', default: '1' },
      body: { type: 'string', default: '100' },
      prefix: { type: 'string', default: 'load-' },
      brokers: { type: 'string', default: '1' },
      heap: { type: 'string', default: '768m' },
      set: { type: 'string', multiple: true, default: [] },
      'node-flag': { type: 'string', multiple: true, default: [] },
      'no-build': { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const names = values.phase.split(',');
  const unknown = names.find((name) => !(name in PHASES) && name !== 'broker');
  if (unknown !== undefined) throw new Error(`no phase is called ${unknown}\n\n${USAGE}`);
  if (!values['no-build']) {
    progress('building');
    execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
  }
  const sizes: Sizes = {
    users: Number(values.users),
    idleSeconds: Number(values.idle),
    loadSeconds: Number(values.seconds),
    messages: Number(values.messages),
    backlog: Number(values.backlog),
    rates: values.rates.split(',').map(Number),
  };
  const kafka = process.env.MILENA_KAFKA_BROKERS?.trim() || null;
  progress(kafka === null ? 'starting a broker' : `using the Kafka at ${kafka}`);
  const folder = await mkdtemp(join(tmpdir(), 'milena-load-'));
  const stage = await Stage.open({
    kafka,
    brokers: Number(values.brokers),
    heap: values.heap,
    settings: Object.fromEntries(values.set.map((text) => text.split(/=(.*)/s).slice(0, 2))),
    nodeFlags: values['node-flag'],
  });
  const bench = new Bench(stage, {
    version: values.protocol === '1' ? 1 : 2,
    workers: Number(values.workers),
    bodyBytes: Number(values.body),
    prefix: values.prefix,
    tls: values.tls ? await makeCertificate(folder) : null,
  });
  const signalled = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => reject(new Error(signal)));
  });
  signalled.catch(() => {});
  try {
    for (const name of names) {
      if (name === 'broker') {
        process.stdout.write(`MILENA_KAFKA_BROKERS=${stage.kafka}\n`);
        await signalled;
      }
      const results = await Promise.race([PHASES[name]?.(bench, sizes) ?? [], signalled]);
      for (const result of results) print(result, values.out);
    }
  } catch (error) {
    if (!(error instanceof Error && /^SIG(INT|TERM)$/.test(error.message))) throw error;
    process.exitCode = 130;
  } finally {
    bench.close();
    await stage.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function print(result: Result, file: string | undefined): void {
  const load = loadavg().map((value) => Math.round(value * 10) / 10);
  const line = JSON.stringify({ at: new Date().toISOString(), machine: machine(), load, ...result });
  process.stdout.write(`${line}\n`);
  if (file !== undefined) appendFileSync(file, `${line}\n`);
}
