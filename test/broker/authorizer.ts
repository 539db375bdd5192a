import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrokerOptions } from './broker.ts';
import { freePort } from './ports.ts';
import type { TestBroker } from './test-broker.ts';

/** Who may come by the door, each with the password that `passwordOf` says. */
const USERS = ['milena', 'alerts', 'watcher', 'outsider'];

/** A broker's second listener. */
export interface Door {
  /** `host:port` for clients. */
  readonly address: string;
}

/**
 * A listener that asks for a password (SASL/PLAIN), on a broker that lets nobody do anything without a right. The broker itself,
 * and whoever comes to its other listener, may do all.
 */
export async function withDoor(): Promise<BrokerOptions> {
  const port = await freePort();
  const known = USERS.map((user) => `user_${user}="${passwordOf(user)}"`).join(' ');
  return {
    listener: `ASKING://127.0.0.1:${port}`,
    properties: {
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,ASKING:SASL_PLAINTEXT',
      'listener.name.asking.sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.asking.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${known};`,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    },
  };
}

/** That of a broker that was started with it on this machine. */
export function doorOf({ folder }: TestBroker): Door {
  const settings = readFileSync(join(folder, 'server.properties'), 'utf8');
  const [, address] = /^listeners=.*ASKING:\/\/([\d.:]+)/m.exec(settings) ?? [];
  if (address === undefined) throw new Error('no such listener');
  return { address };
}

export function passwordOf(user: string): string {
  return `the password of ${user}`;
}

/** The settings of a program that comes to that listener. */
export function settingsOf(door: Door, user: string): Record<string, string> {
  return {
    MILENA_KAFKA_BROKERS: door.address,
    MILENA_KAFKA_SASL_MECHANISM: 'PLAIN',
    MILENA_KAFKA_SASL_USERNAME: user,
    MILENA_KAFKA_SASL_PASSWORD: passwordOf(user),
  };
}
