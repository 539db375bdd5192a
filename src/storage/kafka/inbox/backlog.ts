import type { Account } from '../../../core/accounts.ts';
import { EngineError } from '../../../core/errors.ts';
import type { InboxMessage } from '../../../core/inboxes.ts';
import { type DecidedRecords, type LogPosition, readDecided } from '../fetch/log-reader.ts';
import type { DeliveredOffsets } from '../groups/delivered-offsets.ts';
import { Position } from '../groups/position.ts';
import { isUnknownTopic, KafkaCode, KafkaError } from '../wire/kafka-error.ts';
import { now, retry } from '../wire/retry.ts';
import { noInbox } from '../wire/topics.ts';
import type { InboxSurroundings } from './inbox-surroundings.ts';
import { isNote } from './note-record.ts';
import type { Progress } from './progress.ts';
import { decodeRecord } from './record.ts';

const READ_TIMEOUT_MS = 10_000;
/** Bytes asked for at once. */
const READ_BYTES = 1024 * 1024;

export interface BacklogOptions {
  readonly around: Pick<
    InboxSurroundings,
    'cluster' | 'stats' | 'fetcher' | 'steppedOver' | 'current' | 'trust'
  >;
  readonly owner: Account;
  readonly topic: string;
  readonly group: string;
  readonly progress: Progress;
  /** Resolves while the inbox is held. @throws EngineError `UNAVAILABLE`, `LOST` */
  readonly expectHeld: () => Promise<void>;
  /** The log does not reach to this place any more. */
  readonly onOutOfRange: (place: LogPosition) => void;
}

/** What waits in an inbox: counted, and read when its owner asks for it. */
export class Backlog {
  readonly #options: BacklogOptions;
  /** So long it reads nothing more, since what it has read had to be unpacked. */
  #unpackRest: Promise<void> | null = null;

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  /**
   * How many messages no device has acknowledged, as of now; notes are none, but for those of a long backlog.
   * @throws EngineError `UNAVAILABLE`, `LOST`, `NO_INBOX`
   */
  async count(): Promise<number> {
    const { around, owner, topic, group, progress, expectHeld } = this.#options;
    const deadline = now() + READ_TIMEOUT_MS;
    const account = around.current(owner);
    const hasOthers = (account.devices?.length ?? 0) > 0 || group !== topic;
    const ask = async () =>
      hasOthers ? around.stats.read(account) : { end: await around.stats.end(owner), positions: null };
    const { end, positions } = await retry(`end of ${topic}`, deadline, ask).catch(asEngineError(topic));
    await expectHeld();
    const others = [...(positions ?? [])].flatMap(([of, position]) =>
      of === group || position === null ? [] : [position],
    );
    const { delivered } =
      others.length > 0 ? Position.union([progress.position, ...others]) : progress.position;
    const waiting = Math.max(0, end - delivered.low - delivered.acknowledgedAbove);
    const mayHaveNotes = waiting > 0 && (account.devices !== undefined || hasOthers);
    return mayHaveNotes ? waiting - (await this.#notesIn(delivered, end)) : waiting;
  }

  /** How many notes that no device has acknowledged lie in front of an offset, as far as one read reaches. */
  async #notesIn(delivered: DeliveredOffsets, end: number): Promise<number> {
    const { around, owner } = this.#options;
    const { records } = await this.#readFrom(delivered.low);
    const notes = records.filter(
      (raw) =>
        raw.offset < end &&
        !delivered.has(raw.offset) &&
        isNote(raw.headers) &&
        decodeRecord(around.trust, owner, raw).kind === 'note',
    );
    return notes.length;
  }

  /**
   * Undelivered messages that were not pushed, oldest first.
   * @param end offset where it ends
   * @throws EngineError `UNAVAILABLE`, `LOST`, `NO_INBOX`
   */
  async read(limits: { maxBytes: number; maxMessages?: number }, end: number): Promise<InboxMessage[]> {
    const { progress } = this.#options;
    const { maxBytes, maxMessages = Number.POSITIVE_INFINITY } = limits;
    const found: InboxMessage[] = [];
    let bytes = 0;
    let position = progress.nextToRead(progress.position.delivered.low);
    while (position < end) {
      const { records, nextOffset, ends, lost } = await this.#readFrom(position);
      if (nextOffset === position) break;
      for (const raw of records) {
        if (raw.offset >= end) {
          progress.passTo(position, end, lost);
          return found;
        }
        const message = progress.read(raw, position, ends, lost);
        position = raw.offset + 1;
        if (message === null) continue;
        bytes += message.body.length;
        if (found.length > 0 && bytes > maxBytes) return found;
        found.push(message);
        progress.handOut(raw.offset);
        if (found.length >= maxMessages) return found;
      }
      // Control records at the end of what was read hold no message either.
      progress.passTo(position, Math.min(nextOffset, end), lost);
      position = progress.nextToRead(Math.max(position, nextOffset));
    }
    return found;
  }

  async #readFrom(position: number): Promise<DecidedRecords> {
    const { around, owner, topic, progress, expectHeld, onOutOfRange } = this.#options;
    const inbox = { topic, topicId: owner.topicId };
    // Before the next one and not after the last: what waits has nothing large in its hands.
    await this.#unpackRest;
    const deadline = now() + READ_TIMEOUT_MS;
    const place = { offset: position, epoch: progress.position.epochs.at(position - 1) };
    const reading = readDecided(around.cluster, inbox, place, READ_BYTES, deadline);
    const read = await reading.catch((error: unknown) => {
      if (error instanceof KafkaError && error.kafkaCode === KafkaCode.OFFSET_OUT_OF_RANGE)
        onOutOfRange(place);
      return asEngineError(topic)(error);
    });
    this.#unpackRest = around.fetcher.pace.unpacked(read.unpackCost);
    if (read.damage) {
      const { error, nextOffset } = read.damage;
      around.steppedOver.note({ topic, before: nextOffset, reason: error.message });
    }
    await expectHeld();
    return read;
  }
}

/** What to make of a failure: throws an EngineError in any case. */
function asEngineError(topic: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof EngineError) throw error;
    if (isUnknownTopic(error)) throw noInbox(topic);
    throw new EngineError('LOST', `the inbox topic ${topic} cannot be read`, { cause: error });
  };
}
