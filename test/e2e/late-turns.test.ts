/**
 * Frontends whose process stands still, or that cannot reach Kafka, for a time: what they held may be somebody else's
 * when they go on, and they do not know for how long they were away.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Client as LibraryClient } from '../../src/client/client.ts';
import { type ClientEvent, DEFAULT_OPTIONS } from '../../src/client/events.ts';
import { type Client, eventually, hexes, newId, newName, PASSWORD } from '../protocol-document/client.ts';
import { frame2 } from '../protocol-document/frames.ts';
import { login, open, type Person, person } from '../protocol-document/servers.ts';
import { FULL, share, sized } from '../size.ts';
import { type CutKafka, startCutKafka } from './cut-kafka.ts';
import { type FrontendHere, openFrontendHere } from './frontend-here.ts';
import { built, RunningFrontend } from './running-frontend.ts';

const PEOPLE = 6;

let kafka: CutKafka;
/** Over the cable, and straight. */
let north: RunningFrontend;
let south: FrontendHere;

beforeAll(async () => {
  await built();
  kafka = await startCutKafka();
});

/** @param leaseMs longer than a frontend is away, or not */
async function startFrontends(leaseMs: number): Promise<void> {
  const over = (brokers: string) => ({
    MILENA_KAFKA_BROKERS: brokers,
    MILENA_FRONTEND_LEASE_MS: String(leaseMs),
  });
  [north, south] = await Promise.all([
    RunningFrontend.start(over(kafka.overCable)),
    openFrontendHere(over(kafka.straight)),
  ]);
}

async function stopFrontends(): Promise<void> {
  kafka.cable.release();
  north?.child.kill('SIGCONT');
  await Promise.all([north?.remove(), south?.remove()]);
}

afterAll(() => kafka?.stop());

interface Disturbance {
  begin(): void;
  end(): void;
}

const STOPPED: Disturbance = {
  begin: () => north.child.kill('SIGSTOP'),
  end: () => north.child.kill('SIGCONT'),
};
const CUT_OFF: Disturbance = { begin: () => kafka.cable.hold(), end: () => kafka.cable.release() };

describe('within a lease', () => {
  beforeAll(() => startFrontends(20_000));
  afterAll(stopFrontends);

  const WITHIN: [string, Disturbance, number][] = [
    ['stopped for 3 s', STOPPED, 3_000],
    ['cut off from Kafka for 6 s', CUT_OFF, 6_000],
    ['stopped for 8 s', STOPPED, 8_000],
  ];
  it.each(WITHIN.slice(0, sized(2, 3)))(
    'a frontend that was away pushes nothing to whoever is elsewhere by now, and believes none of them: %s',
    async (_, away, ms) => {
      const people: Person[] = [];
      for (let i = 0; i < PEOPLE; i++) people.push(await person(north));
      const [near, far] = [await person(north), await person(south)];
      const ids = people.map(() => newId());
      for (const [i, { name }] of people.entries()) await near.client.send(name, 'before', ids[i]);
      for (const { client } of people) await eventually(() => expect(client.bodies()).toEqual(['before']));

      away.begin();
      const began = performance.now();
      // They have it, and say so to a frontend that does not hear it, or cannot pass it on.
      for (const { client } of people) client.write(frame2(0x90, { upTo: client.seqs()[0] }));
      const newer = await Promise.all(people.map(({ name, token }) => login(south, name, { token })));
      const toldBefore = near.client.delivered().length;
      let isOver = false;
      const sending = (async () => {
        for (let i = 0; !isOver; i++) {
          for (const { name } of people) await far.client.send(name, `after ${i}`);
          await sleep(100);
        }
      })();
      await sleep(ms - (performance.now() - began));
      away.end();
      for (const { client } of people) expect(await client.goodbye()).toMatch(/^(REPLACED|INBOX_LOST)$/);
      isOver = true;
      await sending;
      expect(people.flatMap(({ client }) => client.bodies())).toEqual(people.map(() => 'before'));
      // What they acknowledged while they were superseded reached nobody.
      await near.client.inStep();
      if (away === STOPPED) {
        expect(toldBefore).toBe(0);
        expect(near.client.delivered()).toEqual([]);
      }
      for (const { client } of newer) {
        expect(client.bodies()[0]).toBe('before');
        client.write(frame2(0x90, { upTo: client.seqs()[0] }));
      }
      await eventually(() => expect(near.client.delivered().sort()).toEqual(hexes(ids).sort()));
      for (const { client } of newer) {
        await client.inStep();
        expect(client.isOver).toBe(false);
      }
    },
  );

  it.each(WITHIN.slice(0, sized(1, 2)))('it goes on with who is still there: %s', async (_, away, ms) => {
    const [reader, far] = [await person(north), await person(south)];
    away.begin();
    const sent = Array.from({ length: 20 }, (__, i) => `meanwhile ${i}`);
    for (const body of sent) await far.client.send(reader.name, body);
    await sleep(ms);
    away.end();
    await eventually(() => expect(reader.client.bodies()).toEqual(sent));
    await far.client.send(reader.name, 'after');
    await eventually(() => expect(reader.client.bodies()).toEqual([...sent, 'after']));
    reader.client.write(frame2(0x90, { upTo: reader.client.seqs().at(-1) }));
    await eventually(() => expect(far.client.delivered()).toHaveLength(21));
    expect(reader.client.isOver).toBe(false);
  });

  describe('a login that was given up', () => {
    const proofs = [
      ['by token', {}],
      ['by password, taking over', { takeover: true }],
    ] as const;
    const ends = [
      ['ended', (client: Client) => client.socket.end()],
      ['destroyed', (client: Client) => client.socket.destroy()],
      ['reset', (client: Client) => client.socket.resetAndDestroy()],
    ] as const;
    const cases = proofs.flatMap(([how, more]) => ends.map(([name, end]) => [how, name, more, end] as const));

    it.each(share(cases, 4, 0))(
      '%s is not carried out when its connection was %s',
      async (_how, _name, more, end) => {
        const own = await person(south);
        const { name: username, token } = own;
        const proof = 'takeover' in more ? { password: PASSWORD } : { token };
        north.child.kill('SIGSTOP');
        const givenUp = await open(north);
        givenUp.write(frame2(0x20, { username, ...proof, ...more }));
        await sleep(1_500);
        end(givenUp);
        const newer = await login(south, username, { token });
        north.child.kill('SIGCONT');
        // Whoever asks later is answered later.
        await (await open(north)).inStep();
        await eventually(async () => {
          const other = await open(north);
          expect(await other.refusal(0x20, { username, password: PASSWORD })).toBe('ALREADY_LOGGED_IN');
        });
        await newer.client.inStep();
        expect(newer.client.isOver).toBe(false);
        expect((await login(north, username, { token })).token).toEqual(token);
      },
    );

    it('is waited for by a resume right after it', async () => {
      const { name: username, token, client } = await person(north);
      client.socket.destroy();
      for (let round = 0; round < sized(12, 60); round++) {
        const first = await open(north);
        first.write(frame2(0x20, { username, token }));
        if (round % 2 === 0) first.socket.destroy();
        const isElsewhere = round % 3 === 0;
        const second = await open(isElsewhere ? south : north);
        const { opcode, fields } = await second.ask(0x20, { username, token });
        // Through another frontend either may be the later one.
        const expected = isElsewhere ? [undefined, 'REPLACED'] : [undefined];
        expect(expected, String(fields.message)).toContain(fields.code);
        if (opcode === 0x21) expect(fields.token).toEqual(token);
        second.socket.destroy();
      }
    });
  });
});

describe('a frontend that was away for longer than its lease', () => {
  // The shortest that there is.
  beforeAll(() => startFrontends(sized(6_000, 10_000)));
  afterAll(stopFrontends);

  it.each<[string, Disturbance, number]>(
    FULL
      ? [
          ['stopped for 15 s', STOPPED, 15_000],
          ['cut off from Kafka for 17 s', CUT_OFF, 17_000],
        ]
      : [
          ['stopped for 9 s', STOPPED, 9_000],
          ['cut off from Kafka for 11 s', CUT_OFF, 11_000],
        ],
  )(
    'tells its people that nobody has taken over, and they come back by themselves: %s',
    async (_, away, ms) => {
      const [raw, far] = [await person(north), await person(south)];
      const name = newName();
      const events: ClientEvent[] = [];
      const client = new LibraryClient({ ...DEFAULT_OPTIONS, servers: [north.address] }, (event) => {
        events.push(event);
        if (event.type === 'message') client.shown(event.inbox, event.message);
      });
      onTestFinished(() => client.close());
      client.start();
      await client.create(name, PASSWORD);
      away.begin();
      await far.client.send(name, 'meanwhile');
      await sleep(ms);
      away.end();
      expect(await raw.client.goodbye()).toBe('INBOX_LOST');
      const types = () => events.map(({ type }) => type);
      await eventually(() => expect(types()).toContain('login-restored'));
      expect(types()).not.toContain('replaced');
      const bodies = () => events.flatMap((event) => (event.type === 'message' ? [event.message.body] : []));
      await eventually(() => expect(bodies()).toEqual(['meanwhile']));
      client.send(far.name, 'I am back');
      await eventually(() => expect(far.client.bodies()).toEqual(['I am back']));
      // And by the token alone, who does nothing by itself.
      expect((await login(north, raw.name, { token: raw.token })).token).toEqual(raw.token);
    },
  );
});
