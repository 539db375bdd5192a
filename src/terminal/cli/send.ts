import { randomBytes } from 'node:crypto';
import { ClientError, inSeconds, OPEN_OUTCOME } from '../../client/errors.ts';
import { ID_BYTES } from '../../protocol/v2/fields.ts';
import type { ServerFrameOf } from '../../protocol/v2/replies.ts';
import { isoTime, jsonLine } from '../json.ts';
import { sanitiseLine } from '../sanitise.ts';
import { readSettings } from '../settings.ts';
import { argumentsOf, timeoutOf } from './arguments.ts';
import { bodyFrom, bodyOf } from './body.ts';
import { type Context, Interrupted } from './context.ts';
import { Courier, type Fate, type Parcel } from './courier.ts';
import { Deadline } from './deadline.ts';
import { EXIT, type ExitCode, exitOf, Failure } from './exit.ts';
import { Journal } from './journal.ts';
import { usernameOf, userOf } from './names.ts';
import { DEFAULT_TIMEOUT_MS } from './online.ts';
import { isFinal, isStuck } from './resend.ts';

const USAGE = 'milena send NAME TEXT…, or milena send NAME - for a text from standard input';

/** What became of the message, as `--json` tells it. */
type State = 'stored' | 'delivered' | 'undeliverable' | 'refused' | 'waiting' | 'unsure';

/** Sends one message; ends when Kafka has it, or when the recipient has it. */
export async function run(context: Context): Promise<void> {
  const args = argumentsOf('send', context.args);
  const settings = readSettings(args.flags, context.environment);
  const name = userOf(settings);
  const [recipient, ...words] = args.positionals;
  const to = usernameOf(recipient, USAGE);
  if (words.length === 0) throw new Failure(EXIT.USAGE, `The text is missing: ${USAGE}`);
  const timeoutMs = timeoutOf(args.values.timeout, DEFAULT_TIMEOUT_MS);
  const { takeover = false, 'wait-delivered': waitDelivered = false, json = false } = args.values;
  const fromStream = words.length === 1 && words[0] === '-';
  const journal = await Journal.open(settings, context);
  // What was understood so far is a message: from here on there is one object about it, whatever becomes of it.
  const id = randomBytes(ID_BYTES).toString('hex');
  let courier: Courier | null = null;
  let deadline: Deadline | undefined;
  let conclusion: Conclusion;
  try {
    const body = fromStream ? await bodyFrom(process.stdin, context.interrupted) : bodyOf(words);
    const parcel = { id, to, body, waitDelivered, takeover };
    deadline = new Deadline(timeoutMs);
    courier = new Courier(parcel, { name, settings }, journal, context, deadline);
    conclusion = concluded(await courier.carry(), parcel, timeoutMs);
  } catch (error) {
    conclusion = failed(courier, to, journal, error, { deadline, timeoutMs });
  }
  try {
    const { state, failure } = conclusion;
    if (json) {
      const line = resultLine(id, to, conclusion, courier?.sent ?? null, journal);
      await context.output.last(line).catch((error: unknown) => {
        // What became of the message is more than who reads of it.
        if (failure === null) throw error;
      });
    }
    if (failure !== null) throw failure;
    if (!json && process.stdout.isTTY) await context.output.line(state === 'delivered' ? '✓✓' : '✓');
  } finally {
    deadline?.close();
    if (courier?.wasSent) journal.letGo(id);
    journal.close();
  }
}

interface Conclusion {
  readonly state: State;
  readonly failure: Failure | null;
}

function concluded(fate: Fate | null, { to, waitDelivered }: Parcel, timeoutMs: number): Conclusion {
  if (fate === 'undeliverable') {
    const text = `Nobody will read it: the account ${to} was deleted before the message was delivered.`;
    return { state: fate, failure: ended(EXIT.NO_USER, text) };
  }
  if (fate === 'delivered' || !waitDelivered) return { state: fate ?? 'stored', failure: null };
  const text = `Stored, but not delivered to ${to} within ${inSeconds(timeoutMs)}. It waits there: sending it again would double it.`;
  return { state: 'stored', failure: ended(EXIT.TRY_LATER, text) };
}

function failed(
  courier: Courier | null,
  to: string,
  journal: Journal,
  error: unknown,
  { deadline, timeoutMs }: { readonly deadline: Deadline | undefined; readonly timeoutMs: number },
): Conclusion {
  const isExpected = [ClientError, Failure, Interrupted].some((kind) => error instanceof kind);
  if (!(error instanceof Error) || !isExpected) throw error;
  // Of all the connections that there were: the last one had only what was left.
  const isSilence =
    error instanceof ClientError &&
    (error.code === 'TIMEOUT' || (error.code === 'DISCONNECTED' && deadline?.isOver === true));
  const reason = isSilence ? `no answer within ${inSeconds(timeoutMs)}` : sanitiseLine(error.message);
  if (courier?.sent) {
    const text = `Stored; whether it was delivered to ${to} is not known (${reason}). Sending it again would double it.`;
    return { state: 'stored', failure: ended(EXIT.TRY_LATER, text, error) };
  }
  const isRefused = error instanceof ClientError && isFinal(error);
  if (courier?.mayBeStored && !isRefused) {
    const next = journal.isKept
      ? 'It stays in the outbox and goes again, under its old id, with the next login: sending it again would double it.'
      : 'Without a history it is not kept: sending it again may double it.';
    const text = `Not confirmed: the message may be stored or not (${reason}). ${next}`;
    return { state: 'unsure', failure: ended(EXIT.TRY_LATER, text, error) };
  }
  if (courier?.wasSent && error instanceof ClientError && isStuck(error)) {
    return notYet(courier, journal, error, reason);
  }
  if (courier?.wasSent) {
    journal.fate({ id: courier.id, state: { kind: 'refused', reason }, receipt: null });
  }
  return { state: 'refused', failure: ended(codeOf(error, courier), notSent(error, courier), error) };
}

/** Surely not stored, and to wait for it now would be in vain: somebody has to mend what the reason says. */
function notYet({ id }: Courier, journal: Journal, error: ClientError, reason: string): Conclusion {
  journal.fate({ id, state: { kind: 'waiting' }, receipt: null, mayBeStored: false });
  const next = journal.isKept
    ? 'It stays in the outbox and goes with the next login after that: sending it again would double it.'
    : 'Without a history it is not kept: send it again after that.';
  const failure = ended(exitOf(error), `Not sent yet: ${reason.replace(/\.?$/, '.')} ${next}`, error);
  return { state: journal.isKept ? 'waiting' : 'refused', failure };
}

/** Once it went out, a connection that does not come back is no sign that nothing can be reached. */
function codeOf(error: Error, courier: Courier | null): ExitCode {
  if (error instanceof ClientError) return exitOf(error);
  return error instanceof Failure && !courier?.wasSent ? error.code : EXIT.TRY_LATER;
}

function notSent(error: Error, courier: Courier | null): string {
  // Of a login, which is all that was asked for before, that does not matter.
  return `Not sent: ${sanitiseLine(courier?.wasSent ? error.message : error.message.replace(OPEN_OUTCOME, '.'))}`;
}

function ended(code: ExitCode, sentence: string, cause?: unknown): Failure {
  return new Failure(code, sentence, { cause, isPrinted: true });
}

function resultLine(
  id: string,
  to: string,
  { state, failure }: Conclusion,
  sent: ServerFrameOf<'sent'> | null,
  journal: Journal,
): string {
  return jsonLine({
    type: 'sent',
    id,
    to,
    state,
    acceptedAt: isoTime(sent?.acceptedAt ?? null),
    recipientLoggedIn: sent?.recipientLoggedIn ?? null,
    kept: (state === 'unsure' || state === 'waiting') && journal.isKept,
    reason: failure?.message ?? null,
  });
}
