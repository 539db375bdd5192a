import { Budget } from './fetch-pace.ts';

/** Checks a second, over all inboxes, after as many at once; and under way at the same time. Each is a heartbeat. */
const PER_SECOND = 200;
const AT_ONCE = 16;

/**
 * Looks whether leases are still ours, when somebody says that they are not: anybody may say so, as often as they like. An
 * inbox has one check under way and one more that waits at most; all wait in the order of their coming.
 */
export class LeaseChecks<Inbox> {
  readonly #check: (inbox: Inbox) => Promise<void>;
  readonly #budget = new Budget(PER_SECOND, PER_SECOND);
  readonly #wanted = new Set<Inbox>();
  readonly #underWay = new Set<Inbox>();
  #timer: NodeJS.Timeout | null = null;

  /** @param check never rejects */
  constructor(check: (inbox: Inbox) => Promise<void>) {
    this.#check = check;
  }

  ask(inbox: Inbox): void {
    this.#wanted.add(inbox);
    this.#run();
  }

  close(): void {
    this.#wanted.clear();
    if (this.#timer) clearTimeout(this.#timer);
  }

  #run(): void {
    for (const inbox of this.#wanted) {
      if (this.#timer !== null || this.#underWay.size >= AT_ONCE) return;
      if (this.#underWay.has(inbox)) continue;
      this.#wanted.delete(inbox);
      this.#underWay.add(inbox);
      void this.#check(inbox).then(() => {
        this.#underWay.delete(inbox);
        this.#run();
      });
      const restMs = this.#budget.spend(1);
      if (restMs > 0) {
        this.#timer = setTimeout(() => {
          this.#timer = null;
          this.#run();
        }, restMs);
      }
    }
  }
}
