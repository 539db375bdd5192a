/**
 * What was chosen at a start is known to every other script: nothing but the state folder is said to them here. And whatever
 * was started of the client from this checkout, by whichever way, ends with "stop everything".
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { testBrokers } from '../broker/brokers.ts';
import { freePort, freePorts } from '../broker/ports.ts';
import { eventually } from '../contracts/cluster.ts';
import { inFull } from '../size.ts';
import { built } from './running-frontend.ts';
import { sandbox, start } from './sandbox.ts';
import { ROOT, RunningScript, runScript, scriptEnvironment } from './script.ts';
import { TestTerminal } from './terminal.ts';

beforeAll(built);

const suffix = randomBytes(4).toString('hex');
const box = sandbox();
afterAll(box.remove);

/** All that is said afterwards. */
function said(name: string): Record<string, string> {
  return {
    MILENA_STATE_DIR: join(box.path, name),
    MILENA_DATA_DIR: join(box.path, `${name} histories`),
    MILENA_SETTINGS: '',
    MILENA_SERVER: '',
    MILENA_PASSWORD: 'correct horse',
    HOME: box.path,
  };
}

describe('a Kafka and a frontend of this checkout, on ports of their own', () => {
  const settings = said('own');
  let ports: Record<string, string>;
  afterAll(async () => {
    await runScript('stop_everything.sh', ['--wipe', '--yes'], { settings });
  });

  inFull(
    'are found by every script, and what is said explicitly counts before',
    async () => {
      const [kafka, port] = await freePorts(2);
      ports = { MILENA_KAFKA_PORT: String(kafka), MILENA_PORT: String(port) };
      const HOME = process.env.HOME ?? '';
      const first = await runScript('start_everything.sh', ['--demo'], {
        settings: { ...settings, ...ports, HOME },
      });
      expect(first, first.stderr).toMatchObject({ code: 0 });

      const topic = `chosen-${suffix}`;
      expect(await runScript('test_producer.sh', [], { settings })).toMatchObject({ code: 0 });
      const wrote = await runScript('spawn_producer.sh', [topic], { settings, input: 'written\n' });
      expect(wrote, wrote.stderr).toMatchObject({ code: 0 });
      const reader = new RunningScript('spawn_consumer.sh', [topic], settings, ROOT);
      await reader.printed(/^written$/m);
      reader.child.kill('SIGINT');
      await reader.exited;
      const tool = await runScript('scripts/kafka-tool.sh', ['topics', '--list'], {
        settings: { ...settings, HOME },
      });
      expect(tool, tool.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining(topic) });
      for (const client of ['milena', 'start_client.sh']) {
        expect(await runScript(client, ['list', 'no*body'], { settings })).toEqual({
          code: 0,
          stdout: '',
          stderr: '',
        });
      }
      const doctor = await runScript('milena', ['doctor'], { settings });
      expect(doctor.stdout).toContain(`127.0.0.1:${port}`);
      expect(doctor.stdout).toContain(`127.0.0.1:${kafka} answers`);

      const again = await runScript('start_everything.sh', ['--demo'], { settings });
      expect(again.stdout).toMatch(new RegExp(`Kafka is already running .* at 127\\.0\\.0\\.1:${kafka}`));
      expect(again.stdout).toContain(`A frontend is already running at 127.0.0.1:${port}`);

      const [elsewhere] = await freePorts(1);
      const explicit = { ...settings, MILENA_KAFKA_PORT: String(elsewhere), MILENA_PORT: String(elsewhere) };
      for (const [script, ...args] of [
        ['test_producer.sh'],
        ['start_client.sh', 'list'],
        ['milena', 'list'],
      ]) {
        const done = await runScript(script ?? '', args, { settings: explicit });
        expect(done).toMatchObject({ code: 69, stderr: expect.stringContaining(`127.0.0.1:${elsewhere}`) });
      }

      const stop = await runScript('stop_everything.sh', [], { settings });
      expect(stop.stdout).toContain(`Stopped the frontend at 127.0.0.1:${port}`);
      expect(stop.stdout).toContain('Stopped Kafka.');
      expect(stop.stdout).toMatch(
        new RegExp(
          `^Start again: {2}MILENA_STATE_DIR=\\S.* MILENA_PORT=${port} \\./start_everything\\.sh$`,
          'm',
        ),
      );
      // The next start is where the last one was.
      const none = await runScript('test_producer.sh', [], { settings });
      expect(none).toMatchObject({ code: 69, stderr: expect.stringContaining(`127.0.0.1:${kafka}`) });
    },
    240_000,
  );
});

describe('a frontend on a Kafka that was given', () => {
  const settings = said('given');
  let port: number;
  const brokers = testBrokers().join(',');

  beforeAll(async () => {
    port = await freePort();
    const given = { MILENA_KAFKA_BROKERS: brokers, MILENA_PORT: String(port) };
    const done = await runScript('start_frontend.sh', ['--background'], {
      settings: { ...settings, ...given },
    });
    expect(done, done.stderr).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await runScript('stop_everything.sh', [], { settings });
  });

  it('is that of the other scripts, too', async () => {
    const wrote = await runScript('test_producer.sh', [], { settings });
    expect(wrote, wrote.stderr).toMatchObject({ code: 0 });
    const again = await runScript('start_everything.sh', ['--demo'], { settings });
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(again.stdout).toContain(`given: ${brokers} (as the frontend at 127.0.0.1:${port} has it)`);
    const other = await runScript('start_frontend.sh', ['--background'], {
      settings: { ...settings, MILENA_KAFKA_BROKERS: '127.0.0.1:9' },
    });
    expect(other).toMatchObject({ code: 78, stdout: '' });
    expect(other.stderr).toContain(`with another Kafka: ${brokers}, and not 127.0.0.1:9`);
    const asked = await runScript('stop_everything.sh', ['--wipe'], { settings });
    expect(asked.stdout).toContain(`The Kafka at ${brokers} was not started here`);
  });

  it('stop everything ends every client, however it was started, and each in order', async () => {
    const name = `anna-${suffix}`;
    const env = { ...settings, MILENA_USER: name };
    expect(await runScript('milena', ['create', name], { settings })).toMatchObject({ code: 0 });
    const chats = ['./milena', './start_client.sh'].map((command) => {
      const chat = new TestTerminal(`cd "${ROOT}" && ${command}; echo "left with $?"; sleep 1000`, {
        columns: 80,
        rows: 24,
        env: scriptEnvironment(settings),
      });
      onTestFinished(() => chat.close());
      return chat;
    });
    const listener = start(join(ROOT, 'milena'), ['listen'], { settings: env });
    const run = join(box.path, 'given/run');
    const clients = () => readdirSync(run).filter((file) => file.startsWith('client.'));
    await eventually(() => expect(clients()).toHaveLength(3));
    for (const chat of chats) await chat.shows(/online/);

    const stop = await runScript('stop_everything.sh', [], { settings });
    expect(stop).toMatchObject({ code: 0, stderr: '' });
    expect(stop.stdout.match(/Stopped the client/g)).toHaveLength(3);
    expect(await listener.finished).toMatchObject({ code: 143 });
    for (const chat of chats) await chat.shows(/left with 143/);
    expect(clients()).toEqual([]);
  });

  it('a client that ended leaves no note, and one without a folder of the scripts makes none', async () => {
    await runScript('milena', ['completion', 'bash'], { settings });
    expect(readdirSync(join(box.path, 'given/run')).filter((file) => file.startsWith('client.'))).toEqual([]);
    const nowhere = { ...settings, MILENA_STATE_DIR: join(box.path, 'never made') };
    await runScript('node_modules/.bin/node', [join(ROOT, 'dist/bundle/main.js'), 'list'], {
      settings: nowhere,
    });
    expect(existsSync(join(box.path, 'never made'))).toBe(false);
  });
});
