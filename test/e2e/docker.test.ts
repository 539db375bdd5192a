/** Kafka in a container, by a real engine and Compose. What the scripts ask of either is in kafka-kinds.test.ts. */
import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { dockerUsable } from '../broker/container-broker.ts';
import { javaUsable } from '../broker/java.ts';
import { freePort } from '../broker/ports.ts';
import { brokerReady } from '../broker/ready.ts';
import { makeTopics } from '../broker/topics.ts';
import { built } from './running-frontend.ts';
import { call, checkout, sandbox } from './sandbox.ts';
import type { Finished } from './script.ts';

const run = promisify(execFile);
const hasDocker =
  process.env.MILENA_KAFKA !== 'jvm' && (await dockerUsable()).usable && (await composeUsable());
const hasJava = await javaUsable();

async function composeUsable(): Promise<boolean> {
  return run('docker', ['compose', 'version']).then(
    () => true,
    () => false,
  );
}

/** The topics at that address, after one has been made there, if it is named. */
async function topics(address: string, made?: string): Promise<string[]> {
  await brokerReady(address);
  const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    if (made !== undefined) await makeTopics(admin, [{ topic: made }]);
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

/** A checkout with a state folder and a port of its own, and its scripts. What they made is gone after the test. */
async function ownCheckout() {
  const box = sandbox();
  const folder = checkout(box.path, { built: true });
  const port = String(await freePort());
  const script = (name: string, args: readonly string[] = [], settings: Record<string, string> = {}) =>
    call(join(folder, name), args, {
      settings: { MILENA_STATE_DIR: join(box.path, 'state'), MILENA_KAFKA_PORT: port, ...settings },
    });
  onTestFinished(async () => {
    await script('stop_everything.sh', ['--wipe', '--yes']);
    box.remove();
  });
  return { folder, address: `127.0.0.1:${port}`, script };
}

/** The Compose project that start_kafka.sh has named. */
function projectOf(started: Finished): string {
  const project = /Compose project (milena-\d+)/.exec(started.stdout)?.[1];
  if (project === undefined) throw new Error(`no project is named:\n${started.stdout}${started.stderr}`);
  return project;
}

async function docker(...args: readonly string[]): Promise<string> {
  return (await run('docker', args)).stdout.trim();
}

describe.skipIf(!hasDocker)('Kafka in a container (needs Docker with Compose and the image)', () => {
  beforeAll(built);

  it('is found again whatever is in .env, comes back when it dies, and keeps its data until --wipe', async () => {
    const own = await ownCheckout();
    // Compose would stop at the first line, and take a word of the second for a variable.
    writeFileSync(join(own.folder, '.env'), 'not a setting\nMILENA_KAFKA_HEAP=512m # of $all\nNOTE="open\n');
    // A checkout of somebody with umask 077: the container's user is another one.
    chmodSync(join(own.folder, 'kafka/server.properties'), 0o600);
    chmodSync(join(own.folder, 'kafka'), 0o700);
    const first = await own.script('start_kafka.sh', [], { MILENA_KAFKA: 'docker' });
    expect(first, first.stderr).toMatchObject({ code: 0 });
    const project = projectOf(first);
    const containers = () => docker('ps', '-q', '--filter', `label=com.docker.compose.project=${project}`);
    await topics(own.address, 'kept');
    expect(await own.script('start_kafka.sh')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('already running'),
    });
    const tool = await own.script('scripts/kafka-tool.sh', ['topics', '--list']);
    expect(tool, tool.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('kept') });

    const container = await containers();
    await docker('exec', container, 'kill', '-TERM', '1');
    await expect
      .poll(() => docker('inspect', '--format', '{{.RestartCount}} {{.State.Running}}', container), {
        timeout: 60_000,
      })
      .toBe('1 true');
    expect(await topics(own.address)).toContain('kept');

    // Another checkout's scripts have nothing to do with it.
    const other = await ownCheckout();
    await other.script('stop_everything.sh', ['--wipe', '--yes']);
    expect(await containers()).toBe(container);

    expect(await own.script('stop_everything.sh')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Stopped Kafka's container"),
    });
    expect(await containers()).toBe('');
    const again = await own.script('start_kafka.sh');
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(projectOf(again)).toBe(project);
    expect(await topics(own.address)).toContain('kept');

    expect(await own.script('stop_everything.sh', ['--wipe', '--yes'])).toMatchObject({ code: 0 });
    const left = ['--filter', `label=com.docker.compose.project=${project}`, '-q'];
    for (const things of [
      ['ps', '-a'],
      ['volume', 'ls'],
      ['network', 'ls'],
    ]) {
      expect(await docker(...things, ...left), things[0]).toBe('');
    }
  }, 400_000);

  it('says that its data is gone before it starts an empty one', async () => {
    const own = await ownCheckout();
    const first = await own.script('start_kafka.sh', [], { MILENA_KAFKA: 'docker' });
    expect(first, first.stderr).toMatchObject({ code: 0, stderr: expect.not.stringContaining('no volume') });
    await own.script('stop_everything.sh');
    const volume = `${projectOf(first)}_kafka-data`;
    await docker('volume', 'rm', volume);
    const next = await own.script('start_kafka.sh');
    expect(next).toMatchObject({ code: 0, stderr: expect.stringContaining(`there is no volume ${volume}`) });
  }, 400_000);

  it.skipIf(!hasJava)(
    'has its data apart from Java’s, both ways (needs Java 17)',
    async () => {
      const own = await ownCheckout();
      const start = async (kind: string, ...args: readonly string[]) => {
        const done = await own.script('start_kafka.sh', args, { MILENA_KAFKA: kind });
        expect(done, done.stderr).toMatchObject({ code: 0 });
      };
      await start('docker');
      await topics(own.address, 'in-docker');
      await own.script('stop_everything.sh');
      const refused = await own.script('start_kafka.sh', [], { MILENA_KAFKA: 'jvm' });
      expect(refused).toMatchObject({ code: 69, stderr: expect.stringContaining("in Docker's Kafka") });
      await start('jvm', '--switch');
      expect(await topics(own.address, 'in-java')).not.toContain('in-docker');
      await own.script('stop_everything.sh');
      await start('');
      expect(await topics(own.address)).toContain('in-java');
      await own.script('stop_everything.sh');
      await start('docker', '--switch');
      expect(await topics(own.address)).toEqual(['in-docker']);
    },
    400_000,
  );
});
