/** How much a storage in memory keeps. What does not fit is refused as `MAILBOX_FULL`. */
export interface MemoryLimits {
  /** All undelivered messages together, in bytes, each with what it costs beside its body. */
  readonly maxBytes: number;
  /** One inbox: undelivered messages, and bytes of their bodies. */
  readonly mailbox: {
    readonly maxMessages: number;
    readonly maxBytes: number;
    /** Share of `maxMessages` that one sender may fill, above 0 and at most 1. */
    readonly senderShare: number;
    /** How full strangers may make it, above 0 and at most 1: the rest is for those whom the owner has written to. */
    readonly strangerShare: number;
  };
}

/** As the settings have them by default. */
export const MEMORY_LIMITS: MemoryLimits = {
  maxBytes: 256 * 2 ** 20,
  mailbox: { maxMessages: 100_000, maxBytes: 256 * 2 ** 20, senderShare: 0.5, strangerShare: 0.75 },
};
