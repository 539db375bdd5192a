import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

/** Where Java is: `JAVA_HOME`, else the PATH. */
export function javaCommand(program = 'java'): string {
  const home = process.env.JAVA_HOME;
  return home === undefined || home === '' ? program : join(home, 'bin', program);
}

/** Code compiled once by the quick compiler starts sooner and takes less of the tests' two cores. */
export const QUICK_START = ['-XX:TieredStopAtLevel=1', '-Xshare:auto'];

/** The same for Kafka's jars, with its classes as they were loaded before, where that is known. */
export function quickStart(): string[] {
  const archive = process.env.MILENA_TEST_ARCHIVE;
  // A JVM that cannot use it goes on without, and its words about that are nobody's output.
  const known = archive !== undefined && existsSync(archive);
  return known ? [...QUICK_START, `-XX:SharedArchiveFile=${archive}`, '-Xlog:disable'] : QUICK_START;
}

/**
 * Where the classes of Kafka are kept as this Java loads them (class data sharing): a broker then takes 3.3 s of CPU to
 * start instead of 5.4, Kafka's tools two thirds. It may not be there yet.
 */
export async function classArchive(): Promise<string> {
  const { stderr } = await run(javaCommand(), ['-version']);
  const key = createHash('sha256')
    .update(stderr + (await kafkaClassPath()))
    .digest('hex');
  return join(root, 'node_modules/.cache', `kafka-${key.slice(0, 16)}.jsa`);
}

/** Has a JVM that runs with `-XX:+RecordDynamicDumpInfo` write down its classes; where it cannot, there is no archive. */
export async function archiveClasses(pid: number, archive: string): Promise<void> {
  mkdirSync(join(archive, '..'), { recursive: true });
  const unfinished = `${archive}.${process.pid}`;
  try {
    await run(javaCommand('jcmd'), [String(pid), 'VM.cds', 'dynamic_dump', unfinished], { timeout: 60_000 });
    renameSync(unfinished, archive);
  } catch {
    rmSync(unfinished, { force: true });
  }
}

/** Class path of Kafka's jars; Maven is asked only the first time. @param version another than that of kafka/pom.xml */
export async function kafkaClassPath(version?: string): Promise<string> {
  const known = process.env.MILENA_TEST_CLASS_PATH;
  if (version === undefined && known !== undefined) return known;
  const args = version === undefined ? [] : [...(mayFetch ? [] : ['--offline']), version];
  const { stdout } = await run(join(root, 'scripts/kafka-classpath.sh'), args, { maxBuffer: 1 << 22 });
  return stdout.trim();
}

/** Some 45 MB for each version: only when somebody wants that. */
const mayFetch = process.env.MILENA_TEST_KAFKA_VERSIONS === 'fetch';

/** Whether tests can run that version of Kafka. */
export async function hasVersion(version: string): Promise<boolean> {
  return (
    (await javaUsable()) &&
    kafkaClassPath(version).then(
      () => true,
      () => false,
    )
  );
}

let usable: Promise<boolean> | undefined;

/** Whether there is Java and, by Maven now or earlier, Kafka's jars. */
export function javaUsable(): Promise<boolean> {
  if (process.env.MILENA_TEST_CLASS_PATH !== undefined) return Promise.resolve(true);
  usable ??= run(javaCommand(), ['-version'], { timeout: 20_000 })
    .then(() => kafkaClassPath())
    .then(
      () => true,
      () => false,
    );
  return usable;
}
