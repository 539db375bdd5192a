import {
  ClientError,
  type ClientEvent,
  type Milena,
  noConnection,
  type ReceivedMessage,
} from '../../client/index.ts';
import { sanitiseLine } from '../sanitise.ts';
import type { Settings } from '../settings.ts';
import type { Context } from './context.ts';
import { EXIT, Failure, failureOf } from './exit.ts';
import type { Journal } from './journal.ts';
import { messageText } from './message-text.ts';
import { causeOf, SignIn } from './sign-in.ts';

/** After so many messages from others, which wait unacknowledged, the person is told that they fill the window. */
const TELL_SKIPPED_EVERY = 100;

export interface ListenerOptions {
  readonly name: string;
  readonly settings: Settings;
  readonly takeover: boolean;
  readonly json: boolean;
  /** End after the first message. */
  readonly once: boolean;
  /** Print only this user's messages; null: everybody's. */
  readonly from: string | null;
  /** Print only what is said in this room; null: everywhere. */
  readonly room: string | null;
}

/** Prints messages as they come, for as long as nobody ends it, over as many connections as that takes. */
export class MessagePrinter {
  readonly #options: ListenerOptions;
  readonly #context: Context;
  readonly #journal: Journal;
  #me: Milena | undefined;
  #isLost = false;
  #skipped = 0;
  /** The one that messages came from last. */
  #server = '';

  constructor(options: ListenerOptions, journal: Journal, context: Context) {
    this.#options = options;
    this.#journal = journal;
    this.#context = context;
  }

  /**
   * Ends after the first message with `once`; otherwise never by itself.
   * @throws Failure, ClientError, ReaderGone, Interrupted
   */
  async listen(): Promise<void> {
    const { name, settings, takeover } = this.#options;
    const { interrupted: signal, say } = this.#context;
    const signIn = new SignIn({ name, settings }, this.#context);
    const onEvent = (event: ClientEvent) => this.#told(event);
    const store = this.#journal;
    const me = await signIn
      .enter({ deliver: 'all', rooms: true, takeover, store, signal, onEvent })
      .catch((error: unknown) => {
        throw error instanceof ClientError && error.code === 'DISCONNECTED'
          ? noServer(settings, error)
          : error;
      });
    this.#me = me;
    this.#server = serverOf(me) ?? '';
    try {
      say(`Listening as ${name}.`);
      await this.#print(me);
    } catch (error) {
      throw this.#whyEnded(error);
    } finally {
      await signIn.leave(me);
    }
  }

  /** One message after the other: what was not written out is not acknowledged. */
  async #print(me: Milena): Promise<void> {
    const { name, json, once } = this.#options;
    const { interrupted: signal, output } = this.#context;
    for await (const message of me.messages({ signal })) {
      if (!this.#isWanted(message)) continue;
      await output.write(messageText(message, name, message.inbox, json));
      message.ack();
      if (once) return;
    }
  }

  #whyEnded(error: unknown): unknown {
    const { name } = this.#options;
    const cause = causeOf(error, name);
    if (!(cause instanceof ClientError)) return cause;
    if (cause.refusal?.code === 'REPLACED') return failureOf(cause);
    const { code, message } = failureOf(cause);
    return new Failure(code, `Not logged in again as ${name}: ${message}`, { cause });
  }

  #told(event: ClientEvent): void {
    const { say } = this.#context;
    if (event.type === 'gap' && this.#isWantedRoom(event.room)) say(lostIn(event));
    if (event.type === 'notice' && this.#isWantedRoom(event.room))
      say(sanitiseLine(`In ${event.room}: ${event.text}`));
    if (event.type === 'server-text') say(sanitiseLine(`The server says: ${event.text}`));
    // Until it has begun, whoever connects says why it could not.
    if (this.#me === undefined) return;
    if (event.type === 'disconnected') this.#disconnected(event);
    if (event.type === 'logged-in' || event.type === 'login-restored') this.#restored(this.#me);
  }

  #disconnected({ reason, retryInMs }: { readonly reason: string; readonly retryInMs: number }): void {
    if (!this.#isLost) {
      const what =
        this.#server === ''
          ? noConnection(this.#options.settings.servers, reason)
          : `The connection to ${this.#server} is lost: ${reason}`;
      const next = retryInMs > 0 ? 'Trying again until it works.' : 'Trying the next server.';
      this.#context.say(sanitiseLine(`${what}. ${next}`));
    }
    this.#isLost = true;
  }

  #restored(me: Milena): void {
    const server = serverOf(me) ?? this.#server;
    if (this.#isLost) {
      const where = server === this.#server ? '' : ` to ${server}`;
      this.#context.say(sanitiseLine(`Connected again${where}, listening as ${this.#options.name}.`));
    }
    this.#server = server;
    this.#isLost = false;
  }

  #isWantedRoom(room: string | undefined): boolean {
    return this.#options.room === null || room === this.#options.room;
  }

  #isWanted(message: ReceivedMessage): boolean {
    const { from } = this.#options;
    const isFrom = from === null || (message.verified && message.from === from);
    if (isFrom && this.#isWantedRoom(message.room)) return true;
    this.#skipped += 1;
    if (this.#skipped % TELL_SKIPPED_EVERY === 0) {
      this.#context.say(
        `${this.#skipped} messages from others wait undelivered. With too many of them the server sends no more: ` +
          '`milena retrieve` takes them.',
      );
    }
    return false;
  }
}

function lostIn({ room, messages }: Extract<ClientEvent, { type: 'gap' }>): string {
  const what = messages === 1 ? 'one message was' : `${messages} messages were`;
  return `In ${room} ${what} not kept until you were there.`;
}

/** None of the servers went on to answer. */
function noServer({ servers }: Settings, cause: ClientError): Failure {
  const reason = cause.message.replace(/\.$/, '');
  return new Failure(EXIT.UNAVAILABLE, sanitiseLine(`${noConnection(servers, reason)}.`), { cause });
}

function serverOf({ state: { link } }: Milena): string | null {
  return link.kind === 'online' ? link.server : null;
}
