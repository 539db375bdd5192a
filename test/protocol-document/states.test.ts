/* The section *States*: every request in each, and how a connection ends. */
import { describe, expect } from 'vitest';
import { type Client, eventually, newId, newName, PASSWORD } from './client.ts';
import { type Fields, frame2 } from './frames.ts';
import { holds } from './sentences.ts';
import { login, open, person, serversInMemory } from './servers.ts';

const servers = serversInMemory(1);

describe('states', () => {
  const requests: [number, () => Fields][] = [
    [0x80, () => ({ client: 'x' })],
    [0x50, () => ({})],
    [0xb0, () => ({})],
    [0x10, () => ({ username: newName() })],
    [0x20, () => ({ username: newName() })],
    [0x60, () => ({})],
    [0x70, () => ({ id: newId(), to: newName(), body: 'x' })],
    [0x90, () => ({ upTo: 1 })],
    [0xa0, () => ({ names: [] })],
    [0xd0, () => ({ new: 'another one' })],
    [0xe0, () => ({ receipts: [] })],
    [0xf0, () => ({})],
    [0xc4, () => ({})],
    [0xd4, () => ({ device: 'none' })],
    [0xe4, () => ({ conversation: 'x', upTo: 1 })],
    [0x40, () => ({})],
    [0x30, () => ({})],
  ];
  /** The opcode of the reply, or the code of the failure; null where there is none. */
  const outcomeOf = async (client: Client, opcode: number, fields: Fields) => {
    client.write(frame2(opcode, fields), ...(opcode === 0x90 ? [frame2(0xb0)] : []));
    const reply = await client.reply();
    if (opcode === 0x90 && reply.opcode === 0x22) expect((await client.reply()).opcode).toBe(0xb1);
    if (opcode === 0x90) return reply.opcode === 0x22 ? reply.fields.code : null;
    return reply.opcode === 0x22 ? reply.fields.code : reply.opcode;
  };

  holds(
    [
      '| hello, ping | yes | yes | yes |',
      '| list | yes, or NOT_LOGGED_IN where the operator wants it | yes | yes |',
      '| create, login | yes | ALREADY_LOGGED_IN | ALREADY_LOGGED_IN |',
      '| retrieve, ack, delete, password, forget device, mark read | NOT_LOGGED_IN | yes | ONLY_SENDS |',
      '| all others | NOT_LOGGED_IN | yes | yes |',
      '| ONLY_SENDS | see *States*: the login only sends |',
      'A refused request changes nothing.',
      '| NOT_LOGGED_IN | see *States* |',
    ],
    async () => {
      for (const [opcode, fields] of requests) {
        const outcome = await outcomeOf(await open(servers[0]), opcode, fields());
        const always = [0x80, 0x50, 0xb0, 0x10].includes(opcode);
        if (always) expect(outcome, String(opcode)).toBe(opcode + 1);
        else expect(outcome, String(opcode)).toBe(opcode === 0x20 ? 'NO_SUCH_USER' : 'NOT_LOGGED_IN');
      }
      const { client, name } = await person(servers[0]);
      const before = [0x10, 0x20];
      for (const opcode of before) {
        expect(await outcomeOf(client, opcode, { username: newName() })).toBe('ALREADY_LOGGED_IN');
      }
      for (const [opcode, fields] of requests.filter(([one]) => !before.includes(one))) {
        const outcome = await outcomeOf(client, opcode, fields());
        const refused = new Map<number, unknown>([
          [0x70, 'NO_SUCH_USER'],
          [0x90, null],
          [0xd0, 'BAD_CREDENTIALS'],
          [0xd4, 'NO_SUCH_DEVICE'],
          [0x40, 'BAD_CREDENTIALS'],
        ]);
        expect(outcome, String(opcode)).toBe(refused.has(opcode) ? refused.get(opcode) : opcode + 1);
      }
      const sender = await login(servers[0], name, { password: PASSWORD, deliver: 'none' });
      for (const [opcode, fields] of requests) {
        const outcome = await outcomeOf(sender.client, opcode, fields());
        const refused = new Map<number, unknown>([
          [0x70, 'NO_SUCH_USER'],
          ...[0x60, 0x90, 0xd0, 0xd4, 0xe4, 0x40].map((one) => [one, 'ONLY_SENDS'] as const),
          ...before.map((one) => [one, 'ALREADY_LOGGED_IN'] as const),
        ]);
        expect(outcome, String(opcode)).toBe(refused.has(opcode) ? refused.get(opcode) : opcode + 1);
      }
      expect(await (await open(servers[0])).get(0x50, { pattern: name })).toEqual({
        names: [name],
        more: false,
      });
    },
  );

  holds(
    [
      'Whoever closes the socket is logged out but keeps the token.',
      'The server closes after the reply to logout or delete, or when the client has ended its side and all its requests are answered;',
      'otherwise its last frame is a goodbye.',
      'Requests read before the end are carried out and answered, those behind a logout or delete are not: an ack in front of a logout counts.',
      'The reply to a login comes before its first push.',
      "Accounts have passwords, messages have ids, and a message counts as delivered only when its recipient's client has acknowledged it.",
    ],
    async () => {
      const one = await person(servers[0]);
      const id = newId();
      one.client.write(frame2(0x70, { id, to: one.name, body: 'x' }), frame2(0xb0));
      one.client.socket.end();
      expect((await one.client.reply()).opcode).toBe(0x71);
      expect((await one.client.reply()).opcode).toBe(0xb1);
      expect(await one.client.goodbye()).toBeNull();
      // The session reply first, although the message waits.
      const back = await login(servers[0], one.name, { token: one.token });
      expect(back.client.frames[0]?.opcode).toBe(0x21);
      await eventually(() => expect(back.client.seqs()).toHaveLength(1));
      const [seq] = back.client.seqs();
      back.client.write(
        frame2(0x90, { upTo: seq }),
        frame2(0x30),
        frame2(0x70, { id: newId(), to: one.name, body: 'never' }),
      );
      expect((await back.client.reply()).opcode).toBe(0x31);
      await back.client.over();
      expect(back.client.frames.at(-1)?.opcode).toBe(0x31);
      const again = await open(servers[0]);
      expect(await again.get(0x20, { username: one.name, password: PASSWORD })).toMatchObject({
        undelivered: 0,
      });
    },
  );
});
