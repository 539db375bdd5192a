/* The tables of replies and the section *States*. */

import { readFileSync } from 'node:fs';
import { describe, expect, vi } from 'vitest';
import { EngineError } from '../../src/core/errors.ts';
import { openHouse } from '../server/house.ts';
import { eventually, newId, newName, PASSWORD } from './client.ts';
import { type Fields, frame, frame2 } from './frames.ts';
import { holds } from './sentences.ts';
import { logout, open, person, serversInMemory } from './servers.ts';

const servers = serversInMemory(2);

const isInt = (value: unknown) => typeof value === 'number' && Number.isInteger(value) && value >= 0;
const INT = expect.toSatisfy(isInt);
const NOW = expect.toSatisfy((value: unknown) => Math.abs(Number(value) - Date.now()) < 60_000);
const bytes = (least: number, most = least) =>
  expect.toSatisfy(
    (value: unknown) => value instanceof Uint8Array && value.length >= least && value.length <= most,
  );

const SESSION = {
  incarnation: bytes(16),
  inbox: bytes(16),
  token: bytes(32),
  tokenExpiresAt: INT,
  undelivered: 0,
  limits: expect.toSatisfy((limits: Fields) => isInt(limits.window) && isInt(limits.messagesPerSecond)),
};

describe('replies', () => {
  holds(
    [
      'A client speaks one version throughout a connection, and needs no hello.',
      "| 0x81 welcome | `server` | text | the server's name and version |",
      '| | `versions` | list of int | versions of the protocol it speaks |',
      '| | `features` | list of text | what it can: see below |',
      '| | `limits` | map | `payloadBytes`, `payloadBytesBeforeLogin`, `bodyBytes`, `window`, `pingAfterMs`, `closeAfterMs`, each int: see below |',
      "| | `time` | time | the server's clock |",
      'Features are what a smaller or older server of this version may lack: `block` (0xf0), `deliver-none` (logins that only send), `receipts` (0xe0), `resume` (login by `token`), `resume-asks` (login by `token` with `takeover` false), `takeover` (its field).',
      "The names in `limits` of welcome: `payloadBytes` and `payloadBytesBeforeLogin` are the largest payload of a request, `bodyBytes` the longest body of a send, `window` see *Receiving*, `pingAfterMs` and `closeAfterMs` see *Staying connected*: 300,000 and 420,000 unless the server's operator has set others.",
    ],
    async () => {
      const client = await open(servers[0]);
      const file: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
      const { version } = file as { version: string };
      expect(await client.get(0x80, { client: 'by the document 1' })).toEqual({
        server: `milena ${version}`,
        versions: [1, 2],
        features: ['block', 'deliver-none', 'receipts', 'resume', 'resume-asks', 'takeover'],
        limits: {
          payloadBytes: 65_536,
          payloadBytesBeforeLogin: 4_096,
          bodyBytes: 65_280,
          window: INT,
          pingAfterMs: 300_000,
          closeAfterMs: 420_000,
        },
        time: NOW,
      });
    },
  );

  holds(
    [
      '| 0x11 created, 0x21 logged in | `username` | name | |',
      '| | `incarnation` | bytes 16 | this life of the account; a name that is deleted and made again has another one |',
      '| | `inbox?` | bytes 16 | the inbox; another one after a deletion, too, ',
      '| | `token?` | bytes 32 | for the next login; a secret like the password |',
      '| | `tokenExpiresAt?` | time | |',
      '| | `undelivered?` | int | messages that wait |',
      '| | `limits` | map | `window`, `messagesPerSecond`, and perhaps `mailboxMessages`, `mailboxBytes`, each int |',
      "In those of a session, `mailboxMessages` and `mailboxBytes` are what the account's own inbox takes.",
      '| 0x41 deleted | `undelivered` | int | messages that nobody will read; the server closes |',
    ],
    async () => {
      const username = newName();
      const client = await open(servers[0]);
      const created = await client.get(0x10, { username, password: PASSWORD, displayName: 'Ünïq' });
      expect(created).toEqual({ username, ...SESSION });
      expect(created.limits).toMatchObject({ mailboxMessages: INT, mailboxBytes: INT });
      expect(await client.get(0x30)).toEqual({});
      const other = await person(servers[1]);
      await other.client.send(username, 'waits');
      const again = await open(servers[1]);
      const entered = await again.get(0x20, { username, password: PASSWORD });
      expect(entered).toEqual({ username, ...SESSION, undelivered: 1 });
      expect([entered.incarnation, entered.inbox]).toEqual([created.incarnation, created.inbox]);
      expect(await again.get(0x40, { password: PASSWORD, force: true })).toEqual({ undelivered: 1 });
      await again.over();
      const reborn = await (await open(servers[0])).get(0x10, { username, password: PASSWORD });
      expect(reborn.incarnation).not.toEqual(created.incarnation);
      expect(reborn.inbox).not.toEqual(created.inbox);
    },
  );

  holds(
    [
      '| 0x51 listed | `names` | ≤ 1,000 × name | in byte order |',
      '| | `more` | bool | there are names behind the last one |',
      '| | `after?` | name | only names behind this one in byte order: the last one of the page before |',
    ],
    async () => {
      const stem = newName('page');
      const names = ['-', '0', '_', 'z'].map((end) => stem + end);
      for (const name of names) await logout(await person(servers[0], name));
      const client = await open(servers[0]);
      const pages: unknown[] = [];
      for (let after: unknown; ; ) {
        const page = await client.get(0x50, { pattern: `${stem}*`, limit: 2, after });
        pages.push(page);
        if (page.more !== true) break;
        after = Array.isArray(page.names) ? page.names.at(-1) : null;
      }
      expect(pages).toEqual([
        { names: names.slice(0, 2), more: true },
        { names: names.slice(2), more: false },
      ]);
      // A name that nobody has is as good.
      expect(await client.get(0x50, { pattern: `${stem}*`, after: `${stem}a` })).toEqual({
        names: [`${stem}z`],
        more: false,
      });
    },
  );

  holds(
    [
      "| 0x71 sent | `id` | bytes 16 | the request's |",
      '| | `acceptedAt` | time | |',
      '| | `receipt` | bytes 1–64 | opaque; names the stored message in a receipts request, but for one to a room |',
      '| | `recipientLoggedIn` | bool | as far as it could be found out in time; false of a room |',
      "| 0xa1 status | `loggedIn` | list of name | those of the request's names, each once; a name that nobody has is not logged in |",
      "| 0xb1 pong | `time` | time | the server's clock |",
    ],
    async () => {
      const [anna, bert] = [await person(servers[0]), await person(servers[1])];
      const id = newId();
      const ask = { names: [bert.name, newName('no'), anna.name, bert.name] };
      await eventually(async () => {
        expect(await anna.client.get(0xa0, ask)).toEqual({ loggedIn: [bert.name, anna.name] });
      });
      const sent = { id: new Uint8Array(id), acceptedAt: NOW, receipt: bytes(1, 64) };
      expect(await anna.client.send(bert.name, 'x', id)).toEqual({ ...sent, recipientLoggedIn: true });
      await logout(bert);
      await anna.client.send(bert.name, 'x');
      expect((await anna.client.send(bert.name, 'y')).recipientLoggedIn).toBe(false);
      expect(await anna.client.get(0xa0, ask)).toEqual({ loggedIn: [anna.name] });
      expect(await anna.client.get(0xb0)).toEqual({ time: NOW });
    },
  );

  holds(
    [
      '| 0xf1 blocked | `blocked` | list of name | everybody who is blocked now |',
      "whose messages to refuse, whoever has the name, or to take again; not one's own, and 500 at most are refused |",
      'or what nobody may ask for (to block oneself) |',
      '| BLOCKED | the recipient has blocked the sender |',
    ],
    async () => {
      const [anna, bert] = [await person(servers[0]), await person(servers[0])];
      const block = (name: string, blocked: boolean) => anna.client.ask(0xf0, { name, blocked });
      expect(await anna.client.get(0xf0)).toEqual({ blocked: [] });
      expect((await block(anna.name, true)).fields).toMatchObject({ code: 'BAD_REQUEST' });
      expect((await block(newName('no'), true)).fields).toMatchObject({ code: 'NO_SUCH_USER' });
      expect((await block(newName('no'), false)).fields).toEqual({ blocked: [] });
      expect((await block(bert.name, true)).fields).toEqual({ blocked: [bert.name] });
      expect(await bert.client.refusal(0x70, { id: newId(), to: anna.name, body: 'x' })).toBe('BLOCKED');
      expect((await block(bert.name, false)).fields).toEqual({ blocked: [] });
      await bert.client.send(anna.name, 'x');
      // Blocked is the name, also in another life.
      await block(bert.name, true);
      await bert.client.get(0x40, { password: PASSWORD });
      const reborn = await person(servers[0], bert.name);
      expect(await reborn.client.refusal(0x70, { id: newId(), to: anna.name, body: 'x' })).toBe('BLOCKED');
      // Five hundred of them, where accounts cost nothing.
      const house = await openHouse();
      const crowd = Array.from({ length: 501 }, (_, i) => `c${i}`);
      for (const name of crowd) await house.engine.accounts.create({ name });
      const client = await open(house.frontend);
      await client.get(0x10, { username: 'anna' });
      const account = house.engine.accounts.get('anna');
      if (account === undefined) throw new Error('no account');
      house.cluster.putAccount({ ...account, blocked: crowd.slice(0, 499).sort() });
      await eventually(() => expect(house.engine.accounts.get('anna')?.blocked).toHaveLength(499));
      await client.get(0xf0, { name: 'c499', blocked: true });
      expect(await client.refusal(0xf0, { name: 'c500', blocked: true })).toBe('BAD_REQUEST');
    },
  );

  holds(
    [
      '| 0x22 failure | `code` | text |',
      '| | `message` | text | a sentence for a person |',
      '| | `request?` | int ≤ 255 | opcode of the request it answers; this server always has it |',
      '| | `id?` | bytes 16 | of the send it answers, where it could be read |',
      'Replies come in the order of the requests.',
      "An **ack has no success reply**; if it fails, the failure has `request` 0x90 and takes no other request's turn.",
      'Every other failure with a `request` is the reply to the oldest unanswered one; one without answers none.',
    ],
    async () => {
      const { client, name } = await person(servers[0]);
      const id = newId();
      const right = { id: newId(), to: name, body: 'x' };
      client.write(
        frame2(0x70, { id, to: newName('no'), body: 'x' }),
        frame2(0x90, {}),
        frame2(0x70, right),
        frame(2, 0x99),
        frame2(0x70, { ...right, body: '' }),
        frame2(0x90, { upTo: 1 }),
        frame(2, 0xb0, 'nonsense'),
        frame2(0xb0),
      );
      const failure = (request: number, code: string, more = {}) => ({
        opcode: 0x22,
        fields: { code, message: expect.stringMatching(/\w.*\./), request, ...more },
      });
      expect(await client.reply()).toEqual(failure(0x70, 'NO_SUCH_USER', { id: new Uint8Array(id) }));
      expect(await client.reply()).toEqual(failure(0x90, 'BAD_REQUEST'));
      expect((await client.reply()).opcode).toBe(0x71);
      expect(await client.reply()).toEqual(failure(0x99, 'BAD_REQUEST'));
      expect(await client.reply()).toEqual(failure(0x70, 'BAD_REQUEST'));
      expect(await client.reply()).toEqual(failure(0xb0, 'BAD_REQUEST'));
      expect((await client.reply()).opcode).toBe(0xb1);
    },
  );

  holds(
    [
      '| | `created?` | bool | true, of a create: the account was made all the same; log in to it |',
      'a create whose failure has `created` has made the account;',
    ],
    async () => {
      const house = await openHouse();
      // Somebody is in the group of this name already: what a killed deletion leaves behind.
      const held = new EngineError('ALREADY_LOGGED_IN', 'anna is held');
      vi.spyOn(house.engine.inboxes, 'open').mockRejectedValueOnce(held);
      const client = await open(house.frontend);
      const { fields } = await client.ask(0x10, { username: 'anna', password: PASSWORD });
      expect(fields).toMatchObject({ code: 'ALREADY_LOGGED_IN', request: 0x10, created: true });
      expect(fields.message).toMatch(/anna was made/);
      await client.get(0x20, { username: 'anna', password: PASSWORD, takeover: true });
      const other = await open(house.frontend);
      const taken = await other.ask(0x10, { username: 'anna', password: PASSWORD });
      expect(taken.fields).toEqual(expect.not.objectContaining({ created: expect.anything() }));
    },
  );

  holds(
    [
      '| | `stored?` | bool | false, of a send that failed with UNAVAILABLE: it is surely not stored, and it is in vain to try again before somebody has mended what `message` says |',
    ],
    async () => {
      const house = await openHouse();
      const client = await open(house.frontend);
      await client.get(0x10, { username: 'anna', password: PASSWORD });
      house.cluster.deleteTopic((await house.engine.accounts.find('anna'))?.topicId ?? '');
      const other = await open(house.frontend);
      await other.get(0x10, { username: 'bert', password: PASSWORD });
      const id = newId();
      const { fields } = await other.ask(0x70, { id, to: 'anna', body: 'x' });
      expect(fields).toMatchObject({ code: 'UNAVAILABLE', stored: false, id: new Uint8Array(id) });
      expect(fields.message).toMatch(/inbox of anna was deleted or replaced/);
    },
  );

  holds(
    [
      '| | `force?` | bool | even if there are undelivered messages |',
      '| | `undelivered?` | int | with HAS_UNDELIVERED |',
      '| HAS_UNDELIVERED | delete |',
      '| | `retryAfterMs?` | ms | not before |',
      'required unless the account is open |',
    ],
    async () => {
      const one = await person(servers[0]);
      await one.client.send(one.name, 'to myself');
      expect(await one.client.refusal(0x40)).toBe('BAD_CREDENTIALS');
      const { fields } = await one.client.ask(0x40, { password: PASSWORD });
      expect(fields).toMatchObject({ code: 'HAS_UNDELIVERED', undelivered: 1, request: 0x40 });
      expect(await one.client.get(0x40, { password: PASSWORD, force: true })).toEqual({ undelivered: 1 });
      const anybody = await open(servers[0]);
      await anybody.get(0x10, { username: newName() });
      expect(await anybody.get(0x40)).toEqual({ undelivered: 0 });
    },
  );
});
