/**
 * Docker's Kafka and Java's have their data apart: the one that ran last is the one with the accounts, and the other is
 * not started in its place without a word. Docker is a stand-in that writes down what it is asked.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { javaUsable } from '../broker/java.ts';
import { freePort } from '../broker/ports.ts';
import { FULL } from '../size.ts';
import { call, fakePrograms, sandbox } from './sandbox.ts';
import { type Finished, ROOT, runScript } from './script.ts';

const hasJava = await javaUsable();

let box: string;
let state: string;
let port: string;

beforeEach(async () => {
  const own = sandbox();
  onTestFinished(own.remove);
  box = own.path;
  state = join(box, 'state');
  port = String(await freePort());
});

/** With an engine, and a volume of ours in it, or without; `up` fails, as where no image can be fetched. */
const DOCKER = {
  none: 'exit 1',
  withData: `echo "$*" >>"$CALLS"; case $* in *' up '*) exit 1 ;; esac`,
  withoutData: `echo "$*" >>"$CALLS"; case $* in *' up '* | 'volume inspect '*) exit 1 ;; esac`,
} as const;
const NO_JAVA = 'exit 1';
const JAVA = `case $* in *-version*) echo 'openjdk version "21.0.1"' >&2 ;; *) echo "$*" >>"$CALLS"; exit 1 ;; esac`;

function run(
  script: string,
  args: readonly string[],
  machine: { readonly docker: keyof typeof DOCKER; readonly java: boolean },
  settings: Record<string, string> = {},
): Promise<Finished> {
  const PATH = fakePrograms(box, {
    docker: DOCKER[machine.docker],
    java: machine.java ? JAVA : NO_JAVA,
    mvn: `exit 1`,
  });
  return runScript(script, args, {
    settings: {
      ...{ PATH, CALLS: join(box, 'calls'), JAVA_HOME: '', MILENA_KAFKA: '', MILENA_KAFKA_PORT: port },
      ...{ MILENA_STATE_DIR: state, ...settings },
    },
  });
}

/** A state folder in which that kind ran last; Java's with data, Docker's as its engine says. */
function ranLast(kind: 'docker' | 'jvm', ...earlier: readonly string[]): void {
  for (const part of ['run', 'logs', 'kafka']) mkdirSync(join(state, part), { recursive: true });
  for (const folder of [state, join(state, 'kafka')]) writeFileSync(join(folder, '.milena-data'), '');
  writeFileSync(join(state, 'kafka/kind'), [kind, ...earlier].map((name) => `${name} ${port}\n`).join(''));
  if (kind !== 'jvm') return;
  mkdirSync(join(state, 'kafka/data'));
  writeFileSync(join(state, 'kafka/data/meta.properties'), 'version=1\n');
}

const calls = () => (existsSync(join(box, 'calls')) ? readFileSync(join(box, 'calls'), 'utf8') : '');
const kindFile = () => readFileSync(join(state, 'kafka/kind'), 'utf8');

describe('start_kafka.sh, where the other kind has the data', () => {
  it('does not start an empty Java Kafka when Docker is away', async () => {
    ranLast('docker');
    const done = await run('start_kafka.sh', [], { docker: 'none', java: true });
    expect(done).toMatchObject({ code: 69, stdout: '' });
    expect(done.stderr).toContain('The accounts and messages are in the Kafka that ran with Docker');
    expect(done.stderr).toContain('MILENA_KAFKA=jvm ./start_kafka.sh --switch');
    expect(calls()).toBe('');
    expect(existsSync(join(state, 'kafka/data'))).toBe(false);
    expect(kindFile()).toBe(`docker ${port}\n`);
  });

  it('does not start an empty container when Java is away', async () => {
    ranLast('jvm');
    const done = await run('start_kafka.sh', [], { docker: 'withoutData', java: false });
    expect(done).toMatchObject({ code: 69, stdout: '' });
    expect(done.stderr).toContain('The accounts and messages are in the Kafka that ran with Java');
    expect(calls()).not.toContain(' up ');
    expect(kindFile()).toBe(`jvm ${port}\n`);
  });

  it.each([
    ['jvm', 'docker', 'withoutData'],
    ['docker', 'jvm', 'withData'],
    ['docker', 'jvm', 'none'],
  ] as const)(
    '%s had it, and MILENA_KAFKA=%s (Docker %s): refused with the reason',
    async (last, kind, docker) => {
      ranLast(last);
      const done = await run('start_kafka.sh', [], { docker, java: true }, { MILENA_KAFKA: kind });
      expect(done).toMatchObject({ code: 69, stdout: '' });
      expect(done.stderr).toContain(`MILENA_KAFKA=${last} ./start_kafka.sh`);
      expect(done.stderr).toContain(`MILENA_KAFKA=${kind} ./start_kafka.sh --switch`);
      expect(calls()).not.toContain(' up ');
    },
  );

  it('starts it when told to, and knows both from then on', async () => {
    ranLast('jvm');
    const settings = { MILENA_KAFKA: 'docker' };
    const done = await run('start_kafka.sh', ['--switch'], { docker: 'withoutData', java: true }, settings);
    expect(done.stderr).toContain('Docker Compose could not start Kafka');
    expect(calls()).toContain(' up -d --wait');
    // What could not be started is taken back.
    expect(calls()).toContain(' down ');
    // Its data are still the ones that people have.
    expect(kindFile()).toBe(`jvm ${port}\ndocker ${port}\n`);
    expect(existsSync(join(state, 'kafka/data/meta.properties'))).toBe(true);
    const next = await run('start_kafka.sh', [], { docker: 'withoutData', java: true });
    expect(next.stdout).toContain('Starting Kafka as a Java process');
  });

  it.each([
    ['failed', 1, 'exit 1'],
    ['was interrupted', 130, 'kill -INT $(cat "$SCRIPT"); sleep 1000'],
  ] as const)('one that %s before it answered is not the one with the data', async (_, code, end) => {
    ranLast('docker');
    const SCRIPT = join(box, 'script.pid');
    const PATH = fakePrograms(box, {
      docker: DOCKER.withData,
      mvn: 'exit 1',
      java: `case $* in *-version*) echo 'openjdk version "21.0.1"' >&2 ;; *) ${end} ;; esac`,
    });
    const settings = { PATH, SCRIPT, CALLS: join(box, 'calls'), JAVA_HOME: '', MILENA_KAFKA: 'jvm' };
    const done = await call(join(ROOT, 'start_kafka.sh'), ['--switch'], {
      settings: { ...settings, MILENA_KAFKA_PORT: port, MILENA_STATE_DIR: state },
      before: 'echo $$ >"$SCRIPT"',
    });
    expect(done, done.stderr).toMatchObject({ code });
    expect(done.stdout).toContain('Starting Kafka as a Java process');
    expect(kindFile()).toBe(`docker ${port}\njvm ${port}\n`);
    const next = await run('start_kafka.sh', [], { docker: 'none', java: true });
    expect(next).toMatchObject({ code: 69, stdout: '', stderr: expect.stringContaining('ran with Docker') });
  });

  // A broker more; what it does when it has answered is in lifecycle.test.ts, too.
  it.skipIf(!hasJava || !FULL)(
    `once it has answered it is the one (${FULL ? 'needs Java 17' : 'in the full size'})`,
    async () => {
      ranLast('docker');
      const PATH = fakePrograms(box, { docker: DOCKER.withData });
      const settings = { PATH, CALLS: join(box, 'calls'), MILENA_KAFKA: 'jvm', MILENA_KAFKA_PORT: port };
      const options = { settings: { ...settings, MILENA_STATE_DIR: state } };
      onTestFinished(async () => {
        await runScript('stop_everything.sh', [], options);
      });
      const done = await runScript('start_kafka.sh', ['--switch'], options);
      expect(done, done.stderr).toMatchObject({ code: 0 });
      expect(kindFile()).toBe(`jvm ${port}\ndocker ${port}\n`);
    },
    240_000,
  );

  it('one whose data is gone is no reason to start it empty where the other one has some', async () => {
    ranLast('jvm');
    writeFileSync(join(state, 'kafka/kind'), `docker ${port}\njvm ${port}\n`);
    const done = await run('start_kafka.sh', [], { docker: 'withoutData', java: true });
    expect(done.stdout).toContain('Starting Kafka as a Java process');
    expect(calls()).not.toContain(' up ');
  });

  it('starts the other one without a word where nothing is lost by it', async () => {
    ranLast('docker');
    const done = await run(
      'start_kafka.sh',
      [],
      { docker: 'withoutData', java: true },
      { MILENA_KAFKA: 'jvm' },
    );
    expect(done.stdout).toContain('Starting Kafka as a Java process');
  });

  it('makes data folders of earlier versions private', async () => {
    ranLast('jvm');
    expect(statSync(join(state, 'kafka')).mode & 0o077).not.toBe(0);
    await run('start_kafka.sh', [], { docker: 'none', java: true }, { MILENA_KAFKA: 'jvm' });
    expect(statSync(join(state, 'kafka')).mode & 0o777).toBe(0o700);
    expect(statSync(state).mode & 0o777).toBe(0o700);
  });
});

describe('start_kafka.sh, while one runs', () => {
  /** Docker's runs, or so its engine says. */
  const RUNNING = `echo "$*" >>"$CALLS"; case $* in *' ps '*) echo 0123abcd ;; esac`;
  const PATH = () => fakePrograms(box, { docker: RUNNING, mvn: 'exit 1', java: JAVA });
  const start = (args: readonly string[], settings: Record<string, string>) =>
    runScript('start_kafka.sh', args, {
      settings: {
        ...{ PATH: PATH(), CALLS: join(box, 'calls'), JAVA_HOME: '', MILENA_KAFKA_PORT: port },
        ...{ MILENA_STATE_DIR: state, ...settings },
      },
    });

  it.each([[[]], [['--switch']]])(
    'Docker’s is not taken for the Java one that was asked for (%j)',
    async (args) => {
      ranLast('docker');
      const done = await start(args, { MILENA_KAFKA: 'jvm' });
      expect(done).toMatchObject({ code: 69, stdout: '' });
      expect(done.stderr).toContain("Docker's Kafka runs already");
      expect(done.stderr).toContain('./stop_everything.sh, then  MILENA_KAFKA=jvm ./start_kafka.sh --switch');
      expect(kindFile()).toBe(`docker ${port}\n`);
    },
  );

  it('Java’s is not taken for the container that was asked for', async () => {
    ranLast('jvm');
    // What proves that it runs is its process, with the folder among its arguments.
    const broker = spawn(process.execPath, [
      '-e',
      'setInterval(() => {}, 1e6)',
      '--',
      `-Dmilena.state=${realpathSync(state)}`,
    ]);
    onTestFinished(() => void broker.kill());
    writeFileSync(join(state, 'kafka/pid'), `${broker.pid}\n`);
    const done = await start([], { MILENA_KAFKA: 'docker' });
    expect(done).toMatchObject({ code: 69, stdout: '' });
    expect(done.stderr).toContain(`Java's Kafka runs already (Java process ${broker.pid})`);
    expect(done.stderr).toContain('MILENA_KAFKA=docker ./start_kafka.sh --switch');
    expect(calls()).not.toContain(' up ');
    expect(broker.exitCode ?? broker.signalCode).toBe(null);
  });

  it('a kind that there is not is said so all the same', async () => {
    ranLast('docker');
    const done = await start([], { MILENA_KAFKA: 'java' });
    expect(done).toMatchObject({ code: 64, stderr: expect.stringContaining('for example MILENA_KAFKA=jvm') });
  });

  it('--switch alone says nothing about where to', async () => {
    ranLast('docker');
    const done = await start(['--switch'], { MILENA_KAFKA: '' });
    expect(done).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('MILENA_KAFKA=docker or MILENA_KAFKA=jvm'),
    });
  });
});

describe('stop_everything.sh --wipe', () => {
  const wipe = (docker: keyof typeof DOCKER, settings: Record<string, string> = {}) =>
    run('stop_everything.sh', ['--wipe', '--yes'], { docker, java: true }, settings);

  it('deletes the data of both kinds', async () => {
    ranLast('jvm', 'docker');
    expect(await wipe('withData')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Deleted the data'),
    });
    expect(calls()).toContain('down --volumes');
    expect(existsSync(join(state, 'kafka'))).toBe(false);
  });

  it('says that it deleted Docker’s where nothing else was there any more', async () => {
    const done = await wipe('withData');
    expect(calls()).toContain('down --volumes');
    expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('Deleted the data') });
  });

  it('deletes no volume where the folder beside it is not ours', async () => {
    ranLast('docker');
    rmSync(join(state, 'kafka/.milena-data'));
    const done = await wipe('withData');
    expect(done).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('nothing was deleted'),
    });
    expect(calls()).not.toContain('down');
    expect(kindFile()).toBe(`docker ${port}\n`);
  });

  it.each(['', 'no\n', 'y\n'])('asks, and does nothing for the answer %j', async (input) => {
    ranLast('jvm');
    for (const [script, ...args] of [['stop_everything.sh'], ['scripts/cluster.sh', 'stop']] as const) {
      mkdirSync(join(state, 'cluster'), { recursive: true });
      writeFileSync(join(state, 'cluster/.milena-data'), '');
      const done = await runScript(script, [...args, '--wipe'], {
        settings: { PATH: fakePrograms(box, { docker: 'exit 1' }), MILENA_STATE_DIR: state },
        input,
      });
      expect(done.code).toBe(input === '' ? 64 : 1);
      expect(done.stderr).toContain('Nothing was stopped and nothing was deleted.');
      const hint = `${script === 'stop_everything.sh' ? './' : ''}${[script, ...args].join(' ')} --wipe --yes`;
      expect(done.stderr.includes(hint)).toBe(input === '');
    }
    expect(existsSync(join(state, 'kafka/data/meta.properties'))).toBe(true);
    expect(existsSync(join(state, 'cluster'))).toBe(true);
  });

  it.each(['yes\n', 'yes'])('takes the answer %j', async (input) => {
    ranLast('jvm');
    const PATH = fakePrograms(box, { docker: 'exit 1' });
    const done = await runScript('stop_everything.sh', ['--wipe'], {
      settings: { PATH, MILENA_STATE_DIR: state },
      input,
    });
    expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('Deleted the data') });
  });

  it('says that Docker’s is not deleted while its engine is away, and remembers it', async () => {
    ranLast('jvm', 'docker');
    const done = await wipe('none');
    expect(done).toMatchObject({ code: 69, stderr: expect.stringContaining('which is not deleted') });
    expect(kindFile()).toBe(`docker ${port}\n`);
    expect(existsSync(join(state, 'kafka/data'))).toBe(false);
    const next = await run('start_kafka.sh', [], { docker: 'none', java: true });
    expect(next).toMatchObject({ code: 69, stderr: expect.stringContaining('ran with Docker') });
  });

  it('says what is not its own to delete, before it asks and afterwards', async () => {
    const settings = { MILENA_KAFKA_BROKERS: '192.0.2.1:9092' };
    const done = await wipe('none', settings);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(done.stdout).toContain('There was no data here to delete');
    expect(done.stdout).toContain('Not deleted: what is in the Kafka at 192.0.2.1:9092');
    expect(done.stdout).not.toContain('Deleted');
    const asked = await run('stop_everything.sh', ['--wipe'], { docker: 'none', java: true }, settings);
    expect(asked).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('./stop_everything.sh --wipe --yes'),
      stdout: expect.stringContaining('nothing in it will be deleted'),
    });
  });
});
