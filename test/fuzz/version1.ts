/* Frames of version 1, on both sides. */
import { v1 } from '../../src/protocol/v1/codec.ts';
import { entryBody } from '../../src/protocol/v1/entries.ts';
import type { ServerFrame } from '../../src/protocol/v1/replies.ts';
import type { Request } from '../../src/protocol/v1/requests.ts';
import type { Random } from '../protocol/random.ts';
import { demandSame, either, orRefusal, type Target } from './fuzzing.ts';
import { judgeFrame, judgeStream, madeOf, type Side } from './streams.ts';

export const requests1: Side<Request> = {
  encode: v1.encodeRequest,
  decode: v1.decodeRequest,
  make: (random) => {
    const name = random.username();
    return either<Request>(random, [
      () => ({ type: 'create', name }),
      () => ({ type: 'login', name }),
      () => ({ type: 'logout' }),
      () => ({ type: 'delete' }),
      () => ({ type: 'list', pattern: `${name.slice(0, 5)}*?` }),
      () => ({ type: 'retrieve' }),
      () => ({ type: 'send', to: name, body: body(random) }),
    ]);
  },
};

const serverFrames1: Side<ServerFrame> = {
  encode: v1.encodeServerFrame,
  decode: v1.decodeServerFrame,
  // A retrieve reply is brought into shape on its way out.
  isReshaped: ({ type }) => type === 'retrieved',
  make: (random) => {
    const names = () => Array.from({ length: random.below(5) }, () => random.username());
    return either<ServerFrame>(random, [
      () => ({ type: 'created', token: body(random) }),
      () => ({ type: 'logged-in', token: body(random) }),
      () => ({ type: 'listed', names: names() }),
      () => ({
        type: 'retrieved',
        entries: names().map((sender) => ({ sender, body: entryBody(body(random)) })),
      }),
      () => ({ type: 'sent', text: random.text(20) }),
      () => ({ type: 'failure', text: random.text(20) }),
      () => ({ type: 'message', sender: random.username(), body: random.text(40) }),
    ]);
  },
};

function body(random: Random): string {
  return random.text(40) || 'x';
}

export const version1: Target = {
  name: 'version1',
  unit: 'frames',
  judge: (random) => {
    // Each connection has one direction.
    const isUp = random.below(2) === 0;
    const make = () => (isUp ? madeOf(requests1, random) : madeOf(serverFrames1, random));
    judgeAlmost(random);
    return judgeStream(random, [1], Array.from({ length: 1 + random.below(4) }, make)) + 4;
  },
};

/** Payloads that are nearly right, and a send with either length of its name. */
function judgeAlmost(random: Random): void {
  const name = Buffer.from(random.username());
  const text = random.pick([Buffer.from(body(random)), random.bytes(1 + random.below(6))]);
  const opcode = random.pick([0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, random.below(256)]);
  const payload = either(random, [
    () => random.bytes(random.below(40)),
    () => Buffer.from(random.text(20)),
    () => name,
    () => Buffer.concat([Uint8Array.of(random.below(40)), name, random.bytes(random.below(4))]),
    () => Buffer.concat([Uint8Array.of(0, 0, 0, name.length), name, text]),
  ]);
  judgeFrame(requests1, { version: 1, opcode, payload });
  judgeFrame(serverFrames1, { version: 1, opcode: random.below(2) + opcode, payload });
  const short = Buffer.concat([Uint8Array.of(name.length), name, text]);
  const long = Buffer.concat([Uint8Array.of(0, 0, 0), short]);
  const [one, other] = [short, long].map((bytes) =>
    orRefusal(() => v1.decodeRequest({ version: 1, opcode: 0x70, payload: bytes })),
  );
  demandSame(other, one, long);
  if (one?.type === 'send') demandSame(Buffer.from(one.body), text, short);
}
