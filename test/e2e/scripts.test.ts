/** The scripts' own manners: help, wrong usage, missing parts, taken ports, settings. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../broker/ports.ts';
import { ROOT, runScript, scriptEnvironment, stateFolder } from './script.ts';

const run = promisify(execFile);

const SCRIPTS = [
  'start_kafka.sh',
  'start_frontend.sh',
  'start_client.sh',
  'start_everything.sh',
  'stop_everything.sh',
  'spawn_consumer.sh',
  'spawn_producer.sh',
  'test_producer.sh',
  'test_everything.sh',
  'scripts/cluster.sh',
  'scripts/kafka-tool.sh',
  'scripts/preview.sh',
];

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

function ownState(): string {
  const folder = stateFolder();
  cleanups.push(folder.remove);
  return folder.path;
}

/** Somebody else's program on a port. */
async function occupiedPort(): Promise<number> {
  const server: Server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

describe('every script', () => {
  it.each(SCRIPTS)('%s --help says how to use it', async (script) => {
    const { code, stdout } = await runScript(script, ['--help'], {
      settings: { MILENA_STATE_DIR: ownState() },
    });
    expect(code).toBe(0);
    expect(stdout).toContain(script);
    expect(stdout.length).toBeGreaterThan(80);
  });

  // The client judges its own options and test_everything hands its arguments to the test runner.
  it.each(SCRIPTS.filter((script) => script !== 'start_client.sh' && script !== 'test_everything.sh'))(
    '%s ends with 64 for an option that it does not know',
    async (script) => {
      const topic = script.startsWith('spawn_') ? ['some-topic'] : [];
      const { code, stderr } = await runScript(script, [...topic, '--nonsense'], {
        settings: { MILENA_STATE_DIR: ownState() },
      });
      expect(code).toBe(64);
      expect(stderr).toContain('--nonsense');
    },
  );

  it.each(['spawn_consumer.sh', 'spawn_producer.sh'])('%s without a topic: usage, 64', async (script) => {
    const { code, stderr, stdout } = await runScript(script, [], {
      settings: { MILENA_STATE_DIR: ownState() },
    });
    expect(code).toBe(64);
    expect(stderr).toContain(`./${script} TOPIC`);
    expect(stdout).toBe('');
  });
});

describe('what is missing or taken is named', () => {
  it('a port that another program has, before Kafka', async () => {
    const port = String(await occupiedPort());
    const { code, stderr } = await runScript('start_kafka.sh', [], {
      settings: { MILENA_STATE_DIR: ownState(), MILENA_KAFKA_PORT: port },
    });
    expect(code).toBe(69);
    expect(stderr).toContain(`Port ${port} is taken`);
    expect(stderr).toContain('MILENA_KAFKA_PORT=');
  });

  it('a port that another program has, before the frontend', async () => {
    const port = String(await occupiedPort());
    const { code, stderr } = await runScript('start_frontend.sh', [], {
      settings: { MILENA_STATE_DIR: ownState(), MILENA_PORT: port },
    });
    expect(code).toBe(69);
    expect(stderr).toContain(`Port ${port} is taken`);
    expect(stderr).toContain('MILENA_PORT=');
  });

  it('Kafka, for the frontend', async () => {
    const [kafka, port] = [String(await freePort()), String(await freePort())];
    const { code, stderr } = await runScript('start_frontend.sh', [], {
      settings: { MILENA_STATE_DIR: ownState(), MILENA_KAFKA_PORT: kafka, MILENA_PORT: port },
    });
    expect(code).toBe(69);
    expect(stderr).toContain(`No Kafka answers at 127.0.0.1:${kafka}`);
    expect(stderr).toContain('./start_kafka.sh');
  });

  it('the frontend, for the client', async () => {
    const port = String(await freePort());
    const { code, stderr } = await runScript('start_client.sh', [], {
      settings: { MILENA_STATE_DIR: ownState(), MILENA_PORT: port },
    });
    expect(code).toBe(69);
    expect(stderr).toContain(`No frontend answers at 127.0.0.1:${port}`);
    expect(stderr).toContain('./start_frontend.sh');
  });

  it('neither Docker nor Java: what to install', async () => {
    // A PATH with the everyday tools only, wherever they are on this machine.
    const folder = mkdtempSync(join(tmpdir(), 'milena-path-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const tools =
      'bash sh cat sed grep head tail cut tr cksum mkdir rm mv ln cp chmod readlink touch dirname find ls sleep env';
    for (const tool of tools.split(' ')) {
      const { stdout } = await run('sh', ['-c', `command -v ${tool}`]);
      await run('ln', ['-s', stdout.trim(), join(folder, tool)]);
    }
    const { code, stderr } = await runScript('start_kafka.sh', [], {
      settings: { MILENA_STATE_DIR: ownState(), PATH: folder, JAVA_HOME: '', MILENA_KAFKA: '' },
    });
    expect(stderr).toContain('this machine has neither');
    expect(stderr).toContain('docs.docker.com');
    expect(stderr).toMatch(/apt install openjdk-17-jre-headless maven/);
    expect(code).toBe(69);
  });

  it('a forced way that does not exist', async () => {
    const { code, stderr } = await runScript('start_kafka.sh', [], {
      settings: {
        MILENA_STATE_DIR: ownState(),
        MILENA_KAFKA: 'podman',
        MILENA_KAFKA_PORT: String(await freePort()),
      },
    });
    expect(code).toBe(64);
    expect(stderr).toContain('MILENA_KAFKA=podman');
  });

  it('a setting that is no port', async () => {
    const { code, stderr } = await runScript('start_kafka.sh', [], {
      settings: { MILENA_STATE_DIR: ownState(), MILENA_KAFKA_PORT: '70000' },
    });
    expect(code).toBe(64);
    expect(stderr).toContain('MILENA_KAFKA_PORT=70000 is not a port');
  });
});

describe('.env', () => {
  /** The settings as a script in a project with this .env file sees them. */
  async function settingsWith(
    file: string,
    environment: Record<string, string>,
  ): Promise<{ values: string[]; files: string[] }> {
    const project = mkdtempSync(join(tmpdir(), 'milena-env-'));
    cleanups.push(() => rmSync(project, { recursive: true, force: true }));
    cpSync(join(ROOT, 'scripts'), join(project, 'scripts'), { recursive: true });
    writeFileSync(join(project, '.env'), file);
    const show =
      '. scripts/common.sh; printf "%s\\n" "$MILENA_PORT" "$MILENA_HOST" "$(printenv OTHER || echo unset)" "$MILENA_INBOX_PREFIX"';
    const clean = scriptEnvironment({});
    for (const name of Object.keys(clean)) if (name.startsWith('MILENA_')) delete clean[name];
    const { stdout } = await run('bash', ['--norc', '-c', show], {
      cwd: project,
      env: { ...clean, ...environment },
    });
    return { values: stdout.split('\n').slice(0, 4), files: readdirSync(project).sort() };
  }

  it('gives settings, which the real environment overrules', async () => {
    const file =
      '# comment\nMILENA_PORT=8123\nexport MILENA_HOST = "::1"  \r\nOTHER=x\nMILENA_INBOX_PREFIX=\'a.b.\'';
    expect((await settingsWith(file, {})).values).toEqual(['8123', '::1', 'unset', 'a.b.']);
    expect((await settingsWith(file, { MILENA_PORT: '9' })).values).toEqual(['9', '::1', 'unset', 'a.b.']);
  });

  it('is read, never executed', async () => {
    const file = 'MILENA_INBOX_PREFIX=$(touch made)`touch made`;touch made\nMILENA_PORT=1\ntouch made\n';
    const { values, files } = await settingsWith(file, {});
    expect(values[3]).toBe('$(touch made)`touch made`;touch made');
    expect(files).toEqual(['.env', '.milena', 'scripts']);
  });
});
