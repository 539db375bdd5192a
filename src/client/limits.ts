import { MAX_ACK_RANGES, MAX_BODY_BYTES, MAX_PAGE, MAX_STATUS_NAMES } from '../protocol/v2/requests.ts';

/** Of a message's text, in bytes; a server may have a lower limit, which it says when it is connected to. */
/** Names of a page of a list. */
/** Names whose presence is asked for at once. */
export { MAX_BODY_BYTES, MAX_PAGE, MAX_STATUS_NAMES };
/** Messages to retrieve at once, of up to `MAX_PAGE`: as many as one acknowledgement can name. */
export const MAX_RETRIEVED = MAX_ACK_RANGES;
