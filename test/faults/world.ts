import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startBroker, startCluster } from '../broker/broker.ts';
import { JvmBroker } from '../broker/jvm-broker.ts';
import { freePorts } from '../broker/ports.ts';
import { Frontend } from './frontend.ts';
import { Wire } from './wire.ts';

/**
 * One broker; one on a file system of 96 MiB; three with three copies of everything, two of which have to be in step; or one to
 * which each frontend has a wire, with a wire in front of each frontend.
 */
export type WorldKind = 'one' | 'small' | 'three' | 'wired';

export interface WorldOptions {
  readonly kind: WorldKind;
  readonly build: string;
  /** Where logs of frontends go. */
  readonly folder: string;
  readonly frontends?: number;
  /** Further settings of frontends. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** The shortest lease that Kafka's default allows: rows wait for its end. */
export const LEASE_MS = 6_000;
const KEYS = `rows:${Buffer.alloc(32, 7).toString('base64url')}`;
const SMALL = '96m';
/** What a wire that is dead in both ways is found by. */
const SIGNS_OF_LIFE = { MILENA_PING_AFTER_MS: '5000', MILENA_CLOSE_AFTER_MS: '10000' };
/** What keeps people from doing too much is in the way here. */
const NO_LIMITS = { MILENA_NEW_ACCOUNTS_PER_ADDRESS: '1000000', MILENA_NEW_ACCOUNTS: '1000000' };

interface Kafka {
  /** For tools, and for frontends that have no wire: `host:port`, joined by commas. */
  readonly brokers: string;
  readonly nodes: readonly JvmBroker[];
  /** One for each frontend, or none. */
  readonly wires: readonly Wire[];
  /** Before the brokers' folders are removed. */
  readonly release?: () => Promise<void>;
}

/** Brokers and frontends that run, and the wires between them. */
export class World {
  readonly kind: WorldKind;
  readonly frontends: readonly Frontend[];
  /** From each frontend to the broker, in a world with wires. */
  readonly cables: readonly Wire[];
  /** In front of each frontend, likewise. */
  readonly doors: readonly Wire[];
  readonly #kafka: Kafka;

  private constructor(kind: WorldKind, kafka: Kafka, frontends: readonly Frontend[], doors: readonly Wire[]) {
    this.kind = kind;
    this.#kafka = kafka;
    this.cables = kafka.wires;
    this.frontends = frontends;
    this.doors = doors;
  }

  static async start({ kind, build, folder, frontends = 2, settings = {} }: WorldOptions): Promise<World> {
    const kafka = await startKafka(kind, frontends);
    const ports = await freePorts(frontends);
    const made = ports.map((port, i) => {
      const wire = kafka.wires[i];
      const own = {
        MILENA_KAFKA_BROKERS: wire === undefined ? kafka.brokers : `127.0.0.1:${wire.port}`,
        MILENA_CLUSTER_KEYS: KEYS,
        MILENA_FRONTEND_LEASE_MS: String(LEASE_MS),
        MILENA_REPLICATION_FACTOR: kind === 'three' ? '3' : '1',
        ...NO_LIMITS,
        ...(kind === 'wired' ? SIGNS_OF_LIFE : {}),
        ...settings,
      };
      return new Frontend({ build, folder, port, settings: own });
    });
    const doors = kind === 'wired' ? await Promise.all(ports.map((port) => Wire.open(port))) : [];
    const world = new World(kind, kafka, made, doors);
    try {
      await world.heal();
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  get brokers(): string {
    return this.#kafka.brokers;
  }

  get nodes(): readonly JvmBroker[] {
    return this.#kafka.nodes;
  }

  /** Where clients come in, the i-th first: `HOST:PORT` each. */
  serversFrom(i: number): string[] {
    const ports = (this.doors.length > 0 ? this.doors : this.frontends).map(({ port }) => port);
    return ports.map((_, at) => `127.0.0.1:${ports[(at + i) % ports.length]}`);
  }

  frontend(i: number): Frontend {
    return found(this.frontends, i);
  }

  node(i: number): JvmBroker {
    return found(this.nodes, i);
  }

  cable(i: number): Wire {
    return found(this.cables, i);
  }

  door(i: number): Wire {
    return found(this.doors, i);
  }

  /** Everything runs again, and is connected. */
  async heal(): Promise<void> {
    for (const node of this.nodes) await node.thaw();
    await Promise.all(this.nodes.map((node) => node.start()));
    await Promise.all([...this.cables, ...this.doors].map((wire) => wire.set('open')));
    for (const frontend of this.frontends) frontend.signal('SIGCONT');
    await Promise.all(this.frontends.map((frontend) => frontend.start()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.frontends.map((frontend) => frontend.end('SIGKILL')));
    for (const wire of [...this.cables, ...this.doors]) wire.close();
    await this.#kafka.release?.();
    await Promise.all(this.nodes.map((node) => node.stop()));
  }
}

async function startKafka(kind: WorldKind, frontends: number): Promise<Kafka> {
  if (kind === 'three') return { ...(await startCluster(3)), wires: [] };
  if (kind === 'wired') return startWired(frontends);
  if (kind === 'small') return startSmall();
  const broker = await startBroker({ heap: '768m' });
  if (!(broker instanceof JvmBroker)) throw new Error('the rows need Java, for brokers that they can kill');
  return { brokers: broker.brokers, nodes: [broker], wires: [] };
}

/** Its data folder is a file system of its own, which ends with it. */
async function startSmall(): Promise<Kafka> {
  const [port = 0, controllerPort = 0] = await freePorts(2);
  const broker = new JvmBroker({ ...alone(port, controllerPort), properties: {} });
  const data = join(broker.folder, 'data');
  mkdirSync(data);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SMALL}`, 'tmpfs', data]);
  return {
    brokers: broker.brokers,
    nodes: [broker],
    wires: [],
    release: async () => {
      await broker.kill();
      execFileSync('umount', [data]);
    },
  };
}

function alone(port: number, controllerPort: number) {
  const voters = `1@127.0.0.1:${controllerPort}`;
  return { nodeId: 1, port, controllerPort, voters, nodes: 1, heap: '768m' };
}

/** Whoever comes by a listener is told that listener's address: so all connections of a frontend take its wire. */
async function startWired(frontends: number): Promise<Kafka> {
  const [port = 0, controllerPort = 0, ...ports] = await freePorts(2 + frontends);
  const wires = await Promise.all(ports.map((target) => Wire.open(target)));
  const names = wires.map((_, i) => `WIRE${i}`);
  const plain = ['PLAINTEXT', 'CONTROLLER', ...names].map((name) => `${name}:PLAINTEXT`);
  const broker = new JvmBroker({
    ...alone(port, controllerPort),
    listener: names.map((name, i) => `${name}://127.0.0.1:${ports[i]}`).join(','),
    properties: {
      'listener.security.protocol.map': plain.join(','),
      'advertised.listeners': [
        `PLAINTEXT://127.0.0.1:${port}`,
        ...names.map((name, i) => `${name}://127.0.0.1:${wires[i]?.port}`),
      ].join(','),
    },
  });
  return { brokers: broker.brokers, nodes: [broker], wires };
}

function found<Item>(list: readonly Item[], i: number): Item {
  const item = list[i];
  if (item === undefined) throw new RangeError(`there are ${list.length}`);
  return item;
}
