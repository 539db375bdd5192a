import { randomInt } from 'node:crypto';
import kafkajs, { type Admin } from 'kafkajs';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/setting-table.ts';
import type { Storage } from '../../src/core/storage.ts';
import type { Finding } from '../../src/storage/kafka/check/finding.ts';
import { checkKafka } from '../../src/storage/kafka/check/kafka-check.ts';
import { openKafkaStorage } from '../../src/storage/kafka/index.ts';
import { contactKafka } from '../../src/storage/kafka/wire/contact.ts';
import { type Door, doorOf, settingsOf } from '../broker/authorizer.ts';
import { borrowBroker } from '../broker/borrow.ts';
import { TEST_KEYS } from '../broker/brokers.ts';
import { javaUsable } from '../broker/java.ts';
import type { TestBroker } from '../broker/test-broker.ts';
import { eventually, message, observe, uniqueName } from '../contracts/cluster.ts';
import { share } from '../size.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } =
  kafkajs;

const OPERATIONS = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  Create: AclOperationTypes.CREATE,
  Delete: AclOperationTypes.DELETE,
  Describe: AclOperationTypes.DESCRIBE,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
  AlterConfigs: AclOperationTypes.ALTER_CONFIGS,
};
const KINDS = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  'transactional-id': AclResourceTypes.TRANSACTIONAL_ID,
  cluster: AclResourceTypes.CLUSTER,
};
type Right = readonly [operation: keyof typeof OPERATIONS, kind: keyof typeof KINDS, name: string];

const TABLES = ['milena.accounts', 'milena.sessions', 'milena.rooms', 'milena.members', 'milena.notices'];
const GATE = 'milena_control';
const ON_TABLES = ['Create', 'Describe', 'Read', 'Write', 'DescribeConfigs', 'AlterConfigs'] as const;
/** All that a frontend needs, one by one; a name that ends with a dot stands for all that begin so. */
const RIGHTS: readonly Right[] = [
  ...TABLES.flatMap((table) => ON_TABLES.map((operation): Right => [operation, 'topic', table])),
  ...([...ON_TABLES, 'Delete'] as const).map((operation): Right => [operation, 'topic', 'milena.inbox.']),
  ...([...ON_TABLES, 'Delete'] as const).map((operation): Right => [operation, 'topic', 'milena.room.']),
  ...(['Describe', 'Read', 'Delete'] as const).map(
    (operation): Right => [operation, 'group', 'milena.inbox.'],
  ),
  ...(['Describe', 'Read'] as const).map((operation): Right => [operation, 'group', 'milena.frontend.']),
  ...(['Describe', 'Write'] as const).map(
    (operation): Right => [operation, 'transactional-id', 'milena.account.'],
  ),
  ...(['Describe', 'Write'] as const).map(
    (operation): Right => [operation, 'transactional-id', 'milena.room.'],
  ),
  ['Create', 'topic', GATE],
  ['Describe', 'topic', GATE],
  ['Delete', 'topic', 'milena.control'],
  ['DescribeConfigs', 'cluster', 'kafka-cluster'],
];
/** Whoever may read, write, delete or alter may describe; who may alter settings may describe them. */
const IMPLIED = ([operation, kind]: Right) =>
  operation === 'Describe' || (operation === 'DescribeConfigs' && kind === 'topic');
const OPTIONAL = ([operation, kind, name]: Right) =>
  /Configs$/.test(operation) ||
  name === 'milena.room.' ||
  (operation === 'Delete' && (kind === 'group' || name === 'milena.control'));

describe.skipIf(!(await javaUsable()))('rights in Kafka (a broker with an authorizer: needs Java)', () => {
  let door: Door;
  let broker: TestBroker;
  let admin: Admin;

  beforeAll(async () => {
    broker = await borrowBroker('guarded');
    door = doorOf(broker);
    admin = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
  });
  afterAll(async () => {
    await admin?.disconnect();
    await broker?.stop();
  });

  const configOf = (more: Record<string, string> = {}) =>
    readConfig({ ...settingsOf(door, 'milena'), MILENA_CLUSTER_KEYS: TEST_KEYS, ...more });
  const check = async (): Promise<Finding[]> => {
    const findings = await checkKafka(configOf(), await contactKafka(configOf()));
    return findings.filter(({ what }) => what.startsWith('right'));
  };

  async function grant(rights: readonly Right[]): Promise<void> {
    await admin.createAcls({
      acl: rights.map(([operation, kind, name]) => ({
        ...{ resourceType: KINDS[kind], resourceName: name, host: '*', principal: 'User:milena' },
        operation: OPERATIONS[operation],
        permissionType: AclPermissionTypes.ALLOW,
        resourcePatternType: name.endsWith('.')
          ? ResourcePatternTypes.PREFIXED
          : ResourcePatternTypes.LITERAL,
      })),
    });
  }
  async function revoke([operation, kind, name]: Right): Promise<void> {
    const filter = { resourceType: KINDS[kind], resourceName: name, operation: OPERATIONS[operation] };
    await admin.deleteAcls({
      filters: [
        {
          ...filter,
          ...{ permissionType: AclPermissionTypes.ALLOW, resourcePatternType: ResourcePatternTypes.ANY },
        },
      ],
    });
  }
  /** Kafka's brokers hear of changes a moment later. */
  const settled = (expected: readonly string[]) =>
    eventually(async () => expect((await check()).map(({ what }) => what)).toEqual(expected));

  it('that are all there are one good line', async () => {
    await grant(RIGHTS);
    await settled(['rights']);
    const engine = await openKafkaStorage(configOf(), pino({ level: 'silent' }));
    await engine.close();
  });

  // Without that, Kafka does not tell whether there is a right to make it, either.
  const ONE_BY_ONE = RIGHTS.filter(([operation, , name]) => operation !== 'Describe' || name !== GATE);
  it.each(share(ONE_BY_ONE, 10, randomInt(10)))(
    'without %s on %s %s say just that, with the command that grants it',
    async (...right) => {
      const [operation, kind, name] = right;
      await grant(RIGHTS);
      await settled(['rights']);
      await revoke(right);
      onTestFinished(() => grant([right]));
      const isHeld = IMPLIED(right) || (operation === 'Create' && [...TABLES, GATE].includes(name));
      if (isHeld) {
        // Held by other rights, or not needed any more: nothing is missing.
        await settled(['rights']);
        return;
      }
      const resource = kind === 'cluster' ? 'cluster' : `${kind} ${name}${name.endsWith('.') ? '*' : ''}`;
      await settled([`right ${operation} on ${resource} for User:milena`]);
      const [finding] = await check();
      expect(finding).toMatchObject({ grade: OPTIONAL(right) ? 'dangerous' : 'broken' });
      expect(finding?.remedy).toBe(
        `scripts/kafka-tool.sh acls --add --allow-principal 'User:milena' --operation ${operation} ` +
          (kind === 'cluster' ? '--cluster' : `--${kind} '${name}'`) +
          (name.endsWith('.') ? ' --resource-pattern-type prefixed' : ''),
      );
      if (OPTIONAL(right)) return;
      const opening = openKafkaStorage(configOf(), pino({ level: 'silent' }));
      await expect(opening).rejects.toBeInstanceOf(ConfigError);
      await expect(opening).rejects.toThrow(`right ${operation} on ${resource} for User:milena: `);
    },
  );

  describe('taken away while a frontend runs', () => {
    interface Line {
      readonly msg: string;
      readonly operation?: string;
      readonly kind?: string;
      readonly resource?: string;
      readonly principal?: string;
      readonly grant?: string;
      readonly err?: { readonly stack?: string };
    }
    let engine: Storage;
    let lines: Line[];

    beforeAll(async () => {
      await grant(RIGHTS);
      await settled(['rights']);
      lines = [];
      const log = pino({ level: 'info' }, { write: (text: string) => void lines.push(JSON.parse(text)) });
      engine = await openKafkaStorage(configOf(), log);
    });
    afterAll(() => engine?.close());

    const told = (operation: string, kind: string, resource: string) =>
      eventually(() =>
        expect(lines).toContainEqual(
          expect.objectContaining({ operation, kind, resource, principal: 'User:milena' }),
        ),
      );
    const takenAway = async (right: Right) => {
      const [operation, kind, name] = right;
      await revoke(right);
      onTestFinished(async () => {
        await grant([right]);
        await settled(['rights']);
      });
      await settled([`right ${operation} on ${kind} ${name}* for User:milena`]);
    };

    it('refuse a send at once', async () => {
      const owner = await engine.accounts.create({ name: uniqueName('owner') });
      await takenAway(['Write', 'topic', 'milena.inbox.']);
      await expect(engine.inboxes.append(owner, message(owner, 'no'))).rejects.toMatchObject({
        code: 'REFUSED',
      });
      await told('Write', 'topic', `milena.inbox.${owner.name}`);
    });

    it('refuse every send, where nothing may be written, by a right that can be granted', async () => {
      const owner = await engine.accounts.create({ name: uniqueName('owner') });
      const writes = RIGHTS.filter(([operation, kind]) => operation === 'Write' && kind === 'topic');
      for (const right of writes) await revoke(right);
      onTestFinished(async () => {
        await grant(writes);
        await settled(['rights']);
      });
      await eventually(async () => expect(await check()).toHaveLength(writes.length));
      const before = lines.length;
      // The first by the topic, then nobody gets a producer id any more.
      for (let i = 0; i < 2; i++) {
        await expect(engine.inboxes.append(owner, message(owner, 'no'))).rejects.toMatchObject({
          code: 'REFUSED',
        });
      }
      await told('Write', 'topic', 'milena.*');
      const since = lines.slice(before);
      const prefix = "--operation Write --topic 'milena.' --resource-pattern-type prefixed";
      expect(since.map(({ grant }) => grant)).toContainEqual(expect.stringContaining(prefix));
      expect(since.filter(({ grant = '' }) => grant.includes('--cluster'))).toEqual([]);
      expect(since.filter(({ err }) => err?.stack !== undefined)).toEqual([]);
    });

    it('refuse to make an account', async () => {
      const name = uniqueName('nobody');
      await takenAway(['Create', 'topic', 'milena.inbox.']);
      await expect(engine.accounts.create({ name })).rejects.toMatchObject({ code: 'REFUSED' });
      await told('Create', 'topic', `milena.inbox.${name}`);
    });

    it('refuse to delete one, and it is still there with all its mail', async () => {
      const owner = await engine.accounts.create({ name: uniqueName('owner') });
      await engine.inboxes.append(owner, message(owner, 'kept'));
      await takenAway(['Delete', 'topic', 'milena.inbox.']);
      await expect(engine.accounts.remove(owner)).rejects.toMatchObject({ code: 'REFUSED' });
      await told('Delete', 'topic', `milena.inbox.${owner.name}`);
      expect(await engine.accounts.findEvenly(owner.name)).toEqual(owner);
      const reader = await observe(engine, owner);
      expect(await reader.inbox.undelivered()).toBe(1);
      await reader.inbox.close();
    });

    it('refuse a login', async () => {
      const owner = await engine.accounts.create({ name: uniqueName('owner') });
      await takenAway(['Read', 'group', 'milena.inbox.']);
      await expect(observe(engine, owner)).rejects.toMatchObject({ code: 'REFUSED' });
      await told('Read', 'group', `milena.inbox.${owner.name}`);
    });

    it('refuse a change of an account', async () => {
      const owner = await engine.accounts.create({ name: uniqueName('owner') });
      await takenAway(['Write', 'transactional-id', 'milena.account.']);
      await expect(engine.accounts.update(owner, { displayName: 'x' })).rejects.toMatchObject({
        code: 'REFUSED',
      });
      await told('Write', 'transactional-id', `milena.account.${owner.name}`);
    });
  });
});
