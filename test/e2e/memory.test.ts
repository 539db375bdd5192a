/** Milena without Kafka: the frontend as a process that keeps everything in its memory, and real clients that talk through it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePorts } from '../broker/ports.ts';
import { type Done, RunningCommand } from '../terminal/cli/running-command.ts';
import { built, RunningFrontend } from './running-frontend.ts';
import { sandbox } from './sandbox.ts';
import { ROOT, runScript } from './script.ts';

const PASSWORD = 'correct horse';

beforeAll(built);

describe('a frontend with --storage memory', () => {
  const folder = mkdtempSync(join(tmpdir(), 'milena-memory-'));
  let nowhere: string;
  let frontend: RunningFrontend;

  const open = () => RunningFrontend.start({ MILENA_KAFKA_BROKERS: nowhere }, ['--storage', 'memory']);
  beforeAll(async () => {
    const [port] = await freePorts(1);
    nowhere = `127.0.0.1:${port}`;
    frontend = await open();
  });
  afterAll(async () => {
    await frontend.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  function start(user: string, args: readonly string[], password = PASSWORD): RunningCommand {
    const { host, port } = frontend.address;
    const settings = {
      MILENA_SERVER: `${host}:${port}`,
      MILENA_USER: user,
      MILENA_PASSWORD: password,
      MILENA_DATA_DIR: join(folder, 'data'),
    };
    return new RunningCommand(args, { program: [join(ROOT, 'milena')], settings });
  }
  const milena = (user: string, args: readonly string[], password?: string): Promise<Done> =>
    start(user, args, password).done();

  it('says that nothing outlives it', () => {
    const line = frontend.stdout.split('\n').find((text) => text.includes('"storage":"memory"'));
    expect(line).toMatch(/nothing outlives this process/);
  });

  it('lets people talk: what is sent waits, comes at once, and is received once', async () => {
    for (const name of ['anna', 'bert'])
      expect(await milena('', ['create', name])).toMatchObject({ code: 0 });
    expect(await milena('anna', ['send', 'bert', 'before you came'])).toMatchObject({ code: 0 });
    expect((await milena('anna', ['status', 'bert'])).stdout).toMatch(/bert/);

    const listener = start('bert', ['listen', '--json']);
    await listener.printed(/before you came/);
    const sent = await milena('anna', ['send', '--wait-delivered', 'bert', 'while you listen']);
    expect(sent, sent.stderr).toMatchObject({ code: 0 });
    listener.child.kill('SIGTERM');
    const heard = await listener.done();
    const lines = heard.stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { from: 'anna', body: 'before you came' },
      { from: 'anna', body: 'while you listen' },
    ]);
    expect(await milena('bert', ['send', 'bert', 'the end'])).toMatchObject({ code: 0 });
    const rest = await milena('bert', ['listen', '--json', '--once']);
    expect(JSON.parse(rest.stdout)).toMatchObject({ from: 'bert', body: 'the end' });
  });

  it('asks for the password, lists, and deletes for good', async () => {
    expect(await milena('', ['create', 'carl'])).toMatchObject({ code: 0 });
    expect((await milena('carl', ['listen', '--once'], 'wrong password')).code).toBe(77);
    expect((await milena('carl', ['list', 'c*'])).stdout).toBe('carl\n');
    expect(await milena('carl', ['delete', '--yes'])).toMatchObject({ code: 0 });
    expect(await milena('anna', ['send', 'carl', 'x'])).toMatchObject({ code: 67 });
  });

  it('ends in order, and the next one knows nobody', async () => {
    expect(await frontend.kill('SIGTERM')).toBe(0);
    frontend = await open();
    expect((await milena('anna', ['list'])).stdout).toBe('');
  });

  it('names a storage that there is none of', async () => {
    const other = new RunningFrontend({}, ['--storage', 'disk']);
    onTestFinished(() => other.remove());
    expect(await other.exited).toBe(78);
    expect(other.stderr).toBe(
      'MILENA_STORAGE=disk: it must be kafka or memory. For example: MILENA_STORAGE=memory\n',
    );
  });
});

describe('the scripts with --storage memory', () => {
  const box = sandbox();
  afterAll(box.remove);

  it('start all of it without Kafka, find it, and take no other storage for it', async () => {
    const [port, kafka] = await freePorts(2);
    const settings = {
      MILENA_STATE_DIR: join(box.path, 'state'),
      MILENA_DATA_DIR: join(box.path, 'histories'),
      MILENA_KAFKA_PORT: String(kafka),
      HOME: box.path,
    };
    onTestFinished(async () => {
      await runScript('stop_everything.sh', [], { settings });
    });
    const memory = ['--storage', 'memory'];
    const at = { ...settings, MILENA_PORT: String(port) };
    const started = await runScript('start_everything.sh', [...memory, '--demo'], { settings: at });
    expect(started, started.stderr).toMatchObject({ code: 0 });
    expect(started.stdout).toMatch(/It keeps accounts and messages in memory: they are gone when it ends\./);

    // The others find it by what was noted at the start, and no Kafka in that.
    expect(await runScript('milena', ['list', 'no*body'], { settings })).toMatchObject({ code: 0 });
    const producer = await runScript('test_producer.sh', [], { settings });
    expect(producer.stderr).toContain(`No Kafka answers at 127.0.0.1:${kafka}`);
    const again = await runScript('start_frontend.sh', ['--background', ...memory], { settings });
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('already running') });
    const other = await runScript('start_frontend.sh', ['--background'], { settings });
    expect(other).toMatchObject({ code: 78, stderr: expect.stringContaining('in memory, and not in Kafka') });
    const stopped = await runScript('stop_everything.sh', [], { settings });
    expect(stopped.stdout).toContain('Stopped the frontend');
  });
});
