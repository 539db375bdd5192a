/**
 * The conversation that `start_everything.sh --demo` plays: two accounts on real sockets to a frontend. Each step is
 * told after it happened and was checked; the first one that goes otherwise ends the demo with exit code 1.
 *   node demo.js HOST:PORT
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { ServerFrame } from '../protocol/v1/replies.ts';
import { printable } from '../util/printable.ts';
import { sendAlert } from './demo-alert.ts';
import { Party } from './demo-party.ts';
import { EXIT, runTool, ToolError } from './exit.ts';

type ReplyOf<Type extends ServerFrame['type']> = Extract<ServerFrame, { type: Type }>;

/** A step that went otherwise than it must; the message says how. */
class StepFailed extends Error {
  override readonly name = 'StepFailed';
}

/** How long something that follows another connection's end may take to show, in milliseconds. */
const SETTLE_MS = 10_000;

function tell(who: string, what: string): void {
  console.log(`   ${who.padEnd(10)} ${printable(what)}`);
}

/** The reply, if it is of the type that must come. */
function expectReply<Type extends ServerFrame['type']>(reply: ServerFrame, type: Type): ReplyOf<Type> {
  if (reply.type === type) return reply as ReplyOf<Type>;
  const said = reply.type === 'failure' ? `: ${reply.text}` : '';
  throw new StepFailed(`expected the reply "${type}", got "${reply.type}"${said}`);
}

function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new StepFailed(otherwise);
}

/** Tries again until it is done: what a closed connection sets off takes a moment. */
async function settled(attempt: () => Promise<boolean>, otherwise: string): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  while (!(await attempt())) {
    check(performance.now() < deadline, otherwise);
    await wait(100);
  }
}

class Demo {
  readonly #host: string;
  readonly #port: number;
  readonly #parties = new Set<Party>();
  readonly #created = new Set<string>();
  // Names of their own for each run, so that it finds no accounts of an earlier one.
  readonly #suffix = randomBytes(3).toString('hex');
  readonly ada = `ada-${this.#suffix}`;
  readonly bob = `bob-${this.#suffix}`;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  async play(): Promise<void> {
    const ada = await this.#create(this.ada);
    const bob = await this.#create(this.bob);
    await this.#list(ada, [this.ada, this.bob]);
    await this.#sendLive(ada, bob, 'Hello Bob, are you there?');
    await this.#sendLive(bob, ada, 'I am, Ada. Back in a minute.');
    await this.#alert(ada, bob, 'disk full on db-3');
    await this.#logOut(bob);
    const queued = 'This one waits for you in Kafka.';
    await this.#sendQueued(ada, queued);
    const again = await this.#logIn(this.bob);
    await this.#retrieve(again, queued);
    await this.#sendToNobody(ada);
    await this.#delete(again);
    await settled(
      async () => (await this.#names(ada)).join() === this.ada,
      `${this.bob} is still listed after the account was deleted`,
    );
    tell('', `${this.bob} is gone: the list shows only ${this.ada}.`);
    await this.#delete(ada);
    await this.#nobodyThere(this.ada);
  }

  /** Ends all connections, and deletes what accounts a failure has left. */
  async tidyUp(): Promise<void> {
    this.#dropAll();
    for (const name of this.#created) {
      try {
        const party = await this.#connect(name);
        if ((await party.ask({ type: 'login', name })).type !== 'logged-in') continue;
        await party.ask({ type: 'retrieve' });
        await party.leave({ type: 'delete' });
      } catch {
        // The failure that was told already is the one that matters.
      }
    }
    this.#dropAll();
  }

  #dropAll(): void {
    for (const party of this.#parties) party.drop();
    this.#parties.clear();
  }

  async #connect(name: string): Promise<Party> {
    const party = await Party.connect(name, this.#host, this.#port);
    this.#parties.add(party);
    return party;
  }

  async #create(name: string): Promise<Party> {
    const party = await this.#connect(name);
    expectReply(await party.ask({ type: 'create', name }), 'created');
    this.#created.add(name);
    tell(name, 'creates an account and is logged in.');
    return party;
  }

  async #names(party: Party): Promise<readonly string[]> {
    return expectReply(await party.ask({ type: 'list', pattern: `*-${this.#suffix}` }), 'listed').names;
  }

  async #list(party: Party, wanted: readonly string[]): Promise<void> {
    const names = await this.#names(party);
    check(
      names.join() === wanted.join(),
      `the list shows ${names.join(', ')} instead of ${wanted.join(', ')}`,
    );
    tell(party.name, `lists *-${this.#suffix}: ${names.join(', ')}.`);
  }

  async #sendLive(from: Party, to: Party, body: string): Promise<void> {
    const began = performance.now();
    const arriving = to.message();
    const { text } = expectReply(await from.ask({ type: 'send', to: to.name, body }), 'sent');
    tell(from.name, `sends to ${to.name}: ${body}`);
    tell('', `the server says: ${text}`);
    const message = await arriving;
    const milliseconds = Math.round(performance.now() - began);
    check(message.sender === from.name, `the message came from ${message.sender}`);
    check(message.body === body, `the message came as "${message.body}"`);
    tell(to.name, `reads at once (${milliseconds} ms):  ${message.sender}: ${message.body}`);
  }

  /** By a script of hers, beside her. */
  async #alert(from: Party, to: Party, body: string): Promise<void> {
    const arriving = to.message();
    if (!(await sendAlert(this.#host, this.#port, { from: from.name, to: to.name, body }))) return;
    tell('', `a script of ${from.name}, which only sends, writes beside her to ${to.name}: ${body}`);
    const message = await arriving;
    check(
      message.sender === from.name && message.body === body,
      `"${message.sender}: ${message.body}" came instead`,
    );
    tell(to.name, `reads at once:  ${message.sender}: ${message.body}`);
  }

  async #logOut(party: Party): Promise<void> {
    await party.leave({ type: 'logout' });
    tell(party.name, 'logs out.');
  }

  async #sendQueued(from: Party, body: string): Promise<void> {
    const { text } = expectReply(await from.ask({ type: 'send', to: this.bob, body }), 'sent');
    tell(from.name, `sends to ${this.bob}: ${body}`);
    tell('', `the server says: ${text}`);
  }

  async #logIn(name: string): Promise<Party> {
    const party = await this.#connect(name);
    let last = '';
    await settled(async () => {
      const reply = await party.ask({ type: 'login', name });
      if (reply.type === 'failure') last = reply.text;
      return reply.type === 'logged-in';
    }, `${name} cannot log in again`).catch((error: Error) => {
      throw new StepFailed(`${error.message}: ${last}`);
    });
    tell(name, 'logs in again.');
    return party;
  }

  async #retrieve(party: Party, body: string): Promise<void> {
    const { entries } = expectReply(await party.ask({ type: 'retrieve' }), 'retrieved');
    check(entries.length === 1, `${entries.length} messages were waiting instead of 1`);
    const [entry] = entries;
    check(
      entry?.sender === this.ada && entry.body === body,
      `"${entry?.sender}: ${entry?.body}" was waiting`,
    );
    tell(party.name, `retrieves what waited:  ${this.ada}: ${body}`);
    const rest = expectReply(await party.ask({ type: 'retrieve' }), 'retrieved').entries;
    check(rest.length === 0, `${rest.length} messages were waiting after they had been retrieved`);
    tell(party.name, 'retrieves once more: nothing waits.');
  }

  async #sendToNobody(from: Party): Promise<void> {
    const to = `nobody-${this.#suffix}`;
    const { text } = expectReply(await from.ask({ type: 'send', to, body: 'Hello?' }), 'failure');
    tell(from.name, `sends to ${to}, whom nobody knows.`);
    tell('', `the server says: ${text}`);
  }

  async #delete(party: Party): Promise<void> {
    await party.leave({ type: 'delete' });
    this.#created.delete(party.name);
    tell(party.name, 'deletes the account.');
  }

  /** Until a login is refused because there is no such account, and not for another reason. */
  async #nobodyThere(name: string): Promise<void> {
    const stranger = await this.#connect(name);
    let refusal = '';
    await settled(async () => {
      const reply = expectReply(await stranger.ask({ type: 'login', name }), 'failure');
      refusal = reply.text;
      return /no (such )?user/i.test(refusal);
    }, `${name} is still there after the account was deleted`);
    tell('', `a login as ${name} is refused now: ${refusal}`);
  }
}

function readAddress(): { host: string; port: number } {
  const match = /^(?:\[(.+)\]|(.+)):(\d{1,5})$/.exec(process.argv[2] ?? '');
  if (match === null || process.argv.length > 3) throw new ToolError(EXIT.USAGE, 'usage: demo HOST:PORT');
  return { host: match[1] ?? match[2] ?? '', port: Number(match[3]) };
}

async function main(): Promise<number> {
  const { host, port } = readAddress();
  const demo = new Demo(host, port);
  try {
    await demo.play();
    return 0;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ToolError(EXIT.FAILED, `   This step failed: ${printable(reason)}.`, { cause: error });
  } finally {
    await demo.tidyUp();
  }
}

await runTool(main);
