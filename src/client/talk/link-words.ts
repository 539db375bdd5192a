import type { Display } from './display.ts';

/** Tells of the connection: each reason once, not once for each attempt, since the header shows that it goes on. */
export class LinkWords {
  readonly #display: Display;
  #lastComplaint = '';
  #wasOnline = false;

  constructor(display: Display) {
    this.#display = display;
  }

  get #server(): string {
    return this.#display.state.server;
  }

  connected(again: boolean): void {
    this.#lastComplaint = '';
    this.#wasOnline = true;
    this.#display.say('info', again ? 'Connected again.' : `Connected to ${this.#server}.`);
  }

  disconnected(reason: string): void {
    if (reason === this.#lastComplaint) return;
    this.#lastComplaint = reason;
    const what = this.#wasOnline
      ? `The connection to ${this.#server} is lost`
      : `No connection to ${this.#server}`;
    this.#wasOnline = false;
    this.#display.say('error', `${what}: ${reason}. Trying again until it works.`);
  }

  notRestored({ name, reason, retryInMs }: { name: string; reason: string; retryInMs: number | null }): void {
    const next = retryInMs === null ? `/login ${name} tries again.` : 'Trying again shortly.';
    this.#display.say('error', `Not logged in again as ${name}: ${reason} ${next}`);
  }
}
