/**
 * The conversation that `start_everything.sh --demo` plays: two accounts on real connections to a frontend. Each step is
 * told after it happened and was checked; the first one that goes otherwise ends the demo with exit code 1.
 *   node demo.js HOST:PORT
 */
import { randomBytes } from 'node:crypto';
import {
  ClientError,
  type ConnectOptions,
  connect,
  type Milena,
  parseAddress,
  type ReceivedMessage,
} from '../client/index.ts';
import { printable } from '../util/printable.ts';
import { runTool, TOOL_EXIT, ToolError } from './exit.ts';

/** A step that went otherwise than it must; the message says how. */
class StepFailed extends Error {
  override readonly name = 'StepFailed';
}

/** Longest wait for an answer or a message, in milliseconds: a frontend on this machine needs some thousandths of it. */
const PATIENCE_MS = 15_000;
/** More than waits for anybody here. */
const ALL = 100;

function tell(who: string, what: string): void {
  console.log(`   ${who.padEnd(10)} ${printable(what)}`);
}

function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new StepFailed(otherwise);
}

class Demo {
  readonly #server: string;
  readonly #people = new Set<Milena>();
  readonly #created = new Set<string>();
  // Names of their own for each run, so that it finds no accounts of an earlier one.
  readonly #suffix = randomBytes(3).toString('hex');
  readonly ada = `ada-${this.#suffix}`;
  readonly bob = `bob-${this.#suffix}`;

  constructor(server: string) {
    this.#server = server;
  }

  async play(): Promise<void> {
    const ada = await this.#create(this.ada);
    const bob = await this.#create(this.bob);
    await this.#list(ada, [this.ada, this.bob]);
    await this.#sendLive(ada, bob, 'Hello Bob, are you there?');
    await this.#sendLive(bob, ada, 'I am, Ada. Back in a minute.');
    await this.#alert(ada, bob, 'disk full on db-3');
    await bob.logout();
    tell(this.bob, 'logs out.');
    const queued = 'This one waits for you in Kafka.';
    await this.#sendQueued(ada, queued);
    const again = await this.#connect({ user: this.bob });
    tell(this.bob, 'logs in again.');
    await this.#retrieve(again, queued);
    await this.#sendToNobody(ada);
    await this.#delete(again);
    const left = await this.#names(ada);
    check(left.join() === this.ada, `${this.bob} is still listed after the account was deleted`);
    tell('', `${this.bob} is gone: the list shows only ${this.ada}.`);
    await this.#delete(ada);
    await this.#nobodyThere(this.ada);
  }

  /** Ends all connections, and deletes what accounts a failure has left. */
  async tidyUp(): Promise<void> {
    await Promise.all([...this.#people].map((person) => person.close()));
    for (const user of this.#created) {
      try {
        const person = await this.#connect({ user, takeover: true });
        await person.deleteAccount(null, { force: true });
      } catch {
        // The failure that was told already is the one that matters.
      }
    }
  }

  /** What waits does not come by itself: it is retrieved. */
  async #connect(options: Omit<ConnectOptions, 'server'>): Promise<Milena> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const person = await connect({
      server: this.#server,
      insecure: true,
      deliver: 'live',
      signal,
      ...options,
    });
    this.#people.add(person);
    return person;
  }

  async #create(user: string): Promise<Milena> {
    const person = await this.#connect({ user, create: true });
    this.#created.add(user);
    tell(user, 'creates an account and is logged in.');
    return person;
  }

  async #names(person: Milena): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const name of person.list(`*-${this.#suffix}`)) names.push(name);
    return names;
  }

  async #list(person: Milena, wanted: readonly string[]): Promise<void> {
    const names = await this.#names(person);
    check(
      names.join() === wanted.join(),
      `the list shows ${names.join(', ')} instead of ${wanted.join(', ')}`,
    );
    tell(person.user, `lists *-${this.#suffix}: ${names.join(', ')}.`);
  }

  async #sendLive(from: Milena, to: Milena, body: string): Promise<void> {
    const began = performance.now();
    const { delivered } = await from.send(to.user, body);
    tell(from.user, `sends to ${to.user}: ${body}`);
    const message = await this.#next(to, from, body);
    const milliseconds = Math.round(performance.now() - began);
    tell(to.user, `reads at once (${milliseconds} ms):  ${from.user}: ${message.body}`);
    check((await delivered) === 'delivered', `${from.user} did not hear that it was delivered`);
    tell('', `the server says to ${from.user}: delivered (✓✓).`);
  }

  /** The message that comes next, as it must be. */
  async #next(to: Milena, from: Milena, body: string): Promise<ReceivedMessage> {
    for await (const message of to.messages({ signal: AbortSignal.timeout(PATIENCE_MS) })) {
      const sender = message.verified ? message.from : message.external;
      check(sender === from.user && message.body === body, `"${sender}: ${message.body}" came instead`);
      message.ack();
      return message;
    }
    throw new StepFailed(`${to.user} was logged out`);
  }

  /** By a script of hers, beside her. */
  async #alert(from: Milena, to: Milena, body: string): Promise<void> {
    const script = await this.#connect({ user: from.user, deliver: 'none' });
    await script.send(to.user, body);
    tell('', `a script of ${from.user}, which only sends, writes beside her to ${to.user}: ${body}`);
    await this.#next(to, from, body);
    tell(to.user, `reads at once:  ${from.user}: ${body}`);
    await script.logout();
  }

  async #sendQueued(from: Milena, body: string): Promise<void> {
    await from.send(this.bob, body);
    tell(from.user, `sends to ${this.bob}: ${body}`);
    tell('', 'the server says: stored (✓).');
  }

  async #retrieve(person: Milena, body: string): Promise<void> {
    const { messages } = await person.retrieve(ALL);
    check(messages.length === 1, `${messages.length} messages were waiting instead of 1`);
    const [message] = messages;
    check(
      message?.verified === true && message.from === this.ada && message.body === body,
      `"${message?.body}" was waiting`,
    );
    message?.ack();
    tell(person.user, `retrieves what waited:  ${this.ada}: ${body}`);
    const rest = await person.retrieve(ALL);
    check(
      rest.messages.length === 0,
      `${rest.messages.length} messages were waiting after they had been retrieved`,
    );
    tell(person.user, 'retrieves once more: nothing waits.');
  }

  async #sendToNobody(from: Milena): Promise<void> {
    const to = `nobody-${this.#suffix}`;
    const { message } = await refusal(from.send(to, 'Hello?'), `${to} was sent a message`);
    tell(from.user, `sends to ${to}, whom nobody knows.`);
    tell('', `the server says: ${message}`);
  }

  async #delete(person: Milena): Promise<void> {
    await person.deleteAccount(null);
    this.#created.delete(person.user);
    tell(person.user, 'deletes the account.');
  }

  async #nobodyThere(user: string): Promise<void> {
    const { message } = await refusal(
      this.#connect({ user }),
      `${user} is still there after the account was deleted`,
    );
    tell('', `a login as ${user} is refused now: ${message}`);
  }
}

/** Why the server did not do it. @throws StepFailed if it did; whatever else was in the way */
async function refusal(promise: Promise<unknown>, otherwise: string): Promise<ClientError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ClientError && error.code === 'REFUSED') return error;
    throw error;
  }
  throw new StepFailed(otherwise);
}

async function main(): Promise<number> {
  const [server = '', ...others] = process.argv.slice(2);
  if (parseAddress(server) === undefined || others.length > 0) {
    throw new ToolError(TOOL_EXIT.USAGE, 'usage: demo HOST:PORT');
  }
  const demo = new Demo(server);
  try {
    await demo.play();
    return 0;
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
    throw new ToolError(TOOL_EXIT.FAILED, `   This step failed: ${printable(reason)}.`, { cause: error });
  } finally {
    await demo.tidyUp();
  }
}

await runTool(main);
