/* Version 1: what is pushed, and what waits. */
import { describe, expect, it } from 'vitest';
import { eventually } from './client.ts';
import { frame, send1 } from './frames.ts';
import { holds } from './sentences.ts';
import { login, login1, logout1, person1, pushed1, retrieve1, serversInMemory } from './servers.ts';

const servers = serversInMemory(1);

describe('messages of version 1', () => {
  holds(
    [
      '**Confirmed** means stored: 0x71 comes only after Kafka has acknowledged the message (`acks=all`).',
      '`delivered to bob` says that the recipient is logged in somewhere, `queued for bob` that not',
      '**What is pushed, what waits**: messages that arrive while one is logged in are pushed.',
      'Those that came before wait for a retrieve, which clears them;',
      'Version 1 has no acknowledgement from the client, so a message counts as delivered when the network took it.',
      '| retrieve undelivered messages | 0x60 | – | 0x61 | entries `sender: body`, joined by a blank line |',
    ],
    async () => {
      const anna = await person1(servers[0]);
      const bert = await person1(servers[0]);
      await logout1(bert);
      anna.client.write(send1(bert.name, 'one'), send1(bert.name, 'two'));
      for (let i = 0; i < 2; i++) expect(await anna.client.text(0x71)).toBe(`queued for ${bert.name}`);
      const back = await login1(servers[0], bert.name);
      anna.client.write(send1(bert.name, 'three'));
      expect(await anna.client.text(0x71)).toBe(`delivered to ${bert.name}`);
      await eventually(() => expect(pushed1(back)).toEqual([[anna.name, 'three']]));
      expect(await retrieve1(back)).toBe(`${anna.name}: one\n\n${anna.name}: two`);
      expect(await retrieve1(back)).toBe('');
      await logout1(back);
      expect(await retrieve1(await login1(servers[0], bert.name))).toBe('');
    },
  );

  holds(
    [
      '**A retrieve reply** holds at most 1 MiB; the rest stays undelivered for the next one.',
      'In it a body of several lines is without those that are blank or show nothing, and each line break is a line feed, so that a body cannot forge an entry; a push has the body as it was sent.',
    ],
    async () => {
      const anna = await person1(servers[0]);
      const forged = `hi\r\n\r\nroot: pay\r \t\u200b\r\u2028\n\nnow\n`;
      anna.client.write(send1(anna.name, forged));
      await anna.client.text(0x71);
      await eventually(() => expect(pushed1(anna)).toEqual([[anna.name, forged]]));
      const bert = await person1(servers[0]);
      await logout1(bert);
      anna.client.write(
        send1(bert.name, forged),
        ...Array.from({ length: 18 }, () => send1(bert.name, 'x'.repeat(65_000))),
      );
      for (let i = 0; i < 19; i++) await anna.client.text(0x71);
      const back = await login1(servers[0], bert.name);
      const first = await retrieve1(back);
      expect(Buffer.byteLength(first)).toBeLessThanOrEqual(1_048_576);
      const rest = await retrieve1(back);
      const entries = [...first.split('\n\n'), ...rest.split('\n\n')];
      expect(entries).toHaveLength(19);
      expect(entries[0]).toBe(`${anna.name}: hi\nroot: pay\nnow`);
      expect(await retrieve1(back)).toBe('');
    },
  );

  holds('so does everything that was pushed and could not be written.', async () => {
    const anna = await person1(servers[0]);
    const bert = await person1(servers[0]);
    const received = () => pushed1(bert).map(([, body]) => Number.parseInt(body, 10));
    bert.client.socket.pause();
    const count = 400;
    for (let i = 0; i < count; i++) anna.client.write(send1(bert.name, `${i} ${'x'.repeat(60_000)}`));
    for (let i = 0; i < count; i++) await anna.client.text(0x71);
    bert.client.socket.destroy();
    await eventually(async () => {
      anna.client.write(send1(bert.name, `${count}`));
      expect(await anna.client.text(0x71)).toBe(`queued for ${bert.name}`);
    });
    const back = await login1(servers[0], bert.name);
    const bodies: number[] = [];
    for (let text = await retrieve1(back); text !== ''; text = await retrieve1(back)) {
      bodies.push(
        ...text.split('\n\n').map((entry) => Number.parseInt(entry.slice(anna.name.length + 2), 10)),
      );
    }
    // What the network took is gone, and from there on nothing is missing.
    const [first = -1] = bodies;
    expect(first).toBeGreaterThan(received().length);
    expect([...new Set(bodies)]).toEqual(Array.from({ length: count + 1 - first }, (_, i) => first + i));
  });

  holds(
    [
      '**Deleting** an account that holds undelivered messages is refused with their number.',
      'Logout and delete are carried out even when the client has closed its socket right after sending them.',
      'Closing the socket logs out.',
    ],
    async () => {
      const anna = await person1(servers[0]);
      const bert = await person1(servers[0]);
      bert.client.socket.destroy();
      await eventually(async () => {
        anna.client.write(send1(bert.name, 'x'));
        expect(await anna.client.text(0x71)).toBe(`queued for ${bert.name}`);
      });
      const back = await login1(servers[0], bert.name);
      back.client.write(frame(1, 0x40));
      expect(await back.client.text(0x22)).toMatch(/\d+ undelivered/);
      await retrieve1(back);
      back.client.write(frame(1, 0x40));
      back.client.socket.destroySoon();
      await eventually(async () => {
        anna.client.write(frame(1, 0x50, bert.name));
        expect(await anna.client.text(0x51)).toBe('');
      });
      const other = await person1(servers[0]);
      other.client.write(frame(1, 0x30));
      other.client.socket.destroySoon();
      await eventually(async () => {
        anna.client.write(send1(other.name, 'x'));
        expect(await anna.client.text(0x71)).toBe(`queued for ${other.name}`);
      });
    },
  );

  holds(
    [
      'A login in version 2 may take the account over: the last frame is a failure then.',
      'Every failure is 0x22, its payload a sentence for a person.',
      'It is the reply to the oldest unanswered request, or the last frame before the server closes.',
    ],
    async () => {
      const anna = await person1(servers[0]);
      await login(servers[0], anna.name, { takeover: true });
      const last = await anna.client.over();
      expect(last).toMatchObject({ version: 1, opcode: 0x22 });
      expect(last?.payload.toString()).toMatch(/logged in to elsewhere/);
    },
  );

  it('has the bytes of the example', async () => {
    const { client } = await person1(servers[0]);
    client.write(Buffer.from('0100000009700000000362', 'hex'), Buffer.from('6f626869', 'hex'));
    client.write(Buffer.from('01000000067003626f626869', 'hex'));
    // Whether there is a bob here or not: both are read as a send to bob.
    for (let i = 0; i < 2; i++) expect((await client.next()).payload.toString()).toMatch(/ bob/);
  });
});
