import { ClientError } from '../errors.ts';
import { isoTime, jsonLine } from '../json.ts';
import { sanitiseLine } from '../sanitise.ts';
import { readSettings } from '../settings.ts';
import { argumentsOf, timeoutOf } from './arguments.ts';
import { bodyFrom, bodyOf } from './body.ts';
import type { Context } from './context.ts';
import { Courier, type Parcel } from './courier.ts';
import { Deadline } from './deadline.ts';
import { EXIT, exitOf, Failure } from './exit.ts';
import { Journal } from './journal.ts';
import { usernameOf, userOf } from './names.ts';
import { DEFAULT_TIMEOUT_MS } from './online.ts';
import { passwordFor } from './password.ts';
import { isFinal } from './resend.ts';

const USAGE = 'milena send NAME TEXT…, or milena send NAME - for a text from standard input';

/** What became of the message, as `--json` tells it. */
type State = 'stored' | 'delivered' | 'undeliverable' | 'refused' | 'unsure';

/** Sends one message; ends when Kafka has it, or when the recipient has it. */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('send', context.args);
  const settings = readSettings(args.flags, context.environment);
  const name = userOf(settings);
  const [recipient, ...words] = args.positionals;
  const to = usernameOf(recipient, USAGE);
  if (words.length === 0) throw new Failure(EXIT.USAGE, `The text is missing: ${USAGE}`);
  const timeoutMs = timeoutOf(args.values.timeout, DEFAULT_TIMEOUT_MS);
  const fromStream = words.length === 1 && words[0] === '-';
  const body = fromStream ? await bodyFrom(process.stdin, context.interrupted) : bodyOf(words);
  const { takeover = false, 'wait-delivered': waitDelivered = false, json = false } = args.values;
  const parcel = { to, body, waitDelivered, takeover };
  const journal = await Journal.open(settings, context);
  const deadline = new Deadline(timeoutMs);
  try {
    const password = () => passwordFor(name, settings, context);
    const courier = new Courier(parcel, { name, password, settings }, journal, context, deadline);
    const { state, failure } = await conclude(courier, parcel, timeoutMs, journal);
    if (json && state !== null) await context.output.line(resultLine(courier, to, state, failure, journal));
    if (failure !== null) throw failure;
    if (!json && process.stdout.isTTY) await context.output.line(state === 'delivered' ? '✓✓' : '✓');
  } finally {
    deadline.close();
    journal.close();
  }
}

interface Conclusion {
  /** Null if nothing was sent. */
  readonly state: State | null;
  readonly failure: Failure | null;
}

async function conclude(
  courier: Courier,
  parcel: Parcel,
  timeoutMs: number,
  journal: Journal,
): Promise<Conclusion> {
  const { to, waitDelivered } = parcel;
  const seconds = timeoutMs / 1_000;
  try {
    const fate = await courier.carry();
    if (fate === 'undeliverable') {
      const text = `Nobody will read it: the account ${to} was deleted before the message was delivered.`;
      return { state: fate, failure: new Failure(EXIT.NO_USER, text) };
    }
    if (fate === 'delivered' || !waitDelivered) return { state: fate ?? 'stored', failure: null };
    const text = `Stored, but not delivered to ${to} within ${seconds} s. It waits there: sending it again would double it.`;
    return { state: 'stored', failure: new Failure(EXIT.TRY_LATER, text) };
  } catch (error) {
    if (courier.sent !== null) return { state: 'stored', failure: storedOnly(to, error) };
    if (!courier.wasSent) throw error;
    return notStored(courier, journal, error);
  }
}

/** It is stored, and only whether it was delivered will not be known. */
function storedOnly(to: string, error: unknown): Failure {
  const reason = error instanceof Error ? ` (${sanitiseLine(error.message)})` : '';
  const text = `Stored; whether it was delivered to ${to} is not known${reason}. Sending it again would double it.`;
  return new Failure(EXIT.TRY_LATER, text, { cause: error });
}

function notStored(courier: Courier, journal: Journal, error: unknown): Conclusion {
  const reason = error instanceof Error ? sanitiseLine(error.message) : 'given up';
  const isRefused = error instanceof ClientError && isFinal(error);
  if (!courier.mayBeStored || isRefused) {
    journal.fate({ id: courier.id, state: { kind: 'refused', reason }, receipt: null });
    const code = error instanceof ClientError ? exitOf(error) : EXIT.TRY_LATER;
    return { state: 'refused', failure: new Failure(code, `Not sent: ${reason}`, { cause: error }) };
  }
  const next = journal.isKept
    ? 'It stays in the outbox and goes again, under its old id, with the next login: sending it again would double it.'
    : 'Without a history it is not kept: sending it again may double it.';
  const text = `Not confirmed: the message may be stored or not (${reason}). ${next}`;
  return { state: 'unsure', failure: new Failure(EXIT.TRY_LATER, text, { cause: error }) };
}

function resultLine(
  courier: Courier,
  to: string,
  state: State,
  failure: Failure | null,
  journal: Journal,
): string {
  const { id, sent } = courier;
  return jsonLine({
    type: 'sent',
    id,
    to,
    state,
    acceptedAt: isoTime(sent?.acceptedAt ?? null),
    recipientLoggedIn: sent?.recipientLoggedIn ?? null,
    kept: state === 'unsure' && journal.isKept,
    reason: failure?.message ?? null,
  });
}
