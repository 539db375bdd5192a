import type { Codec } from '../frame.ts';
import { decodeServerFrame, encodeServerFrame, type ServerFrame } from './replies.ts';
import { decodeRequest, encodeRequest, type Request, VERSION } from './requests.ts';

/** Version 2: CBOR maps, passwords, messages with ids, delivery that the recipient acknowledges. */
export const v2: Codec<Request, ServerFrame> = {
  version: VERSION,
  decodeRequest,
  encodeServerFrame,
  decodeServerFrame,
  encodeRequest,
};
