/* Version 1: its requests and states. */
import { describe, expect } from 'vitest';
import { eventually, newName } from './client.ts';
import { frame, send1 } from './frames.ts';
import { holds } from './sentences.ts';
import {
  login1,
  logout,
  logout1,
  open,
  person,
  person1,
  pushed1,
  retrieve1,
  serversInMemory,
} from './servers.ts';

const servers = serversInMemory(1);

describe('version 1', () => {
  holds(
    [
      'Text is UTF-8.',
      'A username has 1 to 32 characters `a-z 0-9 _ -`, begins with a letter or digit, and is lower-cased on entry.',
      '| create account, and be logged in | 0x10 | username | 0x11 | token |',
    ],
    async () => {
      const client = await open(servers[0]);
      for (const name of ['', 'x'.repeat(33), '-a', '_a', 'a.b', 'é', 'a b']) {
        client.write(frame(1, 0x10, name));
        expect(await client.text(0x22), name).not.toBe('');
      }
      const name = newName('Upper_').toUpperCase().padEnd(32, 'X');
      client.write(frame(1, 0x10, name), frame(1, 0x50, name));
      expect(await client.text(0x11)).not.toBe('');
      expect(await client.text(0x51)).toBe(name.toLowerCase());
      client.write(send1(name, 'ünïcode ☂'));
      expect(await client.text(0x71)).toBe(`delivered to ${name.toLowerCase()}`);
      await eventually(() => expect(pushed1({ client })).toEqual([[name.toLowerCase(), 'ünïcode ☂']]));
    },
  );

  holds(
    [
      'There are no passwords: the accounts of version 1 are *open*, and exist only where the operator allows them.',
      '| log in | 0x20 | username | 0x21 | token |',
      '**The token** of version 1 is good for nothing.',
    ],
    async () => {
      const protectedOne = await person(servers[0]);
      await logout(protectedOne);
      const one = await person1(servers[0]);
      await logout1(one);
      const client = await open(servers[0]);
      client.write(frame(1, 0x20, protectedOne.name), frame(1, 0x20, one.name));
      expect(await client.text(0x22)).toMatch(/password/);
      const token = await client.text(0x21);
      expect(token).not.toBe('');
      const other = await open(servers[0]);
      const proof = { username: one.name, token: Buffer.from(token, 'base64url') };
      expect(await other.refusal(0x20, proof)).toBe('BAD_CREDENTIALS');
    },
  );

  holds(
    [
      '| log out | 0x30 | – | none: the server closes | |',
      '| delete the account one is logged in to | 0x40 | – | none: the server closes | |',
    ],
    async () => {
      const one = await person1(servers[0]);
      one.client.write(frame(1, 0x30));
      expect((await one.client.over())?.opcode).toBe(0x11);
      const again = await login1(servers[0], one.name);
      again.client.write(frame(1, 0x40));
      expect((await again.client.over())?.opcode).toBe(0x21);
      const client = await open(servers[0]);
      client.write(frame(1, 0x50, one.name));
      expect(await client.text(0x51)).toBe('');
    },
  );

  holds(
    [
      '| list accounts | 0x50 | empty, or a wildcard | 0x51 | names, joined by `; ` |',
      '**Wildcards**: `*` is any run of characters, `?` any one character; every other character is itself, a letter in either case.',
      'A pattern has at most 64 characters `a-z 0-9 _ - * ?`.',
      'Names are in byte order.',
    ],
    async () => {
      const stem = newName('list');
      for (const end of ['b', 'a', '-', '_', '9', 'aa']) await logout1(await person1(servers[0], stem + end));
      const client = await open(servers[0]);
      const list = async (pattern: string) => {
        client.write(frame(1, 0x50, pattern));
        return client.text(0x51);
      };
      const all = ['-', '9', '_', 'a', 'aa', 'b'].map((end) => stem + end);
      expect(await list(`${stem}*`)).toBe(all.join('; '));
      expect(await list(`${stem.toUpperCase()}?`)).toBe(
        all.filter((name) => !name.endsWith('aa')).join('; '),
      );
      expect(await list(`${stem}A`)).toBe(`${stem}a`);
      expect(await list(`*${stem.slice(1)}a`)).toBe(`${stem}a`);
      expect((await list('')).split('; ')).toEqual(expect.arrayContaining(all));
      expect(await list('?'.repeat(64))).toBe('');
      for (const pattern of ['?'.repeat(65), 'a.b', 'a b', '[a]', 'é']) {
        client.write(frame(1, 0x50, pattern));
        expect(await client.text(0x22), pattern).not.toBe('');
      }
    },
  );

  holds(
    [
      '| send | 0x70 | length, recipient, body | 0x71 | a text: delivered or queued |',
      '| message | 0x72 | length of the sender as u32 big-endian, sender, body |',
      '**Length in a send**: one byte, or u32 big-endian.',
      'A name is never empty, so a first byte of 0 can only begin the four-byte form.',
      '**Bodies** of sends are not empty.',
      'A payload where the table has none gets a failure.',
    ],
    async () => {
      const anna = await person1(servers[0]);
      const bert = await person1(servers[0]);
      anna.client.write(send1(bert.name, 'by one', 1), send1(bert.name, 'by four', 4));
      for (let i = 0; i < 2; i++) expect(await anna.client.text(0x71)).toBe(`delivered to ${bert.name}`);
      await eventually(() => {
        expect(pushed1(bert)).toEqual([
          [anna.name, 'by one'],
          [anna.name, 'by four'],
        ]);
      });
      const bad = [
        send1(bert.name, '', 1),
        send1(bert.name, '', 4),
        frame(1, 0x70),
        frame(1, 0x70, Buffer.of(0, 0, 0)),
        frame(1, 0x70, Buffer.from('\x05bert')),
        send1('', 'x', 4),
        ...[0x30, 0x40, 0x60].map((opcode) => frame(1, opcode, 'x')),
      ];
      for (const request of bad) {
        anna.client.write(request);
        expect(await anna.client.text(0x22), request.toString('hex')).not.toBe('');
      }
      expect(await retrieve1(anna)).toBe('');
    },
  );

  holds(
    [
      '**States**: list works at any time, unless the operator wants a login for it; create and login only while not logged in; everything else only after.',
      'Anything else gets a failure and changes nothing.',
    ],
    async () => {
      const anna = await person1(servers[0]);
      const other = newName();
      for (const opcode of [0x10, 0x20]) {
        anna.client.write(frame(1, opcode, other));
        expect(await anna.client.text(0x22)).toMatch(/logged in as/);
      }
      const client = await open(servers[0]);
      for (const request of [frame(1, 0x30), frame(1, 0x40), frame(1, 0x60), send1(anna.name, 'x')]) {
        client.write(request);
        expect(await client.text(0x22)).toMatch(/not logged in/);
      }
      client.write(frame(1, 0x50, other), frame(1, 0x50, anna.name));
      expect([await client.text(0x51), await client.text(0x51)]).toEqual(['', anna.name]);
      expect(await retrieve1(anna)).toBe('');
    },
  );
});
