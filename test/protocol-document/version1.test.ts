/* The frame and version 1, sentence by sentence, against a frontend and Kafka as they run. */
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { testBrokers } from '../broker/brokers.ts';
import { eventually, newName } from './client.ts';
import { frame, send1 } from './frames.ts';
import { holds } from './sentences.ts';
import { login, logout, open, type Person, person, person1, runningFrontends } from './servers.ts';

const servers = runningFrontends(1);

async function login1(name: string): Promise<Person> {
  const client = await open(servers[0]);
  client.write(frame(1, 0x20, name));
  return { name, client, token: await client.text(0x21) };
}

async function logout1({ client }: Person): Promise<void> {
  client.write(frame(1, 0x30));
  await client.over();
}

/** What was pushed: senders and bodies. */
function pushed({ client }: Person): [string, string][] {
  return client.pushes().map(({ opcode, payload }) => {
    expect(opcode).toBe(0x72);
    const bodyAt = 4 + payload.readUInt32BE(0);
    return [payload.subarray(4, bodyAt).toString(), payload.subarray(bodyAt).toString()];
  });
}

async function retrieve({ client }: Person): Promise<string> {
  client.write(frame(1, 0x60));
  return client.text(0x61);
}

/** A record by a producer that is no frontend. */
async function produce(name: string, key: string | null, value: string): Promise<void> {
  const kafka = new Kafka({ clientId: 'outside', brokers: testBrokers(), logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: `milena.inbox.${name}`, messages: [{ key, value }] });
  await producer.disconnect();
}

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
      await eventually(() =>
        expect(pushed({ client, name, token: '' })).toEqual([[name.toLowerCase(), 'ünïcode ☂']]),
      );
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
      const again = await login1(one.name);
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
        expect(pushed(bert)).toEqual([
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
      expect(await retrieve(anna)).toBe('');
    },
  );

  holds(
    [
      '**States**: list works at any time; create and login only while not logged in; everything else only after.',
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
      expect(await retrieve(anna)).toBe('');
    },
  );

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
      const back = await login1(bert.name);
      anna.client.write(send1(bert.name, 'three'));
      expect(await anna.client.text(0x71)).toBe(`delivered to ${bert.name}`);
      await eventually(() => expect(pushed(back)).toEqual([[anna.name, 'three']]));
      expect(await retrieve(back)).toBe(`${anna.name}: one\n\n${anna.name}: two`);
      expect(await retrieve(back)).toBe('');
      await logout1(back);
      expect(await retrieve(await login1(bert.name))).toBe('');
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
      await eventually(() => expect(pushed(anna)).toEqual([[anna.name, forged]]));
      const bert = await person1(servers[0]);
      await logout1(bert);
      anna.client.write(
        send1(bert.name, forged),
        ...Array.from({ length: 18 }, () => send1(bert.name, 'x'.repeat(65_000))),
      );
      for (let i = 0; i < 19; i++) await anna.client.text(0x71);
      const back = await login1(bert.name);
      const first = await retrieve(back);
      expect(Buffer.byteLength(first)).toBeLessThanOrEqual(1_048_576);
      const rest = await retrieve(back);
      const entries = [...first.split('\n\n'), ...rest.split('\n\n')];
      expect(entries).toHaveLength(19);
      expect(entries[0]).toBe(`${anna.name}: hi\nroot: pay\nnow`);
      expect(await retrieve(back)).toBe('');
    },
  );

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
      const back = await login1(bert.name);
      back.client.write(frame(1, 0x40));
      expect(await back.client.text(0x22)).toMatch(/\d+ undelivered/);
      await retrieve(back);
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

  holds(
    [
      "**Senders**: a message that some other Kafka producer wrote has the sender `[external]`, or `[external key]` with what of the first 64 bytes of the record's key is `a-z A-Z 0-9 . _ @ / -` (a run of anything else is a blank).",
      'A username cannot contain a bracket.',
    ],
    async () => {
      const anna = await person1(servers[0]);
      await produce(anna.name, null, 'no key');
      await produce(anna.name, 'Deploy.bot_1@ci/x-y', 'key');
      await produce(anna.name, `a]:\n\n "b" é${'x'.repeat(80)}`, 'odd');
      await eventually(() => {
        expect(pushed(anna)).toEqual([
          ['[external]', 'no key'],
          ['[external Deploy.bot_1@ci/x-y]', 'key'],
          [`[external a b ${'x'.repeat(52)}]`, 'odd'],
        ]);
      });
      anna.client.write(frame(1, 0x50, '[a'));
      expect(await anna.client.text(0x22)).not.toBe('');
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
