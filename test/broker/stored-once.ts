/**
 * For kafkajs's producers of records that a test counts: what is sent again, because the answer to the first attempt got
 * lost or came late, is stored once. A producer that is not idempotent stores it twice then.
 */
export const STORED_ONCE = { idempotent: true, maxInFlightRequests: 1 } as const;
