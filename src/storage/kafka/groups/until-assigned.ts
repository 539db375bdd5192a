import type { GroupMember } from './group-member.ts';

/** When to look first, and when for the last time; in between twice as late each time. */
const FIRST_MS = 1_000;
const LAST_MS = 300_000;

/**
 * Sends heartbeats until Kafka has assigned an inbox to its member. Of a topic that is new the coordinator may not know yet when the
 * member joins; Kafka 4.3 assigns a group's partitions once a second; and it tells nobody before their next heartbeat, which may be ten
 * minutes away: tools of Kafka show nobody who holds the inbox so long. Who is assigned it by the join costs nothing.
 */
export class UntilAssigned {
  readonly #member: Pick<GroupMember, 'isAssigned'>;
  readonly #check: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #hasStopped = false;

  /** @param check a heartbeat. Never rejects */
  constructor(member: Pick<GroupMember, 'isAssigned'>, check: () => Promise<void>) {
    this.#member = member;
    this.#check = check;
  }

  start(): void {
    this.#look(FIRST_MS);
  }

  stop(): void {
    this.#hasStopped = true;
    clearTimeout(this.#timer);
  }

  #look(delayMs: number): void {
    if (this.#hasStopped || this.#member.isAssigned || delayMs > LAST_MS) return;
    this.#timer = setTimeout(() => void this.#check().then(() => this.#look(2 * delayMs)), delayMs);
  }
}
