/* A Kafka that is not as the settings describe it: one true sentence, from every program and script. */
import { execFile } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { alterUserScramCredentialsV0 } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/setting-table.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { startBroker } from '../broker/broker.ts';
import { TEST_KEYS } from '../broker/brokers.ts';
import { javaUsable } from '../broker/java.ts';
import { freePorts } from '../broker/ports.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { eventually, message, observe, uniqueName } from '../contracts/cluster.ts';
import { testLog } from '../kafka/cluster.ts';
import { FULL, share } from '../size.ts';
import { CommandHere } from '../terminal/cli/command-here.ts';
import { type Done, milena } from '../terminal/cli/running-command.ts';
import { CLIENT } from './client-terminal.ts';
import { built, RunningFrontend } from './running-frontend.ts';
import { RunningScript, runScript } from './script.ts';

const PASSWORD = 'not "a secret" of \\anybody';
/** As Kafka's protocol numbers it. */
const SCRAM_SHA_512 = 2;

interface End {
  readonly code: number | string | null;
  readonly said: string;
}

beforeAll(built);

// Each case is a program, some are a script and several; the machine may have other work.
const PATIENCE = { timeout: 300_000 };

async function frontend(settings: Record<string, string>): Promise<End> {
  const running = new RunningFrontend(settings);
  onTestFinished(() => running.remove());
  const code = await running.exited;
  return { code, said: running.stderr };
}

/** What a frontend does first, within this process: its words are the frontend's. */
async function storage(settings: Record<string, string>): Promise<End> {
  try {
    const opened = await openKafkaStorage(
      readConfig({ MILENA_CLUSTER_KEYS: TEST_KEYS, ...settings }),
      testLog,
    );
    await opened.close();
    return { code: 0, said: '' };
  } catch (error) {
    return {
      code: error instanceof ConfigError ? 78 : 69,
      said: error instanceof Error ? error.message : '',
    };
  }
}

function doctor(settings: Record<string, string>): Promise<Done> {
  const args = ['doctor', '--kafka'];
  return FULL
    ? milena(args, { settings, program: [process.execPath, CLIENT] })
    : new CommandHere(args, settings).done();
}

/** Each program, by what it says where it cannot use Kafka. */
function programs(state: string): Record<string, (settings: Record<string, string>) => Promise<End>> {
  const script =
    (file: string, ...args: string[]) =>
    async (settings: Record<string, string>) => {
      const done = await runScript(file, args, { settings: { ...settings, MILENA_STATE_DIR: state } });
      return { code: done.code, said: done.stderr };
    };
  return {
    storage,
    frontend,
    'start_frontend.sh': script('start_frontend.sh', '--background'),
    'spawn_producer.sh': script('spawn_producer.sh', 'some-topic'),
    'spawn_consumer.sh': script('spawn_consumer.sh', 'some-topic'),
    'test_producer.sh': script('test_producer.sh'),
    'kafka-tool.sh': script('scripts/kafka-tool.sh', 'topics', '--list'),
    doctor: async (settings) => {
      const { code, stdout } = await doctor(settings);
      return { code, said: stdout };
    },
  };
}

describe.skipIf(!(await javaUsable()))(
  'a Kafka with TLS and passwords (a broker with several doors: needs Java)',
  PATIENCE,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'milena-doors-'));
    const ca = join(folder, 'broker.pem');
    const otherCa = join(folder, 'other.pem');
    const all = programs(join(folder, 'state'));
    let broker: TestBroker;
    let secure: string;
    let byAddress: string;
    let lost: string;
    let nowhere: string;

    async function certificate(name: string): Promise<void> {
      const kind = [
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-x509',
        '-days',
        '2',
      ];
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
      const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.pem`)];
      await promisify(execFile)('openssl', ['req', ...kind, ...subject, ...files]);
    }

    /** By Kafka's protocol: its tool for that is another JVM. */
    async function addUser(address: string): Promise<void> {
      const cluster = new Cluster({ bootstrap: [address], clientId: 'operator' });
      const [salt, iterations] = [randomBytes(16), 4_096];
      const saltedPassword = pbkdf2Sync(PASSWORD, salt, iterations, 64, 'sha512');
      const user = { name: 'milena', mechanism: SCRAM_SHA_512, iterations, salt, saltedPassword };
      await cluster.requestAny(alterUserScramCredentialsV0.api, [], [user]);
      await cluster.close();
    }

    beforeAll(async () => {
      await certificate('broker');
      await certificate('other');
      const store = join(folder, 'store.pem');
      writeFileSync(store, readFileSync(join(folder, 'broker.key'), 'utf8') + readFileSync(ca, 'utf8'));
      chmodSync(store, 0o600);
      const [securePort, lostPort, nobody] = await freePorts(3);
      secure = `localhost:${securePort}`;
      byAddress = `127.0.0.1:${securePort}`;
      lost = `127.0.0.1:${lostPort}`;
      nowhere = `127.0.0.1:${nobody}`;
      broker = await startBroker({
        listener: `SECURE://localhost:${securePort},LOST://${lost}`,
        advertised: `SECURE://localhost:${securePort},LOST://${nowhere}`,
        properties: {
          'listener.security.protocol.map':
            'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOST:PLAINTEXT,SECURE:SASL_SSL',
          'listener.name.secure.ssl.keystore.type': 'PEM',
          'listener.name.secure.ssl.keystore.location': store,
          'listener.name.secure.sasl.enabled.mechanisms': 'SCRAM-SHA-512',
          'listener.name.secure.scram-sha-512.sasl.jaas.config':
            'org.apache.kafka.common.security.scram.ScramLoginModule required;',
        },
      });
      await addUser(broker.brokers);
    });
    afterAll(async () => {
      await broker?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const TLS = () => ({ MILENA_KAFKA_BROKERS: secure, MILENA_KAFKA_TLS_CA: ca });
    const SASL = (password = PASSWORD, mechanism = 'SCRAM-SHA-512') => ({
      MILENA_KAFKA_SASL_MECHANISM: mechanism,
      MILENA_KAFKA_SASL_USERNAME: 'milena',
      MILENA_KAFKA_SASL_PASSWORD: password,
    });

    const CASES: [string, () => Record<string, string>, () => string][] = [
      [
        'TLS met in plain text',
        () => ({ MILENA_KAFKA_BROKERS: secure }),
        () => `The broker at ${secure} speaks TLS: set MILENA_KAFKA_TLS=true, and`,
      ],
      [
        'TLS met in plain text, with a password',
        () => ({ MILENA_KAFKA_BROKERS: secure, ...SASL() }),
        () => `The broker at ${secure} speaks TLS: set MILENA_KAFKA_TLS=true, and`,
      ],
      [
        'plain text met with TLS',
        () => ({ MILENA_KAFKA_BROKERS: broker.brokers, MILENA_KAFKA_TLS: 'true' }),
        () => `The broker at ${broker.brokers} does not speak TLS: leave MILENA_KAFKA_TLS`,
      ],
      [
        'the certificate of another authority',
        () => ({ ...TLS(), ...SASL(), MILENA_KAFKA_TLS_CA: otherCa }),
        () =>
          `The certificate of the broker at ${secure} is signed by none of MILENA_KAFKA_TLS_CA=${otherCa}`,
      ],
      [
        "an authority that is none of the system's",
        () => ({ MILENA_KAFKA_BROKERS: secure, MILENA_KAFKA_TLS: 'true', ...SASL() }),
        () => `The certificate of the broker at ${secure} is signed by none of the system's authorities`,
      ],
      [
        'a certificate for another name',
        () => ({ ...TLS(), ...SASL(), MILENA_KAFKA_BROKERS: byAddress }),
        () => `The certificate of the broker at ${byAddress} is for another name: `,
      ],
      [
        'a wrong password',
        () => ({ ...TLS(), ...SASL('guessed') }),
        () => `Kafka refused the credentials of milena at ${secure} (SCRAM-SHA-512)`,
      ],
      [
        'no password where one is asked for',
        TLS,
        () => `The broker at ${secure} ends connections without a login: set MILENA_KAFKA_SASL_MECHANISM`,
      ],
      [
        'a password where none is asked for',
        () => ({ MILENA_KAFKA_BROKERS: broker.brokers, ...SASL() }),
        () => `The broker at ${broker.brokers} asks for no password there`,
      ],
      [
        'another mechanism',
        () => ({ ...TLS(), ...SASL(PASSWORD, 'PLAIN') }),
        () =>
          `The broker at ${secure} does not know PLAIN: set MILENA_KAFKA_SASL_MECHANISM to SCRAM-SHA-512.`,
      ],
      [
        'an advertised address that cannot be reached',
        () => ({ MILENA_KAFKA_BROKERS: lost }),
        () =>
          `The broker at ${lost} says that broker 1 is reached at ${nowhere} (advertised.listeners), and that cannot be ` +
          `reached from here: Nothing listens at ${nowhere}.`,
      ],
    ];

    // What is said is one function's; who says it, each program's: a storage meets all of it, a program of each kind some.
    const rows = Object.entries(all)
      .map(([name, run], row) => ({ name, run, row }))
      .filter(({ name }) => FULL || /^(storage|frontend|spawn_producer|kafka-tool|doctor)/.test(name));
    describe.each(rows)('$name', ({ name, run, row }) => {
      it.each(name === 'storage' ? CASES : share(CASES, 11, row))(
        'says one sentence of %s: 78',
        async (_what, settings, sentence) => {
          const { code, said } = await run(settings());
          expect(said).toContain(sentence());
          expect(said).not.toMatch(/^ +at |Exception|Error:/m);
          if (name === 'frontend' || name.startsWith('spawn'))
            expect(said.trim().split('\n')).toHaveLength(1);
          expect(code).toBe(78);
        },
      );

      // Of the tools tools.test.ts has it, of the frontend frontend-start.test.ts.
      if (!FULL && /^(spawn|test_|kafka-tool|frontend)/.test(name)) return;
      it('says where it looked when nobody is there: 69', async () => {
        const { code, said } = await run({ MILENA_KAFKA_BROKERS: nowhere });
        expect(said).toContain(nowhere);
        expect(code).toBe(69);
      });
    });

    it('is used by each of them when it is described as it is', async () => {
      const settings = { ...TLS(), ...SASL() };
      const state = { ...settings, MILENA_STATE_DIR: join(folder, 'state') };
      const tool = await runScript('scripts/kafka-tool.sh', ['topics', '--create', '--topic', 'made'], {
        settings: state,
      });
      expect(tool, tool.stderr).toMatchObject({ code: 0 });
      const written = await runScript('spawn_producer.sh', ['made'], { settings: state, input: 'a line\n' });
      expect(written, written.stderr).toMatchObject({ code: 0 });
      const looked = await doctor(settings);
      expect(looked, looked.stdout).toMatchObject({ code: 0 });
      const engine = await openKafkaStorage(
        readConfig({ MILENA_CLUSTER_KEYS: TEST_KEYS, ...settings }),
        testLog,
      );
      onTestFinished(() => engine.close());
      const owner = await engine.accounts.create({ name: uniqueName('safe') });
      const { inbox, bodies } = await observe(engine, owner);
      await engine.inboxes.append(owner, message(owner, 'sealed'));
      await eventually(() => expect(bodies()).toEqual(['sealed']));
      await inbox.close();
      if (!FULL) return;
      const tried = await runScript('test_producer.sh', [], { settings: state });
      expect(tried, tried.stderr).toMatchObject({ code: 0 });
      const reader = new RunningScript('spawn_consumer.sh', ['made'], state, tmpdir());
      await reader.printed(/^a line$/m);
      reader.child.kill('SIGTERM');
      await reader.exited;
      const running = await RunningFrontend.start(settings);
      onTestFinished(() => running.remove());
      expect(running.stdout).not.toMatch(/"level":(40|50)/);
    });
  },
);

describe('an address', () => {
  it('of a program that is no Kafka is told as that', async () => {
    const server = createServer(
      (socket) => void socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const where = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    const { code, said } = await storage({ MILENA_KAFKA_BROKERS: where });
    expect(said).toContain(`What listens at ${where} does not answer as Kafka does`);
    expect(code).toBe(69);
  });
});

describe('a setting that cannot be used', () => {
  const folder = mkdtempSync(join(tmpdir(), 'milena-values-'));
  const file = (name: string, content: string, mode: number): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  };
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const KEY = `k1:${Buffer.alloc(32, 1).toString('base64url')}`;

  const UNUSABLE: [string, () => Record<string, string>, RegExp][] = [
    [
      'keys',
      () => ({ MILENA_CLUSTER_KEYS: 'k1:short' }),
      /^MILENA_CLUSTER_KEYS=\(not shown\): it must be keys/,
    ],
    [
      'a key file that others may read',
      () => ({ MILENA_CLUSTER_KEYS: '', MILENA_CLUSTER_KEY_FILE: file('open.key', KEY, 0o644) }),
      /open\.key: it must be .*chmod 600/,
    ],
    [
      'a key file with something else in it',
      () => ({ MILENA_CLUSTER_KEYS: '', MILENA_CLUSTER_KEY_FILE: file('other.key', 'hello', 0o600) }),
      /other\.key: it must be /,
    ],
    [
      'a key file that is a folder',
      () => ({ MILENA_CLUSTER_KEYS: '', MILENA_CLUSTER_KEY_FILE: folder }),
      /./,
    ],
    [
      'an authority that is not there',
      () => ({ MILENA_KAFKA_TLS_CA: '/no/such.pem' }),
      /^MILENA_KAFKA_TLS_CA=\/no\/such\.pem: it must be .*there is no such file/,
    ],
    [
      'an authority that is none',
      () => ({ MILENA_KAFKA_TLS_CA: file('ca.txt', 'hello', 0o600) }),
      /^MILENA_KAFKA_TLS_CA=.*ca\.txt: it must be .*there is none in it/,
    ],
    [
      'a port',
      () => ({ MILENA_KAFKA_BROKERS: '127.0.0.1:99999' }),
      /^MILENA_KAFKA_BROKERS=127\.0\.0\.1:99999: /,
    ],
    [
      'half a login',
      () => ({ MILENA_KAFKA_SASL_USERNAME: 'milena' }),
      /^MILENA_KAFKA_SASL_MECHANISM is not set, and .* is: it must be /,
    ],
    [
      'a certificate without its key',
      () => ({ MILENA_KAFKA_TLS_CERT: 'x.pem' }),
      /^MILENA_KAFKA_TLS_KEY is not set, and MILENA_KAFKA_TLS_CERT is: /,
    ],
  ];
  it.each(UNUSABLE)('is refused with one sentence and 78: %s', async (what, settings, sentence) => {
    // That a frontend says what its storage does, one of them shows.
    const run = FULL || what === 'keys' ? frontend : storage;
    const { code, said } = await run({ MILENA_KAFKA_BROKERS: '127.0.0.1:9', ...settings() });
    expect(said).toMatch(sentence);
    expect(said.trim().split('\n')).toHaveLength(1);
    expect(said).not.toContain('    at ');
    expect(code).toBe(78);
  });

  it('that nobody reads is told of with the nearest one', async () => {
    const tool = await runScript('test_producer.sh', [], {
      settings: { MILENA_KAFKA_BROKERS: '127.0.0.1:9', MILENA_KAFKA_USER: 'x' },
    });
    expect(tool.stderr).toMatch(/There is no setting MILENA_KAFKA_USER, .*Is MILENA_\w+ meant\?/);
    const looked = await doctor({ MILENA_KAFKA_BROKERS: '127.0.0.1:9', MILENA_KAFKA_BROKER: 'x' });
    expect(looked.stdout).toMatch(
      /^! settings +There is no setting MILENA_KAFKA_BROKER, .*Is MILENA_KAFKA_BROKERS meant\?/m,
    );
  });
});
