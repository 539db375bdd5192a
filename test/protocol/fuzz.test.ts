import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { encodeFrame, FrameDecoder, HEADER_BYTES } from '../../src/protocol/frame.ts';
import { entryBody } from '../../src/protocol/v1/entries.ts';
import { decodeServerFrame, encodeServerFrame, type ServerFrame } from '../../src/protocol/v1/replies.ts';
import { decodeRequest, encodeRequest, type Request } from '../../src/protocol/v1/requests.ts';
import { mutate, orRefusal, rounds, SEED } from './fuzzing.ts';
import { type Random, randomCuts } from './random.ts';

const MAX_PAYLOAD = 4_096;

interface Outcome {
  frames: string[];
  error: string | null;
  partial: boolean;
}

/** What the decoder under test makes of `pieces`, its promises checked after every step. */
function incremental(pieces: readonly Buffer[]): Outcome {
  const decoder = new FrameDecoder({ maxPayload: MAX_PAYLOAD });
  const frames: string[] = [];
  try {
    for (const piece of pieces) {
      decoder.push(piece);
      for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
        frames.push(`${frame.version}/${frame.opcode}/${frame.payload.toString('hex')}`);
      }
      if (decoder.heldBytes > MAX_PAYLOAD) throw new Error(`holds ${decoder.heldBytes} bytes`);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    if (decoder.heldBytes !== 0) throw new Error('holds bytes after a fatal error');
    return { frames, error: error.code, partial: false };
  }
  return { frames, error: null, partial: decoder.hasPartial };
}

/** The same by the plainest code there is, from the whole of the bytes. */
function reference(bytes: Buffer): Outcome {
  const frames: string[] = [];
  let rest = bytes;
  for (;;) {
    if (rest.length === 0) return { frames, error: null, partial: false };
    if (rest[0] !== 1) return { frames, error: 'UNSUPPORTED_VERSION', partial: false };
    if (rest.length < 5) return { frames, error: null, partial: true };
    const size = rest.readUInt32BE(1);
    if (size > MAX_PAYLOAD) return { frames, error: 'TOO_LARGE', partial: false };
    if (rest.length < HEADER_BYTES + size) return { frames, error: null, partial: true };
    frames.push(`1/${rest[5]}/${rest.subarray(HEADER_BYTES, HEADER_BYTES + size).toString('hex')}`);
    rest = rest.subarray(HEADER_BYTES + size);
  }
}

function body(random: Random): string {
  return random.text(40) || 'x';
}

function randomRequest(random: Random): Request {
  const name = random.username();
  return random.pick<Request>([
    { type: 'create', name },
    { type: 'login', name },
    { type: 'logout' },
    { type: 'delete' },
    { type: 'list', pattern: `${name.slice(0, 5)}*?` },
    { type: 'retrieve' },
    { type: 'send', to: name, body: body(random) },
  ]);
}

function randomServerFrame(random: Random): ServerFrame {
  const names = Array.from({ length: random.below(5) }, () => random.username());
  return random.pick<ServerFrame>([
    { type: 'created', token: body(random) },
    { type: 'logged-in', token: body(random) },
    { type: 'listed', names },
    { type: 'retrieved', entries: names.map((sender) => ({ sender, body: entryBody(body(random)) })) },
    { type: 'sent', text: random.text(20) },
    { type: 'failure', text: random.text(20) },
    { type: 'message', sender: random.username(), body: random.text(40) },
  ]);
}

function frameFrom(text: string) {
  const [version, opcode, payload] = text.split('/');
  return { version: Number(version), opcode: Number(opcode), payload: Buffer.from(payload ?? '', 'hex') };
}

describe(`fuzz, seed ${SEED}`, () => {
  test('valid requests come out as they went in, whatever the cuts', () => {
    rounds((random) => {
      const values = Array.from({ length: 1 + random.below(8) }, () => randomRequest(random));
      const { frames, error, partial } = incremental(
        randomCuts(random, Buffer.concat(values.map(encodeRequest))),
      );
      expect({ error, partial }).toEqual({ error: null, partial: false });
      expect(frames.map((frame) => decodeRequest(frameFrom(frame)))).toEqual(values);
    });
  });

  test('valid server frames come out as they went in, whatever the cuts', () => {
    rounds((random) => {
      const values = Array.from({ length: 1 + random.below(8) }, () => randomServerFrame(random));
      const { frames, error } = incremental(randomCuts(random, Buffer.concat(values.map(encodeServerFrame))));
      expect(error).toBeNull();
      expect(frames.map((frame) => decodeServerFrame(frameFrom(frame)))).toEqual(values);
    });
  });

  test('a spoilt stream gives the same frames and the same error, whatever the cuts', () => {
    rounds((random) => {
      const valid = Array.from({ length: 1 + random.below(6) }, () => encodeRequest(randomRequest(random)));
      const bytes = mutate(random, Buffer.concat(valid));
      expect(incremental(randomCuts(random, bytes))).toEqual(reference(bytes));
    });
  });

  test('random bytes behind a valid frame spoil nothing in front of them', () => {
    rounds((random) => {
      const first = randomRequest(random);
      const bytes = Buffer.concat([encodeRequest(first), random.bytes(random.below(50))]);
      const outcome = incremental(randomCuts(random, bytes));
      expect(outcome).toEqual(reference(bytes));
      expect(decodeRequest(frameFrom(outcome.frames[0] ?? ''))).toEqual(first);
    });
  });

  test('a frame with any payload is decoded or refused, and what is decoded can be sent again', () => {
    rounds((random) => {
      const opcode = random.pick([0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, random.below(256)]);
      const name = Buffer.from(random.username());
      const payload = random.pick([
        random.bytes(random.below(40)),
        Buffer.from(random.text(20)),
        name,
        Buffer.concat([Uint8Array.of(random.below(40)), name, random.bytes(random.below(4))]),
        Buffer.concat([Uint8Array.of(0, 0, 0, name.length), name, Buffer.from(random.text(9))]),
      ]);
      const value = orRefusal(() => decodeRequest({ version: 1, opcode, payload }));
      if (value === undefined) return;
      const again = encodeRequest(value);
      const decoded = decodeRequest({
        version: 1,
        opcode: again[5] ?? 0,
        payload: again.subarray(HEADER_BYTES),
      });
      expect(decoded).toEqual(value);
    });
  });

  test('a hostile server cannot make the client throw anything else', () => {
    rounds((random) => {
      const opcode = random.pick([0x11, 0x21, 0x22, 0x51, 0x61, 0x71, 0x72, random.below(256)]);
      const payload = random.pick([random.bytes(random.below(40)), Buffer.from(random.text(30))]);
      const value = orRefusal(() => decodeServerFrame({ version: 1, opcode, payload }));
      // A retrieve reply alone is brought into shape on its way out.
      if (value === undefined || value.type === 'retrieved') return;
      expect(encodeServerFrame(value).subarray(HEADER_BYTES)).toEqual(payload);
    });
  });

  test('a send means the same with either length of the name, and its body comes byte by byte', () => {
    rounds((random) => {
      const name = random.username();
      const text = random.pick([Buffer.from(body(random)), random.bytes(1 + random.below(6))]);
      const short = Buffer.concat([Uint8Array.of(name.length), Buffer.from(name), text]);
      const long = Buffer.concat([Uint8Array.of(0, 0, 0), short]);
      const value = orRefusal(() => decodeRequest({ version: 1, opcode: 0x70, payload: short }));
      expect(orRefusal(() => decodeRequest({ version: 1, opcode: 0x70, payload: long }))).toEqual(value);
      if (value === undefined) return;
      if (value.type !== 'send') throw new Error(`decoded as ${value.type}`);
      expect(value.to).toBe(name);
      expect(Buffer.from(value.body)).toEqual(text);
    });
  });

  test('after a refused request the next one is read: a bad payload does not move the bounds', () => {
    rounds((random) => {
      const good = randomRequest(random);
      const bad = encodeFrame(1, random.below(256), random.bytes(random.below(60)));
      const { frames } = incremental(randomCuts(random, Buffer.concat([bad, encodeRequest(good)])));
      expect(frames).toHaveLength(2);
      orRefusal(() => decodeRequest(frameFrom(frames[0] ?? '')));
      expect(decodeRequest(frameFrom(frames[1] ?? ''))).toEqual(good);
    });
  });
});
