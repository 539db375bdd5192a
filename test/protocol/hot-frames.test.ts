import { describe, expect, test } from 'vitest';
import type { Account } from '../../src/core/accounts.ts';
import type { InboxMessage } from '../../src/core/inboxes.ts';
import { HEADER_BYTES } from '../../src/protocol/frame.ts';
import { isUsername } from '../../src/protocol/names.ts';
import {
  deliveredFrame,
  externalMessageFrame,
  type StoredContent,
  sentFrame,
  userMessageFrame,
} from '../../src/protocol/v2/hot-frames.ts';
import { encodeServerFrame, type ServerFrame } from '../../src/protocol/v2/replies.ts';
import { version2 } from '../../src/server/adapters/version2.ts';
import type { SendResult } from '../../src/server/commands/send.ts';
import { encodeReceipt } from '../../src/server/receipts/receipt.ts';
import { rounds, SEED } from '../fuzz/fuzzing.ts';
import type { Random } from './random.ts';
import { ID_A, ID_B, RECEIPT } from './v2-vectors.ts';

const EDGES = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
/** Three of the longest fit into a frame, whatever they consist of. */
const LENGTHS = [0, 1, 23, 24, 255, 256, 16_300, 16_384, 65_535, 65_536, 100_000];

function number(random: Random): number {
  return random.pick([random.pick(EDGES), Math.floor(random.fraction() * 2 ** random.below(54))]);
}

function text(random: Random): string {
  const unit = random.pick(['x', 'é', '漢', '\u{1f600}', '\ud800', 'a\u0000']);
  if (random.below(10) > 0) return random.text(random.pick([3, 30, 300]));
  return unit.repeat(random.pick(LENGTHS) / unit.length);
}

function content(random: Random): StoredContent {
  return {
    offset: number(random),
    body: random.pick([Buffer.from(text(random)), random.bytes(random.below(100))]),
    acceptedAt: number(random),
    contentType: random.pick([null, 'text/plain; charset=utf-8', text(random)]),
  };
}

/** The same for encodeServerFrame, an absent field absent or undefined. */
function fields(random: Random, { offset, body, acceptedAt, contentType }: StoredContent) {
  const common = { seq: offset, body: Buffer.from(body).toString(), sentAt: acceptedAt };
  if (contentType !== null) return { ...common, contentType };
  return random.pick([common, { ...common, contentType: undefined }]);
}

function expectSame(frame: Buffer, value: ServerFrame): void {
  expect(Buffer.compare(frame, encodeServerFrame(value))).toBe(0);
}

function ids(random: Random, most: number): Buffer[] {
  return Array.from({ length: random.below(most + 1) }, () => random.bytes(16));
}

describe(`the frames written without a schema, seed ${SEED}`, () => {
  test('sent', () => {
    rounds((random) => {
      const [id, receipt] = [random.bytes(16), random.bytes(1 + random.below(64))];
      const [acceptedAt, recipientLoggedIn] = [number(random), random.below(2) === 0];
      const frame = sentFrame(id, receipt, acceptedAt, recipientLoggedIn);
      expectSame(frame, { type: 'sent', id, acceptedAt, receipt, recipientLoggedIn });
    });
  });

  test('a message of a user', () => {
    rounds((random) => {
      const stored = content(random);
      const [id, from, fromIncarnation] = [random.bytes(16), random.username(), random.bytes(16)];
      const frame = userMessageFrame(stored, id, from, fromIncarnation);
      const value = { ...fields(random, stored), verified: true, id, from, fromIncarnation } as const;
      expectSame(frame, { type: 'message', ...value });
    });
  });

  test('an external message', () => {
    rounds((random) => {
      const stored = content(random);
      const [id, external] = [random.pick([null, random.bytes(16)]), text(random)];
      const value = { ...fields(random, stored), verified: false, external } as const;
      const withId = id === null ? random.pick([value, { ...value, id: undefined }]) : { ...value, id };
      expectSame(externalMessageFrame(stored, id, external), { type: 'message', ...withId });
    });
  });

  test('delivered', () => {
    rounds((random) => {
      const most = random.pick([1, 3, 30, 300]);
      const [delivered, undeliverable] = [ids(random, most), ids(random, most)];
      const lost = undeliverable.length > 0 ? undeliverable : undefined;
      const value: ServerFrame = { type: 'delivered', ids: delivered, undeliverable: lost };
      expectSame(deliveredFrame(delivered, undeliverable), value);
    });
  });
});

const STORED: StoredContent = { offset: 1, body: Buffer.from('x'), acceptedAt: 1, contentType: null };

describe('what the protocol has no room for', () => {
  const bad = [-1, 1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY];
  const sends = (stored: StoredContent) => [
    () => userMessageFrame(stored, ID_A, 'bob', ID_B),
    () => externalMessageFrame(stored, null, 'bob'),
  ];

  test.each(bad)('is refused: the number %d', (value) => {
    for (const send of sends({ ...STORED, offset: value })) expect(send).toThrow(TypeError);
    for (const send of sends({ ...STORED, acceptedAt: value })) expect(send).toThrow(TypeError);
    expect(() => sentFrame(ID_A, RECEIPT, value, true)).toThrow(TypeError);
  });

  test('is refused: more than 1 MiB, to the byte', () => {
    const empty = encodeServerFrame({
      type: 'message',
      seq: 1,
      sentAt: 1,
      verified: false,
      external: '',
      body: '',
    });
    // A text of that length has a head of 5 bytes instead of 1.
    const room = 1_048_576 - (empty.length - HEADER_BYTES) - 4;
    const fullest = externalMessageFrame({ ...STORED, body: Buffer.alloc(room, 'x') }, null, '');
    expect(fullest.length).toBe(1_048_576 + HEADER_BYTES);
    expect(() => externalMessageFrame({ ...STORED, body: Buffer.alloc(room + 1, 'x') }, null, '')).toThrow(
      RangeError,
    );
    for (const send of sends({ ...STORED, body: Buffer.alloc(room + 1, 'x') }))
      expect(send).toThrow(RangeError);
    for (const send of sends({ ...STORED, contentType: '漢'.repeat(400_000) }))
      expect(send).toThrow(RangeError);
    expectSame(externalMessageFrame(STORED, null, ''), {
      type: 'message',
      seq: 1,
      verified: false,
      external: '',
      body: 'x',
      sentAt: 1,
    });
  });

  test('is refused: ids and receipts of other lengths, and too many ids', () => {
    for (const length of [0, 15, 17]) {
      const id = Buffer.alloc(length);
      expect(() => sentFrame(id, RECEIPT, 1, true)).toThrow(TypeError);
      expect(() => userMessageFrame(STORED, id, 'bob', ID_A)).toThrow(TypeError);
      expect(() => userMessageFrame(STORED, ID_A, 'bob', id)).toThrow(TypeError);
      expect(() => externalMessageFrame(STORED, id, 'bob')).toThrow(TypeError);
    }
    for (const length of [0, 65])
      expect(() => sentFrame(ID_A, Buffer.alloc(length), 1, true)).toThrow(TypeError);
    const [most, tooMany] = [Array(1_000).fill(ID_A), Array(1_001).fill(ID_A)];
    for (const wrong of [[Buffer.alloc(15)], [ID_A, Buffer.alloc(17)], tooMany]) {
      expect(() => deliveredFrame(wrong, [])).toThrow(TypeError);
      expect(() => deliveredFrame([ID_A], wrong)).toThrow(TypeError);
    }
    expect(deliveredFrame(most, most).length).toBeGreaterThan(32_000);
  });
});

/** What a record in an inbox is shown as, by the plainest code. */
function plainly({ offset, id, from, body, contentType, acceptedAt }: InboxMessage): ServerFrame {
  const known = id === null ? {} : { id };
  const text = Buffer.from(body).toString();
  const common = { type: 'message', seq: offset, body: text, sentAt: acceptedAt, ...known } as const;
  const typed = contentType === null ? common : { ...common, contentType };
  if (from.kind === 'user' && id !== null && isUsername(from.name))
    return { ...typed, id, verified: true, from: from.name, fromIncarnation: from.incarnation };
  return { ...typed, verified: false, external: from.name };
}

const LIFE = Buffer.from('0123456789abcdef0123456789abcdef', 'hex');
const OTHER = Buffer.alloc(16, 7);

describe('version 2', () => {
  test('shows as a user only who could be one, whatever a record says', () => {
    rounds((random) => {
      const name = random.pick([random.username(), 'Bob', '-', '', 'bob '.repeat(9)]);
      const message: InboxMessage = {
        ...content(random),
        id: random.pick([LIFE, OTHER, null]),
        from: random.pick([
          { kind: 'user', name, incarnation: LIFE },
          { kind: 'external', name },
        ] as const),
      };
      expectSame(version2.encodeMessage(message), plainly(message));
      const page = version2.encodeResult({ type: 'retrieved', messages: [message], more: true });
      expect(page?.includes(encodeServerFrame(plainly(message)).subarray(HEADER_BYTES))).toBe(true);
    });
  });

  test('two messages of a page keep their own ids', () => {
    const from = { kind: 'user', name: 'bob', incarnation: LIFE } as const;
    const messages = [ID_A, ID_B].map((id) => ({ ...STORED, id, from }));
    const page = version2.encodeResult({ type: 'retrieved', messages, more: false });
    expect(page?.includes(Buffer.from(ID_A))).toBe(true);
    expect(page?.includes(Buffer.from(ID_B))).toBe(true);
  });

  test('tells fates by id', () => {
    const value = { type: 'delivered', ids: [LIFE, OTHER] } as const;
    expect(version2.encodeDelivered([LIFE, OTHER], [])).toEqual(encodeServerFrame(value));
    expect(version2.encodeDelivered([LIFE, OTHER], [LIFE])).toEqual(
      encodeServerFrame({ ...value, undeliverable: [LIFE] }),
    );
  });

  test('answers a send with its id and where the message lies', () => {
    const account = (name: string): Account => ({
      ...{ name, incarnation: LIFE, topicId: '', displayName: null, credential: null },
      ...{ disabled: false, blocked: [], createdAt: 0 },
    });
    const sent: SendResult = {
      type: 'sent',
      id: OTHER,
      from: account('anna'),
      to: account('bob'),
      accepted: { offset: 2 ** 40, acceptedAt: 5, epoch: 3 },
      recipientLoggedIn: false,
    };
    const { accepted, recipientLoggedIn } = sent;
    const receipt = encodeReceipt(LIFE, { name: 'bob', incarnation: LIFE }, accepted);
    const value = { type: 'sent', id: OTHER, receipt, recipientLoggedIn } as const;
    expect(version2.encodeResult(sent)).toEqual(
      encodeServerFrame({ ...value, acceptedAt: accepted.acceptedAt }),
    );
  });
});
