import type { Codec } from '../frame.ts';
import { decodeServerFrame, encodeServerFrame, type ServerFrame } from './replies.ts';
import { decodeRequest, encodeRequest, type Request, VERSION } from './requests.ts';

/** Version 1, the original protocol. */
export const v1: Codec<Request, ServerFrame> = {
  version: VERSION,
  decodeRequest,
  encodeServerFrame,
  decodeServerFrame,
  encodeRequest,
};
