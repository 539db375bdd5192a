/** Partitions of a topic that a room may be a window on. */
export const MAX_WINDOW_PARTITIONS = 1_024;

/** What a room shows that is a window on a topic which exists already. Nobody says anything in it. */
export interface TopicWindow {
  readonly topic: string;
  /** Which records are shown, in the Common Expression Language, up to 1 KiB; null: all of them. */
  readonly where: string | null;
  /** As what, in Liquid, up to 1,024 characters; null: key and value in one line. */
  readonly as: string | null;
}

/** Where a record lies in the topic. */
export interface RecordPlace {
  readonly partition: number;
  readonly offset: number;
}

/** What is to be said of a window beside its records. */
export interface WindowNotice {
  /** One line for people. */
  readonly text: string;
  /** Of records that are not shown: how many. */
  readonly records?: number | undefined;
  /** The first of them. */
  readonly from?: RecordPlace | undefined;
}

/** What is shown of a record as it lies in the topic: bytes, and how many headers. */
export const RAW_BOUNDS = {
  key: 1_024,
  value: 262_144,
  headers: 64,
  headerName: 256,
  headerValue: 1_024,
} as const;

/** A record as it lies in the topic, its parts cut at `RAW_BOUNDS`. */
export interface TopicRecord {
  /** Milliseconds since the epoch, as the topic keeps it: any number. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** How many bytes both have. */
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly headers: readonly { readonly name: string; readonly value: Uint8Array }[];
}

/** What a filter and a template make of the newest records of a topic. */
export interface WindowPreview {
  readonly lines: readonly (RecordPlace & {
    readonly timestamp: number;
    readonly text: string;
    /** Why the filter or the template failed, so that this is the record as it is. */
    readonly note: string | null;
  })[];
  /** Records that were looked at, and of them left out. */
  readonly looked: number;
  readonly leftOut: number;
  /** Why a room would be paused there; null where it would not. */
  readonly paused: string | null;
}

/** Names a record of a window as `seq` names a message of a room: the same for ever, and rising along each partition. */
export function seqOf({ partition, offset }: RecordPlace): number {
  return offset * MAX_WINDOW_PARTITIONS + partition;
}

/** The other way round. */
export function placeOf(seq: number): RecordPlace {
  return { partition: seq % MAX_WINDOW_PARTITIONS, offset: Math.floor(seq / MAX_WINDOW_PARTITIONS) };
}

/** A record's time as a message has it. Producers set it as they like: to none, or to nanoseconds. */
export function recordTime(timestamp: number): number {
  return Math.min(Math.max(0, timestamp), Number.MAX_SAFE_INTEGER);
}
