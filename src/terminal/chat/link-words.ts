import { type Address, noConnection } from '../../client/index.ts';
import type { Display } from './display.ts';

/** Tells of the connection: each reason once, not once for each attempt, since the header shows that it goes on. */
export class LinkWords {
  readonly #display: Display;
  readonly #servers: readonly Address[];
  #lastComplaint = '';
  #wasOnline = false;
  /** The server that one was on last. */
  #last = '';

  constructor(display: Display, servers: readonly Address[]) {
    this.#display = display;
    this.#servers = servers;
  }

  connected(again: boolean): void {
    const { server } = this.#display.state;
    const isSame = server === this.#last;
    this.#lastComplaint = '';
    this.#wasOnline = true;
    this.#last = server;
    if (again) this.#display.say('info', isSame ? 'Connected again.' : `Connected again, to ${server}.`);
    else this.#display.say('info', `Connected to ${server}.`);
  }

  /** @param lost `retryInMs` 0: another server is tried at once */
  disconnected({ reason, retryInMs }: { readonly reason: string; readonly retryInMs: number }): void {
    if (reason === this.#lastComplaint) return;
    this.#lastComplaint = reason;
    const what = this.#wasOnline
      ? `The connection to ${this.#last} is lost: ${reason}`
      : noConnection(this.#servers, reason);
    this.#wasOnline = false;
    const next = retryInMs > 0 ? 'Trying again until it works.' : 'Trying the next server.';
    this.#display.say('error', `${what}. ${next}`);
  }

  notRestored({ name, reason, retryInMs }: { name: string; reason: string; retryInMs: number | null }): void {
    const next = retryInMs === null ? `/login ${name} tries again.` : 'Trying again shortly.';
    this.#display.say('error', `Not logged in again as ${name}: ${reason} ${next}`);
  }
}
