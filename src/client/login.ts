import type { ServerFrameOf } from '../protocol/v2/replies.ts';
import type { Request } from '../protocol/v2/requests.ts';
import { type BackoffLimits, retryMs } from '../util/backoff.ts';
import type { ServerConnection } from './connection.ts';
import { ClientError } from './errors.ts';
import type { ClientEvent, ClientOptions } from './events.ts';
import type { How } from './how-to-login.ts';
import { type Identity, identityFrom, isTransient } from './identity.ts';
import type { Receiver } from './receiver.ts';
import type { Reconnector, Welcome } from './reconnector.ts';
import type { OutboxSender } from './sender.ts';

interface LoginSurroundings {
  readonly options: ClientOptions;
  readonly transport: Reconnector;
  readonly sender: OutboxSender;
  readonly receiver: Receiver;
  readonly tell: (event: ClientEvent) => void;
  /** The account that the server has confirmed on this connection is another one; null: none. */
  readonly setAccount: (name: string | null) => void;
  readonly welcome: () => Welcome | null;
  /** What a login says beside whose it is. @throws ClientError `INVALID` where the server cannot do that */
  readonly how: () => How;
}

/** The account that a client is logged in to, or was last, and is to be logged in to again after a reconnect. */
export class Login {
  readonly #around: LoginSurroundings;
  /** Its outbox is kept until another one is logged in to. */
  #identity: Identity | null = null;
  #wanted: string | null = null;
  /**
   * The login is one of an earlier process, and another one may hold the account by it: that one is put out only if the
   * person has said so. Null: it is this one's own.
   */
  #resuming: { readonly takeover: boolean } | null = null;
  /** With the login everything ends: no connection is made for the next one. */
  #isLeaving = false;
  /** Counts the person's own logins and logouts: one ends all tries to restore an earlier login. */
  #intent = 0;

  constructor(around: LoginSurroundings) {
    this.#around = around;
  }

  /** Who is logged in, or was last. */
  get identity(): Identity | null {
    return this.#identity;
  }

  /** The account to log in to again after a reconnect. */
  get wanted(): string | null {
    return this.#wanted;
  }

  /** The person asks for another login: no earlier one is restored any more. */
  intended(): void {
    this.#intent += 1;
  }

  /** The next logout ends everything. */
  leaving(): void {
    this.#isLeaving = true;
  }

  /** Asks for a login by a token that is told as one, and not as one that is gone on with. */
  async byToken<Reply>(takeover: boolean, ask: () => Promise<Reply>): Promise<Reply> {
    this.#resuming = { takeover };
    try {
      return await ask();
    } finally {
      this.#resuming = null;
    }
  }

  /** As `Client.resume`. */
  resume(identity: Identity, takeover: boolean): void {
    this.#intent += 1;
    this.#become(identity);
    this.#resuming = { takeover };
    this.#around.setAccount(null);
    const { connection } = this.#around.transport;
    if (connection !== undefined) void this.#restore(connection, identity);
  }

  /** A connection stands. */
  connected(connection: ServerConnection): void {
    if (this.#wanted !== null && this.#identity !== null) void this.#restore(connection, this.#identity);
  }

  /** The server has let somebody in. */
  began(request: Request, reply: ServerFrameOf<'created' | 'logged-in'>): void {
    const { options, transport, sender, receiver, tell, setAccount } = this.#around;
    const { connection } = transport;
    if (connection === undefined) return;
    const identity = identityFrom(request, reply, this.#identity);
    const isRestored = request.type === 'login' && request.token !== undefined && this.#resuming === null;
    this.#resuming = null;
    // Before anything is told of this account; what was told of another one is in its history.
    this.#become(identity);
    options.logins?.keep(identity, reply.tokenExpiresAt ?? 0);
    setAccount(identity.name);
    const { name } = identity;
    if (isRestored) {
      tell({ type: 'login-restored', name });
    } else {
      const { undelivered = 0 } = reply;
      tell({ type: 'logged-in', name, undelivered, isNew: reply.type === 'created' });
    }
    for (const text of wordsForLosses(reply)) tell({ type: 'server-text', text });
    receiver.begin(connection, identity);
    sender.begin(connection);
  }

  /** There is another password, and another token. */
  passwordChanged({ token, tokenExpiresAt }: ServerFrameOf<'password-changed'>): void {
    if (this.#identity === null) return;
    this.#identity = { ...this.#identity, token, isOpen: false };
    this.#around.options.logins?.keep(this.#identity, tokenExpiresAt);
  }

  /** The server has logged it out, or deleted it. */
  ended(isDeleted: boolean): void {
    const { options, transport, sender, setAccount } = this.#around;
    const reason = isDeleted ? 'the account is deleted' : 'you logged out before';
    this.#intent += 1;
    // A login that only sends has ended no other.
    if (this.#identity !== null && (isDeleted || this.#identity.token !== null)) {
      options.logins?.forget(this.#identity.name);
    }
    this.giveUp();
    // What waits goes with the next login of who has kept it.
    if (this.#isLeaving && !isDeleted) sender.interrupt();
    else sender.abandon(reason);
    this.#identity = null;
    setAccount(null);
    if (this.#isLeaving) return;
    transport.expectEnd(true);
    transport.hangUp(reason);
  }

  /** It is not gone on with, and its token of no use. */
  giveUp(): void {
    this.#wanted = null;
    this.#resuming = null;
    if (this.#identity !== null) this.#identity = { ...this.#identity, token: null };
  }

  #become(identity: Identity): void {
    const { sender, options } = this.#around;
    const before = this.#identity;
    const isSame = before?.incarnation === identity.incarnation;
    if (before !== null && !isSame) sender.abandon('another account was logged in to first');
    this.#identity = identity;
    this.#wanted = identity.name;
    const { store } = options;
    store?.begin(identity);
    if (store !== undefined && !isSame) sender.restore(store.unsettled());
  }

  async #restore(connection: ServerConnection, identity: Identity): Promise<void> {
    const { options, transport, welcome, how } = this.#around;
    const intent = this.#intent;
    await relogin(connection, identity, {
      asks: this.#resuming?.takeover === false,
      canAsk: welcome()?.features.includes('resume-asks') ?? false,
      how,
      limits: options.relogin,
      isObsolete: () => intent !== this.#intent || connection !== transport.connection,
      sleep: (milliseconds) => transport.sleep(milliseconds),
      failed: (why) => this.#notRestored(identity, why),
    });
  }

  #notRestored({ name, token }: Identity, why: NotRestored): void {
    const { options, tell, setAccount } = this.#around;
    if (why.code === 'BAD_CREDENTIALS') options.logins?.forget(name, token);
    if (why.retryInMs === null) {
      this.giveUp();
      setAccount(null);
    }
    tell({ type: 'login-not-restored', name, ...why });
  }
}

/** What a login says of messages that Kafka has lost: sentences for the person. */
function wordsForLosses({ again = 0, gone = 0 }: ServerFrameOf<'created' | 'logged-in'>): string[] {
  const said: string[] = [];
  if (again > 0) said.push(`a part of your inbox was lost; ${count(again)} may come twice.`);
  if (gone > 0) said.push(`${count(gone)} had been deleted before you could read them.`);
  return said;
}

function count(messages: number): string {
  return messages === 1 ? 'one message' : `${messages} messages`;
}

/** Why a login did not come back, and when it is tried again. */
type NotRestored = Omit<Extract<ClientEvent, { type: 'login-not-restored' }>, 'type' | 'name'>;

interface Relogin {
  /** Another program may hold the account by the same login, and is not put out. */
  readonly asks: boolean;
  /** Whether the server knows such a question. */
  readonly canAsk: boolean;
  readonly how: () => How;
  readonly limits: BackoffLimits & { readonly tries: number };
  /** Whether nobody wants that login any more, or not on this connection. */
  readonly isObsolete: () => boolean;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly failed: (why: NotRestored) => void;
}

const NO_TOKEN = 'There is nothing to log in by again.';
export const TOO_OLD =
  'This server is too old to say whether another program goes on with the login that is kept on this machine.';

/**
 * Logs in again by the token after a reconnect, and tells each failure. One that says nothing about the token is tried again a
 * few times; an unanswered login is not, since it may still succeed.
 */
async function relogin(
  connection: ServerConnection,
  { name, token }: Identity,
  { asks, canAsk, how, limits, isObsolete, sleep, failed }: Relogin,
): Promise<void> {
  // It would put out whoever holds the account by the same login.
  if (asks && !canAsk) return failed(untried(TOO_OLD));
  if (token === null) return failed(untried(NO_TOKEN));
  for (let attempt = 0; !isObsolete(); attempt++) {
    try {
      const takeover = asks ? { takeover: false } : {};
      await connection.ask({ type: 'login', username: name, token, ...takeover, ...how() });
      return;
    } catch (error) {
      if (isObsolete() || !(error instanceof ClientError)) return;
      const code = error.refusal?.code ?? null;
      const passes = isTransient(error.refusal?.code) && !(asks && code === 'ALREADY_LOGGED_IN');
      const more = passes && attempt + 1 < limits.tries;
      const retryInMs = more ? retryMs(attempt, limits, error.refusal?.retryAfterMs) : null;
      failed({ code, isTried: true, reason: error.message, retryInMs });
      if (retryInMs === null) return;
      await sleep(retryInMs);
    }
  }
}

function untried(reason: string): NotRestored {
  return { code: null, isTried: false, reason, retryInMs: null };
}
