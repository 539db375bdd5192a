/*
 * People with one to three devices each, in rooms, over two servers on one store: they send, acknowledge, join, leave, put out, are
 * killed, forgotten and deleted and come anew, and so do rooms. What each device is owed is known at every moment: it comes once, in
 * order, nothing else comes, and in the end all of somebody's devices have the same.
 */
import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'vitest';
import { eventually, PATIENCE_MS } from '../contracts/cluster.ts';
import { type House, PASSWORD } from '../server/house.ts';
import type { RawClient2 } from '../server/raw-client2.ts';

const NAMES = ['anna', 'bert', 'carl', 'dora'] as const;
const ROOMS = ['#ops', '#tea', '#old'] as const;
const DEVICES = [undefined, 'phone', 'desk'] as const;
const HELLO = { type: 'hello', client: 'test', features: ['devices', 'rooms'] } as const;
/** Everybody is brought up to date after so many steps. */
const SETTLE_EVERY = 200;

/** Something that a device is owed. */
interface Owed {
  readonly text: string;
  hasIt: boolean;
  /** They went out of the room before it came. */
  mayMiss: boolean;
}

/** One login: what it was given is compared as it comes. */
class Session {
  readonly client: RawClient2;
  readonly #expected = new Map<string, Owed[]>();
  /** Given and not acknowledged. */
  readonly given: { readonly channel: string; readonly seq: number; readonly owed: Owed }[] = [];
  readonly #channelOf: (text: string) => string;
  #messages = 0;
  #notes = 0;

  constructor(client: RawClient2, channelOf: (text: string) => string) {
    this.client = client;
    this.#channelOf = channelOf;
  }

  owe(channel: string, owed: Owed): void {
    const expected = this.#expected.get(channel) ?? [];
    expected.push(owed);
    this.#expected.set(channel, expected);
  }

  /** What was not given of a channel by now may not come any more, and need not be acknowledged. */
  leave(channel: string): void {
    this.pump();
    for (const owed of this.#expected.get(channel) ?? []) owed.mayMiss = true;
    for (let at = this.given.length - 1; at >= 0; at--)
      if (this.given[at]?.channel === channel) this.given.splice(at, 1);
  }

  /** Compares what has come since it was asked last. */
  pump(): void {
    const { messages, notes, gaps } = this.client;
    expect(gaps).toEqual([]);
    for (const { body, room, seq } of messages.slice(this.#messages)) {
      const channel = this.#channelOf(body);
      expect(channel.split(' ')[0], body).toBe(room ?? 'inbox');
      this.#take(channel, body, seq);
    }
    this.#messages = messages.length;
    for (const note of notes.slice(this.#notes))
      if (note.type === 'sent-elsewhere') this.#take('copies', note.body, note.seq);
    this.#notes = notes.length;
  }

  /** Whether all has come, and was acknowledged. */
  get isDone(): boolean {
    this.pump();
    const isOwed = [...this.#expected.values()].some((owed) => owed.some(({ mayMiss }) => !mayMiss));
    return !isOwed && this.given.length === 0;
  }

  #take(channel: string, text: string, seq: number): void {
    const expected = this.#expected.get(channel) ?? [];
    let owed = expected.shift();
    while (owed !== undefined && owed.text !== text && owed.mayMiss) owed = expected.shift();
    expect(text, `what is next in ${channel}`).toBe(owed?.text);
    if (owed !== undefined && !owed.mayMiss) this.given.push({ channel, seq, owed });
  }
}

/** A device of this life of somebody. */
interface Device {
  readonly name: (typeof DEVICES)[number];
  readonly owed: Map<string, Owed[]>;
  session: Session | null;
}

/** One life of somebody. */
interface Person {
  readonly name: string;
  readonly devices: Map<Device['name'], Device>;
  /** By the channel of the room: what was said since they came. */
  readonly stays: Map<string, string[]>;
  /** What was sent to them, with who has it; what all have is nobody's any more. */
  inbox: { readonly text: string; readonly had: Set<Device['name']> }[];
}

export class People {
  readonly #houses: readonly House[];
  readonly #random: () => number;
  readonly #people = new Map<string, Person>();
  /** The channel of each room that there is. */
  readonly #rooms = new Map<string, string>();
  readonly #channels = new Map<string, string>();
  #lives = 0;
  /** Messages that were confirmed. */
  sent = 0;
  steps = 0;

  /** @param random below 1 */
  constructor(houses: readonly House[], random: () => number) {
    this.#houses = houses;
    this.#random = random;
  }

  async step(): Promise<void> {
    this.steps += 1;
    if (this.steps % SETTLE_EVERY === 0) await this.settle();
    const acts: [weight: number, act: () => Promise<void>][] = [
      [40, () => this.#send()],
      [22, () => this.#acknowledge()],
      [12, () => this.#enter(this.#one(NAMES), this.#one(DEVICES))],
      [8, () => this.#join()],
      [4, () => this.#kill()],
      [3, () => this.#invite()],
      [3, () => this.#leave()],
      [3, () => this.#kick()],
      [2, () => this.#makeRoom()],
      [1, () => this.#forget()],
      [0.5, () => this.#deleteRoom()],
      [0.5, () => this.#delete()],
    ];
    let at = this.#random() * acts.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, act] of acts) {
      at -= weight;
      if (at < 0) return act();
    }
  }

  /** Everybody with every device is there, has all they are owed, and has acknowledged it. */
  async settle(): Promise<void> {
    for (const name of NAMES) for (const device of DEVICES) await this.#enter(name, device);
    for (const person of this.#people.values()) {
      for (const device of person.devices.values()) {
        const until = Date.now() + PATIENCE_MS;
        while (device.session?.isDone !== true && Date.now() < until)
          await this.#acknowledge(person, device, 1);
        expect(device.session?.isDone, `${person.name} ${device.name}`).toBe(true);
      }
      expect(person.inbox.filter(({ had }) => had.size === 0)).toEqual([]);
    }
  }

  /** All devices of somebody come to agree on what was read with any of them. */
  async agreeOnRead(): Promise<void> {
    for (const { name, devices } of this.#people.values()) {
      const sessions = [...devices.values()].flatMap(({ session }) => session ?? []);
      for (const [at, { client }] of sessions.entries())
        await client.expect('marked', { type: 'mark-read', conversation: 'tea', upTo: 10 + at });
      const views = () =>
        sessions.map(({ client: { notes } }, at) =>
          Math.max(10 + at, ...notes.map((note) => (note.type === 'read-elsewhere' ? note.upTo : 0))),
        );
      await eventually(() => expect(views(), name).toEqual(views().map(() => 9 + sessions.length)));
    }
  }

  // ---- what they do

  async #enter(name: string, which: Device['name']): Promise<void> {
    const client = await this.#one(this.#houses).connect2();
    await client.expect('welcome', HELLO);
    let person = this.#people.get(name);
    if (person === undefined) {
      await client.create(name, PASSWORD);
      person = { name, devices: new Map(), stays: new Map(), inbox: [] };
      this.#people.set(name, person);
      this.#begin(person, undefined, client);
      return;
    }
    const known = person.devices.get(which);
    if (known?.session != null && this.#random() < 0.5) return client.cut();
    const { undelivered } = await client.login(name, {
      ...{ password: PASSWORD, takeover: true },
      ...(which !== undefined && { device: which }),
    });
    known?.session?.pump();
    this.#begin(person, which, client);
    expect(undelivered).toBe(person.inbox.filter(({ had }) => had.size === 0).length);
  }

  #begin(person: Person, name: Device['name'], client: RawClient2): void {
    const device = person.devices.get(name) ?? newcomer(person, name);
    person.devices.set(name, device);
    device.session = new Session(client, (text) => this.#channels.get(text) ?? 'nobody’s');
    for (const [channel, owed] of device.owed) {
      const left = owed.filter(({ hasIt }) => !hasIt);
      device.owed.set(channel, left);
      for (const each of left) device.session.owe(channel, each);
    }
  }

  async #send(): Promise<void> {
    const sender = this.#somebody();
    if (sender === null) return;
    const { person, device, client } = sender;
    const to: string = this.#one([...NAMES, ...ROOMS, ...ROOMS]);
    for (let count = 1 + Math.floor(this.#random() * 4); count > 0; count--) {
      const body = `${this.#channels.size} from ${person.name} to ${to}`;
      const channel = to.startsWith('#') ? this.#rooms.get(to) : 'inbox';
      this.#channels.set(body, channel ?? 'nobody’s');
      const isTheirs = channel !== undefined && (channel === 'inbox' || person.stays.has(channel));
      const isThere = channel === 'inbox' ? this.#people.has(to) : isTheirs;
      // Before the answer: it may be there first.
      if (isThere && channel !== undefined) this.#owe(channel, to, body, person, device);
      const reply = await client.ask({ type: 'send', id: randomBytes(16), to, body });
      expect(reply.type, JSON.stringify(reply)).toBe(isThere ? 'sent' : 'failure');
      if (isThere) this.sent += 1;
    }
  }

  #owe(channel: string, to: string, text: string, from: Person, sender: Device): void {
    const give = (device: Device, where: string) => {
      const owed = { text, hasIt: false, mayMiss: false };
      const all = device.owed.get(where) ?? [];
      all.push(owed);
      device.owed.set(where, all);
      device.session?.owe(where, owed);
    };
    if (channel !== 'inbox') {
      for (const person of this.#people.values()) {
        const stay = person.stays.get(channel);
        stay?.push(text);
        if (stay !== undefined) for (const device of person.devices.values()) give(device, channel);
      }
      return;
    }
    const person = this.#people.get(to);
    person?.inbox.push({ text, had: new Set() });
    for (const device of person?.devices.values() ?? []) give(device, channel);
    if (person === from) return;
    for (const device of from.devices.values()) if (device !== sender) give(device, 'copies');
  }

  /** @param share of what a device was given that it acknowledges */
  async #acknowledge(someone?: Person, which?: Device, share = 0.7): Promise<void> {
    const one = this.#somebody(someone, which);
    if (one === null) return;
    const { person, device, session, client } = one;
    session.pump();
    const kept: (typeof session.given)[number][] = [];
    const acks = new Map<string, (typeof kept)[number][]>();
    for (const each of session.given) {
      const room = each.channel.startsWith('#') ? (each.channel.split(' ')[0] ?? '') : '';
      const list = acks.get(room) ?? [];
      if (this.#random() >= share || list.length >= 256) kept.push(each);
      else acks.set(room, [...list, each]);
    }
    session.given.splice(0, session.given.length, ...kept);
    for (const [room, list] of acks) {
      const ranges = list.map(({ seq }): [number, number] => [seq, seq]);
      const roomIncarnation = client.messages.findLast((message) => message.room === room)?.roomIncarnation;
      client.write({ type: 'ack', ranges, ...(room !== '' && { room, roomIncarnation }) });
      for (const { owed } of list) {
        owed.hasIt = true;
        person.inbox.find(({ text }) => text === owed.text)?.had.add(device.name);
      }
    }
    for (const [channel, owed] of device.owed)
      if (owed[0]?.hasIt)
        device.owed.set(
          channel,
          owed.filter(({ hasIt }) => !hasIt),
        );
    drop(person);
    await client.inStep();
    // What came of the window's going on.
    await turn();
  }

  /** The connection is gone without a word. */
  async #kill(): Promise<void> {
    const one = this.#somebody();
    if (one === null) return;
    one.session.pump();
    one.client.cut();
    one.device.session = null;
  }

  async #join(): Promise<void> {
    const one = this.#somebody();
    if (one === null) return;
    const room = this.#one(ROOMS);
    const channel = this.#rooms.get(room);
    const reply = await one.client.ask({ type: 'join', room });
    if (reply.type === 'failure') {
      expect(['NO_SUCH_ROOM', 'NOT_INVITED']).toContain(reply.code);
      expect(reply.code === 'NO_SUCH_ROOM').toBe(channel === undefined);
    } else if (channel !== undefined && !one.person.stays.has(channel)) one.person.stays.set(channel, []);
  }

  async #invite(): Promise<void> {
    const one = this.#somebody();
    const reply = await one?.client.ask({
      ...{ type: 'invite', room: this.#one(ROOMS), name: this.#one(NAMES) },
    });
    if (reply?.type === 'failure')
      expect(['NO_SUCH_ROOM', 'NO_SUCH_USER', 'NOT_OWNER']).toContain(reply.code);
  }

  async #leave(): Promise<void> {
    const one = this.#somebody();
    if (one === null) return;
    const room = this.#one(ROOMS);
    const channel = this.#rooms.get(room);
    const isIn = channel !== undefined && one.person.stays.has(channel);
    const reply = await one.client.ask({ type: 'leave', room });
    if (isIn) expect(reply.type).toBe('left');
    if (reply.type === 'left') this.#goOut(one.person, channel);
  }

  async #kick(): Promise<void> {
    const one = this.#somebody();
    const [room, name] = [this.#one(ROOMS), this.#one(NAMES)];
    const reply = await one?.client.ask({ type: 'kick', room, name });
    const other = this.#people.get(name);
    if (reply?.type === 'kicked' && other !== undefined) this.#goOut(other, this.#rooms.get(room));
  }

  async #makeRoom(): Promise<void> {
    const one = this.#somebody();
    if (one === null) return;
    const room = this.#one(ROOMS);
    const policy = this.#random() < 0.7 ? 'open' : 'invited';
    const reply = await one.client.ask({ type: 'room-create', room, policy });
    expect(reply.type).toBe(this.#rooms.has(room) ? 'failure' : 'room-created');
    if (reply.type === 'failure') return;
    const channel = `${room} ${this.#lives++}`;
    this.#rooms.set(room, channel);
    one.person.stays.set(channel, []);
  }

  async #deleteRoom(): Promise<void> {
    const one = this.#somebody();
    const room = this.#one(ROOMS);
    const reply = await one?.client.ask({ type: 'room-delete', room, force: true });
    if (reply?.type !== 'room-deleted') return;
    for (const person of this.#people.values()) this.#goOut(person, this.#rooms.get(room));
    this.#rooms.delete(room);
  }

  async #forget(): Promise<void> {
    const one = this.#somebody();
    const device = this.#one(['phone', 'desk'] as const);
    const known = one?.person.devices.get(device);
    if (one === null || known === undefined || known === one.device) return;
    await one.client.expect('device-forgotten', { type: 'forget-device', device });
    known.session?.pump();
    if (known.session !== null) expect(await known.session.client.over()).toBe('REPLACED');
    one.person.devices.delete(device);
    for (const { had } of one.person.inbox) had.delete(device);
    drop(one.person);
  }

  async #delete(): Promise<void> {
    const one = this.#somebody();
    if (one === null) return;
    const { person, client } = one;
    await client.expect('deleted', { type: 'delete', password: PASSWORD, force: true });
    this.#people.delete(person.name);
    for (const { session } of person.devices.values()) {
      session?.pump();
      await session?.client.over();
      session?.pump();
    }
  }

  #goOut(person: Person, channel: string | undefined): void {
    if (channel === undefined || !person.stays.delete(channel)) return;
    for (const { owed, session } of person.devices.values()) {
      owed.delete(channel);
      session?.leave(channel);
    }
  }

  // ---- who

  #one<Item>(list: readonly Item[]): Item {
    return list[Math.floor(this.#random() * list.length)] as Item;
  }

  /** Somebody who is logged in; null where nobody is. */
  #somebody(person?: Person, which?: Device) {
    const all = person === undefined ? [...this.#people.values()] : [person];
    const there = all.flatMap((each) =>
      [...each.devices.values()].flatMap((device) => {
        const { session } = device;
        return session === null ? [] : { person: each, device, session, client: session.client };
      }),
    );
    const some = which === undefined ? there : there.filter(({ device }) => device === which);
    return some.length === 0 ? null : this.#one(some);
  }
}

/** One that comes for the first time: it begins with what none of the others has, and in rooms where its owner came in. */
function newcomer({ inbox, stays }: Person, name: Device['name']): Device {
  const asOwed = (text: string): Owed => ({ text, hasIt: false, mayMiss: false });
  const waiting = inbox.filter(({ had }) => had.size === 0).map(({ text }) => asOwed(text));
  for (const { had } of inbox) if (had.size > 0) had.add(name);
  const owed = new Map([['inbox', waiting]]);
  for (const [channel, said] of stays) owed.set(channel, said.map(asOwed));
  return { name, owed, session: null };
}

/** What all devices have is kept for nobody. */
function drop(person: Person): void {
  const names = [...person.devices.keys()];
  person.inbox = person.inbox.filter(({ had }) => had.size === 0 || names.some((name) => !had.has(name)));
}
