/* The sections *Pushes*, *Sending* and *Receiving*. */
import { describe, expect } from 'vitest';
import { openHouse } from '../server/house.ts';
import { type Client, eventually, hexes, newId, newName, PASSWORD } from './client.ts';
import { type Fields, frame2 } from './frames.ts';
import { holds } from './sentences.ts';
import { login, logout, open, person, produce, serversOnKafka } from './servers.ts';

const WINDOW = 4;
const servers = serversOnKafka(2, { MILENA_WINDOW: String(WINDOW) });

async function sendAll(client: Client, to: string, bodies: readonly string[]): Promise<Fields[]> {
  client.write(...bodies.map((body) => frame2(0x70, { id: newId(), to, body })));
  const sent: Fields[] = [];
  for (const _ of bodies) {
    const { opcode, fields } = await client.reply();
    expect(opcode).toBe(0x71);
    sent.push(fields);
  }
  return sent;
}

async function fates(client: Client, sent: readonly Fields[]): Promise<unknown> {
  return (await client.get(0xe0, { receipts: sent.map(({ receipt }) => receipt) })).fates;
}

const bodiesOf = (page: Fields) =>
  (Array.isArray(page.messages) ? page.messages : []).map(({ body }) => body);
const seqsOf = (page: Fields): number[] =>
  (Array.isArray(page.messages) ? page.messages : []).map(({ seq }) => seq);
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `m${i}`);

describe('pushes', () => {
  holds(
    [
      '| 0x72 message | `seq` | int | its place in the inbox: rises, with gaps, but for transactions of other programs |',
      '| | `verified` | bool | true: a user wrote it, and servers vouch for that |',
      '| | `from?` | name | the user; exactly when `verified` |',
      '| | `fromIncarnation?` | bytes 16 | exactly when `verified` |',
      "| | `external?` | text | exactly when not `verified`: what some other Kafka producer calls itself, perhaps nothing or a user's name.",
      '| | `id?` | bytes 16 | always when `verified` |',
      'an external producer may choose any id, so its id says nothing.',
      '| | `body` | text | may be empty when not `verified` |',
      '| | `sentAt` | time | when it was stored |',
      '| | `contentType?` | text | |',
      'media type of the body; `text/plain; charset=utf-8` if absent |',
    ],
    async () => {
      const username = newName();
      const anna = await open(servers[0]);
      const { incarnation } = await anna.get(0x10, { username, password: PASSWORD });
      const [plain, typed] = [newId(), newId()];
      const first = await anna.send(username, 'plain', plain);
      await anna.get(0x70, { id: typed, to: username, body: '{}', contentType: 'application/json' });
      await produce(
        username,
        { value: '' },
        { key: username, value: 'not me', headers: { ce_id: uuidOf(plain) } },
      );
      await eventually(() => expect(anna.pushed(0x72)).toHaveLength(4));
      const [one, two, three, four] = anna.pushed(0x72);
      const user = { verified: true, from: username, fromIncarnation: incarnation };
      expect(one).toMatchObject({
        ...user,
        id: new Uint8Array(plain),
        body: 'plain',
        sentAt: first.acceptedAt,
      });
      expect(one?.contentType ?? 'text/plain; charset=utf-8').toBe('text/plain; charset=utf-8');
      expect(two).toMatchObject({ ...user, id: new Uint8Array(typed), contentType: 'application/json' });
      expect(three).toMatchObject({ verified: false, external: '', body: '' });
      expect(four).toMatchObject({
        verified: false,
        external: username,
        body: 'not me',
        id: new Uint8Array(plain),
      });
      for (const outside of [three, four]) {
        expect(Object.keys(outside ?? {})).not.toEqual(expect.arrayContaining(['from']));
        expect(Object.keys(outside ?? {})).not.toEqual(expect.arrayContaining(['fromIncarnation']));
      }
      expect(one).not.toHaveProperty('external');
      const seqs = anna.seqs().map(Number);
      expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    },
  );

  holds(
    [
      "| 0x92 delivered | `ids` | ≤ 1,000 × bytes 16 | messages of one's own whose recipient has acknowledged them |",
      '| | `undeliverable?` | ≤ 1,000 × bytes 16 | those whose recipient is gone, or that Kafka lost or somebody deleted before they were read, and of which no acknowledgement was seen before |',
      "Delivered pushes come to the sender's session within 3 s of the acknowledgement",
      'Both are final for the sender who was told; asked again after the recipient is gone, or after Kafka has lost that message, one that was delivered is `undeliverable`, too.',
      "| 0xe1 fates | `fates` | ≤ 500 × text | in the order of the receipts: `delivered`, `waiting`, `undeliverable`, or `unknown` for what is no receipt of this life of one's account; receipts have no age |",
      'from replies to sends, at any time and on any server |',
    ],
    async () => {
      const [anna, bert] = [await person(servers[0]), await person(servers[1])];
      const sent = await sendAll(anna.client, bert.name, ['one', 'two']);
      await eventually(() => expect(bert.client.seqs()).toHaveLength(2));
      expect(anna.client.delivered()).toEqual([]);
      bert.client.write(frame2(0x90, { upTo: bert.client.seqs()[0] }));
      await eventually(() => expect(anna.client.delivered()).toEqual(hexes([sent[0]?.id])));
      expect(await fates(anna.client, [sent[1] ?? {}, sent[0] ?? {}])).toEqual(['waiting', 'delivered']);
      // On another server, and not by anybody else.
      anna.client.socket.destroy();
      const back = await login(servers[1], anna.name, { token: anna.token });
      expect(await fates(back.client, sent)).toEqual(['delivered', 'waiting']);
      expect(await fates(bert.client, sent)).toEqual(['unknown', 'unknown']);
      const [third] = await sendAll(back.client, bert.name, ['three']);
      await bert.client.get(0x40, { password: PASSWORD, force: true });
      await eventually(() => {
        const told = back.client.pushed(0x92).flatMap(({ undeliverable }) => hexes(undeliverable ?? []));
        expect(told).toEqual(hexes([third?.id]));
      });
      expect(back.client.delivered()).toEqual([]);
      expect(await fates(back.client, sent)).toEqual(['undeliverable', 'undeliverable']);
      // Another life of the sender: they are no receipts of its own.
      await back.client.get(0x40, { password: PASSWORD, force: true });
      const reborn = await person(servers[0], anna.name);
      expect(await fates(reborn.client, sent)).toEqual(['unknown', 'unknown']);
    },
  );
});

function uuidOf(id: Buffer): string {
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

describe('sending', () => {
  holds('A message may also be stored twice under one id, when its sender had to repeat it.', async () => {
    const [anna, bert] = [await person(servers[0]), await person(servers[0])];
    const id = newId();
    await anna.client.send(bert.name, 'once', id);
    anna.client.socket.destroy();
    const back = await login(servers[1], anna.name, { token: anna.token });
    await back.client.send(bert.name, 'once', id);
    await eventually(() => expect(bert.client.bodies()).toEqual(['once', 'once']));
    const [one, two] = bert.client.pushed(0x72);
    for (const field of ['id', 'from', 'fromIncarnation']) expect(one?.[field]).toEqual(two?.[field]);
    expect(one?.seq).not.toBe(two?.seq);
  });

  holds(
    [
      '0x71 means stored by Kafka with `acks=all`.',
      'Sends of one connection to one recipient are stored in their order.',
      'send it again with the **same id** and content; it is answered alike, and the recipient shows it once.',
      'An id is never used for another message: it would be answered as the first one, or get BAD_REQUEST.',
    ],
    async () => {
      const [anna, bert] = [await person(servers[0]), await person(servers[0])];
      const bodies = numbered(WINDOW);
      await sendAll(anna.client, bert.name, bodies);
      await eventually(() => expect(bert.client.bodies()).toEqual(bodies));
      bert.client.write(frame2(0x90, { upTo: bert.client.seqs().at(-1) }));
      const id = newId();
      const first = await anna.client.send(bert.name, 'first', id);
      expect(await anna.client.send(bert.name, 'first', id)).toEqual(first);
      expect(await anna.client.send(bert.name, 'another', id)).toEqual(first);
      const elsewhere = { id, to: anna.name, body: 'first' };
      expect(await anna.client.refusal(0x70, elsewhere)).toBe('BAD_REQUEST');
      await anna.client.send(bert.name, 'last');
      await eventually(() => expect(bert.client.bodies()).toEqual([...bodies, 'first', 'last']));
    },
  );

  holds(
    [
      "`messagesPerSecond` and `window` are the server's to choose; what is too fast gets RATE_LIMITED and is not stored.",
      '| RATE_LIMITED | too many wrong passwords or tokens, new accounts, requests or messages |',
    ],
    async () => {
      const house = await openHouse({ limits: { sendsPerSecond: 100, sendBurst: 10 } });
      const client = await open(house.frontend);
      await client.get(0x10, { username: 'slow', password: PASSWORD });
      const sends = Array.from({ length: 40 }, (_, i) => ({ id: newId(), to: 'slow', body: `m${i}` }));
      client.write(...sends.map((fields) => frame2(0x70, fields)));
      const outcomes: unknown[] = [];
      for (const _ of sends) {
        const { opcode, fields } = await client.reply();
        outcomes.push(opcode === 0x71 ? 'sent' : fields.code);
        if (opcode === 0x22) expect(Number(fields.retryAfterMs)).toBeGreaterThan(0);
      }
      const stored = sends.filter((_, i) => outcomes[i] === 'sent').map(({ body }) => body);
      expect(new Set(outcomes)).toEqual(new Set(['sent', 'RATE_LIMITED']));
      const { fields } = await client.ask(0x40, { password: PASSWORD });
      expect(fields.undelivered).toBe(stored.length);
    },
  );
});

describe('receiving', () => {
  holds(
    [
      'After a login with `deliver: all` every undelivered message is pushed in the order of `seq`, older ones first.',
      'The server pushes at most `window` messages that are not acknowledged, and then waits.',
      'So acknowledge early, and many at once; a slow reader stops only its own inbox.',
      '`all`, the default: push from the oldest undelivered message on; `live`: only what arrives from now on;',
    ],
    async () => {
      const [anna, bert] = [await person(servers[0]), await person(servers[0])];
      await logout(bert);
      const bodies = numbered(3 * WINDOW);
      await sendAll(anna.client, bert.name, bodies);
      const { client } = await login(servers[1], bert.name);
      for (let seen = WINDOW; seen <= bodies.length; seen += WINDOW) {
        await eventually(() => expect(client.bodies()).toEqual(bodies.slice(0, seen)));
        await client.inStep();
        // Others are served meanwhile.
        await anna.client.send(anna.name, 'x');
        expect(client.bodies()).toHaveLength(seen);
        client.write(frame2(0x90, { upTo: client.seqs().at(-1) }));
      }
    },
  );

  holds(
    [
      'With `live` older ones wait for retrieve, which may be repeated: within one login it returns the same ones until they are acknowledged or pushes have gone past them; those come again at the next login.',
      '| 0x61 retrieved | `messages` | ≤ 1,000 × map | maps with the fields of a message push |',
      '| | `more` | bool | there are more than these |',
      '`upTo` and `ranges` count only for messages that this session was given, by push or retrieve: `upTo` never reaches one that waits for retrieve.',
    ],
    async () => {
      const [anna, bert] = [await person(servers[0]), await person(servers[0])];
      await logout(bert);
      await sendAll(anna.client, bert.name, ['a', 'b', 'c']);
      const { client } = await login(servers[0], bert.name, { password: PASSWORD, deliver: 'live' });
      await anna.client.send(bert.name, 'live');
      await eventually(() => expect(client.bodies()).toEqual(['live']));
      // What waits for retrieve is not reached by what was pushed behind it.
      client.write(frame2(0x90, { upTo: client.seqs()[0] }), frame2(0x90, { ranges: [[0, 2 ** 53 - 1]] }));
      const page = await client.get(0x60, { limit: 2 });
      expect([bodiesOf(page), page.more]).toEqual([['a', 'b'], true]);
      const all = await client.get(0x60);
      expect([bodiesOf(all), all.more]).toEqual([['a', 'b', 'c'], false]);
      expect(Object.keys(Array.isArray(all.messages) ? all.messages[0] : {}).sort()).toEqual(
        Object.keys(client.pushed(0x72)[0] ?? {}).sort(),
      );
      client.write(frame2(0x90, { ranges: [[seqsOf(all)[1], seqsOf(all)[1]]] }));
      expect(bodiesOf(await client.get(0x60))).toEqual(['a', 'c']);
      client.write(frame2(0x90, { upTo: seqsOf(all)[0] }), frame2(0x30));
      expect((await client.reply()).opcode).toBe(0x31);
      const back = await login(servers[1], bert.name);
      await eventually(() => expect(back.client.bodies()).toEqual(['c']));
      await back.client.inStep();
      expect(back.client.bodies()).toEqual(['c']);
    },
  );

  holds(
    [
      'until they are acknowledged or pushes have gone past them;',
      'those come again at the next login.',
      'What was not acknowledged comes again at the next login, with the same `seq`, and with nothing missing or in another order.',
      '| 0x90 ack | `upTo?` | int | every message with a `seq` up to this one; this, or `ranges`, or both |',
    ],
    async () => {
      const [anna, bert] = [await person(servers[0]), await person(servers[0])];
      const bodies = numbered(WINDOW + 2);
      await sendAll(anna.client, bert.name, bodies);
      await eventually(() => expect(bert.client.bodies()).toEqual(bodies.slice(0, WINDOW)));
      // The window is full: what is behind it can be retrieved, and is not pushed any more.
      await eventually(async () =>
        expect(bodiesOf(await bert.client.get(0x60))).toEqual(bodies.slice(WINDOW)),
      );
      const seqs = bert.client.seqs();
      bert.client.write(frame2(0x90, { ranges: [[seqs[1], seqs[2]]] }), frame2(0x90, { upTo: -1 }));
      expect((await bert.client.reply()).fields).toMatchObject({ code: 'BAD_REQUEST', request: 0x90 });
      await eventually(async () => expect(bodiesOf(await bert.client.get(0x60))).toEqual([]));
      bert.client.socket.destroy();
      const back = await login(servers[1], bert.name, { password: PASSWORD, takeover: true });
      const left = bodies.filter((_, i) => i !== 1 && i !== 2);
      await eventually(() => expect(back.client.bodies()).toEqual(left));
      expect(back.client.seqs()[0]).toBe(seqs[0]);
      expect(back.client.seqs()[1]).toBe(seqs[3]);
    },
  );
});
