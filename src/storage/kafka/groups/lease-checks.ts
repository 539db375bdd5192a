import { Budget } from '../fetch/fetch-pace.ts';

/** Of what anybody can ask for. */
const FOR_ANYBODY: LeaseChecksOptions = { perSecond: 200, atOnce: 16 };

/** Checks a second, over all inboxes, after as many at once; and under way at the same time. Each is a heartbeat. */
export interface LeaseChecksOptions {
  readonly perSecond: number;
  readonly atOnce: number;
}

/**
 * Looks whether leases are still ours, when somebody says that they are not: anybody may say so, as often as they like. An
 * inbox has one check under way and one more that waits at most; all wait in the order of their coming.
 */
export class LeaseChecks<Inbox> {
  readonly #check: (inbox: Inbox) => Promise<void>;
  readonly #atOnce: number;
  readonly #budget: Budget;
  readonly #wanted = new Set<Inbox>();
  readonly #underWay = new Set<Inbox>();
  #timer: NodeJS.Timeout | null = null;

  /** @param check never rejects */
  constructor(check: (inbox: Inbox) => Promise<void>, { perSecond, atOnce } = FOR_ANYBODY) {
    this.#check = check;
    this.#atOnce = atOnce;
    this.#budget = new Budget(perSecond, perSecond);
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
      if (this.#timer !== null || this.#underWay.size >= this.#atOnce) return;
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
