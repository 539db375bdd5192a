/** Kafka producers of other people, as far as they are installed: no test installs any. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { javaCommand, javaUsable, kafkaClassPath, quickStart } from '../../broker/java.ts';
import { CODECS } from '../../kafka/packed.ts';
import { FULL } from '../../size.ts';

const run = promisify(execFile);
const here = import.meta.dirname;

export const ALL_CODECS = ['none', ...CODECS] as const;
export type AnyCodec = (typeof ALL_CODECS)[number];

/**
 * `open` is a transaction: it says "stored" when Kafka has all lines up to an empty one, and commits when the input ends. `large` is for Java: batches as large as
 * they may be.
 */
export type Mode = 'plain' | 'idempotent' | 'commit' | 'abort' | 'open' | 'large';

/** A program that writes the lines of its input to a topic. */
export interface Program {
  readonly name: string;
  readonly modes: readonly Mode[];
  /** Why it cannot run here, in words; null where it can. */
  readonly missing: string | null;
  /** Takes seconds to start. */
  readonly isHeavy?: boolean;
  command(brokers: string, topic: string, codec: AnyCodec, mode: Mode): [string, string[]];
}

const MODES = ['plain', 'idempotent', 'commit', 'abort', 'open'] as const;
const folder = mkdtempSync(join(tmpdir(), 'milena-programs-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** @returns null where the command ends well, else the words */
async function without(words: string, command: string, args: string[], cwd = folder): Promise<string | null> {
  return run(command, args, { cwd, timeout: 120_000 }).then(
    () => null,
    () => words,
  );
}

async function kcat(): Promise<Program> {
  return {
    name: 'kcat',
    modes: ['plain', 'idempotent', 'commit'],
    missing: await without('kcat is not installed', 'kcat', ['-V']),
    command: (brokers, topic, codec, mode) => {
      const settings: Partial<Record<Mode, string[]>> = {
        idempotent: ['-X', 'enable.idempotence=true'],
        commit: ['-X', `transactional.id=${topic}.kcat`],
      };
      return ['kcat', ['-P', '-b', brokers, '-t', topic, '-z', codec, ...(settings[mode] ?? [])]];
    },
  };
}

async function python(name: string, file: string, module: string): Promise<Program> {
  return {
    name,
    modes: MODES,
    missing: await without(`python3 has no ${name}`, 'python3', ['-c', `import ${module}`]),
    command: (...args) => ['python3', [join(here, file), ...args]],
  };
}

async function franzGo(): Promise<Program> {
  const binary = join(folder, 'franz-go');
  const environment = ['GOPROXY=off', 'GOFLAGS=-mod=readonly', 'GOTOOLCHAIN=local'];
  const build = [...environment, 'go', 'build', '-o', binary, '.'];
  return {
    name: 'franz-go',
    modes: MODES,
    missing: await without('Go, or its module franz-go, is not there', 'env', build, join(here, 'franz-go')),
    command: (...args) => [binary, args],
  };
}

const QUICK = ['-Xmx256m', ...quickStart()];

async function java(): Promise<Program[]> {
  const usable = await javaUsable();
  const classPath = usable ? await kafkaClassPath() : '';
  const missing = usable ? null : 'Java with Maven is not there';
  const compiles = usable && FULL;
  const javac = join(process.env.JAVA_HOME ?? '', 'bin', 'javac');
  const compiler = existsSync(javac) ? javac : 'javac';
  const source = join(here, 'JavaProducer.java');
  return [
    {
      name: "Kafka's console producer",
      modes: ['plain', 'idempotent'],
      missing,
      isHeavy: true,
      command: (brokers, topic, codec, mode) => [
        javaCommand(),
        [
          ...[...QUICK, '-cp', classPath, 'org.apache.kafka.tools.ConsoleProducer'],
          ...['--bootstrap-server', brokers, '--topic', topic, '--compression-codec', codec],
          ...['--command-property', `enable.idempotence=${mode === 'idempotent'}`],
        ],
      ],
    },
    {
      name: "Kafka's Java client",
      modes: [...MODES, 'large'],
      isHeavy: true,
      missing: compiles
        ? await without('there is no Java compiler', compiler, ['-cp', classPath, '-d', folder, source])
        : (missing ?? 'in the full size'),
      command: (...args) => [
        javaCommand(),
        [...QUICK, '-cp', `${classPath}:${folder}`, 'JavaProducer', ...args],
      ],
    },
  ];
}

/** All of them; what is compiled here is in the full size. */
export async function programs(): Promise<Program[]> {
  const found = await Promise.all([
    kcat(),
    python('confluent-kafka', 'confluent.py', 'confluent_kafka'),
    python('kafka-python', 'kafka_python.py', 'kafka'),
    franzGo(),
  ]);
  return [...found, ...(await java())];
}
