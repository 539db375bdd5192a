import type { Logger } from 'pino';
import { principalName } from './kafka-security.ts';
import { now } from './retry.ts';
import { Trouble } from './trouble.ts';

/** After so long without a slowed answer it is over. */
const OVER_MS = 5_000;

/** The quota that each request counts against, by its key in Kafka's protocol; all others against the share of the broker's time. */
const COUNTED: Readonly<Record<number, string>> = {
  0: 'producer_byte_rate',
  1: 'consumer_byte_rate',
  19: 'controller_mutation_rate',
  20: 'controller_mutation_rate',
};
const REST = 'request_percentage';

/** The quotas that a frontend can come upon, by Kafka's names. */
export const QUOTAS: ReadonlySet<string> = new Set([...Object.values(COUNTED), REST]);

interface Throttle {
  readonly trouble: Trouble;
  readonly over: NodeJS.Timeout;
}

/** Where Kafka makes this frontend wait because a quota of its user or client id is used up: its answers say so. */
export class Throttles {
  readonly #log: Logger;
  readonly #user: string;
  readonly #clientId: string;
  /** By quota: four at most. */
  readonly #throttles = new Map<string, Throttle>();

  /** @param principal `User:NAME` */
  constructor(log: Logger, principal: string, clientId: string) {
    this.#log = log;
    this.#user = principalName(principal);
    this.#clientId = clientId;
  }

  /** @param apiKey the request's; @param ms how long the broker waits, as its answer says */
  note(apiKey: number, ms: number): void {
    if (ms <= 0) return;
    const quota = COUNTED[apiKey] ?? REST;
    const throttle = this.#throttles.get(quota) ?? this.#begin(quota);
    throttle.trouble.goesOn({ throttledMs: ms }, now() - ms);
    throttle.over.refresh();
  }

  close(): void {
    for (const { over } of this.#throttles.values()) clearTimeout(over);
    this.#throttles.clear();
  }

  #begin(quota: string): Throttle {
    const user = this.#user;
    // A quota of a user counts before those of all users and of client ids.
    const remedy = quotaCommand(`--entity-type users --entity-name '${user}'`, quota);
    const fields = { quota, user, clientId: this.#clientId, remedy };
    const trouble = new Trouble(this.#log, 'Kafka slows this frontend down: a quota is used up', fields);
    const over = setTimeout(() => {
      this.#throttles.delete(quota);
      trouble.over();
    }, OVER_MS).unref();
    const throttle = { trouble, over };
    this.#throttles.set(quota, throttle);
    return throttle;
  }
}

/** A quota that is as good as none; a number that Kafka's tool takes. */
const PLENTY: Readonly<Record<string, string>> = { [REST]: '10000' };

/** The command that raises a quota. @param entity whose, as Kafka's tool takes it */
export function quotaCommand(entity: string, quota: string): string {
  return `scripts/kafka-tool.sh configs --alter ${entity} --add-config '${quota}=${PLENTY[quota] ?? '1000000000'}'`;
}
