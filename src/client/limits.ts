import { MAX_ACK_RANGES } from '../protocol/v2/requests.ts';

export {
  /** Of a message's text, in bytes; a server may have a lower limit, which it says when it is connected to. */
  MAX_BODY_BYTES,
  /** Names of a page of a list. */
  MAX_PAGE,
  /** Names whose presence is asked for at once. */
  MAX_STATUS_NAMES,
} from '../protocol/v2/requests.ts';
/** Messages to retrieve at once, of up to `MAX_PAGE`: as many as one acknowledgement can name. */
export const MAX_RETRIEVED = MAX_ACK_RANGES;
