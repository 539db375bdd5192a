import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { borrowBroker } from '../broker/borrow.ts';
import { testBrokers } from '../broker/brokers.ts';
import { freePorts } from '../broker/ports.ts';
import { eventually, uniqueName } from '../contracts/cluster.ts';
import { testConfig, testLog } from '../kafka/cluster.ts';
import { RawClient } from '../server/raw-client.ts';
import { built, RunningFrontend } from './running-frontend.ts';
import { ROOT } from './script.ts';

beforeAll(built);

/** Where it is the same whatever it keeps messages in: quicker. */
const IN_MEMORY = ['--storage', 'memory'];
const onKafka = () => ({ MILENA_KAFKA_BROKERS: testBrokers().join(',') });

/** Runs a frontend that is expected to end by itself. */
async function run(settings: Record<string, string>, args: string[] = [], cwd?: string) {
  const frontend = new RunningFrontend(settings, args, cwd);
  onTestFinished(() => frontend.remove());
  const code = await frontend.exited;
  return { code, stdout: frontend.stdout, stderr: frontend.stderr };
}

describe('the frontend, started', () => {
  it('with --help explains itself', async () => {
    const { code, stdout, stderr } = await run({}, ['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: /);
    expect(stdout).toContain('MILENA_PORT');
  });

  it('with --version says its version', async () => {
    const { version }: { version: string } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(await run({}, ['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('with arguments it does not know shows how to use it', async () => {
    const { code, stdout, stderr } = await run({}, ['--colour']);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toContain('--colour');
    expect(stderr).toContain('Usage: ');
  });

  it('with a bad setting names the variable, what is wrong, and an example', async () => {
    const { code, stdout, stderr } = await run({ MILENA_PORT: 'eighty' });
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr).toMatch(/^MILENA_PORT=eighty: .*For example: MILENA_PORT=8080\n$/);
  });

  it('reads a .env file, and the environment counts before it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'milena-env-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, '.env'), 'MILENA_FRONTEND_LEASE_MS=much\nMILENA_PORT=nonsense\n');
    const { code, stderr } = await run({ MILENA_PORT: '0' }, [], folder);
    expect(code).toBe(78);
    expect(stderr).toContain('MILENA_FRONTEND_LEASE_MS=much');
    expect(stderr).not.toContain('MILENA_PORT=nonsense');
  });

  it('without Kafka says where it looked and what to do', async () => {
    const [port] = await freePorts(1);
    const { code, stdout, stderr } = await run({ MILENA_KAFKA_BROKERS: `127.0.0.1:${port}` });
    expect(code).toBe(69);
    expect(stdout).not.toContain('listening');
    expect(stderr).toContain(`Kafka cannot be used at 127.0.0.1:${port}`);
    expect(stderr).toContain('./start_kafka.sh');
    expect(stderr).not.toContain('    at ');
  });

  it('with keys that none of the accounts is signed with says so, and touches nothing', async () => {
    const engine = await openKafkaStorage(testConfig(), testLog);
    const name = uniqueName('signed');
    const account = await engine.accounts.create({ name });
    const MILENA_CLUSTER_KEYS = `other:${Buffer.alloc(32, 5).toString('base64url')}`;
    const frontend = await RunningFrontend.start({ ...onKafka(), MILENA_CLUSTER_KEYS });
    onTestFinished(() => frontend.remove());
    expect(frontend.stdout).toMatch(/"level":50.*No account can be used: nothing of \d+ names? is signed/);
    expect(frontend.stdout).toContain('MILENA_UNSIGNED_RECORDS=accept');
    const client = await RawClient.connect(frontend.address);
    expect(JSON.stringify(await client.ask({ type: 'create', name }))).toMatch(/taken/);
    client.socket.destroy();
    expect(await frontend.kill('SIGTERM')).toBe(0);
    expect(await engine.accounts.findEvenly(name)).toEqual(account);
    await engine.close();
  });

  it('on a port that is taken names the variable that changes it', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    const address = server.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const { code, stderr } = await run({ MILENA_PORT: port }, IN_MEMORY);
    expect(code).toBe(69);
    expect(stderr).toContain(`127.0.0.1:${port}`);
    expect(stderr).toContain('MILENA_PORT');
  });

  it('on an address of another machine names the variable that changes it', async () => {
    const { code, stderr } = await run({ MILENA_HOST: '192.0.2.1' }, IN_MEMORY);
    expect(code).toBe(78);
    expect(stderr).toContain('MILENA_HOST');
  });
});

describe('Kafka away, with the frontend running', () => {
  it('gives clear failures, and everything works again when it is back', async () => {
    const broker = await borrowBroker();
    onTestFinished(() => broker.stop());
    const frontend = await RunningFrontend.start({
      MILENA_KAFKA_BROKERS: broker.brokers,
      MILENA_SEND_TIMEOUT_MS: '1000',
    });
    onTestFinished(() => frontend.remove());
    const connect = async () => {
      const client = await RawClient.connect(frontend.address);
      onTestFinished(() => {
        client.socket.destroy();
      });
      return client;
    };
    const anna = await connect();
    await anna.create('anna');

    await broker.freeze();
    expect(await anna.ask({ type: 'send', to: 'anna', body: 'into the void' })).toMatchObject({
      type: 'failure',
      text: expect.stringMatching(/may have been stored or not/),
    });
    const stranger = await connect();
    expect(await stranger.ask({ type: 'list', pattern: '' })).toEqual({ type: 'listed', names: ['anna'] });
    await broker.thaw();

    await eventually(async () => {
      expect(await anna.ask({ type: 'send', to: 'anna', body: 'back again' })).toMatchObject({
        type: 'sent',
      });
    });
    await eventually(() => expect(anna.bodies()).toContain('back again'));
    await stranger.create('bert');
    expect(await anna.ask({ type: 'send', to: 'bert', body: 'hello' })).toMatchObject({
      text: 'delivered to bert',
    });

    // With a send under way a drain waits for it; a second signal does not.
    await broker.freeze();
    anna.write({ type: 'send', to: 'bert', body: 'never mind' });
    frontend.child.kill('SIGTERM');
    await eventually(() => expect(frontend.hasLogged('draining')).toBe(true));
    expect(await frontend.kill('SIGTERM')).toBe(128 + 15);
    await broker.thaw();
  });
});
