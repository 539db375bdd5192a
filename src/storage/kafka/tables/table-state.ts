import { SortedNames } from '../../../core/sorted-names.ts';
import { dropOldest } from '../../../util/bounded-map.ts';
import type { Judgement } from './signed-record.ts';

/** Values that were asked for are kept as they were given (some 500 bytes each); past that the oldest is dropped. */
const MAX_RECENT = 16_384;
/** Deleted keys whose revision is remembered; past that the oldest is forgotten, as after `REMEMBER_GONE_MS`. */
const MAX_GONE = 100_000;
/** By the log's own clock: what was signed before a deletion is known by its time soon after (`Trust`). */
const REMEMBER_GONE_MS = 300_000;
/** Keys that somebody may own, but nobody can tell; that there are more is all that is known of further ones. */
const MAX_UNPROVEN = 100_000;

/** What a record does to a key. */
export interface Change {
  readonly key: string;
  /** In characters up to U+00FF. Null: gone. */
  readonly packed: string | null;
  readonly judgement: Judgement;
  /** The revision of the key that whoever wrote it knew; null where that does not matter. */
  readonly after: number | null;
  /** Milliseconds since the epoch, as the log says. */
  readonly time: number;
  /** False: it was written while the topic kept producers' times, as it did before records were signed. */
  readonly hasAppendTime: boolean;
  /** Another record of the key was read before this one counted, though it comes after it in the log. */
  isHidden: boolean;
}

/**
 * What a table holds: of each key the value with the highest revision that a frontend has written. Whatever else is
 * in the log changes nothing, but hides the true record from a compaction: such keys are noted, to be written again.
 */
export class TableState<Value> {
  /** All keys, in order, from `putInOrder` on. */
  readonly keys = new SortedNames();
  /** Keys whose record in the log should be written again: never more than there are keys, and `MAX_GONE`. */
  readonly stale = new Set<string>();
  /** Records that do not count, all in all. */
  refused = 0;
  /** Keys that nobody can vouch for were too many to note: any key may be one of them. */
  hasMoreUnproven = false;
  /** Whether what was signed with an old key is to be signed anew: once, or frontends whose keys stand in another order would
   * go on for ever. */
  signsAnew = true;
  readonly #unpack: (key: string, packed: string) => Value;
  readonly #acceptsUnsigned: boolean;
  #inOrder = false;
  /** Each is its revision and what was packed. */
  readonly #values = new Map<string, string>();
  readonly #recent = new Map<string, Value>();
  /** In the order of their deletion. */
  readonly #gone = new Map<string, { readonly revision: number; readonly time: number }>();
  /** With whether it was written while the topic kept producers' times, as it did before records were signed. */
  readonly #unproven = new Map<string, boolean>();

  constructor(unpack: (key: string, packed: string) => Value, acceptsUnsigned: boolean) {
    this.#unpack = unpack;
    this.#acceptsUnsigned = acceptsUnsigned;
  }

  get size(): number {
    return this.#values.size;
  }

  /** Keys with records that no frontend of these keys can be shown to have written, and no others. */
  get unproven(): number {
    return this.#unproven.size;
  }

  isUnproven(key: string): boolean {
    return this.#unproven.has(key);
  }

  get(key: string): Value | undefined {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const stored = this.#values.get(key);
    if (stored === undefined) return undefined;
    const value = this.#unpack(key, stored.slice(REVISION_BYTES));
    this.#recent.set(key, value);
    dropOldest(this.#recent, MAX_RECENT);
    return value;
  }

  /** As it was packed; null for a key that is not there. */
  packedOf(key: string): string | null {
    return this.#values.get(key)?.slice(REVISION_BYTES) ?? null;
  }

  /** 0 for a key that is not known. */
  revisionOf(key: string): number {
    const stored = this.#values.get(key);
    return stored === undefined ? (this.#gone.get(key)?.revision ?? 0) : readRevision(stored);
  }

  /** Sorts the keys once and keeps them sorted: cheaper than to do so from the start, and not every table needs it. */
  putInOrder(): void {
    this.keys.fill([...this.#values.keys()].sort());
    this.#inOrder = true;
  }

  /** The log may not have what is known any more: whatever is not found in it is to be written again. */
  doubt(): void {
    for (const known of [this.#values, this.#gone]) for (const key of known.keys()) this.stale.add(key);
  }

  /** @returns whether it changed the key */
  apply(change: Change): boolean {
    const { key, packed, judgement } = change;
    const known = this.revisionOf(key);
    const isBelieved = this.#isBelieved(judgement.proof);
    const revision = judgement.revision ?? known + 1;
    const isDecided = change.after === null || change.after >= known;
    if (isBelieved && revision > known && isDecided) {
      this.#set(change, revision);
      return true;
    }
    // The same once more: the record in the log is true again.
    if (isBelieved && revision === known && this.#isStored(key, packed, revision)) {
      this.#note(change);
      return false;
    }
    this.refuse(change);
    return false;
  }

  /** It does not count, but hides what does. */
  refuse(change: Change): void {
    const { key, judgement } = change;
    this.refused += 1;
    if (this.#values.has(key) || (this.#isBelieved(judgement.proof) && this.#gone.has(key)))
      this.stale.add(key);
    else this.#noteUnproven(change);
  }

  #isBelieved(proof: Judgement['proof']): boolean {
    return proof !== 'forged' && (proof !== 'unproven' || this.#acceptsUnsigned);
  }

  #set(change: Change, revision: number): void {
    const { key, packed, time } = change;
    this.#recent.delete(key);
    this.#gone.delete(key);
    this.#unproven.delete(key);
    if (packed === null) {
      this.#values.delete(key);
      this.#forgetGone(time);
      this.#gone.set(key, { revision, time });
      if (this.#inOrder) this.keys.delete(key);
    } else {
      this.#values.set(key, withRevision(revision, packed));
      if (this.#inOrder) this.keys.add(key);
    }
    this.#note(change);
  }

  /** What was believed without a proof, or by an old key, is to be signed. */
  #note({ key, judgement: { proof }, isHidden }: Change): void {
    if (isHidden || proof === 'unproven' || (proof === 'old key' && this.signsAnew)) this.stale.add(key);
    else this.stale.delete(key);
  }

  /**
   * Somebody may own the key. What a version before signing has written, it has also removed; whatever came later removes
   * nothing, or a stranger could.
   */
  #noteUnproven({ key, packed, hasAppendTime, judgement }: Change): void {
    const isBefore = !hasAppendTime;
    if (packed === null) {
      if (isBefore && judgement.proof === 'unproven' && this.#unproven.get(key) === true)
        this.#unproven.delete(key);
    } else if (this.#unproven.has(key) || this.#unproven.size < MAX_UNPROVEN) {
      this.#unproven.set(key, isBefore || this.#unproven.get(key) === true);
    } else this.hasMoreUnproven = true;
  }

  #isStored(key: string, packed: string | null, revision: number): boolean {
    if (packed === null) return !this.#values.has(key);
    return this.#values.get(key) === withRevision(revision, packed);
  }

  #forgetGone(time: number): void {
    for (const [key, entry] of this.#gone) {
      if (this.#gone.size < MAX_GONE && entry.time > time - REMEMBER_GONE_MS) return;
      this.#gone.delete(key);
      this.stale.delete(key);
    }
  }
}

/** Enough for milliseconds since the epoch in any year with four digits. */
const REVISION_BYTES = 7;

/** What is stored is written here and read out in one piece: a joined string would keep both of its parts alive. */
const room = Buffer.alloc(4_096);

function withRevision(revision: number, packed: string): string {
  const length = REVISION_BYTES + packed.length;
  const bytes = length <= room.length ? room : Buffer.allocUnsafe(length);
  bytes.writeUIntBE(Math.floor(revision / 256), 0, REVISION_BYTES - 1);
  bytes[REVISION_BYTES - 1] = revision % 256;
  bytes.write(packed, REVISION_BYTES, 'latin1');
  return bytes.toString('latin1', 0, length);
}

function readRevision(stored: string): number {
  let revision = 0;
  for (let i = 0; i < REVISION_BYTES; i++) revision = revision * 256 + stored.charCodeAt(i);
  return revision;
}
