/**
 * What the devices of one account tell each other, in the account's own inbox: what was sent with one of them, and up to where
 * something was read.
 */
export type Note =
  | {
      readonly kind: 'sent';
      /** The message's own. */
      readonly id: Uint8Array;
      readonly to: string;
      readonly toIncarnation: Uint8Array;
      readonly body: Uint8Array;
      readonly contentType: string;
    }
  | {
      readonly kind: 'read';
      /** What is read there, as clients call it: 1 to 100 bytes without control characters. */
      readonly conversation: string;
      /** Offset in the inbox of the last message that was read. */
      readonly upTo: number;
    };

/** A note out of an inbox. */
export interface InboxNote {
  readonly offset: number;
  /** Kafka's append time, milliseconds since the epoch. */
  readonly acceptedAt: number;
  /** The device that it is from; undefined: the main one. */
  readonly device: string | undefined;
  readonly note: Note;
}
