/* The table of requests, row by row: each field at the ends of its type and just beyond them. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Client, newId, newName, PASSWORD } from './client.ts';
import { type Fields, frame2 } from './frames.ts';
import { holds, sentences } from './sentences.ts';
import { login, logout, open, person, serversInMemory } from './servers.ts';

const servers = serversInMemory(1);

const int = { wrong: [-1, 1.5, '1', true, 2 ** 53, Buffer.of(1)] };
const bool = { right: [true, false], wrong: [0, 1, 'true'] };
const name = { wrong: [1, Buffer.from('a')], noName: ['', 'a b', 'x'.repeat(33), '-a', '[a]'] };
const text = (most: number) => ({
  right: ['x', 'x'.repeat(most), 'é'.repeat(most / 2)],
  wrong: ['', 'x'.repeat(most + 1), 'é'.repeat(most / 2 + 1), 1, Buffer.from('x'), ['x']],
});
const label = (most: number) => {
  const { right, wrong } = text(most);
  return { right, wrong: [...wrong, 'a\nb', '\u001b', '\u007f', 'a\u0085'] };
};
const bytes = (least: number, most: number) => ({
  right: [randomBytes(least), randomBytes(most)],
  wrong: [randomBytes(least - 1), randomBytes(most + 1), 'x'.repeat(least), 1],
});

interface Row {
  readonly row: string;
  readonly opcode: number;
  readonly field: string;
  /** The other fields. */
  readonly with?: () => Fields;
  readonly required?: boolean;
  /** For requests that end or begin a login. */
  readonly anonymous?: boolean;
  readonly right?: readonly unknown[];
  readonly wrong: readonly unknown[];
  /** What gets INVALID_USERNAME. */
  readonly noName?: readonly unknown[];
  /** What gets INVALID_DEVICE. */
  readonly noDevice?: readonly unknown[];
}

const nobody = () => ({ username: newName('no') });
const mail = () => ({ id: newId(), to: newName('no'), body: 'x' });

const ROWS: readonly Row[] = [
  {
    row: '| 0x80 hello | `client` | label 1–64 |',
    opcode: 0x80,
    field: 'client',
    required: true,
    ...label(64),
  },
  {
    row: '| | `features?` | ≤ 32 × label 1–64 |',
    opcode: 0x80,
    field: 'features',
    with: () => ({ client: 'x' }),
    right: [[], Array.from({ length: 32 }, () => 'x'.repeat(64))],
    wrong: [Array.from({ length: 33 }, () => 'x'), [''], ['x'.repeat(65)], ['a\nb'], [1], 'x'],
  },
  {
    row: '| 0x10 create | `username` | name |',
    opcode: 0x10,
    field: 'username',
    required: true,
    anonymous: true,
    ...name,
  },
  {
    row: '| | `password?` | text 1–1,024 | absent: an *open* account for anybody, where the server allows that |',
    opcode: 0x10,
    field: 'password',
    with: nobody,
    anonymous: true,
    wrong: text(1_024).wrong,
    right: ['x'.repeat(1_024), 'é'.repeat(512)],
  },
  {
    row: "| | `displayName?` | label 1–64 | the person's name; kept with the account, shown nowhere yet |",
    opcode: 0x10,
    field: 'displayName',
    with: nobody,
    anonymous: true,
    ...label(64),
  },
  {
    row: '| 0x20 login | `username` | name | |',
    opcode: 0x20,
    field: 'username',
    required: true,
    anonymous: true,
    ...name,
  },
  {
    row: '| | `password?` | text 1–1,024 | this, or `token`, or neither for an open account; never both |',
    opcode: 0x20,
    field: 'password',
    with: nobody,
    anonymous: true,
    right: ['x'],
    wrong: text(1_024).wrong,
  },
  {
    row: "| | `token?` | bytes 32 | resume: the account's token |",
    opcode: 0x20,
    field: 'token',
    with: nobody,
    anonymous: true,
    ...bytes(32, 32),
  },
  {
    row: '| | `takeover?` | bool |',
    opcode: 0x20,
    field: 'takeover',
    with: nobody,
    anonymous: true,
    ...bool,
  },
  {
    row: '| | `deliver?` | `all`, `live` or `none` | `all`, the default:',
    opcode: 0x20,
    field: 'deliver',
    with: nobody,
    anonymous: true,
    right: ['all', 'live', 'none'],
    wrong: ['', 'ALL', 'nothing', true, 1],
  },
  {
    row: "| | `device?` | name | with which of the account's devices:",
    opcode: 0x20,
    field: 'device',
    with: nobody,
    anonymous: true,
    right: ['phone', 'x'.repeat(32)],
    wrong: name.wrong,
    noDevice: name.noName,
  },
  {
    row: '| | `last?` | int 1–1,000 | of a device that comes for the first time: so many of the newest messages, too |',
    opcode: 0x20,
    field: 'last',
    with: nobody,
    anonymous: true,
    right: [1, 1_000],
    wrong: [...int.wrong, 0, 1_001],
  },
  {
    row: '| 0xd4 forget device | `device` | name | the one to forget |',
    opcode: 0xd4,
    field: 'device',
    required: true,
    right: ['phone'],
    wrong: name.wrong,
    noDevice: name.noName,
  },
  {
    row: "| 0xe4 mark read | `conversation` | label 1–100 | as the account's clients call it |",
    opcode: 0xe4,
    field: 'conversation',
    with: () => ({ upTo: 1 }),
    required: true,
    ...label(100),
  },
  {
    row: '| | `upTo` | int | `seq` of the last message that was read there |',
    opcode: 0xe4,
    field: 'upTo',
    with: () => ({ conversation: 'x' }),
    required: true,
    right: [0, 2 ** 53 - 1],
    ...int,
  },
  {
    row: '| | `deliver?` | `all`, `live` or `none` | as in a login |',
    opcode: 0x10,
    field: 'deliver',
    with: nobody,
    anonymous: true,
    right: ['all', 'live', 'none'],
    wrong: ['', 'ALL', 'nothing', true, 1],
  },
  {
    row: '| 0x40 delete | `password?` | text 1–1,024 |',
    opcode: 0x40,
    field: 'password',
    right: ['x'],
    wrong: text(1_024).wrong,
  },
  {
    row: '| | `force?` | bool | even if there are undelivered messages |',
    opcode: 0x40,
    field: 'force',
    ...bool,
  },
  {
    row: '| 0x50 list | `pattern?` | text 0–64 | as in version 1; absent or empty: every name |',
    opcode: 0x50,
    field: 'pattern',
    right: ['', '?'.repeat(64), 'A*?_-9'],
    wrong: ['?'.repeat(65), 'é', 'a b', '[a]', 1],
  },
  { row: '| | `after?` | name |', opcode: 0x50, field: 'after', right: ['A', 'x'.repeat(32)], ...name },
  {
    row: '| | `limit?` | int 1–1,000 | most names in the reply |',
    opcode: 0x50,
    field: 'limit',
    right: [1, 1_000],
    wrong: [0, 1_001, ...int.wrong],
  },
  {
    row: '| 0x60 retrieve | `limit?` | int 1–1,000 | most messages in the reply |',
    opcode: 0x60,
    field: 'limit',
    right: [1, 1_000],
    wrong: [0, 1_001, ...int.wrong],
  },
  {
    row: '| 0x70 send | `id` | bytes 16 |',
    opcode: 0x70,
    field: 'id',
    required: true,
    with: mail,
    ...bytes(16, 16),
  },
  { row: '| | `to` | name or room | |', opcode: 0x70, field: 'to', required: true, with: mail, ...name },
  {
    row: '| | `body` | text 1–65,280 | |',
    opcode: 0x70,
    field: 'body',
    required: true,
    with: mail,
    right: ['x', 'é'.repeat(32_640)],
    wrong: ['', 'x'.repeat(65_281), 1, Buffer.from('x')],
  },
  {
    row: '| | `contentType?` | label 1–100 |',
    opcode: 0x70,
    field: 'contentType',
    with: mail,
    ...label(100),
  },
  { row: '| 0x90 ack | `upTo?` | int |', opcode: 0x90, field: 'upTo', right: [0, 2 ** 53 - 1], ...int },
  {
    row: '| | `ranges?` | 1–256 × [int, int] | first and last `seq` of each range, both included, the last not in front of the first |',
    opcode: 0x90,
    field: 'ranges',
    right: [[[0, 0]], [[5, 2 ** 53 - 1]], Array.from({ length: 256 }, () => [7, 7])],
    wrong: [
      [],
      Array.from({ length: 257 }, () => [7, 7]),
      [[2, 1]],
      [[1]],
      [[1, 2, 3]],
      [['1', '2']],
      [[-1, 1]],
      1,
    ],
  },
  {
    row: '| 0xa0 status | `names` | ≤ 200 × name | who of them is logged in |',
    opcode: 0xa0,
    field: 'names',
    required: true,
    right: [[], Array.from({ length: 200 }, () => 'x'.repeat(32))],
    wrong: [Array.from({ length: 201 }, () => 'x'), [1], 'x'],
    noName: [['a b'], ['a', '']],
  },
  {
    row: '| 0xd0 password | `old?` | text 1–1,024 |',
    opcode: 0xd0,
    field: 'old',
    with: () => ({ new: 'another one' }),
    right: ['x'],
    wrong: text(1_024).wrong,
  },
  {
    row: '| | `new` | text 1–1,024 | |',
    opcode: 0xd0,
    field: 'new',
    required: true,
    right: ['x'],
    wrong: text(1_024).wrong,
  },
  {
    row: '| 0xe0 receipts | `receipts` | ≤ 500 × bytes 1–64 |',
    opcode: 0xe0,
    field: 'receipts',
    required: true,
    right: [[], Array.from({ length: 500 }, () => randomBytes(64)), [randomBytes(1)]],
    wrong: [
      Array.from({ length: 501 }, () => randomBytes(1)),
      [Buffer.alloc(0)],
      [randomBytes(65)],
      ['x'],
      'x',
    ],
  },
  {
    row: '| 0xf0 block | `name?` | name |',
    opcode: 0xf0,
    field: 'name',
    with: () => ({ blocked: false }),
    required: true,
    right: ['Nobody'],
    ...name,
  },
  {
    row: '| | `blocked?` | bool | both fields, or neither to ask only |',
    opcode: 0xf0,
    field: 'blocked',
    with: () => ({ name: 'nobody' }),
    required: true,
    ...bool,
  },
];

async function ready({ anonymous = false }: Row): Promise<Client> {
  return anonymous ? open(servers[0]) : (await person(servers[0])).client;
}

describe('the table of requests', () => {
  // The rows below have each type at both of its ends, and just beyond.
  holds(
    [
      'Types in the tables: *int* is an integer from 0 on;',
      '*bytes 16* a byte string of exactly so many bytes;',
      '*text 1–64* text of so many UTF-8 **bytes**;',
      '*label* the same without control characters;',
      '| BAD_REQUEST | a payload that breaks the rules, an unknown opcode',
    ],
    async () => {
      const { client } = await person(servers[0]);
      expect(await client.refusal(0x99)).toBe('BAD_REQUEST');
    },
  );

  it.each(ROWS)('$row', async (row) => {
    expect(sentences().some((sentence) => sentence.startsWith(row.row))).toBe(true);
    const others = row.with ?? (() => ({}));
    let client = await ready(row);
    const answer = async (value: unknown) => {
      const { opcode, fields } = await client.ask(row.opcode, { ...others(), [row.field]: value });
      if (opcode === 0x22) expect(fields).toMatchObject({ request: row.opcode });
      return opcode === 0x22 ? fields.code : opcode;
    };
    for (const value of row.wrong)
      expect(await answer(value), String(value).slice(0, 40)).toBe('BAD_REQUEST');
    for (const value of row.noName ?? []) expect(await answer(value)).toBe('INVALID_USERNAME');
    for (const value of row.noDevice ?? []) expect(await answer(value)).toBe('INVALID_DEVICE');
    if (row.required) expect(await answer(undefined)).toBe('BAD_REQUEST');
    for (const value of row.right ?? []) {
      // An ack has no answer where it is right: the pong behind it is the first to come.
      if (row.opcode === 0x90) {
        client.write(frame2(0x90, { [row.field]: value }));
        await client.inStep();
        continue;
      }
      const code = await answer(value);
      expect(code, String(value).slice(0, 40)).not.toBe('BAD_REQUEST');
      if (code === 0x11) client = await ready(row);
    }
  });

  holds(
    [
      '| 0x30 logout | – | | the session and its token end |',
      '| 0x31 logged out | – | | the server closes |',
      '| 0xb0 ping | – | | |',
    ],
    async () => {
      const one = await person(servers[0]);
      await one.client.inStep();
      expect(await one.client.get(0x30)).toEqual({});
      await one.client.over();
      const again = await open(servers[0]);
      expect(await again.refusal(0x20, { username: one.name, token: one.token })).toBe('BAD_CREDENTIALS');
    },
  );

  holds('this, or `token`, or neither for an open account; never both', async () => {
    const one = await person(servers[0]);
    await logout(one);
    const client = await open(servers[0]);
    const both = { username: one.name, password: PASSWORD, token: randomBytes(32) };
    expect(await client.refusal(0x20, both)).toBe('BAD_REQUEST');
    expect(await client.refusal(0x20, { username: one.name })).toBe('BAD_CREDENTIALS');
    await client.get(0x20, { username: one.name, password: PASSWORD });
    const anybody = newName();
    const owner = await open(servers[0]);
    await owner.get(0x10, { username: anybody });
    await owner.get(0x30);
    expect(await (await open(servers[0])).refusal(0x20, { username: anybody, password: PASSWORD })).toBe(
      'BAD_CREDENTIALS',
    );
    await login(servers[0], anybody, {});
  });
});
