/* The commands of docs/operations.md, on a broker with an authorizer: what each kind of user can do then, and what not. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { joinGroupV9 } from '@platformatic/kafka';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { describeMembers } from '../../src/storage/kafka/groups/consumer-members.ts';
import { Cluster } from '../../src/storage/kafka/wire/cluster.ts';
import { expectNone } from '../../src/storage/kafka/wire/kafka-error.ts';
import { kafkaSecurity } from '../../src/storage/kafka/wire/kafka-security.ts';
import { now } from '../../src/storage/kafka/wire/retry.ts';
import { type Door, doorOf, passwordOf, settingsOf } from '../broker/authorizer.ts';
import { borrowBroker } from '../broker/borrow.ts';
import { javaUsable } from '../broker/java.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { eventually } from '../contracts/cluster.ts';
import { testTrust } from '../kafka/cluster.ts';
import { RawClient } from '../server/raw-client.ts';
import { FULL } from '../size.ts';
import { CommandHere } from '../terminal/cli/command-here.ts';
import { built, RunningFrontend } from './running-frontend.ts';
import { ROOT, RunningScript, runScript } from './script.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

/** As they stand in the document, one line each. */
function commands(): string[][] {
  const text = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
  return [...text.matchAll(/```sh acl\n([^`]*)```/g)]
    .flatMap(([, block]) => (block ?? '').trim().split('\n'))
    .map((line) => line.split(' '));
}

/** A line of the document in Kafka's protocol: each of its operations is a right. */
function rightsIn(words: readonly string[]): kafkajs.AclEntry[] {
  const after = (option: string) =>
    words.flatMap((word, at) => (word === option ? [words[at + 1] ?? ''] : []));
  const [kind, type] = RESOURCES.find(([option]) => words.includes(option)) ?? [];
  if (kind === undefined || type === undefined) throw new Error(`no resource: ${words.join(' ')}`);
  const isPrefixed = after('--resource-pattern-type')[0] === 'prefixed';
  return after('--operation').map((operation) => ({
    principal: after('--allow-principal')[0] ?? '',
    host: '*',
    operation: OPERATIONS[operation] ?? AclOperationTypes.UNKNOWN,
    permissionType: AclPermissionTypes.ALLOW,
    resourceType: type,
    resourceName: kind === '--cluster' ? 'kafka-cluster' : (after(kind)[0] ?? ''),
    resourcePatternType: isPrefixed ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
  }));
}

const RESOURCES = [
  ['--topic', AclResourceTypes.TOPIC],
  ['--group', AclResourceTypes.GROUP],
  ['--transactional-id', AclResourceTypes.TRANSACTIONAL_ID],
  ['--cluster', AclResourceTypes.CLUSTER],
] as const;
const OPERATIONS: Readonly<Record<string, kafkajs.AclOperationTypes>> = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  Create: AclOperationTypes.CREATE,
  Delete: AclOperationTypes.DELETE,
  Describe: AclOperationTypes.DESCRIBE,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
  AlterConfigs: AclOperationTypes.ALTER_CONFIGS,
};

// Kafka's tools and brokers take long to start where the machine has other work.
const PATIENCE = { timeout: 300_000 };

describe.skipIf(!(await javaUsable()))(
  'with the rights of docs/operations.md (a broker with an authorizer: needs Java)',
  PATIENCE,
  () => {
    const state = mkdtempSync(join(tmpdir(), 'milena-rights-'));
    let door: Door;
    let broker: TestBroker;
    let frontend: RunningFrontend;
    const as = (user: string) => ({ settings: { ...settingsOf(door, user), MILENA_STATE_DIR: state } });
    const doctor = (user: string) => new CommandHere(['doctor', '--kafka'], as(user).settings).done();

    beforeAll(async () => {
      await built();
      broker = await borrowBroker('guarded');
      door = doorOf(broker);
      // Each line is a JVM: that of integrators, which is short, unless all are asked for.
      const all = commands();
      for (const [script = '', ...args] of FULL
        ? all
        : all.filter((words) => words.includes('User:alerts'))) {
        const settings = { MILENA_KAFKA_BROKERS: broker.brokers, MILENA_STATE_DIR: state };
        const done = await runScript(script, args, { settings });
        expect(done, done.stdout + done.stderr).toMatchObject({ code: 0 });
      }
      const admin = new kafkajs.Kafka({
        brokers: [broker.brokers],
        logLevel: kafkajs.logLevel.NOTHING,
      }).admin();
      await admin.connect();
      await admin.createAcls({ acl: all.flatMap(rightsIn) });
      await admin.disconnect();
      frontend = await RunningFrontend.start(settingsOf(door, 'milena'));
      const client = await RawClient.connect(frontend.address);
      await client.create('alice');
      client.socket.destroy();
    }, 600_000);
    afterAll(async () => {
      await frontend?.remove();
      await broker?.stop();
      rmSync(state, { recursive: true, force: true });
    });

    function kafkaOf(user: string) {
      return new kafkajs.Kafka({
        brokers: [door.address],
        sasl: { mechanism: 'plain', username: user, password: passwordOf(user) },
        logLevel: kafkajs.logLevel.NOTHING,
        retry: { retries: 0 },
      });
    }
    /** Writes one record, as any Kafka producer does. */
    async function produce(user: string, topic: string): Promise<void> {
      const producer = kafkaOf(user).producer();
      await producer.connect();
      try {
        await producer.send({ topic, messages: [{ value: `from ${user}` }] });
      } finally {
        await producer.disconnect();
      }
    }
    function clusterOf(user: string): Cluster {
      const config = readConfig(settingsOf(door, user));
      const security = kafkaSecurity(config);
      return new Cluster({ bootstrap: config.brokers, clientId: 'consumer', security });
    }
    /** Joins a group of that name, as any consumer does. @throws KafkaError */
    async function joinGroup(user: string, group: string): Promise<void> {
      const cluster = clusterOf(user);
      try {
        const protocols = [{ name: 'range', metadata: Buffer.alloc(0) }];
        const { errorCode } = await cluster.requestCoordinator(
          ...([
            'group',
            group,
            joinGroupV9.api,
            group,
            10_000,
            10_000,
            '',
            null,
            'consumer',
            protocols,
            null,
          ] as const),
        );
        expectNone(`JoinGroup ${group}`, errorCode);
      } finally {
        await cluster.close();
      }
    }

    it('a frontend has all it needs, and does all it does', async () => {
      const done = await doctor('milena');
      expect(done, done.stdout).toMatchObject({ code: 0 });
      expect(done.stdout).toMatch(/^✓ kafka +rights: User:milena has all that a frontend needs\.$/m);
      expect(frontend.stdout).not.toMatch(/Kafka refuses|"kafka":/);

      const bob = await RawClient.connect(frontend.address);
      await bob.create('bob');
      const carol = await RawClient.connect(frontend.address);
      await carol.create('carol');
      expect(await bob.ask({ type: 'send', to: 'carol', body: 'hello' })).toMatchObject({
        text: 'delivered to carol',
      });
      await eventually(() => expect(carol.bodies()).toEqual(['hello']));
      bob.write({ type: 'delete' });
      await eventually(async () => {
        expect(await carol.ask({ type: 'list', pattern: '' })).toEqual({
          type: 'listed',
          names: ['alice', 'carol'],
        });
      });
      carol.socket.destroy();
      bob.socket.destroy();
      expect(frontend.stdout).not.toMatch(/Kafka refuses|"kafka":/);
    });

    it('an integrator may send to a person, and nothing else', async () => {
      const sent = await runScript('spawn_producer.sh', ['milena.inbox.alice', '--key', 'build'], {
        ...as('alerts'),
        input: 'the build is done\n',
      });
      expect(sent, sent.stderr).toMatchObject({ code: 0 });
      const alice = await RawClient.connect(frontend.address);
      onTestFinished(() => void alice.socket.destroy());
      await alice.ask({ type: 'login', name: 'alice' });
      expect(JSON.stringify(await alice.ask({ type: 'retrieve' }))).toContain('the build is done');

      for (const topic of ['milena.accounts', 'milena.sessions', 'milena.notices']) {
        await expect(produce('alerts', topic), topic).rejects.toThrow(/authorized|authorization/i);
      }
      const read = await runScript('spawn_consumer.sh', ['milena.inbox.alice'], as('alerts'));
      expect(read.code).toBe(1);
      expect(read.stderr).toContain('TOPIC_AUTHORIZATION_FAILED');
      expect(read.stderr).toContain("--operation Read --topic 'milena.inbox.alice'");
      expect(read.stdout).toBe('');
      await expect(joinGroup('alerts', 'milena.inbox.alice')).rejects.toThrow('GROUP_AUTHORIZATION_FAILED');
    });

    it('an observer sees who holds an inbox and what is in it, and changes nothing', async () => {
      const group = ['--describe', '--group', 'milena.inbox.alice'];
      if (FULL) {
        const described = await runScript(
          'scripts/kafka-tool.sh',
          ['consumer-groups', ...group],
          as('watcher'),
        );
        expect(described, described.stderr).toMatchObject({ code: 0 });
      } else {
        // The request of that tool: refused to whoever may not describe the group.
        const cluster = clusterOf('watcher');
        onTestFinished(() => cluster.close());
        const described = await describeMembers(cluster, testTrust, ['milena.inbox.alice'], now() + 10_000);
        expect(described).toHaveLength(1);
      }
      const reading = new RunningScript(
        'spawn_consumer.sh',
        ['milena.inbox.alice'],
        as('watcher').settings,
        tmpdir(),
      );
      onTestFinished(async () => {
        reading.child.kill('SIGTERM');
        await reading.exited;
      });
      await reading.printed(/the build is done/);

      const sent = await runScript('spawn_producer.sh', ['milena.inbox.alice'], {
        ...as('watcher'),
        input: 'no\n',
      });
      expect(sent.code).toBe(1);
      expect(sent.stderr).toMatch(
        /TOPIC_AUTHORIZATION_FAILED \(User:watcher\)|CLUSTER_AUTHORIZATION_FAILED \(User:watcher\)/,
      );
      await expect(produce('watcher', 'milena.inbox.alice')).rejects.toThrow(/authorized|authorization/i);
      await expect(joinGroup('watcher', 'milena.inbox.alice')).rejects.toThrow('GROUP_AUTHORIZATION_FAILED');
      const admin = kafkaOf('watcher').admin();
      await admin.connect();
      onTestFinished(() => admin.disconnect());
      await expect(admin.deleteTopics({ topics: ['milena.inbox.alice'] })).rejects.toThrow(
        /authorized|authorization/i,
      );
      await expect(admin.deleteGroups(['milena.inbox.alice'])).rejects.toThrow();
    });

    it('an outsider can do nothing, and is told which rights are missing', async () => {
      await expect(produce('outsider', 'milena.inbox.alice')).rejects.toThrow();
      await expect(joinGroup('outsider', 'milena.inbox.alice')).rejects.toThrow('GROUP_AUTHORIZATION_FAILED');
      const admin = kafkaOf('outsider').admin();
      await admin.connect();
      onTestFinished(() => admin.disconnect());
      expect((await admin.listTopics()).filter((topic) => topic.startsWith('milena'))).toEqual([]);

      const done = await doctor('outsider');
      expect(done.code).toBe(78);
      expect(done.stdout).toMatch(
        /^✗ kafka +right Write on topic milena\.inbox\.\* for User:outsider: No message can be sent\.$/m,
      );
      // Those of the document, and no others.
      const printed = done.stdout.split('\n').filter((line) => line.includes('--add'));
      const documented = commands().filter((words) => words.includes('User:milena'));
      expect(printed.map((line) => line.replace(/^ *(→ )?/, '').replaceAll("'", ''))).toEqual(
        documented.map((words) => words.join(' ').replace('User:milena', 'User:outsider')),
      );
      expect(done.stdout).toMatch(/Run these as a user who may change rights/);
      const refused = new RunningFrontend(settingsOf(door, 'outsider'));
      onTestFinished(() => refused.remove());
      expect(await refused.exited).toBe(78);
      expect(refused.stderr).toContain('right Read on group milena.frontend.* for User:outsider');
      expect(refused.stderr).not.toContain('    at ');
    });
  },
);
