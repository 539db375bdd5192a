/** The protocol, as docs/protocol.md has it: bytes ⇄ values. What is public of it. */

export { defaultText, isProtocolErrorCode, ProtocolError, type ProtocolErrorCode } from './errors.ts';
export type { Codec } from './frame.ts';
export {
  encodeFrame,
  type Frame,
  FrameDecoder,
  type FrameDecoderOptions,
  HEADER_BYTES,
  MAX_PAYLOAD,
  MAX_PAYLOAD_BEFORE_LOGIN,
  MAX_REPLY_PAYLOAD,
} from './frame.ts';
export { isUsername, MAX_PATTERN_LENGTH, MAX_USERNAME_LENGTH, parsePattern, parseUsername } from './names.ts';
export { v1 } from './v1/codec.ts';
export type { ServerFrame as ServerFrame1 } from './v1/replies.ts';
export type { Request as Request1 } from './v1/requests.ts';
export { v2 } from './v2/codec.ts';
export type { Message, ServerFrame, ServerFrameOf, ServerLimits, SessionLimits } from './v2/replies.ts';
export {
  MAX_ACK_RANGES,
  MAX_BODY_BYTES,
  MAX_CONTENT_TYPE_BYTES,
  MAX_PAGE,
  MAX_RECEIPTS,
  MAX_STATUS_NAMES,
  type Request,
  type RequestOf,
} from './v2/requests.ts';
