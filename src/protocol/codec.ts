import type { Frame } from './frame.ts';

/**
 * One version of the protocol: frames ⇄ values, for both sides. The frame layer is the same for all versions, so
 * a server picks the codec by `frame.version`.
 */
export interface Codec<Request, ServerFrame> {
  readonly version: number;
  /** Server side. @throws ProtocolError for a frame that is no request of this version */
  decodeRequest(frame: Frame): Request;
  /** Server side: a whole frame, header included. */
  encodeServerFrame(value: ServerFrame): Buffer;
  /** Client side. @throws ProtocolError for a frame that no server of this version sends */
  decodeServerFrame(frame: Frame): ServerFrame;
  /** Client side: a whole frame, header included. @throws ProtocolError for what the server would refuse */
  encodeRequest(value: Request): Buffer;
}
