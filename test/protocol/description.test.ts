/*
 * docs/protocol.md against the codecs: its bytes, its opcodes, its fields, its error codes.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { protocolErrorCodes } from '../../src/protocol/errors.ts';
import { type Frame, FrameDecoder, HEADER_BYTES } from '../../src/protocol/frame.ts';
import { opcodeText } from '../../src/protocol/text.ts';
import { v1 } from '../../src/protocol/v1/codec.ts';
import { decodeCbor, REPLY_LIMITS, REQUEST_LIMITS } from '../../src/protocol/v2/cbor-reader.ts';
import { v2 } from '../../src/protocol/v2/codec.ts';
import { SERVER_OPCODES } from '../../src/protocol/v2/replies.ts';
import { REQUEST_OPCODES } from '../../src/protocol/v2/requests.ts';
import { REQUESTS, SERVER_FRAMES } from './v2-vectors.ts';

const DESCRIPTION = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');

function section(title: string): string {
  const [, text] = DESCRIPTION.split(new RegExp(`^#+ ${title}$`, 'm'));
  if (text === undefined) throw new Error(`no section ${title}`);
  return text.split(/^#+ /m)[0] ?? '';
}

function frameOf(hex: string): Frame {
  const decoder = new FrameDecoder({ maxPayload: 1_048_576, versions: [1, 2] });
  decoder.push(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  const frame = decoder.next();
  if (frame === undefined) throw new Error(`not a whole frame: ${hex}`);
  expect(decoder.hasPartial).toBe(false);
  return frame;
}

function isRequest(opcode: number): boolean {
  return (opcode & 0x0b) === 0;
}

/** RFC 8949's diagnostic notation, without white space between items. */
function diagnostic(value: unknown): string {
  if (value instanceof Uint8Array) return `h'${Buffer.from(value).toString('hex')}'`;
  if (Array.isArray(value)) return `[${value.map(diagnostic).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${diagnostic(item)}`)}}`;
}

/** Drops white space outside of texts. */
function compact(notation: string): string {
  return notation.replace(/("[^"]*")|\s+/g, (_all, text: string | undefined) => text ?? '');
}

interface Example {
  readonly hex: string;
  readonly header: string;
  readonly meaning: string;
}

function examples(): Example[] {
  return [...DESCRIPTION.matchAll(/^```frame\n([\s\S]*?)^```$/gm)].map(([, block = '']) => {
    const lines = block
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [, hex = '', text = ''] = /^((?:[0-9a-f]{2,} ?)*) *(.*)$/.exec(line) ?? [];
        return { hex, text };
      });
    const [header, ...payload] = lines.map(({ text }) => text);
    return { hex: lines.map(({ hex }) => hex).join(''), header: header ?? '', meaning: payload.join(' ') };
  });
}

describe('the bytes of version 1', () => {
  const lines = section('By the byte')
    .split('\n')
    .flatMap((line) => {
      const [, name, hex] = /^ {4}(.+?) {2,}((?:[0-9a-f]{2,} ?)+)(?: {2,}.*)?$/.exec(line) ?? [];
      return name === undefined || hex === undefined ? [] : [{ name: name.trim(), hex }];
    });
  const send = { type: 'send', to: 'bob', body: 'hi' };
  const MEANINGS = new Map<string, unknown>([
    ['create alice', { type: 'create', name: 'alice' }],
    ['its reply', { type: 'created', token: 'token' }],
    ['send hi to bob', send],
    ['the same', send],
    ['pushed to bob', { type: 'message', sender: 'alice', body: 'hi' }],
  ]);

  test('are all looked at', () => {
    expect(lines.map(({ name }) => name)).toEqual([...MEANINGS.keys()]);
  });

  test.each(lines)('$name', ({ name, hex }) => {
    const frame = frameOf(hex);
    const value = isRequest(frame.opcode) ? v1.decodeRequest(frame) : v1.decodeServerFrame(frame);
    expect(value).toEqual(MEANINGS.get(name));
  });
});

describe('the bytes of version 2', () => {
  test('are there', () => expect(examples().length).toBeGreaterThan(10));

  test.each(examples())('$header', ({ hex, header, meaning }) => {
    const frame = frameOf(hex);
    const { opcode, payload } = frame;
    expect(header).toBe(`version 2, ${payload.length} bytes, opcode ${opcodeText(opcode)}`);
    if (payload.length === 0) expect(meaning).toBe('');
    else expect(compact(meaning)).toBe(diagnostic(decodeCbor(payload, REPLY_LIMITS)));
    const again = isRequest(opcode)
      ? v2.encodeRequest(v2.decodeRequest(frame))
      : v2.encodeServerFrame(v2.decodeServerFrame(frame));
    if (payload.length === 0) expect(again.subarray(HEADER_BYTES).toString('hex')).toBe('a0');
    else expect(again.toString('hex')).toBe(hex.replaceAll(' ', ''));
  });
});

interface Field {
  readonly name: string;
  readonly optional: boolean;
}

/** The fields of each opcode, as the tables list them. */
function describedFields(): Map<number, Field[]> {
  const described = new Map<number, Field[]>();
  let opcodes: number[] = [];
  for (const line of [section('Requests'), section('Replies'), section('Pushes')].join('\n').split('\n')) {
    const [, frame, field] = /^\| ([^|]*)\| ([^|]*) \|/.exec(line) ?? [];
    if (frame === undefined || field === undefined || /^(frame|---)/.test(frame)) continue;
    const named = [...frame.matchAll(/0x([0-9a-f]{2})/g)].map(([, hex = '']) => Number.parseInt(hex, 16));
    if (named.length > 0) opcodes = named;
    const [, name, mark] = /^`([A-Za-z]+)(\??)`$/.exec(field) ?? [];
    for (const opcode of opcodes) {
      const fields = described.get(opcode) ?? [];
      if (name !== undefined) fields.push({ name, optional: mark === '?' });
      described.set(opcode, fields);
    }
  }
  return described;
}

/** The fields of each opcode, as the vectors have them: optional is what some of them leave out. */
function codedFields(): Map<number, Field[]> {
  const payloads = new Map<number, ReadonlySet<string>[]>();
  for (const [, , hex] of [...REQUESTS, ...SERVER_FRAMES]) {
    const { opcode, payload } = frameOf(hex);
    const keys = new Set(Object.keys(decodeCbor(payload, REPLY_LIMITS)));
    payloads.set(opcode, [...(payloads.get(opcode) ?? []), keys]);
  }
  return new Map(
    [...payloads].map(([opcode, seen]) => {
      const names = new Set(seen.flatMap((keys) => [...keys]));
      return [
        opcode,
        [...names].map((name) => ({ name, optional: !seen.every((keys) => keys.has(name)) })),
      ] as const;
    }),
  );
}

function sorted(fields: Map<number, Field[]>): [string, Field[]][] {
  return [...fields]
    .map(([opcode, list]): [string, Field[]] => [
      opcodeText(opcode),
      list.toSorted((one, other) => one.name.localeCompare(other.name)),
    ])
    .toSorted(([one], [other]) => one.localeCompare(other));
}

describe('the tables of version 2', () => {
  test('have every opcode, and every field as the codec has it', () => {
    const coded = codedFields();
    // What has no vector yet is not released: see v2.test.ts.
    const described = [...describedFields()].filter(([opcode]) => coded.has(opcode));
    expect(sorted(new Map(described))).toEqual(sorted(coded));
    expect([...describedFields().keys()].sort()).toEqual(
      [...Object.values(REQUEST_OPCODES), ...Object.values(SERVER_OPCODES)].sort(),
    );
  });

  test('name the limits', () => {
    const replies = section('Replies');
    const [, welcome] = SERVER_FRAMES.find(([name]) => name === 'welcome') ?? [];
    const [, session] = SERVER_FRAMES.find(([name]) => name === 'logged in with mailbox limits') ?? [];
    if (welcome?.type !== 'welcome' || session?.type !== 'logged-in') throw new Error('no such vectors');
    for (const key of Object.keys({ ...welcome.limits, ...session.limits })) {
      expect(replies).toContain(`\`${key}\``);
    }
    expect(section('Payloads')).toContain(`${REQUEST_LIMITS.items.toLocaleString('en')} items`);
    expect(section('Payloads')).toContain(`${REPLY_LIMITS.items.toLocaleString('en')} items`);
    expect(section('Payloads')).toContain(`${REQUEST_LIMITS.keys} keys`);
    expect(section('Payloads')).toContain(`${REQUEST_LIMITS.depth} maps and arrays`);
  });

  test('have every error code', () => {
    const codes = [...section('Errors').matchAll(/^\| ([A-Z_]+) \|/gm)].map(([, code]) => code);
    expect(codes).toEqual(protocolErrorCodes());
  });
});
