import type { LoadClient } from './client.ts';
import { nowUs, pause } from './clock.ts';
import type { LoadOptions, SendResult } from './tasks.ts';

/** Unanswered messages of one worker; what is due beyond that is not sent and counted as shed. */
const MOST_UNANSWERED = 20_000;
/** A refused sender of a closed loop waits this long before its next message. */
const AFTER_FAILURE_MS = 20;
/** How long to wait for answers when the time is over. */
const PATIENCE_MS = 20_000;

/** One worker's part of a load: when which sender sends. */
export class Sending {
  readonly #options: LoadOptions;
  readonly #senders: readonly LoadClient[];
  readonly #send: (sender: LoadClient, timeUs: number) => void;
  #sent = 0;
  #accepted = 0;
  #failed = 0;
  #shed = 0;
  #unanswered = 0;
  readonly #failures: Record<string, number> = {};

  /** @param send sends one message; `timeUs` is when it was to be sent, from which its latency counts */
  constructor(
    options: LoadOptions,
    senders: readonly LoadClient[],
    send: (sender: LoadClient, timeUs: number) => void,
  ) {
    this.#options = options;
    this.#senders = senders;
    this.#send = send;
  }

  async run(): Promise<SendResult> {
    if (this.#options.kind === 'open') await this.#runOpen();
    else for (const sender of this.#senders) this.#next(sender, nowUs());
    while (!this.#isOver(nowUs())) await pause(5);
    const patience = nowUs() + PATIENCE_MS * 1_000;
    while (this.#unanswered > 0 && nowUs() < patience) await pause(2);
    return {
      sent: this.#sent,
      accepted: this.#accepted,
      failed: this.#failed,
      failures: this.#failures,
      shed: this.#shed,
    };
  }

  /** @param code of a failure, or null; @param now when that was read */
  answered(sender: LoadClient, code: string | null, now: number): void {
    this.#unanswered--;
    if (code === null) {
      this.#accepted++;
      if (this.#options.kind === 'closed') this.#next(sender, now);
      return;
    }
    this.#failed++;
    this.#failures[code] = (this.#failures[code] ?? 0) + 1;
    if (this.#options.kind === 'closed') setTimeout(() => this.#next(sender, nowUs()), AFTER_FAILURE_MS);
  }

  /** Their connection ended: nobody will answer them. */
  lost(unanswered: number): void {
    this.#unanswered -= unanswered;
    this.#failed += unanswered;
  }

  #isOver(now: number): boolean {
    return now >= this.#options.untilUs || this.#sent + this.#shed >= this.#options.limit;
  }

  #next(sender: LoadClient, now: number): void {
    if (this.#isOver(now) || !sender.isOnline) return;
    this.#post(sender, now);
  }

  #post(sender: LoadClient, timeUs: number): void {
    this.#sent++;
    this.#unanswered++;
    this.#send(sender, timeUs);
  }

  /** Every message has its moment, however late the ones before it are. */
  async #runOpen(): Promise<void> {
    const gapUs = 1e6 / this.#options.rate;
    let dueUs = nowUs();
    while (!this.#isOver(nowUs())) {
      const now = nowUs();
      for (; dueUs <= now && !this.#isOver(now); dueUs += gapUs) {
        const sender = this.#senders[Math.floor(Math.random() * this.#senders.length)];
        if (sender === undefined || !sender.isOnline || this.#unanswered >= MOST_UNANSWERED) this.#shed++;
        else this.#post(sender, dueUs);
      }
      await pause(1);
    }
  }
}
