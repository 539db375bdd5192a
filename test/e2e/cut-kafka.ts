import { JvmBroker } from '../broker/jvm-broker.ts';
import { freePorts } from '../broker/ports.ts';
import { Cable } from './cable.ts';

/** A broker of its own with two ways to it, of which one goes over a cable. */
export interface CutKafka {
  /** Bootstrap addresses: straight, and over the cable. */
  readonly straight: string;
  readonly overCable: string;
  readonly cable: Cable;
  stop(): Promise<void>;
}

/** Whoever comes by a listener is told that listener's address: so all of a frontend's connections take the same way. */
export async function startCutKafka(): Promise<CutKafka> {
  const [port = 0, controllerPort = 0, cutPort = 0] = await freePorts(3);
  const cable = await Cable.open(() => ({ host: '127.0.0.1', port: cutPort }));
  const broker = new JvmBroker({
    nodeId: 1,
    port,
    controllerPort,
    voters: `1@127.0.0.1:${controllerPort}`,
    nodes: 1,
    heap: '512m',
    listener: `CUT://127.0.0.1:${cutPort}`,
    properties: {
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,CUT:PLAINTEXT',
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},CUT://127.0.0.1:${cable.port}`,
    },
  });
  const stop = async () => {
    cable.close();
    await broker.stop();
  };
  try {
    await broker.start();
  } catch (error) {
    await stop();
    throw error;
  }
  return { straight: broker.brokers, overCable: `127.0.0.1:${cable.port}`, cable, stop };
}
