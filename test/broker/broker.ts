/**
 * Brokers for tests that need one with settings of its own. To kill one, or to empty it, borrow.ts has some that are used
 * one after the other; everything else shares the broker of the whole run, see brokers.ts.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ContainerBroker } from './container-broker.ts';
import { javaCommand, javaUsable, kafkaClassPath, quickStart } from './java.ts';
import { JvmBroker } from './jvm-broker.ts';
import { freePort, freePorts } from './ports.ts';
import type { TestBroker } from './test-broker.ts';

export interface BrokerOptions {
  /** Further or other settings than those of kafka/server.properties. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Heap limit, as in `-Xmx`; default 512m. */
  readonly heap?: string;
  /** One more listener for clients, `NAME://host:port`; what it demands is in the properties. JVM brokers only. */
  readonly listener?: string;
  /** Where the broker says that this one is reached, if that is elsewhere. */
  readonly advertised?: string;
  /** Run as in production: starts slowly, gets faster. JVM brokers only. */
  readonly production?: boolean;
  /** Another version of Kafka than that of kafka/pom.xml. JVM brokers only. */
  readonly version?: string;
  /** Remembers which classes it loads: see `archiveClasses`. JVM brokers only. */
  readonly archives?: boolean;
}

/**
 * One broker, running: a JVM process where there is Java, since that starts sooner, otherwise a container.
 * `stop()` it when done.
 */
export async function startBroker(options: BrokerOptions = {}): Promise<TestBroker> {
  if (!(await javaUsable())) return startContainerBroker(options);
  const [broker] = await startNodes(1, options);
  if (broker === undefined) throw new Error('no broker was started');
  return broker;
}

/** One broker in a container, running. */
export async function startContainerBroker(options: BrokerOptions = {}): Promise<TestBroker> {
  const { properties = {}, heap = '512m' } = options;
  const broker = new ContainerBroker({ port: await freePort(), properties, heap });
  try {
    await broker.start();
  } catch (error) {
    await broker.stop();
    throw error;
  }
  return broker;
}

export interface Cluster {
  /** Bootstrap addresses of all nodes, joined by commas. */
  readonly brokers: string;
  readonly nodes: readonly JvmBroker[];
  stop(): Promise<void>;
}

/**
 * Several nodes, each broker and controller, running. With three, any one may be killed. Internal topics get
 * three replicas, two of which must be in sync. Always JVM processes.
 */
export async function startCluster(size = 3, options: BrokerOptions = {}): Promise<Cluster> {
  const replicas = String(Math.min(size, 3));
  const inSync = size >= 3 ? '2' : '1';
  const nodes = await startNodes(size, {
    ...options,
    properties: {
      'offsets.topic.replication.factor': replicas,
      'transaction.state.log.replication.factor': replicas,
      'transaction.state.log.min.isr': inSync,
      'share.coordinator.state.topic.replication.factor': replicas,
      'share.coordinator.state.topic.min.isr': inSync,
      'default.replication.factor': replicas,
      ...options.properties,
    },
  });
  const brokers = nodes.map((node) => node.brokers);
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    if (size >= 3) await setInSync(brokers, inSync);
  } catch (error) {
    await stop();
    throw error;
  }
  return { brokers: brokers.join(','), nodes, stop };
}

/**
 * For the whole cluster and in Kafka itself: in the files of the nodes it has no effect any more. By Kafka's own tool,
 * since kafkajs cannot name "all brokers".
 */
async function setInSync(brokers: string[], count: string): Promise<void> {
  const tool = ['kafka.admin.ConfigCommand', '--bootstrap-server', brokers.join(',')];
  const change = ['--alter', '--entity-type', 'brokers', '--entity-default'];
  const setting = ['--add-config', `min.insync.replicas=${count}`];
  await promisify(execFile)(javaCommand(), [
    ...['-Xmx128m', ...quickStart(), '-cp', await kafkaClassPath()],
    ...tool,
    ...change,
    ...setting,
  ]);
}

async function startNodes(size: number, options: BrokerOptions): Promise<JvmBroker[]> {
  const ports = await freePorts(2 * size);
  const ids = Array.from({ length: size }, (_, index) => index + 1);
  const portOf = (index: number): number => {
    const port = ports[index];
    if (port === undefined) throw new Error('too few free ports');
    return port;
  };
  const voters = ids.map((id) => `${id}@127.0.0.1:${portOf(size + id - 1)}`).join(',');
  const nodes = ids.map(
    (id) =>
      new JvmBroker({
        nodeId: id,
        port: portOf(id - 1),
        controllerPort: portOf(size + id - 1),
        voters,
        nodes: size,
        properties: options.properties ?? {},
        heap: options.heap ?? '512m',
        ...(options.listener !== undefined && { listener: options.listener }),
        ...(options.advertised !== undefined && { advertised: options.advertised }),
        ...(options.production !== undefined && { production: options.production }),
        ...(options.version !== undefined && { version: options.version }),
        ...(options.archives !== undefined && { archives: options.archives }),
      }),
  );
  try {
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await Promise.all(nodes.map((node) => node.stop()));
    throw error;
  }
  return nodes;
}
