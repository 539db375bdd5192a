import { closeSync, fstatSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Each client of a sender counts from another one of these on: what two of them send at once has no order. */
export const COUNT_STEP = 1_000_000;

/** A message by what it says of itself: the n-th of one client of the sender to one recipient. */
export interface Letter {
  readonly from: string;
  /** A person, or a room with its `#`. */
  readonly to: string;
  readonly n: number;
}

/** How a client came to its login: by making the account, without ending another one, ending it, or by its token. */
export type Entrance = 'create' | 'plain' | 'takeover' | 'token';

/** One account's life: a name may be deleted and made again. */
interface Owner {
  readonly person: string;
  readonly life: number;
}

/**
 * What happened, as it was seen from outside. A client is one program with its memory, called by its seat and a number: whoever
 * starts anew is another one.
 */
export type Happening =
  | ({ readonly kind: 'created' | 'deleting' | 'deleted' } & Owner)
  /** Confirmed; `asked`: when the request began. */
  | ({
      readonly kind: 'login';
      readonly client: string;
      readonly how: Entrance;
      readonly asked: number;
      /** What waited then, as the server said; null where it did not. */
      readonly undelivered: number | null;
    } & Owner)
  /** Confirmed; `asked`: when the request began. */
  | {
      readonly kind: 'joined' | 'left';
      readonly room: string;
      readonly person: string;
      readonly asked: number;
    }
  /** A connection was lost. */
  | { readonly kind: 'cut'; readonly client: string }
  /** A client has ended by itself, for that reason. */
  | { readonly kind: 'ended'; readonly client: string; readonly code: string }
  | ({ readonly kind: 'sent' } & Letter)
  | ({ readonly kind: 'accepted' } & Letter)
  /** Not accepted; `isSure`: and surely not stored. */
  | ({ readonly kind: 'refused'; readonly code: string; readonly isSure: boolean } & Letter)
  | ({ readonly kind: 'fate'; readonly fate: 'delivered' | 'undeliverable' | 'unknown' } & Letter)
  /** Shown to the person at that client. `sender` is whom the server vouches for; null: nobody. */
  | ({
      readonly kind: 'shown';
      readonly client: string;
      readonly sender: string | null;
      readonly text: string;
      readonly inbox: string;
      readonly isPushed: boolean;
    } & Owner)
  /** The client is about to acknowledge what it has shown. */
  | ({ readonly kind: 'acked'; readonly client: string } & Letter)
  | { readonly kind: 'fault' | 'mended'; readonly name: string }
  /** Kafka was made to forget: records of that inbox, or which of them were delivered. */
  | { readonly kind: 'forgotten'; readonly person: string; readonly what: 'records' | 'position' };

/** At that time, in microseconds on the machine's monotonic clock, which is the same for all its processes. */
export type HistoryEvent = { readonly at: number } & Happening;

/** In microseconds on that clock. Read whole: a process that is put aside between two readings would be late for ever. */
export function now(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** Where somebody sits: each device of theirs gets everything. */
export function seatOf(person: string, device?: string): string {
  return device === undefined ? person : `${person}.${device}`;
}

/** The seat that a client is at. */
export function seatOfClient(client: string): string {
  return client.slice(0, client.indexOf('/'));
}

export function isRoom(to: string): boolean {
  return to.startsWith('#');
}

/** The text of a message; no two are alike. */
export function textOf({ from, to, n }: Letter): string {
  return `${from} ${to} ${n} ${'.'.repeat(n % 61)}`;
}

/** What `textOf` made; undefined for any other text. */
export function letterOf(text: string): Letter | undefined {
  const [from = '', to = '', count = ''] = text.split(' ');
  const letter = { from, to, n: Number(count) };
  return textOf(letter) === text ? letter : undefined;
}

/** Writes what happens in one process, each at once: what was written is there however the process ends. */
export class Recorder {
  readonly #file: number;

  constructor(folder: string, name: string) {
    this.#file = openSync(join(folder, `${name}.jsonl`), 'a');
  }

  /** @returns when it was */
  note(happening: Happening): number {
    const at = now();
    writeSync(this.#file, `${JSON.stringify({ at, ...happening })}\n`);
    return at;
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** The history of a run, in the order of time. What a killed process has half written does not count. */
export function readHistory(folder: string): readonly HistoryEvent[] {
  return new HistoryReader(folder).read();
}

/** Reads a history that grows, each line of it once: whoever waits for something looks again and again, beside those who work. */
export class HistoryReader {
  readonly #folder: string;
  /** Bytes of each file that have been read. */
  readonly #read = new Map<string, number>();
  readonly #events: HistoryEvent[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** All of it up to now. */
  read(): readonly HistoryEvent[] {
    const before = this.#events.length;
    for (const name of readdirSync(this.#folder)) {
      if (!name.endsWith('.jsonl')) continue;
      for (const line of this.#newLines(name)) this.#events.push(JSON.parse(line));
    }
    if (this.#events.length > before) this.#events.sort((a, b) => a.at - b.at);
    return this.#events;
  }

  #newLines(name: string): string[] {
    const from = this.#read.get(name) ?? 0;
    const file = openSync(join(this.#folder, name), 'r');
    try {
      const bytes = Buffer.alloc(fstatSync(file).size - from);
      readSync(file, bytes, 0, bytes.length, from);
      const end = bytes.lastIndexOf('\n') + 1;
      this.#read.set(name, from + end);
      return end === 0 ? [] : bytes.toString('utf8', 0, end - 1).split('\n');
    } finally {
      closeSync(file);
    }
  }
}
