import { type Ack, Acks } from './acks.ts';

/** What was received of one log, the inbox or a room, and what of it was shown. */
export class ReceivedLog {
  readonly #acks: Acks;
  /** Of what was taken and not shown: where it lies, by its key, and where its copies do, which are acknowledged with it. */
  readonly #unshown = new Map<string, number>();
  readonly #copies = new Map<number, { readonly key: string; readonly seqs: Set<number> }>();

  /** Of a room: which life of it this is. */
  readonly roomIncarnation: Uint8Array | undefined;

  /** @param comesAll as `Acks` has it */
  constructor(comesAll: boolean, roomIncarnation?: Uint8Array) {
    this.roomIncarnation = roomIncarnation;
    this.#acks = new Acks(comesAll);
  }

  /** How many messages wait to be shown. */
  get open(): number {
    return this.#acks.open;
  }

  /** How many wait to be acknowledged. */
  get waiting(): number {
    return this.#acks.waiting;
  }

  /**
   * A message was received.
   * @param isNew whether it never was before, wherever it lay
   * @returns false: it was shown before, and is to be acknowledged now
   */
  take(seq: number, key: string, isNew: boolean): boolean {
    if (!isNew && this.#acks.isOpen(seq)) return true;
    this.#acks.received(seq);
    if (isNew) {
      this.#unshown.set(key, seq);
      this.#copies.set(seq, { key, seqs: new Set() });
      return true;
    }
    const first = this.#unshown.get(key);
    if (first === undefined) return false;
    this.#copies.get(first)?.seqs.add(seq);
    return true;
  }

  /** Something was received that nobody has to show. */
  passed(seq: number): void {
    this.#acks.received(seq);
  }

  /** Whether a message was taken and waits to be shown. */
  isOpen(seq: number): boolean {
    return this.#copies.has(seq);
  }

  /** What was received there was shown, or needs not be. */
  shown(seq: number): void {
    this.#acks.shown(seq);
    const copies = this.#copies.get(seq);
    if (copies === undefined) return;
    this.#copies.delete(seq);
    this.#unshown.delete(copies.key);
    for (const copy of copies.seqs) this.#acks.shown(copy);
  }

  /** As `Acks.take`. */
  nextAck(): Ack | null {
    return this.#acks.take();
  }

  /** As `Acks.renewed`. */
  renewed(): void {
    this.#acks.renewed();
  }
}
