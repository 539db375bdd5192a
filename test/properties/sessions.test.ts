/*
 * Sessions through two servers on one storage in memory, against a state machine: who is logged in, who is thrown out, what is pushed,
 * retrieved and acknowledged.
 */
import fc from 'fast-check';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ServerFrame } from '../../src/protocol/v2/replies.ts';
import type { Request } from '../../src/protocol/v2/requests.ts';
import { type Server, startServer } from '../../src/server/index.ts';
import { MemoryStore, openMemoryStorage } from '../../src/storage/memory/index.ts';
import { uniqueName } from '../contracts/cluster.ts';
import { CHEAP, testSettings } from '../server/house.ts';
import { runs } from './checking.ts';
import { Person } from './person.ts';

const STEMS = ['ann', 'bob'] as const;
const SLOTS = 3;

const store = new MemoryStore();
const storages = [openMemoryStorage(store), openMemoryStorage(store)];
let servers: Server[] = [];
beforeAll(async () => {
  const limits = { passwordCost: CHEAP, newAccountsPerAddress: 100_000, newAccounts: 100_000 };
  const options = { log: pino({ level: 'silent' }), limits };
  const settings = testSettings({ openAccounts: true, sendsPerSecond: 10_000 });
  servers = await Promise.all(storages.map((storage) => startServer(storage, settings, options)));
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.drain()));
  await Promise.all(storages.map((storage) => storage.close()));
});

/** An account as it should be. */
interface Account {
  readonly name: string;
  /** Messages that nobody has acknowledged, by their numbers. */
  waiting: number[];
  holder: number | null;
  token: Uint8Array | null;
}

/** A connection as it should be. */
interface Slot {
  account: Account | null;
  /** Messages that were pushed in this session, and those that were retrieved. */
  pushed: number[];
  retrieved: Set<number>;
}

class Model {
  /** By stem: names are new in each run. */
  readonly names = new Map(STEMS.map((stem) => [stem, uniqueName(stem)]));
  readonly accounts = new Map<string, Account>();
  readonly slots: (Slot | null)[] = Array.from({ length: SLOTS }, () => null);
  sent = 0;

  nameOf(stem: (typeof STEMS)[number]): string {
    return this.names.get(stem) ?? '';
  }

  enter(at: number, account: Account, deliver: 'all' | 'live'): void {
    if (account.holder !== null) this.slots[account.holder] = null;
    account.holder = at;
    this.slots[at] = { account, pushed: deliver === 'all' ? [...account.waiting] : [], retrieved: new Set() };
  }

  leave(at: number): void {
    const account = this.slots[at]?.account;
    if (account) account.holder = null;
    this.slots[at] = null;
  }
}

/** The connections that there are, and all that were, by their slots. */
class Real {
  readonly people: (Person | null)[] = Array.from({ length: SLOTS }, () => null);
  readonly address: string;
  readonly seqs = new Map<number, number>();

  constructor(run: number) {
    // Limits for an address are no matter here.
    this.address = `10.${(run >> 16) & 255}.${(run >> 8) & 255}.${run & 255}`;
  }

  async ask(at: number, request: Request): Promise<ServerFrame> {
    const person = this.people[at];
    if (!person) throw new Error(`nobody is connected at ${at}`);
    return person.ask(request);
  }
}

abstract class Step implements fc.AsyncCommand<Model, Real> {
  readonly at: number;

  constructor(at: number) {
    this.at = at;
  }

  check(model: Readonly<Model>): boolean {
    return model.slots[this.at] !== null;
  }

  async run(model: Model, real: Real): Promise<void> {
    await this.act(model, real);
    await expectSame(model, real);
  }

  protected abstract act(model: Model, real: Real): Promise<void>;

  toString(): string {
    return `${this.constructor.name}(${JSON.stringify(this)})`;
  }
}

class Connect extends Step {
  readonly through: number;

  constructor(at: number, through: number) {
    super(at);
    this.through = through;
  }

  override check(model: Readonly<Model>): boolean {
    return model.slots[this.at] === null;
  }

  protected async act(model: Model, real: Real): Promise<void> {
    const server = servers[this.through];
    if (server === undefined) throw new Error('there are two');
    real.people[this.at] = new Person(server, real.address);
    model.slots[this.at] = { account: null, pushed: [], retrieved: new Set() };
  }
}

class Create extends Step {
  readonly stem: (typeof STEMS)[number];

  constructor(at: number, stem: (typeof STEMS)[number]) {
    super(at);
    this.stem = stem;
  }

  protected async act(model: Model, real: Real): Promise<void> {
    const username = model.nameOf(this.stem);
    const reply = await real.ask(this.at, { type: 'create', username });
    if (model.slots[this.at]?.account) expect(codeOf(reply)).toBe('ALREADY_LOGGED_IN');
    else if (model.accounts.has(username)) expect(codeOf(reply)).toBe('USERNAME_TAKEN');
    else {
      const { token } = demandReply(reply, 'created');
      const account: Account = { name: username, waiting: [], holder: null, token: token ?? null };
      model.accounts.set(username, account);
      model.enter(this.at, account, 'all');
    }
  }
}

class Login extends Step {
  readonly stem: (typeof STEMS)[number];
  readonly how: { readonly takeover: boolean; readonly byToken: boolean; readonly deliver: 'all' | 'live' };

  constructor(at: number, stem: (typeof STEMS)[number], how: Login['how']) {
    super(at);
    this.stem = stem;
    this.how = how;
  }

  protected async act(model: Model, real: Real): Promise<void> {
    const username = model.nameOf(this.stem);
    const { takeover, byToken, deliver } = this.how;
    const account = model.accounts.get(username);
    const token = account?.token ?? new Uint8Array(32);
    const reply = await real.ask(this.at, {
      ...{ type: 'login', username, deliver },
      ...(byToken ? { token } : { takeover }),
    });
    if (model.slots[this.at]?.account) expect(codeOf(reply)).toBe('ALREADY_LOGGED_IN');
    else if (byToken && !account?.token) expect(codeOf(reply)).toBe('BAD_CREDENTIALS');
    else if (account === undefined) expect(codeOf(reply)).toBe('NO_SUCH_USER');
    else if (account.holder !== null && !takeover && !byToken)
      expect(codeOf(reply)).toBe('ALREADY_LOGGED_IN');
    else {
      const session = demandReply(reply, 'logged-in');
      expect(session.undelivered).toBe(account.waiting.length);
      if (byToken) expect(session.token).toEqual(token);
      account.token = session.token ?? null;
      model.enter(this.at, account, deliver);
    }
  }
}

class Leave extends Step {
  readonly how: 'logout' | 'delete' | 'delete by force' | 'cut';

  constructor(at: number, how: Leave['how']) {
    super(at);
    this.how = how;
  }

  protected async act(model: Model, real: Real): Promise<void> {
    const account = model.slots[this.at]?.account ?? null;
    if (this.how === 'cut') {
      real.people[this.at]?.cut();
      return model.leave(this.at);
    }
    const isLogout = this.how === 'logout';
    const force = this.how === 'delete by force';
    const reply = await real.ask(this.at, isLogout ? { type: 'logout' } : { type: 'delete', force });
    if (account === null) return expect(codeOf(reply)).toBe('NOT_LOGGED_IN');
    const { waiting } = account;
    if (!isLogout && !force && waiting.length > 0) return expect(codeOf(reply)).toBe('HAS_UNDELIVERED');
    expect(reply).toMatchObject(
      isLogout ? { type: 'logged-out' } : { type: 'deleted', undelivered: waiting.length },
    );
    account.token = null;
    model.leave(this.at);
    if (!isLogout) model.accounts.delete(account.name);
  }
}

class Send extends Step {
  readonly stem: (typeof STEMS)[number];

  constructor(at: number, stem: (typeof STEMS)[number]) {
    super(at);
    this.stem = stem;
  }

  protected async act(model: Model, real: Real): Promise<void> {
    model.sent += 1;
    const number = model.sent;
    const id = new Uint8Array(16).fill(number);
    const to = model.nameOf(this.stem);
    const reply = await real.ask(this.at, { type: 'send', id, to, body: `${number}` });
    const account = model.accounts.get(to);
    if (!model.slots[this.at]?.account) expect(codeOf(reply)).toBe('NOT_LOGGED_IN');
    else if (account === undefined) expect(codeOf(reply)).toBe('NO_SUCH_USER');
    else {
      demandReply(reply, 'sent');
      account.waiting.push(number);
      if (account.holder !== null) model.slots[account.holder]?.pushed.push(number);
    }
  }
}

class Retrieve extends Step {
  protected async act(model: Model, real: Real): Promise<void> {
    const reply = await real.ask(this.at, { type: 'retrieve' });
    const slot = model.slots[this.at];
    if (!slot?.account) return expect(codeOf(reply)).toBe('NOT_LOGGED_IN');
    const { messages } = demandReply(reply, 'retrieved');
    const wanted = slot.account.waiting.filter((number) => !slot.pushed.includes(number));
    expect(messages.map(({ body }) => Number(body))).toEqual(wanted);
    for (const { body, seq } of messages) {
      slot.retrieved.add(Number(body));
      real.seqs.set(Number(body), seq);
    }
  }
}

class Acknowledge extends Step {
  readonly which: number;
  readonly upTo: boolean;

  constructor(at: number, which: number, upTo: boolean) {
    super(at);
    this.which = which;
    this.upTo = upTo;
  }

  override check(model: Readonly<Model>): boolean {
    const slot = model.slots[this.at];
    return slot != null && slot.pushed.length + slot.retrieved.size > 0;
  }

  protected async act(model: Model, real: Real): Promise<void> {
    const slot = model.slots[this.at];
    if (!slot?.account) throw new Error('messages come to who is logged in');
    const given = [...new Set([...slot.pushed, ...slot.retrieved])].sort((a, b) => a - b);
    const number = given[this.which % given.length] ?? 0;
    const seq = real.seqs.get(number) ?? 0;
    real.people[this.at]?.say({ type: 'ack', ...(this.upTo ? { upTo: seq } : { ranges: [[seq, seq]] }) });
    const { account } = slot;
    const isAcknowledged = (one: number) =>
      this.upTo ? given.includes(one) && one <= number : one === number;
    account.waiting = account.waiting.filter((one) => !isAcknowledged(one));
    // Answers come in the order of the requests.
    demandReply(await real.ask(this.at, { type: 'ping' }), 'pong');
  }
}

function codeOf(reply: ServerFrame): string {
  return reply.type === 'failure' ? reply.code : `no failure but ${reply.type}`;
}

function demandReply<Type extends ServerFrame['type']>(
  reply: ServerFrame,
  type: Type,
): Extract<ServerFrame, { type: Type }> {
  if (reply.type !== type) throw new Error(`expected ${type}: ${JSON.stringify(reply)}`);
  return reply as Extract<ServerFrame, { type: Type }>;
}

/** Once all is quiet: everybody has what they should have, in order, and nothing else. */
async function expectSame(model: Model, real: Real): Promise<void> {
  for (const [at, person] of real.people.entries()) {
    if (person === null) continue;
    const slot = model.slots[at];
    if (slot == null) {
      await person.over();
      real.people[at] = null;
      continue;
    }
    await person.has(slot.pushed.length);
    expect(person.isOver).toBe(false);
    expect(person.messages.map(({ body }) => Number(body))).toEqual(slot.pushed);
    for (const { body, seq } of person.messages) real.seqs.set(Number(body), seq);
  }
  for (const { name, holder } of model.accounts.values()) {
    const account = store.accounts.get(name);
    if (account === undefined) throw new Error(`${name} is gone`);
    await Person.until(async () => (await storages[0]?.inboxes.held([account]))?.[0] === (holder !== null));
    expect(await storages[1]?.inboxes.held([account])).toEqual([holder !== null]);
  }
}

const at = fc.nat(SLOTS - 1);
const stem = fc.constantFrom('ann', 'ann', 'bob');
const how = fc.record({
  takeover: fc.boolean(),
  byToken: fc.boolean(),
  deliver: fc.constantFrom('all', 'live'),
});
const connect = fc.tuple(at, fc.nat(1)).map(([slot, through]) => new Connect(slot, through));
const login = fc.tuple(at, stem, how).map(([slot, who, by]) => new Login(slot, who, by));
const send = fc.tuple(at, stem).map(([slot, who]) => new Send(slot, who));
const leave = fc
  .tuple(at, fc.constantFrom('logout', 'delete', 'delete by force', 'cut', 'cut'))
  .map(([slot, by]) => new Leave(slot, by));
const steps = fc.oneof(
  { weight: 2, arbitrary: connect },
  { weight: 5, arbitrary: login },
  { weight: 5, arbitrary: send },
  { weight: 2, arbitrary: leave },
  { weight: 1, arbitrary: fc.tuple(at, stem).map(([slot, who]) => new Create(slot, who)) },
  { weight: 4, arbitrary: at.map((slot) => new Retrieve(slot)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(at, fc.nat(20), fc.boolean())
      .map(([slot, which, upTo]) => new Acknowledge(slot, which, upTo)),
  },
);
/** Where all begin: two accounts, and somebody who is nobody yet. */
const BEGINNING = () => [
  ...[new Connect(0, 0), new Connect(1, 1), new Connect(2, 0)],
  ...[new Create(0, 'ann'), new Create(1, 'bob')],
];

test('each session goes from state to state as the protocol says, through either server', async () => {
  let run = 0;
  const commands = fc.array(steps, { minLength: 30, maxLength: 60, size: 'max' });
  await fc.assert(
    fc.asyncProperty(commands, async (all) => {
      const real = new Real(run++);
      try {
        await fc.asyncModelRun(() => ({ model: new Model(), real }), [...BEGINNING(), ...all]);
      } finally {
        for (const person of real.people) person?.cut();
      }
    }),
    runs(25),
  );
});
