import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine } from '../bench-run.ts';
import { Bench, progress, type Result, round } from './bench.ts';
import { type Options, PHASES, readOptions, USAGE } from './options.ts';
import { plots, table } from './report.ts';
import { makeCertificate, Stage } from './stage.ts';

export async function runCommand(args: string[]): Promise<void> {
  const options = readOptions(args);
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (!options['no-build']) {
    progress('building');
    execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
  }
  const signalled = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => reject(new Interruption(signal)));
    }
  });
  signalled.catch(() => {});
  const folder = await mkdtemp(join(tmpdir(), 'milena-load-'));
  try {
    await withStage(options, folder, signalled);
  } catch (error) {
    if (!(error instanceof Interruption)) throw error;
    process.exitCode = 130;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Somebody wants the run to end. */
class Interruption extends Error {}

async function withStage(options: Options, folder: string, signalled: Promise<never>): Promise<void> {
  const kafka = process.env.MILENA_KAFKA_BROKERS?.trim() || null;
  progress(kafka === null ? 'starting a broker' : `using the Kafka at ${kafka}`);
  const brokers = Number(options.brokers);
  const stage = await Stage.open({
    ...{ kafka, brokers, heap: options.heap, nodeFlags: options['node-flag'] },
    settings: Object.fromEntries(options.set.map((text) => text.split(/=(.*)/s).slice(0, 2))),
  });
  let bench: Bench | undefined;
  try {
    if (options.phases.includes('broker')) {
      process.stdout.write(`MILENA_KAFKA_BROKERS=${stage.kafka}\n`);
      await signalled;
    }
    bench = new Bench(stage, {
      ...{ version: options.protocol === '1' ? 1 : 2, tls: options.tls, prefix: options.prefix },
      ...{
        workers: Number(options.workers),
        bodyBytes: Number(options.body),
        replicas: brokers >= 3 ? 3 : 1,
      },
      certificate: await makeCertificate(folder),
    });
    await Promise.race([runPhases(bench, options), signalled]);
  } finally {
    bench?.close();
    await stage.close();
  }
}

async function runPhases(bench: Bench, options: Options): Promise<void> {
  const began = Date.now();
  const results: Result[] = [];
  for (const name of options.phases) {
    for (const result of await runPhase(name, bench, options)) {
      results.push(result);
      write(result, options.results);
    }
  }
  const minutes = round((Date.now() - began) / 60_000);
  const head = `${new Date().toISOString().slice(0, 16)}Z, ${machine()}, one run of ${minutes} minutes, load average ${loads()}.`;
  const legend =
    'Times are p50 / p90 / p99 / longest. CPU is that of frontend + broker + generator for each message or request.';
  const text = `${head}\n${legend}\n\n${table(results)}`;
  process.stdout.write(`\n${text}`);
  if (options.results === undefined) return;
  writeFileSync(join(options.results, 'load.md'), `# Under load\n\n${text}`);
  for (const { file, svg } of plots(results)) writeFileSync(join(options.results, file), svg);
}

/** A phase that fails is told, and does not take the others with it. */
async function runPhase(name: string, bench: Bench, options: Options): Promise<Result[]> {
  try {
    return (await PHASES[name]?.(bench, options.sizes)) ?? [];
  } catch (error) {
    process.exitCode = 1;
    return [{ phase: name, error: error instanceof Error ? error.message : String(error) }];
  }
}

function write(result: Result, folder: string | undefined): void {
  const line = JSON.stringify({ at: new Date().toISOString(), machine: machine(), load: loads(), ...result });
  process.stdout.write(`${line}\n`);
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  appendFileSync(join(folder, 'load.jsonl'), `${line}\n`);
}

/** The machine's load of the last 1, 5 and 15 minutes. */
function loads(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(' / ');
}
