import { isRoom } from '../protocol/names.ts';
import type { ReportedFate } from '../protocol/v2/replies.ts';
import { dropOldest } from '../util/bounded-map.ts';
import type { Refusal } from './errors.ts';

/** Messages that the server has not answered, and their bytes; with more, `add` refuses and nothing is sent. */
const MAX_UNANSWERED = 200;
const MAX_UNANSWERED_BYTES = 4 * 1024 * 1024;
/** Stored messages whose delivery is waited for; with one more the oldest is not waited for any longer. */
const MAX_STORED = 2_000;
/** Unanswered sends on a connection at a time: the person's other requests keep their room. */
const MAX_IN_FLIGHT = 8;
const NO_ROOM = 'too many messages waited';

export type EntryState =
  | { readonly kind: 'on-its-way' }
  /** For a connection, for a login, or until the server has room. */
  | { readonly kind: 'waiting' }
  /** Kafka has it. */
  | { readonly kind: 'stored' }
  /** The recipient's client has acknowledged it. */
  | { readonly kind: 'delivered' }
  /** Stored, but nobody will ever read it: the recipient's account is gone. */
  | { readonly kind: 'undeliverable' }
  | { readonly kind: 'refused'; readonly reason: string; readonly refusal?: Refusal | undefined }
  /** Given up without an answer: it may be stored or not. */
  | { readonly kind: 'unsure' };

/** A message that somebody sends. */
export interface Entry {
  /** The message's id, in hex. */
  readonly id: string;
  /** A name, or a room with its `#`. */
  readonly to: string;
  readonly body: string;
  readonly state: EntryState;
  /** Of a stored message: to ask with what became of it; null if that cannot be asked, or is known. */
  readonly receipt: Uint8Array | null;
  /** Whether it went out and was not definitely refused. False: it is surely not stored. */
  readonly mayBeStored: boolean;
}

/** A message that is to be sent now. */
export interface Taken extends Entry {
  /** What was last told of it is that it is surely not stored: who keeps it has to know better before it goes out. */
  readonly isNews: boolean;
}

interface Unanswered {
  readonly id: string;
  readonly to: string;
  readonly body: string;
  state: EntryState;
  inFlight: boolean;
  /** An earlier try went out and had no definite answer. */
  inDoubt: boolean;
  /** What was told last of whether it may be stored. */
  told: boolean;
}

interface Stored {
  readonly id: string;
  readonly to: string;
  readonly body: string;
  readonly receipt: Uint8Array;
  /** Stored through an earlier connection, or by an earlier process: no push tells of it, it has to be asked for. */
  earlier: boolean;
}

/**
 * The messages of one account from the moment they are entered until their fate is known. Pure: it says what to send
 * and is told what came back; each method returns the entries that changed.
 *
 * An unanswered message keeps its id and is sent again on the next connection; the server answers a repeated id alike.
 * To each recipient messages go one after the other: nothing overtakes an unanswered one.
 */
export class Outbox {
  /** Oldest first. */
  #unanswered: Unanswered[] = [];
  readonly #stored = new Map<string, Stored>();
  #bytes = 0;
  #ready = false;
  #paused = false;

  /** Takes a message; null when there is no room for it. */
  add(id: string, to: string, body: string): Entry | null {
    const bytes = this.#bytes + Buffer.byteLength(body);
    if (this.#unanswered.length >= MAX_UNANSWERED || bytes > MAX_UNANSWERED_BYTES) return null;
    this.#bytes = bytes;
    const goesOn = this.#ready && !this.#paused;
    const state: EntryState = { kind: goesOn ? 'on-its-way' : 'waiting' };
    // Known beforehand, so that keeping it once is enough.
    const told = goesOn && this.#room > 0 && !this.#unanswered.some((item) => item.to === to);
    const item = { id, to, body, state, inFlight: false, inDoubt: false, told };
    this.#unanswered.push(item);
    return { id, to, body, state, receipt: null, mayBeStored: told };
  }

  /**
   * Takes what an earlier process left, behind what is there. One process never leaves more than there is room for; if several together did, the newest
   * unanswered ones are given up, so that the person sees it, and the oldest stored ones are not waited for.
   * @param entries oldest first; those with a receipt are stored
   */
  restore(entries: readonly Entry[]): Entry[] {
    const isStored = ({ receipt }: Entry) => receipt !== null;
    for (const { id, to, body, receipt } of entries.filter(isStored).slice(-MAX_STORED)) {
      if (receipt !== null) this.#stored.set(id, { id, to, body, receipt, earlier: true });
    }
    return entries.flatMap((entry): Entry[] => {
      if (isStored(entry) || this.isUnanswered(entry.id)) return [];
      if (this.add(entry.id, entry.to, entry.body) === null) return [givenUp(entry, NO_ROOM)];
      const item = this.#find(entry.id);
      if (item !== undefined) item.inDoubt = item.told = entry.mayBeStored;
      return [];
    });
  }

  /** How many messages have no answer yet. */
  get unanswered(): number {
    return this.#unanswered.length;
  }

  /** Whether a message of that id has no answer yet. */
  isUnanswered(id: string): boolean {
    return this.#find(id) !== undefined;
  }

  /** Logged in: everything goes on. */
  begin(): Entry[] {
    this.#ready = true;
    this.#paused = false;
    return this.#setAll('on-its-way');
  }

  /** The connection or the login is gone: what is unanswered will be sent again. */
  interrupt(): Entry[] {
    this.#ready = false;
    this.#paused = false;
    for (const item of this.#unanswered) {
      item.inDoubt ||= item.inFlight;
      item.inFlight = false;
    }
    for (const item of this.#stored.values()) item.earlier = true;
    return this.#setAll('waiting');
  }

  /** What is to be sent now; it counts as sent. */
  take(): Taken[] {
    if (!this.#ready || this.#paused) return [];
    let room = this.#room;
    const busy = new Set<string>();
    const taken: Taken[] = [];
    for (const item of this.#unanswered) {
      if (!busy.has(item.to) && !item.inFlight && room > 0) {
        room -= 1;
        item.inFlight = true;
        const isNews = !item.told;
        taken.push({ ...entryOf(item), isNews });
      }
      busy.add(item.to);
    }
    return taken;
  }

  /** A taken message did not go out after all, or was definitely not stored; the next `take` has it again. */
  putBack(id: string): void {
    const item = this.#find(id);
    if (item !== undefined) item.inFlight = false;
  }

  /**
   * The server has no room for this message yet: nothing goes out until `resume`.
   * @param mayBeStored whether the server does not know itself if it is stored
   */
  pause(id: string, mayBeStored: boolean): Entry[] {
    this.#paused = true;
    const item = this.#find(id);
    if (item !== undefined) item.inDoubt ||= mayBeStored;
    this.putBack(id);
    return this.#setAll('waiting');
  }

  resume(): Entry[] {
    this.#paused = false;
    return this.#ready ? this.#setAll('on-its-way') : [];
  }

  /** No answer in time. It keeps its place: the answer may still come, or the connection ends. */
  unheard(id: string): Entry[] {
    const item = this.#find(id);
    return item?.inFlight ? set(item, { kind: 'waiting' }) : [];
  }

  accepted(id: string, receipt: Uint8Array): Entry[] {
    const item = this.#remove(id);
    // Already known to be delivered: on one frontend the recipient can be faster than the answer.
    if (item === undefined) return [];
    const stored = { id, to: item.to, body: item.body, receipt, earlier: false };
    // It is many people's, and nobody tells of them.
    if (isRoom(item.to)) return [storedEntry(stored, null)];
    this.#stored.set(id, stored);
    dropOldest(this.#stored, MAX_STORED);
    return [storedEntry(stored, receipt)];
  }

  refused(id: string, reason: string, refusal?: Refusal): Entry[] {
    const item = this.#remove(id);
    return item === undefined
      ? []
      : [{ ...entryOf(item), state: { kind: 'refused', reason, refusal }, mayBeStored: false }];
  }

  /** Takes back a message that surely is not stored; false if it may be, or is none of these. */
  withdraw(id: string): boolean {
    return !mayBeStored(this.#find(id)) && this.#remove(id) !== undefined;
  }

  /** No answer will ever say whether it is stored. */
  giveUp(id: string): Entry[] {
    const item = this.#remove(id);
    return item === undefined ? [] : [{ ...entryOf(item), state: { kind: 'unsure' } }];
  }

  /** The fate of messages became known. Ids that mean nothing here are ignored, and so are those of unsent messages. */
  settled(ids: Iterable<string>, kind: 'delivered' | 'undeliverable'): Entry[] {
    const changed: Entry[] = [];
    for (const id of ids) {
      const item = this.#stored.get(id) ?? (mayBeStored(this.#find(id)) ? this.#remove(id) : undefined);
      if (item === undefined) continue;
      this.#stored.delete(id);
      changed.push({ id, to: item.to, body: item.body, state: { kind }, receipt: null, mayBeStored: true });
    }
    return changed;
  }

  /** Stored messages that no push will tell of, oldest first. */
  toAskFor(limit: number): { readonly id: string; readonly receipt: Uint8Array }[] {
    const asked: Stored[] = [];
    for (const item of this.#stored.values()) {
      if (asked.length >= limit) break;
      if (item.earlier) asked.push(item);
    }
    return asked;
  }

  /** What became of messages that were asked for. */
  told(ids: readonly string[], fates: readonly ReportedFate[]): Entry[] {
    return ids.flatMap((id, index) => {
      const fate = fates[index];
      if (fate === 'delivered' || fate === 'undeliverable') return this.settled([id], fate);
      const item = this.#stored.get(id);
      if (item === undefined) return [];
      this.#stored.delete(id);
      // The server cannot say any more: it stays stored, and is not asked for again, not even by a later process.
      if (fate === 'unknown') return [storedEntry(item, null)];
      // The others are asked for before it.
      this.#stored.set(id, item);
      return [];
    });
  }

  /** Another account from now on: what is unanswered is given up, what is stored is not waited for. */
  abandon(reason: string): Entry[] {
    const given = this.#unanswered.map((item) => givenUp(entryOf(item), reason));
    this.#unanswered = [];
    this.#stored.clear();
    this.#bytes = 0;
    this.#ready = false;
    this.#paused = false;
    return given;
  }

  get #room(): number {
    return MAX_IN_FLIGHT - this.#unanswered.filter((item) => item.inFlight).length;
  }

  #setAll(kind: 'on-its-way' | 'waiting'): Entry[] {
    return this.#unanswered.flatMap((item) => (item.inFlight ? [] : set(item, { kind })));
  }

  #find(id: string): Unanswered | undefined {
    return this.#unanswered.find((item) => item.id === id);
  }

  #remove(id: string): Unanswered | undefined {
    const item = this.#find(id);
    if (item === undefined) return undefined;
    this.#unanswered.splice(this.#unanswered.indexOf(item), 1);
    this.#bytes -= Buffer.byteLength(item.body);
    return item;
  }
}

function set(item: Unanswered, state: EntryState): Entry[] {
  if (item.state.kind === state.kind) return [];
  item.state = state;
  return [entryOf(item)];
}

/** What is told of it. */
function entryOf(item: Unanswered): Entry {
  const { id, to, body, state } = item;
  item.told = mayBeStored(item);
  return { id, to, body, state, receipt: null, mayBeStored: item.told };
}

function mayBeStored(item: Unanswered | undefined): boolean {
  return item !== undefined && (item.inFlight || item.inDoubt);
}

/** What will not be sent any more: only what went out may be stored. */
function givenUp(entry: Entry, reason: string): Entry {
  return { ...entry, state: entry.mayBeStored ? { kind: 'unsure' } : { kind: 'refused', reason } };
}

function storedEntry({ id, to, body }: Stored, receipt: Uint8Array | null): Entry {
  return { id, to, body, state: { kind: 'stored' }, receipt, mayBeStored: true };
}
