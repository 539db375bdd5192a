/**
 * A signal ends a script at once, wherever it is: with the signal's own exit code, with nothing of it running on, nothing
 * half made left, and a start afterwards goes through. Programs that would take minutes are stood in for by ones that wait
 * for ever; the broker and the frontend are real.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { testBrokers } from '../broker/brokers.ts';
import { javaUsable } from '../broker/java.ts';
import { freePort } from '../broker/ports.ts';
import { eventually } from '../contracts/cluster.ts';
import { inFull, share } from '../size.ts';
import { built } from './running-frontend.ts';
import {
  type CallOptions,
  call,
  checkout,
  fakePrograms,
  fingerprint,
  foreignFolder,
  sandbox,
  start,
} from './sandbox.ts';
import { runScript } from './script.ts';

beforeAll(built);

const hasJava = await javaUsable();

/** A program that writes down its process and that of a child, half of a result, and then never ends by itself. */
function endless(box: string, name: string, half = ':'): string {
  return `sleep 1000 & ${half}; echo "$$ $!" >"${box}/${name}.runs"; trap '' INT; wait; sleep 1000`;
}

async function runs(box: string, name: string): Promise<number[]> {
  const file = join(box, `${name}.runs`);
  await eventually(() => expect(readFileSync(file, 'utf8')).toMatch(/\d \d+\n$/));
  return readFileSync(file, 'utf8').trim().split(' ').map(Number);
}

/** Has it ended? One whose parent has not looked yet has. */
function gone(pid: number): boolean {
  try {
    return /\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    try {
      process.kill(pid, 0);
      return existsSync('/proc');
    } catch {
      return true;
    }
  }
}

function ownSandbox(): string {
  const box = sandbox();
  onTestFinished(box.remove);
  return box.path;
}

/** What a script leaves in `.milena` when nothing was done yet. */
const NOTHING_DONE = ['.milena-data', 'logs', 'run'];

interface Moment {
  /** The stand-in that the script waits for when the signal comes. */
  readonly waitsFor: string;
  readonly script: string;
  readonly args?: readonly string[];
  readonly fakes: (box: string, clone: string) => Record<string, string>;
  readonly built?: boolean;
  /** What is not there afterwards. */
  readonly absent: readonly string[];
  readonly leaves?: readonly string[];
}

const JAVA_17 = `case $* in *-version*) echo 'openjdk version "17.0.1"' >&2; exit ;; esac`;

const MOMENTS: Readonly<Record<string, Moment>> = {
  'the packages are being installed': {
    waitsFor: 'npm',
    script: 'start_everything.sh',
    args: ['--demo'],
    fakes: (box) => ({
      npm: endless(box, 'npm', 'mkdir -p "$2/node_modules/half"'),
    }),
    absent: ['node_modules', 'dist'],
  },
  'it is being built': {
    waitsFor: 'npm',
    script: 'spawn_consumer.sh',
    args: ['some-topic'],
    built: true,
    fakes: (box, clone) => {
      rmSync(join(clone, 'dist/.built'));
      return { npm: endless(box, 'npm') };
    },
    absent: ['dist/.built', 'dist/.building'],
  },
  'Maven fetches the jars': {
    waitsFor: 'mvn',
    script: 'start_kafka.sh',
    built: true,
    fakes: (box) => ({ docker: 'exit 1', java: JAVA_17, mvn: endless(box, 'mvn') }),
    absent: ['.milena/kafka/data', '.milena/kafka/data.new', '.milena/kafka-classpath'],
    leaves: ['kafka'],
  },
  'the data folder is being prepared': {
    waitsFor: 'java',
    script: 'start_kafka.sh',
    built: true,
    fakes: (box, clone) => {
      mkdirSync(join(clone, '.milena/kafka'), { recursive: true });
      for (const part of ['', 'kafka']) writeFileSync(join(clone, '.milena', part, '.milena-data'), '');
      return {
        docker: 'exit 1',
        mvn: 'for a; do case $a in -Dmdep*) IFS== read -r _ file <<<"$a"; echo "$0" >"$file" ;; esac; done',
        java: `${JAVA_17}\n${endless(box, 'java', 'mkdir data.new; echo half >data.new/bootstrap.checkpoint')}`,
      };
    },
    absent: ['.milena/kafka/data', '.milena/kafka/pid', '.milena/kafka/keeper'],
    leaves: ['kafka', 'kafka-classpath'],
  },
  'the engine of Docker is asked': {
    waitsFor: 'docker',
    script: 'start_kafka.sh',
    built: true,
    fakes: (box) => ({ docker: endless(box, 'docker') }),
    absent: ['.milena/kafka'],
  },
};

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const;

const moments = Object.entries(MOMENTS).map(([name, moment], at) => ({ name, moment, at }));
describe.each(moments)('while $name', ({ moment, at }) => {
  it.each(share(SIGNALS, 3, at))('%s ends it with %i, and leaves nothing half made', async (signal, code) => {
    const box = ownSandbox();
    const clone = checkout(box, { built: moment.built ?? false });
    const foreign = foreignFolder(box, 'of somebody else');
    const untouched = fingerprint(foreign);
    const options: CallOptions = {
      settings: {
        PATH: fakePrograms(box, moment.fakes(box, clone)),
        MILENA_STATE_DIR: '',
        MILENA_KAFKA: '',
        JAVA_HOME: '',
        MILENA_KAFKA_PORT: String(await freePort()),
      },
      cwd: foreign,
    };
    const script = start(join(clone, moment.script), moment.args ?? [], options);
    const pids = await runs(box, moment.waitsFor);
    // To the script alone, as from a program; a terminal's Ctrl+C reaches the group, in which its children are not.
    script.child.kill(signal);
    const done = await script.finished;
    expect(done.code, done.stderr).toBe(code);
    expect(done.stdout + done.stderr).not.toMatch(/network|failed|could not/);
    expect(pids.filter((pid) => !gone(pid))).toEqual([]);
    for (const path of moment.absent) expect(existsSync(join(clone, path)), path).toBe(false);
    expect(readdirSync(join(clone, '.milena')).sort()).toEqual(
      [...NOTHING_DONE, ...(moment.leaves ?? [])].sort(),
    );
    expect(fingerprint(foreign)).toEqual(untouched);
  });
});

describe('packages', () => {
  it('that cannot be fetched leave those that are there, and the next start fetches them', async () => {
    const box = ownSandbox();
    const clone = checkout(box);
    mkdirSync(join(clone, 'node_modules/.bin'), { recursive: true });
    writeFileSync(join(clone, 'node_modules/of-before'), '');
    const env = (npm: string) => ({ settings: { PATH: fakePrograms(box, { npm }), MILENA_STATE_DIR: '' } });
    const consumer = join(clone, 'spawn_consumer.sh');
    const failed = await call(consumer, ['topic'], env('mkdir -p "$2/node_modules/half"; exit 1'));
    expect(failed).toMatchObject({ code: 69, stderr: expect.stringContaining('is the network there?') });
    expect(readdirSync(join(clone, 'node_modules')).sort()).toEqual(['.bin', 'of-before']);
    expect(readdirSync(join(clone, '.milena')).sort()).toEqual(NOTHING_DONE);

    const node = `mkdir -p "$2/node_modules/.bin"; ln -s "${process.execPath}" "$2/node_modules/.bin/node"`;
    const installed = `case $* in *' ci '*) ${node}; touch "$2/node_modules/.package-lock.json" ;; *) exit 1 ;; esac`;
    const next = await call(consumer, ['topic'], env(installed));
    expect(next).toMatchObject({ code: 1, stderr: expect.stringContaining('The build failed') });
    expect(readdirSync(join(clone, 'node_modules')).sort()).toEqual([
      '.bin',
      '.milena-lock',
      '.package-lock.json',
    ]);
    expect(readdirSync(join(clone, '.milena')).sort()).toEqual(NOTHING_DONE);
  });

  it.each([
    ['SIGINT', 130, NOTHING_DONE],
    // What could not be put back at that end is put back by the next start, before it asks the network.
    ['SIGKILL', null, expect.arrayContaining(['packages.lock'])],
  ] as const)(
    'stay those that were there when %s comes while the new ones move in',
    async (signal, code, left) => {
      const box = ownSandbox();
      const clone = checkout(box);
      mkdirSync(join(clone, 'node_modules/.bin'), { recursive: true });
      writeFileSync(join(clone, 'node_modules/of-before'), '');
      const consumer = join(clone, 'spawn_consumer.sh');
      const npm = `mkdir -p "$2/node_modules/.bin"; ln -s "${process.execPath}" "$2/node_modules/.bin/node"`;
      const mv = `PATH=/usr/bin:/bin mv "$@"; case $2 in */old) kill -s ${signal.slice(3)} $PPID ;; esac`;
      const env = (programs: Record<string, string>) => ({
        settings: { PATH: fakePrograms(box, programs), MILENA_STATE_DIR: '' },
      });
      expect(await call(consumer, ['topic'], env({ npm, mv }))).toMatchObject({ code });
      expect(readdirSync(join(clone, '.milena')).sort()).toEqual(left);
      const next = await call(consumer, ['topic'], env({ npm: 'exit 1', mv: 'PATH=/usr/bin:/bin mv "$@"' }));
      expect(next).toMatchObject({ code: 69, stderr: expect.stringContaining('is the network there?') });
      expect(readdirSync(join(clone, 'node_modules')).sort()).toEqual(['.bin', 'of-before']);
      expect(readdirSync(join(clone, '.milena')).sort()).toEqual(NOTHING_DONE);
    },
  );
});

describe('the frontend', () => {
  it('interrupted while it starts is gone, and the next start brings it', async () => {
    const box = ownSandbox();
    // It does not get further meanwhile than to ask: this one takes connections and answers nothing.
    const silent = createServer((socket) => socket.on('error', () => {}));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const address = silent.address();
    const settings = {
      MILENA_STATE_DIR: join(box, 'state'),
      MILENA_PORT: String(await freePort()),
      MILENA_KAFKA_BROKERS: `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    };
    const clone = checkout(box, { built: true });
    onTestFinished(async () => {
      await call(join(clone, 'stop_everything.sh'), [], { settings });
    });
    const script = start(join(clone, 'start_everything.sh'), ['--demo'], { settings });
    const notes = () => readdirSync(join(box, 'state/run')).filter((name) => name.startsWith('frontend.'));
    await eventually(() => expect(notes()).toHaveLength(1));
    const pid = Number(notes()[0]?.split('.')[1]);
    script.child.kill('SIGINT');
    expect(await script.finished).toMatchObject({ code: 130 });
    await eventually(() => expect(gone(pid)).toBe(true));
    await eventually(() => expect(notes()).toEqual([]));
    const answers = { ...settings, MILENA_KAFKA_BROKERS: testBrokers().join(',') };
    const again = await call(join(clone, 'start_everything.sh'), ['--demo'], { settings: answers });
    expect(again, again.stderr).toMatchObject({ code: 0 });
  });

  inFull('started twice at once is one, and both play their demo', async () => {
    const box = ownSandbox();
    const settings = {
      MILENA_STATE_DIR: join(box, 'state'),
      MILENA_PORT: String(await freePort()),
      MILENA_KAFKA_BROKERS: testBrokers().join(','),
    };
    onTestFinished(async () => {
      await runScript('stop_everything.sh', [], { settings });
    });
    const both = await Promise.all(
      [1, 2].map(() => runScript('start_everything.sh', ['--demo'], { settings })),
    );
    for (const done of both) {
      expect(done, done.stderr).toMatchObject({ code: 0 });
      expect(done.stdout).toContain('a login as ada-');
    }
    expect(both.map(({ stdout }) => /The frontend is running/.test(stdout)).sort()).toEqual([false, true]);
    expect(readdirSync(join(box, 'state/run'))).toHaveLength(1);
  });
});

describe.skipIf(!hasJava)('the broker as a Java process (needs Java 17)', () => {
  inFull(
    'interrupted while it starts is gone; killed later it comes back; stopped it stays away',
    async () => {
      const box = ownSandbox();
      const state = join(box, 'Ä, state');
      const settings = {
        MILENA_STATE_DIR: state,
        MILENA_KAFKA: 'jvm',
        MILENA_KAFKA_PORT: String(await freePort()),
      };
      const clone = checkout(box, { built: true, jars: true });
      onTestFinished(async () => {
        await call(join(clone, 'stop_everything.sh'), ['--wipe', '--yes'], { settings });
      });
      const pidIn = (file: string) => Number(readFileSync(join(state, 'kafka', file), 'utf8'));
      const script = start(join(clone, 'start_kafka.sh'), [], { settings });
      await eventually(() => expect(pidIn('pid')).toBeGreaterThan(1));
      const first = [pidIn('pid'), pidIn('keeper')];
      script.child.kill('SIGINT');
      expect(await script.finished).toMatchObject({ code: 130 });
      await eventually(() => expect(first.filter((pid) => !gone(pid))).toEqual([]));

      const again = await call(join(clone, 'start_kafka.sh'), [], { settings });
      expect(again, again.stderr).toMatchObject({ code: 0 });
      expect(existsSync(join(state, 'logs/kafka.log'))).toBe(true);
      // All of it lies where it was told to, whatever the letters in the path.
      expect(readdirSync(box).sort()).toEqual(['clone', 'Ä, state'].sort());

      const killed = pidIn('pid');
      process.kill(killed, 'SIGKILL');
      await eventually(() => expect(pidIn('pid')).not.toBe(killed));
      const running = await call(join(clone, 'start_kafka.sh'), [], { settings });
      expect(running).toMatchObject({ code: 0, stdout: expect.stringContaining('already running') });
      expect(readFileSync(join(state, 'logs/kafka-console.log'), 'utf8')).toContain('ended with code 137');

      const last = [pidIn('pid'), pidIn('keeper')];
      const stopped = await call(join(clone, 'stop_everything.sh'), [], { settings });
      expect(stopped).toMatchObject({ code: 0, stdout: expect.stringContaining('Stopped Kafka.') });
      expect(last.filter((pid) => !gone(pid))).toEqual([]);
      expect(existsSync(join(state, 'kafka/pid'))).toBe(false);
    },
    180_000,
  );
});
