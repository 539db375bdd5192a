/*
 * What a followed topic's records are to a room: a filter says which of them are shown, a template says as what. Both are written by
 * people and look at what strangers have written, so each may take no more time and memory than is said here.
 */
import type { RawRecord } from '../wire/log-batch.ts';
import { now } from '../wire/retry.ts';
import { BadExpression, sentenceOf } from './bad-expression.ts';
import type { Filter } from './filter.ts';
import { rawLine } from './raw-line.ts';
import { RecordFields, tryOut } from './record-fields.ts';
import type { Template } from './template.ts';
import { endsWithin, nextTurn, threadMicroseconds } from './time-limit.ts';

/** Of a turn of the event loop so much is for records, of whichever room; what is begun within it is finished. */
const SLICE_MS = 4;
/** What one record takes longer than this is ended. */
export const MAX_RECORD_MS = 10;
/** An expression is read, and tried on an empty record, once, and by code that was never run before. */
const MAX_READING_MS = 100;
/** A record that was ended on a machine that did other things meanwhile is tried so often. */
const MAX_TRIES = 6;

/** A room's share: so much work for each record in the long run, a hundred times what most filters take. */
const MICROSECONDS_EACH = 250;
/** Saved up at most, which a room also begins with: five records that were ended. */
const MAX_SAVED = 50_000;

/** A record as it is shown. */
export interface RecordLine {
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch, as the record has them: any number. */
  readonly timestamp: number;
  /** Up to 4,096 characters. It may have any character, line breaks and control characters among them. */
  readonly text: string;
  /** Why the filter or the template failed, so that this is the record as it is; null where they did not. */
  readonly note: string | null;
}

/** What became of some records, each of which counts once. */
export interface Looked {
  readonly lines: readonly RecordLine[];
  /** Records that were looked at: fewer than there were when the room has been paused meanwhile. */
  readonly count: number;
  /** Of these the filter has left out. */
  readonly leftOut: number;
  /** Of these would have been shown, but were not admitted; the offset of the first one. */
  readonly untold: number;
  readonly firstUntold: number | null;
}

/** What a room's owner has written; null: every record, each as it is. */
export interface Expressions {
  /** Common Expression Language, up to 1 KiB. */
  readonly where: string | null;
  /** Liquid, up to 1,024 characters. */
  readonly as: string | null;
}

/** What has been read of them. */
interface Made {
  readonly filter: Filter | null;
  readonly template: Template | null;
}

/** One record's fate until all are counted. */
type Outcome = RecordLine | 'left out' | 'untold';

/**
 * The lines of one room's records. Each record is looked at once, in turns of the event loop that it shares with all other rooms; a
 * room whose expressions take more than their share is paused.
 */
export class RecordLines {
  readonly #make: () => Made;
  /** Null once something was ended, which may have left it half done. */
  #made: Made | null;
  /** Microseconds that may be used before it is paused. */
  #saved = MAX_SAVED;
  #paused: string | null = null;

  private constructor(make: () => Made) {
    this.#make = make;
    this.#made = make();
  }

  /**
   * Reads the expressions. The libraries for that are loaded by the first room that has one.
   * @throws BadExpression
   */
  static async open({ where, as }: Expressions): Promise<RecordLines> {
    const makeFilter = where === null ? null : (await import('./filter.ts')).makeFilter;
    const makeTemplate = as === null ? null : (await import('./template.ts')).makeTemplate;
    return new RecordLines(() => ({
      filter: makeFilter && where !== null ? read('BAD_FILTER', where, makeFilter) : null,
      template: makeTemplate && as !== null ? read('BAD_TEMPLATE', as, makeTemplate) : null,
    }));
  }

  /** Why nothing is looked at any more, as a sentence; null while it is. */
  get paused(): string | null {
    return this.#paused;
  }

  /** Goes on with a full share. */
  resume(): void {
    this.#paused = null;
    this.#saved = MAX_SAVED;
  }

  /**
   * Looks at records, in their order.
   * @param admits whether one that would be shown may be; of others no line is made, and they are counted
   */
  async look(
    partition: number,
    records: readonly RawRecord[],
    admits: (record: RawRecord) => boolean = () => true,
  ): Promise<Looked> {
    const work: Work = { partition, records, admits, outcomes: [], tries: 0 };
    while (work.outcomes.length < records.length && this.#paused === null) {
      await nextTurn();
      // Reading them anew is a turn's work.
      if (this.#made === null) this.#readAgain(work);
      else this.#slice(work, this.#made);
    }
    const { outcomes } = work;
    const lines = outcomes.filter((outcome) => typeof outcome !== 'string');
    const leftOut = outcomes.filter((outcome) => outcome === 'left out').length;
    const count = outcomes.length;
    const firstUntold = records[outcomes.indexOf('untold')]?.offset ?? null;
    return { lines, count, leftOut, untold: count - leftOut - lines.length, firstUntold };
  }

  #readAgain(work: Work): void {
    const began = threadMicroseconds();
    try {
      this.#made = this.#make();
    } catch (error) {
      this.#paused = `Its filter and template cannot be read again: ${sentenceOf(error)}`;
      return;
    }
    this.#charge(0, threadMicroseconds() - began, work);
  }

  #slice(work: Work, made: Made): void {
    const { records, outcomes } = work;
    const first = outcomes.length;
    const began = threadMicroseconds();
    const until = now() + SLICE_MS;
    const isDone = endsWithin(MAX_RECORD_MS, () => {
      do {
        const outcome = judge(work, made);
        // It may be ended anywhere but from here to the next call.
        outcomes.push(outcome);
      } while (outcomes.length < records.length && now() < until);
    });
    let used = threadMicroseconds() - began;
    if (isDone) work.tries = 0;
    else this.#made = null;
    // What was ended behind others had not all of the time for itself: it is the next slice's first.
    if (!isDone && outcomes.length === first) {
      if (this.#isTriedAgain(work, used)) return;
      used = Math.max(used, MAX_RECORD_MS * 1_000);
    }
    this.#charge(outcomes.length - first, used, work);
  }

  /** The first record of a slice, and so the only one, was ended. @returns whether that says nothing about it */
  #isTriedAgain(work: Work, used: number): boolean {
    const { partition, records, outcomes } = work;
    work.tries += 1;
    if (wasElsewhere(used, MAX_RECORD_MS) && work.tries < MAX_TRIES) return true;
    work.tries = 0;
    const record = records[outcomes.length];
    if (record === undefined || !work.admits(record)) outcomes.push('untold');
    else
      outcomes.push(lineOf(partition, record, rawLine(record), `it takes longer than ${MAX_RECORD_MS} ms`));
    return false;
  }

  #charge(count: number, used: number, { partition, records, outcomes }: Work): void {
    this.#saved = Math.min(MAX_SAVED, this.#saved + count * MICROSECONDS_EACH - used);
    if (this.#saved >= 0) return;
    const at = records[Math.max(0, outcomes.length - 1)]?.offset ?? 0;
    this.#paused =
      `Its filter and template take more than ${MICROSECONDS_EACH / 1_000} ms for each record, ` +
      `as at ${partition}/${at}: simpler ones would do`;
  }
}

/** Some records on their way. */
interface Work {
  readonly partition: number;
  readonly records: readonly RawRecord[];
  readonly admits: (record: RawRecord) => boolean;
  /** Of the first so many. */
  readonly outcomes: Outcome[];
  /** Of the next record. */
  tries: number;
}

/** What becomes of the next record. */
function judge({ partition, records, outcomes, admits }: Work, { filter, template }: Made): Outcome {
  const record = records[outcomes.length];
  if (record === undefined) return 'left out';
  const fields = new RecordFields(partition, record);
  let note: string | null = null;
  try {
    if (filter !== null && !filter(fields)) return 'left out';
  } catch (error) {
    note = `filter: ${sentenceOf(error)}`;
  }
  if (!admits(record)) return 'untold';
  let text: string | null = null;
  try {
    if (note === null && template !== null) text = template(fields);
  } catch (error) {
    note = `template: ${sentenceOf(error)}`;
  }
  return lineOf(partition, record, text ?? rawLine(record), note);
}

function lineOf(partition: number, record: RawRecord, text: string, note: string | null): RecordLine {
  return { partition, offset: record.offset, timestamp: record.timestamp, text, note };
}

/** Whether the machine did other things for most of the time that something was given. */
function wasElsewhere(usedMicroseconds: number, ms: number): boolean {
  return usedMicroseconds < (ms * 1_000) / 2;
}

/** @throws BadExpression */
function read<Made extends Filter | Template>(
  code: BadExpression['code'],
  text: string,
  make: (text: string) => Made,
): Made {
  for (let tries = 1; ; tries++) {
    const made: Made[] = [];
    const began = threadMicroseconds();
    endsWithin(MAX_READING_MS, () => {
      const use = make(text);
      tryOut(use);
      made.push(use);
    });
    const [one] = made;
    if (one !== undefined) return one;
    if (tries < MAX_TRIES && wasElsewhere(threadMicroseconds() - began, MAX_READING_MS)) continue;
    throw new BadExpression(code, `it takes longer than ${MAX_READING_MS} ms to read`, text, 0);
  }
}
