import { describe, expect, it } from 'vitest';
import {
  ACK_NUMBER_BYTES,
  ackHead,
  bodyOfPush1,
  fillTemplate,
  HEADER_BYTES,
  type Push,
  readPush,
  sendTemplate,
  timeOf,
  writeAck,
} from '../../bench/load/wire.ts';
import { type Frame, FrameDecoder } from '../../src/protocol/frame.ts';
import { v1 } from '../../src/protocol/v1/codec.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';

const TIME = 1_234_567_890_123;

function frameOf(bytes: Buffer): Frame {
  const decoder = new FrameDecoder({ maxPayload: 1 << 20, versions: [1, 2] });
  decoder.push(bytes);
  const frame = decoder.next();
  if (frame === undefined) throw new Error('no whole frame');
  return frame;
}

describe('the frames that the load generator makes', () => {
  it.each([1, 2] as const)('are sends of version %d', (version) => {
    const frame = fillTemplate(sendTemplate(version, 'load-7', 100), 42, TIME, 3, 9);
    const request = (version === 1 ? v1 : v2).decodeRequest(frameOf(frame));
    if (request.type !== 'send') throw new Error(request.type);
    expect(request.to).toBe('load-7');
    expect(request.body).toHaveLength(100);
    expect(request.body).toMatch(/^L0420001234567890123x+$/);
    const id = 'id' in request && request.id instanceof Uint8Array ? Buffer.from(request.id) : null;
    if (version === 2) expect(id?.readUInt32BE(4)).toBe(9);
  });

  it('are one frame, filled anew for each message', () => {
    const template = sendTemplate(2, 'load-7', 100);
    const first = Buffer.from(fillTemplate(template, 42, TIME, 3, 9));
    const second = fillTemplate(template, 999, 0, 2 ** 32 - 1, 2 ** 31);
    expect(v2.decodeRequest(frameOf(first))).toMatchObject({ body: expect.stringMatching(/^L0420001234/) });
    expect(v2.decodeRequest(frameOf(second))).toMatchObject({ body: expect.stringMatching(/^L9990{16}x/) });
    expect(second.readUInt32BE(template.idAt)).toBe(2 ** 32 - 1);
    expect(second.readUInt32BE(template.idAt + 4)).toBe(2 ** 31);
  });

  it.each([0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 40])(
    'acknowledge up to %d, behind what is there',
    (seq) => {
      for (const room of [null, { room: '#ops', roomIncarnation: new Uint8Array(16).fill(7) }]) {
        const head = ackHead(room);
        const out = Buffer.alloc(3 + head.length + ACK_NUMBER_BYTES, 'x');
        const frame = Buffer.from(out.subarray(3, writeAck(out, 3, seq, head)));
        expect(v2.decodeRequest(frameOf(frame))).toEqual({ type: 'ack', upTo: seq, ...room });
        expect(out.toString('latin1', 0, 3)).toBe('xxx');
      }
    },
  );
});

describe('what the load generator reads of a push', () => {
  const body = fillTemplate(sendTemplate(1, 'x', 60), 5, TIME, 0, 0)
    .toString()
    .slice(-60);

  it.each([0, 30, 300, 70_000, 2 ** 33])('is its seq %d and the time in its body, in version 2', (seq) => {
    const id = Buffer.alloc(16, 1);
    const bytes = v2.encodeServerFrame({
      ...{ type: 'message', verified: true, seq, id, body, from: 'anna', fromIncarnation: id },
      ...{ sentAt: 1_700_000_000_000, contentType: 'text/plain' },
    });
    const push: Push = { bodyAt: 0, seq: -1 };
    readPush(bytes, HEADER_BYTES, push);
    expect(push.seq).toBe(seq);
    expect(timeOf(bytes, push.bodyAt, 5)).toBe(TIME);
    expect(timeOf(bytes, push.bodyAt, 6)).toBe(-1);
  });

  it('is the time in its body, in version 1', () => {
    const bytes = v1.encodeServerFrame({ type: 'message', sender: 'anna', body });
    expect(timeOf(bytes, bodyOfPush1(bytes, HEADER_BYTES), 5)).toBe(TIME);
  });
});
