/* The frame, whatever the version. */
import { describe, expect } from 'vitest';
import { eventually } from './client.ts';
import { frame, send1 } from './frames.ts';
import { holds } from './sentences.ts';
import { open, person1, serversInMemory } from './servers.ts';

const servers = serversInMemory(1);

describe('the frame', () => {
  holds(
    [
      'TCP; every frame is',
      'The size counts the payload alone.',
      "Replies to one connection's requests come in the order of the requests; pushes may come between them.",
      'Requests may be sent without waiting for replies.',
    ],
    async () => {
      const { client, name } = await person1(servers[0]);
      const bytes = Buffer.concat([
        send1(name, 'x'),
        frame(1, 0x50, name),
        frame(1, 0x99),
        frame(1, 0x50, name),
      ]);
      // However the stream is cut.
      for (const byte of bytes) client.write(Buffer.of(byte));
      expect(await client.text(0x71)).toBe(`delivered to ${name}`);
      expect(await client.text(0x51)).toBe(name);
      expect(await client.text(0x22)).not.toBe('');
      expect(await client.text(0x51)).toBe(name);
      await eventually(() => expect(client.pushes()).toHaveLength(1));
    },
  );

  holds("Limits: a request's payload holds at most 4 KiB before the login and 64 KiB after it.", async () => {
    const before = await open(servers[0]);
    before.write(frame(1, 0x50, 'x'.repeat(4_096)), frame(1, 0x50, 'x'.repeat(4_097)));
    expect(await before.text(0x22)).toMatch(/pattern/);
    expect(await before.text(0x22)).toMatch(/too large/);
    await before.over();
    const { client, name } = await person1(servers[0]);
    const room = 65_536 - 1 - name.length;
    client.write(send1(name, 'x'.repeat(room), 1), send1(name, 'x'.repeat(room + 1), 1));
    expect(await client.text(0x71)).toMatch(/^delivered/);
    expect(await client.text(0x22)).toMatch(/too large/);
    await client.over();
  });

  holds(
    'A larger frame, by its header alone, or an unknown version ends the connection, since the rest of the stream cannot be trusted;',
    async () => {
      for (const start of ['01ffffffff', '03', '00']) {
        const client = await open(servers[0]);
        client.write(frame(1, 0x50, 'nobody'), Buffer.from(start, 'hex'), frame(1, 0x50));
        expect(await client.text(0x51)).toBe('');
        expect(await client.text(0x22)).not.toBe('');
        await client.over();
        expect(client.frames).toHaveLength(2);
      }
    },
  );

  holds('an unknown opcode or a payload that cannot be read gets a failure and nothing else.', async () => {
    const client = await open(servers[0]);
    for (const bad of [frame(1, 0x99), frame(1, 0x80), frame(1, 0x50, Buffer.of(0xff)), frame(1, 0x20, '')]) {
      client.write(bad, frame(1, 0x50, 'nobody'));
      expect(await client.text(0x22)).not.toBe('');
      expect(await client.text(0x51)).toBe('');
    }
  });

  holds(
    [
      "The server's last words come in the version of the latest frame that has begun, be it one byte of it: in version 1 a failure (0x22), in version 2 a goodbye (0xc2).",
      'Word of an unknown version comes in version 1 always.',
    ],
    async () => {
      const large = '7fffffff';
      for (const [before, start, version, opcode] of [
        ['', `01${large}`, 1, 0x22],
        ['', `02${large}`, 2, 0xc2],
        ['020000000050', `02${large}`, 2, 0xc2],
        ['020000000050', `01${large}`, 1, 0x22],
        ['010000000050', `02${large}`, 2, 0xc2],
        ['', '03', 1, 0x22],
        ['020000000050', '03', 1, 0x22],
      ] as const) {
        const client = await open(servers[0]);
        client.write(Buffer.from(before + start, 'hex'));
        expect(await client.over(), before + start).toMatchObject({ version, opcode });
      }
      // Where only a byte of it has come.
      for (const version of [1, 2]) {
        const client = await open(servers[0]);
        client.socket.end(Buffer.of(version));
        expect(await client.over()).toMatchObject({ version, opcode: version === 1 ? 0x22 : 0xc2 });
      }
    },
  );
});
