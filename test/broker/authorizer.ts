import { freePort } from './ports.ts';

/** A broker's second listener, and what it demands. */
export interface Door {
  /** `host:port` for clients. */
  readonly address: string;
  readonly listener: string;
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * A listener that asks for a password (SASL/PLAIN), on a broker that lets nobody do anything without a right. The broker itself,
 * and whoever comes to its other listener, may do all.
 * @param users each with the password that `passwordOf` says
 */
export async function authorizedDoor(users: readonly string[]): Promise<Door> {
  const port = await freePort();
  const known = users.map((user) => `user_${user}="${passwordOf(user)}"`).join(' ');
  return {
    address: `127.0.0.1:${port}`,
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
