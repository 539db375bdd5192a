import { closeSync, openSync, readSync } from 'node:fs';
import {
  ClientError,
  type ClientEvent,
  type Delivery,
  inSeconds,
  isRoom,
  OPEN_OUTCOME,
  type SentMessage,
  withSignal,
} from '../../client/index.ts';
import { isoTime, jsonLine, sanitiseLine } from '../sanitise.ts';
import { readSettings, type Settings } from '../settings.ts';
import { argumentsOf, recipientOf, timeoutOf, userOf } from './arguments.ts';
import { bodyFrom, bodyOf, demandLength } from './body.ts';
import { type Context, Interrupted } from './context.ts';
import { Deadline } from './deadline.ts';
import { EXIT, type ExitCode, exitOf, Failure } from './exit.ts';
import { Journal } from './journal.ts';
import { DEFAULT_TIMEOUT_MS } from './online.ts';
import { causeOf, SignIn } from './sign-in.ts';

const USAGE =
  "milena send NAME TEXT…, or milena send NAME - for a text from standard input; a room is in quotes: '#ops'";

/** What became of the message, as `--json` tells it. */
type State = 'stored' | 'delivered' | 'undeliverable' | 'refused' | 'waiting' | 'unsure';

/** Sends one message; ends when Kafka has it, or when the recipient has it. */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('send', context.args);
  const settings = readSettings(args.flags, context.environment);
  const [recipient, ...words] = args.positionals;
  // First: where a shell has made a comment of a room, it took what was behind it along, such as --user.
  const to = recipientOf(recipient, USAGE);
  const name = userOf(settings);
  if (words.length === 0) throw new Failure(EXIT.USAGE, `The text is missing: ${USAGE}`);
  const timeoutMs = timeoutOf(args.values.timeout, DEFAULT_TIMEOUT_MS);
  const { takeover = false, 'wait-delivered': waitDelivered = false, json = false } = args.values;
  if (waitDelivered && isRoom(to)) {
    const text = '--wait-delivered is for people: who has a message of a room says milena room holders.';
    throw new Failure(EXIT.USAGE, text);
  }
  const fromStream = words.length === 1 && words[0] === '-';
  const journal = await Journal.open(settings, context, { to, forMs: timeoutMs });
  // What was understood so far is a message: from here on there is one object about it, whatever becomes of it.
  const sending = new Sending({ name, settings, to, takeover, waitDelivered, timeoutMs }, journal, context);
  try {
    const { state, failure } = await sending.carryOut(() =>
      fromStream ? bodyFrom(process.stdin, context.interrupted) : bodyOf(words),
    );
    if (json) {
      await context.output.last(sending.resultLine(state, failure)).catch((error: unknown) => {
        // What became of the message is more than who reads of it.
        if (failure === null) throw error;
      });
    }
    if (failure !== null) throw failure;
    if (!json && process.stdout.isTTY) await context.output.line(state === 'delivered' ? '✓✓' : '✓');
  } finally {
    journal.close();
  }
}

interface Message {
  readonly name: string;
  readonly settings: Settings;
  readonly to: string;
  readonly takeover: boolean;
  readonly waitDelivered: boolean;
  readonly timeoutMs: number;
}

interface Conclusion {
  readonly state: State;
  readonly failure: Failure | null;
}

/** Of a message's id. */
const ID_BYTES = 16;

/**
 * An id for a message: random bytes in hex, from the system's file of them where there is one. To load `node:crypto` takes 10 ms,
 * and nothing else here needs it.
 */
function newId(): string {
  const bytes = Buffer.alloc(ID_BYTES);
  try {
    const file = openSync('/dev/urandom', 'r');
    try {
      if (readSync(file, bytes) === ID_BYTES) return bytes.toString('hex');
    } finally {
      closeSync(file);
    }
  } catch {
    // Other systems have none.
  }
  return process.getBuiltinModule('node:crypto').randomBytes(ID_BYTES).toString('hex');
}

/** One message on its way, over as many connections as that takes in its time, and what to say of it. */
class Sending {
  readonly #message: Message;
  readonly #journal: Journal;
  readonly #context: Context;
  readonly #id = newId();
  /** Ends it before its time: with what there is no use to wait for. */
  readonly #giveUp = new AbortController();
  #deadline: Deadline | undefined;
  /** It went into the outbox. */
  #isTaken = false;
  #mayBeStored = false;
  /** Why the server has not taken it yet, where it said so. */
  #held: string | null = null;
  #sent: SentMessage | null = null;

  constructor(message: Message, journal: Journal, context: Context) {
    this.#message = message;
    this.#journal = journal;
    this.#context = context;
  }

  /** @throws what nobody expects */
  async carryOut(readBody: () => Promise<string> | string): Promise<Conclusion> {
    try {
      const body = await readBody();
      this.#deadline = new Deadline(this.#message.timeoutMs);
      return this.#concluded(await this.#overConnections(body, this.#deadline));
    } catch (error) {
      return this.#failed(error);
    } finally {
      this.#deadline?.close();
    }
  }

  resultLine(state: State, failure: Failure | null): string {
    const { acceptedAt = null, recipientLoggedIn = null } = this.#sent ?? {};
    return jsonLine({
      type: 'sent',
      id: this.#id,
      to: this.#message.to,
      state,
      acceptedAt: isoTime(acceptedAt),
      recipientLoggedIn,
      kept: (state === 'unsure' || state === 'waiting') && this.#journal.isKept,
      reason: failure?.message ?? null,
    });
  }

  /** Null: it was not to be waited for, or the time was over. */
  async #overConnections(body: string, deadline: Deadline): Promise<Delivery | null> {
    const { name, settings, to, takeover, waitDelivered, timeoutMs } = this.#message;
    const { interrupted } = this.#context;
    const signal = AbortSignal.any([interrupted, deadline.signal, this.#giveUp.signal]);
    const signIn = new SignIn({ name, settings, deadline }, this.#context);
    const onEvent = (event: ClientEvent) => this.#told(event, Buffer.byteLength(body), deadline);
    const store = this.#journal;
    // Beside the person's own login, where the server can.
    const me = await signIn.enter({ deliver: 'none', takeover, store, timeoutMs, signal, onEvent });
    try {
      this.#isTaken = true;
      this.#sent = await me.send(to, body, { id: this.#id, signal });
      me.resend(store.others());
      return waitDelivered ? await this.#delivered(this.#sent, signal) : null;
    } catch (error) {
      throw this.#known(error);
    } finally {
      await signIn.leave(me, !signal.aborted);
    }
  }

  async #delivered({ delivered }: SentMessage, signal: AbortSignal): Promise<Delivery | null> {
    const waited = withSignal<Delivery>(signal, ({ resolve }) => {
      void delivered.then(resolve);
      return () => undefined;
    });
    return waited.catch((error: unknown) => {
      if (this.#deadline?.isOver) return null;
      throw error;
    });
  }

  #told(event: ClientEvent, bytes: number, deadline: Deadline): void {
    if (event.type === 'connected' && !this.#isTaken) {
      // Behind the login, which goes out in this turn of the event loop.
      setImmediate(() => this.#journal.prepare(this.#message.name));
      try {
        demandLength(bytes, event.welcome.limits.bodyBytes);
      } catch (error) {
        this.#giveUp.abort(error);
      }
    } else if (event.type === 'held' && this.#sent === null) {
      const { reason, refusal, retryInMs } = event;
      this.#held = reason;
      // Nothing to wait for: somebody has to mend what the reason says first, or it takes longer than there is time.
      if (refusal.stored !== false && retryInMs < deadline.leftMs) return;
      this.#giveUp.abort(new ClientError('REFUSED', reason, { refusal }));
    }
  }

  #concluded(delivery: Delivery | null): Conclusion {
    const { to, waitDelivered, timeoutMs } = this.#message;
    if (delivery === 'undeliverable') {
      const text = `Nobody will read it: the account ${to} was deleted before the message was delivered.`;
      return { state: delivery, failure: ended(EXIT.NO_USER, text) };
    }
    if (delivery === 'delivered' || !waitDelivered)
      return { state: delivery === 'delivered' ? delivery : 'stored', failure: null };
    const text = `Stored, but not delivered to ${to} within ${inSeconds(timeoutMs)}. It waits there: sending it again would double it.`;
    return { state: 'stored', failure: ended(EXIT.TRY_LATER, text) };
  }

  /** What is said of an error of the message. */
  #known(error: unknown): unknown {
    if (error instanceof ClientError) this.#mayBeStored = !error.nothingSent;
    return causeOf(error, this.#message.name);
  }

  /** @throws what nobody expects */
  #failed(error: unknown): Conclusion {
    const isExpected = [ClientError, Failure, Interrupted].some((kind) => error instanceof kind);
    if (!(error instanceof Error) || !isExpected) throw error;
    const { to, timeoutMs } = this.#message;
    const isUnreached = error instanceof Failure && error.code === EXIT.UNAVAILABLE;
    const isLate = this.#deadline?.isOver === true && !(error instanceof Interrupted) && !isUnreached;
    const silence = `no answer within ${inSeconds(timeoutMs)}`;
    const reason = sanitiseLine(isLate ? (this.#held ?? silence) : error.message);
    if (this.#sent !== null) {
      const text = `Stored; whether it was delivered to ${to} is not known (${reason}). Sending it again would double it.`;
      return { state: 'stored', failure: ended(EXIT.TRY_LATER, text, error) };
    }
    if (!this.#isTaken) {
      // Of a login, which is all that was asked for, it does not matter whether it was done.
      const why = isLate ? 'No answer, the time is over.' : reason.replace(OPEN_OUTCOME, '.');
      return { state: 'refused', failure: ended(codeOf(error, false), `Not sent: ${why}`, error) };
    }
    if (this.#mayBeStored) {
      const next = this.#journal.isKept
        ? 'It stays in the outbox and goes again, under its old id, with the next login: sending it again would double it.'
        : 'Without a history it is not kept: sending it again may double it.';
      const text = `Not confirmed: the message may be stored or not (${reason}). ${next}`;
      return { state: 'unsure', failure: ended(EXIT.TRY_LATER, text, error) };
    }
    if (error instanceof ClientError && error.refusal?.stored === false) return this.#notYet(error, reason);
    this.#journal.concluded(this.#id, { kind: 'refused', reason });
    return { state: 'refused', failure: ended(codeOf(error, true), `Not sent: ${reason}`, error) };
  }

  /** Surely not stored, and to wait for it now would be in vain: somebody has to mend what the reason says. */
  #notYet(error: ClientError, reason: string): Conclusion {
    const { isKept } = this.#journal;
    this.#journal.concluded(this.#id, { kind: 'waiting' });
    const next = isKept
      ? 'It stays in the outbox and goes with the next login after that: sending it again would double it.'
      : 'Without a history it is not kept: send it again after that.';
    const text = `Not sent yet: ${reason.replace(/\.?$/, '.')} ${next}`;
    return { state: isKept ? 'waiting' : 'refused', failure: ended(exitOf(error), text, error) };
  }
}

/** Once it went out, a connection that does not come back is no sign that nothing can be reached. */
function codeOf(error: Error, isTaken: boolean): ExitCode {
  if (error instanceof ClientError) return exitOf(error);
  return error instanceof Failure && !isTaken ? error.code : EXIT.TRY_LATER;
}

function ended(code: ExitCode, sentence: string, cause?: unknown): Failure {
  return new Failure(code, sentence, { cause, isPrinted: true });
}
