/* The section *Payloads*: what is CBOR here and what is not. */
import { describe, expect } from 'vitest';
import { type Client, newId, newName } from './client.ts';
import { cbor, type Fields, fieldsOf, frame, frame2 } from './frames.ts';
import { holds } from './sentences.ts';
import { open, person, serversInMemory } from './servers.ts';

const servers = serversInMemory(1);

const LIST = 0x50;
const PING = 0xb0;

/** What the server says to a ping with these bytes as its payload: a pong's opcode, or the code of a failure. */
async function answer(client: Client, payload: string | Uint8Array): Promise<unknown> {
  const bytes = typeof payload === 'string' ? Buffer.from(payload.replaceAll(' ', ''), 'hex') : payload;
  client.write(frame(2, PING, bytes));
  const reply = await client.reply();
  if (reply.opcode !== 0x22) return reply.opcode;
  expect(reply.fields).toMatchObject({ request: PING });
  return reply.fields.code;
}

/** In turn on one connection: a refused request changes nothing. */
async function expectAll(payloads: readonly (string | Uint8Array)[], expected: unknown): Promise<void> {
  const { client } = await person(servers[0]);
  for (const payload of payloads) {
    const said = typeof payload === 'string' ? payload : `${payload.length} bytes`;
    expect(await answer(client, payload), said).toBe(expected);
  }
}

const BAD = 'BAD_REQUEST';
/** `{"x": …}` around an item. */
const x = (item: string) => `a1 6178 ${item}`;

describe('payloads', () => {
  holds(
    [
      'A payload is one CBOR map (RFC 8949) with text keys.',
      'Of CBOR it uses integers from -(2^53-1) to 2^53-1, byte strings, text (UTF-8), arrays, maps, `true`, `false` and `null`;',
    ],
    async () => {
      const right = [
        'a0',
        x('00'),
        x('1b001fffffffffffff'),
        x('3b001ffffffffffffe'),
        x('40'),
        x('6368c3a9'),
        x('80'),
        x('a0'),
        x('f4'),
        x('f5'),
        x('f6'),
      ];
      await expectAll(right, 0xb1);
      const wrong = [
        '80',
        '00',
        '60',
        'f6',
        'a1 01 01',
        'a1 4161 01',
        x('1b0020000000000000'),
        x('3b001fffffffffffff'),
      ];
      await expectAll([...wrong, x('1bffffffffffffffff'), x('62c328'), x('61ff'), 'a161', 'a1'], BAD);
    },
  );

  holds(
    [
      'definite lengths only;',
      'every integer and length in its shortest form;',
      'no key twice in a map;',
      'nothing behind the map.',
      'There are no tags, no `undefined` and no floats: 1.0 is not 1.',
      'What breaks these rules gets BAD_REQUEST.',
    ],
    async () => {
      const indefinite = ['bfff', x('5fff'), x('7fff'), x('9fff'), x('bfff')];
      const long = [
        x('1801'),
        x('190001'),
        x('1a00000001'),
        x('1b0000000000000001'),
        x('580100'),
        'b80161 78 01',
        'a1 780178 01',
      ];
      const twice = ['a2 6178 01 6178 01', x('a2 6179 01 6179 02')];
      const behind = ['a000', 'a0a0', 'a0ff'];
      const foreign = [
        x('c000'),
        x('c249010000000000000000'),
        x('f7'),
        x('f93c00'),
        x('fa3f800000'),
        x('fb3ff0000000000000'),
        x('e0'),
        x('f8ff'),
      ];
      await expectAll([...indefinite, ...long, ...twice, ...behind, ...foreign], BAD);
    },
  );

  holds(
    'A request nests at most 8 maps and arrays (an empty one does not count) and holds at most 1,024 items (keys and values, each map and array one of them) and 64 keys in a map;',
    async () => {
      const nested = (depth: number, inner: string) => x(`${'81'.repeat(depth - 1)}${inner}`);
      const items = (count: number) => cbor({ x: Array.from({ length: count - 3 }, () => 0) });
      const keys = (count: number) =>
        cbor(Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 0])));
      await expectAll([nested(8, '01'), nested(8, '80'), items(1_024), keys(64)], 0xb1);
      await expectAll([nested(9, '01'), items(1_025), keys(65)], BAD);
    },
  );

  holds(
    [
      'Keys may come in any order; the server writes them in the order of their encoding.',
      '**Unknown keys are ignored**, by servers and clients: later servers may add some.',
    ],
    async () => {
      const { client, name } = await person(servers[0]);
      // `to` before `id`, the body first, and keys that nobody knows.
      const [id, to] = [newId(), Buffer.from(name)];
      const payload = Buffer.concat([
        Buffer.from('a5', 'hex'),
        Buffer.from('\x64body\x62hi\x62to', 'latin1'),
        Buffer.of(0x60 + to.length < 0x78 ? 0x60 + to.length : 0x78, ...(to.length < 24 ? [] : [to.length])),
        to,
        Buffer.from('\x64type\x05', 'latin1'),
        Buffer.from('\x62id\x50', 'latin1'),
        id,
        Buffer.from('\x69__proto__\xa0', 'latin1'),
      ]);
      client.write(frame(2, 0x70, payload));
      const { opcode, fields } = await client.reply();
      expect(opcode).toBe(0x71);
      expect(fields).toMatchObject({ id: new Uint8Array(id) });
    },
  );

  holds('An optional field is absent, never `null`.', async () => {
    const { client, name } = await person(servers[0]);
    const requests: [number, Fields][] = [
      [0x80, { client: 'x', features: null }],
      [0x50, { pattern: null }],
      [0x50, { after: null }],
      [0x50, { limit: null }],
      [0x60, { limit: null }],
      [0x70, { id: newId(), to: name, body: 'x', contentType: null }],
      [0x90, { upTo: null, ranges: [[1, 1]] }],
      [0x90, { upTo: 1, ranges: null }],
      [0xd0, { old: null, new: 'another one' }],
      [0xf0, { name: null, blocked: null }],
      [0x40, { password: null }],
    ];
    for (const [opcode, fields] of requests) {
      expect(await client.refusal(opcode, fields), JSON.stringify(fields)).toBe(BAD);
    }
    // fieldsOf() refuses a null in whatever the server says, here and everywhere.
    await client.inStep();
  });

  holds(
    'A request without required fields may have an empty payload instead of an empty map (an ack needs one of its two).',
    async () => {
      const { client } = await person(servers[0]);
      for (const opcode of [0x50, 0x60, 0xb0, 0xf0, 0x30]) {
        if (opcode === 0x30) {
          client.write(frame(2, 0x90));
          expect((await client.reply()).fields).toMatchObject({ code: BAD, request: 0x90 });
        }
        client.write(frame(2, opcode));
        expect((await client.reply()).opcode).toBe(opcode + 1);
      }
      const other = await person(servers[0]);
      other.client.write(frame(2, 0x40));
      expect((await other.client.reply()).fields).toMatchObject({ code: 'BAD_CREDENTIALS' });
      for (const opcode of [0x80, 0x70, 0xa0, 0xd0, 0xe0]) {
        other.client.write(frame(2, opcode));
        expect((await other.client.reply()).fields).toMatchObject({ code: BAD, request: opcode });
      }
    },
  );

  holds("A reply's or push's payload has at most 1 MiB.", async () => {
    const { client } = await person(servers[0]);
    const reader = await person(servers[0]);
    reader.client.write(frame2(0x30));
    await reader.client.over();
    const all = Array.from({ length: 18 }, () => ({
      id: newId(),
      to: reader.name,
      body: 'x'.repeat(65_280),
    }));
    client.write(...all.map((fields) => frame2(0x70, fields)));
    for (const _ of all) expect((await client.reply()).opcode).toBe(0x71);
    const back = await open(servers[0]);
    await back.get(0x20, { username: reader.name, password: 'correct horse', deliver: 'live' });
    back.write(frame2(0x60, { limit: 1_000 }));
    const page = await back.next();
    expect(page.payload.length).toBeLessThanOrEqual(1_048_576);
    expect(page.payload.length).toBeGreaterThan(900_000);
    expect(fieldsOf(page.payload)).toMatchObject({ more: true });
  });

  holds(
    '*name* a username as in version 1, in any case from a client and always in lower case from the server.',
    async () => {
      const name = newName('Case');
      const { client } = await person(servers[0], name.toUpperCase());
      const lower = name.toLowerCase();
      expect(await client.get(LIST, { pattern: name.toUpperCase() })).toEqual({
        names: [lower],
        more: false,
      });
      expect(await client.get(0xa0, { names: [name.toUpperCase()] })).toEqual({ loggedIn: [lower] });
      await client.send(name.toUpperCase(), 'x');
      const other = await person(servers[0]);
      expect(await client.get(0xf0, { name: other.name.toUpperCase(), blocked: true })).toEqual({
        blocked: [other.name],
      });
    },
  );

  holds('Clients put passwords into Unicode form NFC; the server compares bytes.', async () => {
    const client = await open(servers[0]);
    const [nfc, nfd] = ['au caf\u00e9 de la place', 'au cafe\u0301 de la place'];
    const username = newName();
    await client.get(0x10, { username, password: nfc });
    client.write(frame2(0x30));
    await client.over();
    const back = await open(servers[0]);
    expect(await back.refusal(0x20, { username, password: nfd })).toBe('BAD_CREDENTIALS');
    await back.get(0x20, { username, password: nfc });
  });
});
