/** A frontend on IPv6, and one whose Kafka is not on this machine: what the scripts do for both. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parseClusterKeys } from '../../src/config/cluster-keys.ts';
import { freePort } from '../broker/ports.ts';
import { share } from '../size.ts';
import { built, RunningFrontend } from './running-frontend.ts';
import { runScript, stateFolder } from './script.ts';

beforeAll(built);

const hasIpv6 = networkInterfaces().lo?.some(({ address }) => address === '::1') ?? true;

function ownState(): string {
  const { path, remove } = stateFolder();
  onTestFinished(remove);
  return path;
}

describe.skipIf(!hasIpv6)('MILENA_HOST, IPv6 (this machine has it)', () => {
  it.each(share(['::1', '[::1]', '::'], 3, 1))(
    '%s: the demo, the client and the stop find the frontend',
    async (host) => {
      const port = String(await freePort());
      const settings = {
        ...{
          MILENA_STATE_DIR: ownState(),
          MILENA_HOST: host,
          MILENA_PORT: port,
          MILENA_SERVER: '',
          MILENA_PLAINTEXT: 'true',
        },
        MILENA_OPEN_ACCOUNTS: 'true',
      };
      const demo = await runScript('start_everything.sh', ['--demo', '--storage', 'memory'], { settings });
      onTestFinished(async () => {
        await runScript('stop_everything.sh', [], { settings });
      });
      expect(demo, demo.stderr).toMatchObject({ code: 0 });
      expect(demo.stdout).toContain(`running at [::1]:${port}`);
      const list = await runScript('start_client.sh', ['list', 'no*body'], { settings });
      expect(list).toEqual({ code: 0, stdout: '', stderr: '' });
      const stop = await runScript('stop_everything.sh', [], { settings });
      expect(stop.stdout).toContain(`Stopped the frontend at [::1]:${port}`);
    },
  );

  it('without a frontend the client’s script says which one to start', async () => {
    const port = String(await freePort());
    const settings = {
      MILENA_STATE_DIR: ownState(),
      MILENA_HOST: '::1',
      MILENA_PORT: port,
      MILENA_SERVER: '',
    };
    const { code, stderr } = await runScript('start_client.sh', [], { settings });
    expect(code).toBe(69);
    expect(stderr).toContain(`No frontend answers at [::1]:${port}`);
  });

  it('Kafka at an address in brackets is looked for there', async () => {
    const port = String(await freePort());
    const settings = {
      ...{ MILENA_STATE_DIR: ownState(), MILENA_PORT: String(await freePort()) },
      MILENA_KAFKA_BROKERS: `[::1]:${port}`,
    };
    const { code, stderr } = await runScript('start_frontend.sh', ['--background'], { settings });
    expect(code).toBe(69);
    expect(stderr).toContain(`No Kafka answers at [::1]:${port}`);
  });
});

describe('milena keys', () => {
  it('makes the key that a frontend with a Kafka elsewhere asks for, and nobody else can read it', async () => {
    const state = ownState();
    const file = join(state, 'keys/of the team');
    const where = { MILENA_CLUSTER_KEY_FILE: file, MILENA_CLUSTER_KEYS: '' };
    const remote = { ...where, MILENA_KAFKA_BROKERS: '192.0.2.1:9092' };
    const frontend = new RunningFrontend(remote);
    onTestFinished(() => frontend.remove());
    expect(await frontend.exited).toBe(78);
    expect(frontend.stderr).toContain('./milena keys');
    expect(frontend.stderr).not.toContain('    at ');

    const settings = { MILENA_STATE_DIR: state, MILENA_CLUSTER_KEY_FILE: file };
    const made = await runScript('milena', ['keys'], { settings });
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toContain(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, 'utf8');
    const [key] = parseClusterKeys(text, file);
    expect(key?.secret).toHaveLength(32);
    expect(made.stdout).not.toContain(text.trim().split(':')[1]);

    // Made once: a second call changes nothing, and the frontend now comes as far as its Kafka.
    const again = await runScript('milena', ['keys'], { settings });
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('It stays') });
    expect(readFileSync(file, 'utf8')).toBe(text);
    const [nobody] = [await freePort()];
    const next = new RunningFrontend({ ...remote, MILENA_KAFKA_BROKERS: `localhost.:${nobody}` });
    onTestFinished(() => next.remove());
    await next.exited;
    expect(next.stderr).toContain('Kafka cannot be used');
  });

  it('lies where the frontends of the checkout look for it when nothing else is said', async () => {
    const state = ownState();
    await runScript('milena', ['keys'], { settings: { MILENA_STATE_DIR: state } });
    expect(existsSync(join(state, 'cluster.key'))).toBe(true);
  });

  it('with an argument shows how to use it', async () => {
    const done = await runScript('milena', ['keys', '--force'], {
      settings: { MILENA_STATE_DIR: ownState() },
    });
    expect(done).toMatchObject({ code: 64, stdout: '' });
    expect(done.stderr).toContain('--force');
  });
});
