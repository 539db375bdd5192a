import { isUtf8 } from 'node:buffer';
import { eachHeader, type RawRecord } from '../wire/log-batch.ts';

/** Bytes of a value, a key or of all headers that expressions look at. Parsing so many as JSON takes 5 ms at most. */
export const MAX_FIELD_BYTES = 256 * 1024;

/**
 * Length of a text times that of what it is searched for. The search is native, so nothing ends it, and at worst it looks at so many
 * pairs, some 5,000 in a microsecond: 4.5 s for half a text of the largest size in one.
 */
const MAX_SEARCH = 2 ** 25;

/** What a filter and a template may name. */
export const FIELD_NAMES = ['key', 'value', 'headers', 'partition', 'offset', 'timestamp'] as const;

/** A parsed JSON value. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** Every JSON begins with one of these, or with blanks: what does not costs no exception. */
const MAY_BE_JSON = new Set(Buffer.from('{["-0123456789tfn \t\r\n'));

/** What a record says, each part read when it is first asked for. */
export class RecordFields {
  readonly partition: number;
  readonly record: RawRecord;
  #value: Json | Buffer | undefined;

  constructor(partition: number, record: RawRecord) {
    this.partition = partition;
    this.record = record;
  }

  /** Its text, or its bytes where they are no UTF-8. @throws RangeError where it is too large */
  get key(): string | Buffer | null {
    const { key } = this.record;
    return key === null ? null : textOrBytes(bounded(key, 'key'));
  }

  /** What its JSON says; its text where it is no JSON; its bytes where it is no text. @throws RangeError likewise */
  get value(): Json | Buffer {
    if (this.#value === undefined) {
      const { value } = this.record;
      this.#value = value === null ? null : parsed(bounded(value, 'value'));
    }
    return this.#value;
  }

  /** Of several with one name the last one. @throws RangeError likewise */
  get headers(): Map<string, string | Buffer> {
    const bytes = bounded(this.record.headers, 'headers');
    const headers = new Map<string, string | Buffer>();
    eachHeader(bytes, (nameAt, nameEnd, valueAt, valueEnd) => {
      headers.set(bytes.toString('utf8', nameAt, nameEnd), textOrBytes(bytes.subarray(valueAt, valueEnd)));
    });
    return headers;
  }
}

/** To be called before a text is searched for another. @throws RangeError where that may take too long */
export function demandSearchable(text: string, wanted: string): void {
  if (text.length * wanted.length <= MAX_SEARCH) return;
  throw new RangeError(`${wanted.length} characters looked for in ${text.length}`);
}

function bounded(bytes: Buffer, what: string): Buffer {
  if (bytes.length > MAX_FIELD_BYTES) {
    throw new RangeError(
      `${what} of ${bytes.length} bytes, more than the ${MAX_FIELD_BYTES} that are looked at`,
    );
  }
  return bytes;
}

function textOrBytes(bytes: Buffer): string | Buffer {
  return isUtf8(bytes) ? bytes.toString() : bytes;
}

function parsed(bytes: Buffer): Json | Buffer {
  const text = textOrBytes(bytes);
  if (typeof text !== 'string' || !MAY_BE_JSON.has(bytes[0] ?? 0)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Of a record that says nothing. */
function emptyFields(): RecordFields {
  return new RecordFields(0, {
    ...{ offset: 0, leaderEpoch: 0, timestamp: 0, hasAppendTime: false, transactionOf: null },
    ...{ key: null, value: null, headers: Buffer.of(0) },
  });
}

/** Tries an expression where nothing comes of it: so it waits for no code to be loaded or compiled when it counts. */
export function tryOut(use: (fields: RecordFields) => unknown): void {
  try {
    use(emptyFields());
  } catch {
    // Most are about something that is not in it.
  }
}
