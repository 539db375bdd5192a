/** Starting and stopping all of it, with data, ports and pids of its own, by Docker or by Java, whichever is there. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { testBrokers } from '../broker/brokers.ts';
import { freePort, freePorts } from '../broker/ports.ts';
import { makeTopics } from '../broker/topics.ts';
import { FULL } from '../size.ts';
import { runScript, stateFolder } from './script.ts';

async function topicsAt(
  address: string,
  work: (admin: ReturnType<Kafka['admin']>) => Promise<void> = async () => {},
): Promise<string[]> {
  const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, retry: { retries: 1 } }).admin();
  await admin.connect();
  try {
    await work(admin);
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

/** Whether a process runs; one that has ended and whose parent has not noticed does not. */
function lives(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}

describe('start_kafka.sh and stop_everything.sh', () => {
  const state = stateFolder();
  const settings: Record<string, string> = { MILENA_STATE_DIR: state.path };
  afterAll(async () => {
    await runScript('stop_everything.sh', ['--wipe', '--yes'], { settings });
    state.remove();
  });

  it('start, tell that it runs, keep the data over a stop, and delete it only when told', async () => {
    settings.MILENA_KAFKA_PORT = String(await freePort());
    const address = `127.0.0.1:${settings.MILENA_KAFKA_PORT}`;

    const first = await runScript('start_kafka.sh', [], { settings });
    expect(first, first.stderr).toMatchObject({ code: 0 });
    expect(first.stdout).toContain(`Kafka is running at ${address}`);
    // It answers at once, since the script has waited for that.
    await topicsAt(address, async (admin) => {
      await makeTopics(admin, [{ topic: 'kept' }]);
    });

    const second = await runScript('start_kafka.sh', [], { settings });
    expect(second.code).toBe(0);
    expect(second.stdout).toContain('Kafka is already running');

    const elsewhere = await runScript('start_kafka.sh', [], {
      settings: { ...settings, MILENA_KAFKA_PORT: String(await freePort()) },
    });
    expect(elsewhere.code).toBe(69);
    expect(elsewhere.stderr).toContain(`runs already, on ${address}`);

    const refused = await runScript('stop_everything.sh', ['--wipe'], { settings, input: 'no\n' });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('nothing was deleted');
    expect(await topicsAt(address)).toContain('kept');

    const stop = await runScript('stop_everything.sh', [], { settings });
    expect(stop.code).toBe(0);
    expect(stop.stdout).toContain('The data is kept');
    await expect(topicsAt(address)).rejects.toThrow();

    await runScript('start_kafka.sh', [], { settings });
    expect(await topicsAt(address)).toContain('kept');

    const wipe = await runScript('stop_everything.sh', ['--wipe'], { settings, input: 'yes\n' });
    expect(wipe.code).toBe(0);
    expect(wipe.stdout).toContain('Deleted the data');
    expect(existsSync(join(state.path, 'kafka'))).toBe(false);

    // Each start is a broker's.
    if (!FULL) return;
    await runScript('start_kafka.sh', [], { settings });
    expect(await topicsAt(address)).not.toContain('kept');
  }, 240_000);
});

describe('stop_everything.sh', () => {
  it('never ends a process that only has the number of one of ours', async () => {
    const state = stateFolder();
    const stranger = spawn('sleep', ['600'], { stdio: 'ignore' });
    const pid = stranger.pid ?? 0;
    try {
      mkdirSync(join(state.path, 'kafka'));
      mkdirSync(join(state.path, 'run'));
      writeFileSync(join(state.path, '.milena-data'), '');
      writeFileSync(join(state.path, 'kafka/pid'), `${pid}\n`);
      writeFileSync(
        join(state.path, `run/frontend.${pid}`),
        '/somewhere/dist/bin/frontend.js\n127.0.0.1:8080\n',
      );
      const done = await runScript('stop_everything.sh', [], { settings: { MILENA_STATE_DIR: state.path } });
      expect(done.code).toBe(0);
      expect(done.stdout).toMatch(/Nothing of .* was running\./);
      expect(lives(pid)).toBe(true);
      expect(readdirSync(join(state.path, 'run'))).toEqual([]);
    } finally {
      stranger.kill();
      state.remove();
    }
  });
});

describe('start_everything.sh --demo', () => {
  const state = stateFolder();
  const settings: Record<string, string> = {
    MILENA_STATE_DIR: state.path,
    MILENA_KAFKA_BROKERS: testBrokers().join(','),
  };
  afterAll(async () => {
    await runScript('stop_everything.sh', [], { settings });
    state.remove();
  });

  it('plays the conversation, and stop_everything leaves nothing running', async () => {
    settings.MILENA_PORT = String(await freePort());
    const demo = await runScript('start_everything.sh', ['--demo'], { settings });
    expect(demo, demo.stderr).toMatchObject({ code: 0 });
    for (const step of [
      /ada-(\w+) +creates an account/,
      /bob-\w+ +reads at once/,
      /bob-\w+ +retrieves what waited: {2}ada-\w+: This one waits/,
      /lists \*-\w+: ada-\w+, bob-\w+\./,
      /the server says: .*nobody-\w+/,
      /a login as ada-\w+ is refused now/,
    ]) {
      expect(demo.stdout).toMatch(step);
    }
    expect(demo.stdout).toContain('./stop_everything.sh');

    // A second run uses the frontend that runs already, and its accounts are other ones.
    const again = await runScript('start_everything.sh', [], { settings });
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(again.stdout).toContain('A frontend is already running');

    const [note] = readdirSync(join(state.path, 'run')).filter((name) => name.startsWith('frontend.'));
    const pid = Number(note?.replace('frontend.', ''));
    expect(lives(pid)).toBe(true);
    const stop = await runScript('stop_everything.sh', [], { settings });
    expect(stop.code).toBe(0);
    expect(lives(pid)).toBe(false);
  }, 120_000);
});

describe('the demo itself', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  it('fails when a step fails', async () => {
    // Answers whatever comes with the failure reply "no".
    const failure = Buffer.from([1, 0, 0, 0, 2, 0x22, 0x6e, 0x6f]);
    server = createServer((socket) => socket.on('error', () => {}).on('data', () => socket.write(failure)));
    const listening = server;
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    const state = stateFolder();
    const port = (listening.address() as AddressInfo).port;
    const done = await runScript('node_modules/.bin/node', ['dist/tools/demo.js', `127.0.0.1:${port}`], {
      cwd: join(import.meta.dirname, '../..'),
    });
    expect(done.code).toBe(1);
    expect(done.stderr).toMatch(/This step failed: No connection to .*version 1 of the protocol only/);
    expect(done.stdout).not.toContain('creates an account');
    state.remove();
  });

  it('fails when nobody is there', async () => {
    const [port] = await freePorts(1);
    const done = await runScript('node_modules/.bin/node', ['dist/tools/demo.js', `127.0.0.1:${port}`], {
      cwd: join(import.meta.dirname, '../..'),
    });
    expect(done.code).toBe(1);
    expect(done.stderr).toContain('This step failed');
  });
});
