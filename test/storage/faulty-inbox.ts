import { EngineError } from '../../src/core/errors.ts';
import type { Inbox, OpenOptions } from '../../src/core/inboxes.ts';
import type { Room, RoomListener } from '../../src/core/rooms.ts';
import type { FaultyStore } from './faulty-store.ts';

/** A held inbox whose storage may be away, and which may take its time to be given back. */
export class FaultyInbox implements Inbox {
  /** What the inbox behind it is opened with. */
  readonly options: OpenOptions;
  /** Messages that went through `onMessage`. */
  pushedCount = 0;
  isPaused: boolean;
  readonly #faults: FaultyStore;
  readonly #onReleased: () => void;
  /** What was acknowledged while the storage was away: it counts when that is back before the end. */
  readonly #waiting: [first: number, last: number][] = [];
  #inbox: Inbox | null = null;
  #closing: Promise<void> | null = null;

  constructor(faults: FaultyStore, options: OpenOptions, onReleased: () => void) {
    this.#faults = faults;
    this.#onReleased = onReleased;
    this.isPaused = options.isPaused ?? false;
    this.options = {
      ...options,
      onMessage: (message) => {
        this.pushedCount += 1;
        options.onMessage(message);
      },
      onNote:
        options.onNote &&
        ((note) => {
          this.pushedCount += 1;
          options.onNote?.(note);
        }),
      onLost: (reason) => {
        onReleased();
        if (this.#closing === null) options.onLost(reason);
      },
    };
  }

  /** The inbox behind it. */
  hold(inbox: Inbox): void {
    this.#inbox = inbox;
    this.availabilityChanged();
  }

  get owner() {
    return this.#held.owner;
  }

  get device() {
    return this.#held.device;
  }

  get id() {
    return this.#held.id;
  }

  get surprise() {
    return this.#held.surprise;
  }

  epochAt(offset: number): number {
    return this.#held.epochAt(offset);
  }

  async undelivered(): Promise<number> {
    await this.#faults.roundTrip();
    return this.#demandOpen().undelivered();
  }

  async confirm(): Promise<void> {
    await this.#faults.roundTrip();
    return this.#demandOpen().confirm();
  }

  async read(limits: { maxBytes: number; maxMessages?: number }) {
    await this.#faults.roundTrip();
    return this.#demandOpen().read(limits);
  }

  acknowledge(first: number, last: number): boolean {
    if (this.#closing !== null) return false;
    if (this.#faults.isAvailable) return this.#held.acknowledge(first, last);
    this.#waiting.push([first, last]);
    return true;
  }

  async follow(room: Room, since: number, listener: RoomListener) {
    await this.#faults.roundTrip();
    return this.#demandOpen().follow(room, since, listener);
  }

  pause(): void {
    this.isPaused = true;
    this.#held.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.availabilityChanged();
  }

  availabilityChanged(): void {
    if (!this.#faults.isAvailable) {
      this.#held.pause();
      return;
    }
    for (const [first, last] of this.#waiting.splice(0)) this.#held.acknowledge(first, last);
    if (!this.isPaused && this.#closing === null) this.#held.resume();
  }

  close(): Promise<void> {
    this.#closing ??= this.#giveBack();
    return this.#closing;
  }

  discard(): Promise<void> {
    return this.close();
  }

  async #giveBack(): Promise<void> {
    this.#held.pause();
    await this.#faults.closesAllowed();
    await this.#held.close();
    this.#onReleased();
  }

  get #held(): Inbox {
    if (this.#inbox === null) throw new Error('it is opened before it is used');
    return this.#inbox;
  }

  #demandOpen(): Inbox {
    if (this.#closing !== null) throw new EngineError('LOST', 'it was given back');
    return this.#held;
  }
}
