import { ProtocolError } from '../../protocol/errors.ts';
import type { ServerFrame, ServerFrameOf } from '../../protocol/v2/replies.ts';
import type { Request } from '../../protocol/v2/requests.ts';
import { retryMs } from '../../util/backoff.ts';
import { brief, ClientError } from '../errors.ts';
import type { ClientState } from '../state.ts';
import { Transport } from '../transport.ts';
import { ask, type Connection2, dialect2 } from './dialect.ts';
import type { Client2Options, ClientEvent } from './events.ts';
import { Heartbeat } from './heartbeat.ts';
import { type Identity, identityFrom, isPassing } from './identity.ts';
import { wordsForLosses } from './losses.ts';
import type { Entry } from './outbox.ts';
import { exists, type Presence, presenceOf } from './presence.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';

/** Requests of the client itself: nobody waits to hear that an answer came late. */
const OWN_REQUESTS: ReadonlySet<Request['type']> = new Set(['hello', 'ping', 'receipts', 'send']);
const NAMES_AT_ONCE = 1_000;
const MESSAGES_AT_ONCE = 100;

/**
 * A person's client without a face, for version 2. It keeps one connection, logs in again by its token, takes each
 * message once, acknowledges what was shown, and carries an outbox over lost connections.
 */
export class Client {
  readonly #options: Client2Options;
  readonly #listener: (event: ClientEvent) => void;
  readonly #transport: Transport<Request, ServerFrame>;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  readonly #heartbeat: Heartbeat;
  #state: ClientState = { link: { kind: 'connecting' }, account: null, wanted: null };
  /** The last account that somebody logged in to; its outbox is kept until another one is logged in to. */
  #identity: Identity | null = null;
  /** The account to log in to again after a reconnect. */
  #wanted: string | null = null;
  /**
   * The login is one of an earlier process, and another one may hold the account by it: that one is put out only if the
   * person has said so. Null: it is this one's own.
   */
  #resuming: { readonly takeover: boolean } | null = null;
  #features: readonly string[] = [];
  /** How many messages of a retrieve reply were new. */
  readonly #newIn = new WeakMap<ServerFrame, number>();
  /** Counts the person's own logins and logouts: one ends all tries to restore an earlier login. */
  #intent = 0;

  /** @param listener gets each event, in order; it must not throw. */
  constructor(options: Client2Options, listener: (event: ClientEvent) => void) {
    this.#options = options;
    this.#listener = listener;
    this.#sender = new Sender(options, listener);
    this.#receiver = new Receiver(options.ackDelayMs, options.memory);
    this.#heartbeat = new Heartbeat(options.minHeartbeatMs);
    this.#transport = new Transport<Request, ServerFrame>(options, dialect2, {
      onLink: () => this.#setState(null),
      onOnline: (connection, how) => {
        if (how.greeting.type === 'welcome') {
          this.#features = how.greeting.features;
          this.#heartbeat.begin(connection, how.greeting.limits.pingAfterMs);
          listener({ type: 'server-time', time: how.greeting.time });
        }
        if (!how.quiet) listener({ type: 'connected', again: how.again });
        if (this.#wanted !== null && this.#identity !== null) void this.#restore(connection, this.#identity);
      },
      onPush: (frame) => this.#pushed(frame),
      onReply: (request, reply, late) => this.#took(request, reply, late),
      onOffline: () => this.#interrupt(),
      onLost: (reason, retryInMs) => listener({ type: 'disconnected', reason, retryInMs }),
    });
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Whether the account that one is or was logged in to has no password. */
  get isOpen(): boolean {
    return this.#identity?.isOpen ?? false;
  }

  /** Messages that have no answer from the server yet. */
  get unanswered(): number {
    return this.#sender.unanswered;
  }

  /** Whether to take more from the server: false lets it wait; on the next connection it has to be said again. */
  read(isReading: boolean): void {
    this.#transport.read(isReading);
  }

  /** Begins to connect, and goes on until `close`. */
  start(): void {
    this.#transport.start();
  }

  /** Acknowledges what was shown and ends everything; the server logs the account out. Idempotent. */
  async close(): Promise<void> {
    this.#receiver.flush();
    await this.#transport.close();
    this.#interrupt();
  }

  /**
   * Makes an account and logs in to it; without a password an open one. While a connection is being made it waits for
   * that, as long as for a reply. @throws ClientError
   * @param invite the operator's leave, where the server asks for it
   */
  async create(username: string, password: string | null, invite: string | null = null): Promise<void> {
    this.#intent += 1;
    await this.#transport.nextConnection();
    await ask(this.#transport.online(), {
      type: 'create',
      username,
      ...secretOf(password),
      ...(invite === null ? {} : { invite }),
    });
  }

  /**
   * Logs in and has everything undelivered pushed; resolves to its number.
   * @throws ClientError `REFUSED` with ALREADY_LOGGED_IN unless `takeover`, and any other
   */
  async login(username: string, password: string | null, takeover = false): Promise<number> {
    this.#intent += 1;
    await this.#transport.nextConnection();
    const reply = await ask(this.#transport.online(), {
      type: 'login',
      username,
      ...secretOf(password),
      ...(takeover ? { takeover } : {}),
      deliver: 'all',
    });
    return reply.undelivered ?? 0;
  }

  /**
   * Goes on with a login that an earlier process had, now or when there is a connection; how that went is told as
   * `logged-in` or `login-not-restored`. Messages may be written meanwhile.
   * @param takeover ends the login that holds the account; otherwise it is refused with ALREADY_LOGGED_IN
   */
  resume(identity: Identity, takeover = false): void {
    this.#intent += 1;
    this.#become(identity);
    this.#resuming = { takeover };
    this.#setState(null);
    const { connection } = this.#transport;
    if (connection !== undefined) void this.#restore(connection, identity);
  }

  /** Logs out, and connects anew. @throws ClientError */
  async logout(): Promise<void> {
    this.#receiver.flush();
    await ask(this.#transport.online(), { type: 'logout' });
  }

  /**
   * Deletes the account one is logged in to; resolves to the number of messages that nobody will read.
   * @throws ClientError `REFUSED` with HAS_UNDELIVERED and their number unless `force`, and any other
   */
  async delete(password: string | null, force = false): Promise<number> {
    this.#receiver.flush();
    const reply = await ask(this.#transport.online(), {
      type: 'delete',
      ...secretOf(password),
      ...(force ? { force } : {}),
    });
    return reply.undelivered;
  }

  /** @param old null for an open account. @throws ClientError */
  async changePassword(old: string | null, password: string): Promise<void> {
    await ask(this.#transport.online(), {
      type: 'password',
      ...(old === null ? {} : { old: old.normalize('NFC') }),
      new: password.normalize('NFC'),
    });
  }

  /** Names that match, up to a thousand; `more` if there are others. @throws ClientError */
  async list(pattern: string): Promise<{ readonly names: readonly string[]; readonly more: boolean }> {
    return ask(this.#transport.online(), { type: 'list', pattern, limit: NAMES_AT_ONCE });
  }

  /** For each name whether somebody is logged in. @throws ClientError */
  async whoIsThere(names: readonly string[]): Promise<ReadonlyMap<string, Presence>> {
    return presenceOf(this.#transport.online(), names);
  }

  /** Whether there is an account of that name, as anybody may know. @throws ClientError */
  async exists(name: string): Promise<boolean> {
    return exists(this.#transport.online(), name);
  }

  /** Blocks a sender or takes one again; resolves to all that are blocked. @throws ClientError */
  async block(name: string, blocked: boolean): Promise<readonly string[]> {
    return (await ask(this.#transport.online(), { type: 'block', name, blocked })).blocked;
  }

  /** The senders that are blocked. @throws ClientError */
  async blocked(): Promise<readonly string[]> {
    return (await ask(this.#transport.online(), { type: 'block' })).blocked;
  }

  /**
   * Fetches undelivered messages that have not come by themselves; new ones are told as events, as pushed ones are.
   * Resolves to the number of new ones. @throws ClientError
   */
  async retrieve(): Promise<{ readonly count: number; readonly more: boolean }> {
    this.#receiver.flush();
    const reply = await ask(this.#transport.online(), { type: 'retrieve', limit: MESSAGES_AT_ONCE });
    return { count: this.#newIn.get(reply) ?? 0, more: reply.more };
  }

  /**
   * Sends a message, now or when there is a connection again: it is told as `entered` before this returns, and what becomes
   * of it as `outgoing`.
   * @throws ClientError `INVALID`, `BUSY`; nothing was sent
   */
  send(to: string, body: string): Entry {
    if (this.#identity === null) throw new ClientError('INVALID', 'Not logged in.');
    return this.#sender.add(to, body);
  }

  /** A message was shown to the person: it counts as delivered now. */
  shown(inbox: string, seq: number): void {
    this.#receiver.shown(inbox, seq);
  }

  #pushed(frame: ServerFrame): void {
    switch (frame.type) {
      case 'message':
        this.#receive(frame);
        break;
      case 'delivered':
        this.#sender.delivered(frame);
        break;
      case 'ping':
        this.#heartbeat.beat();
        break;
      case 'goodbye':
        this.#goodbye(frame);
        break;
      case 'failure':
        // An ack that came too late or too early: what it was for comes again with the next login.
        if (this.#transport.mayTell()) this.#listener({ type: 'server-text', text: brief(frame.message) });
        break;
    }
  }

  #receive(message: Parameters<Receiver['take']>[0]): boolean {
    const inbox = this.#identity?.inbox;
    if (this.#state.account === null || inbox === undefined) {
      throw new ProtocolError('BAD_FRAME', 'a message without a login');
    }
    if (!this.#receiver.take(message)) return false;
    this.#listener({ type: 'message', message, inbox });
    return true;
  }

  #goodbye({ code, reason: sentence, retryAfterMs = 0 }: ServerFrameOf<'goodbye'>): void {
    const reason = brief(sentence);
    const name = this.#state.account;
    if (code === 'REPLACED' && name !== null) {
      // The token would take it back at once, and the other one's token from us again.
      this.#giveUpLogin();
      this.#transport.expectEnd(true);
      this.#setState(null);
      this.#interrupt();
      this.#listener({ type: 'replaced', name, reason });
    }
    this.#transport.holdOff(retryAfterMs);
    this.#transport.hangUp(reason.replace(/\.$/, ''));
  }

  /** What the server did counts when its reply comes, even if nobody waits for it any more. */
  #took(request: Request, reply: ServerFrame, late: boolean): void {
    if (reply.type === 'created' || reply.type === 'logged-in') {
      this.#began(request, reply);
    } else if (reply.type === 'logged-out' || reply.type === 'deleted') {
      this.#ended(reply.type === 'deleted' ? 'the account is deleted' : 'you logged out before');
    } else if (reply.type === 'password-changed' && this.#identity !== null) {
      this.#identity = { ...this.#identity, token: reply.token, isOpen: false };
      this.#options.logins?.keep(this.#identity, reply.tokenExpiresAt);
    } else if (reply.type === 'pong') {
      this.#heartbeat.answered();
      this.#listener({ type: 'server-time', time: reply.time });
    } else if (reply.type === 'retrieved') {
      this.#newIn.set(reply, reply.messages.filter((message) => this.#receive(message)).length);
    } else if (request.type === 'send' && (reply.type === 'sent' || reply.type === 'failure')) {
      this.#sender.answered(request, reply);
      // It has forgotten the login, or never said that it ended: only a new connection makes that good.
      const lost = reply.type === 'failure' && reply.code === 'NOT_LOGGED_IN';
      if (lost && this.#state.account !== null) this.#transport.hangUp('the login is gone');
    }
    const told = OWN_REQUESTS.has(request.type) || reply.type === 'created' || reply.type === 'logged-in';
    if (late && !told) this.#listener({ type: 'late-reply', request, reply });
    this.#sender.pump();
  }

  #began(request: Request, reply: ServerFrameOf<'created' | 'logged-in'>): void {
    const connection = this.#transport.connection;
    if (connection === undefined) return;
    const before = this.#identity;
    const identity = identityFrom(request, reply, before);
    const isRestored = request.type === 'login' && request.token !== undefined && this.#resuming === null;
    this.#resuming = null;
    // Before anything is told of this account; what was told of another one is in its history.
    this.#become(identity);
    this.#options.logins?.keep(identity, reply.tokenExpiresAt ?? 0);
    this.#setState(identity.name);
    const { name } = identity;
    if (isRestored) {
      this.#listener({ type: 'login-restored', name });
    } else {
      const { undelivered = 0 } = reply;
      this.#listener({ type: 'logged-in', name, undelivered, isNew: reply.type === 'created' });
    }
    for (const text of wordsForLosses(reply)) this.#listener({ type: 'server-text', text });
    this.#receiver.begin(connection, identity);
    this.#sender.begin(connection);
  }

  #become(identity: Identity): void {
    const before = this.#identity;
    const isSame = before?.incarnation === identity.incarnation;
    if (before !== null && !isSame) this.#sender.abandon('another account was logged in to first');
    this.#identity = identity;
    this.#wanted = identity.name;
    const { memory } = this.#options;
    memory?.begin(identity);
    if (memory !== undefined && !isSame) this.#sender.restore(memory.unsettled());
  }

  #ended(reason: string): void {
    this.#intent += 1;
    if (this.#identity !== null) this.#options.logins?.forget(this.#identity.name);
    this.#giveUpLogin();
    this.#sender.abandon(reason);
    this.#identity = null;
    this.#setState(null);
    this.#transport.expectEnd(true);
    this.#transport.hangUp(reason);
  }

  #giveUpLogin(): void {
    this.#wanted = null;
    this.#resuming = null;
    if (this.#identity !== null) this.#identity = { ...this.#identity, token: null };
  }

  #interrupt(): void {
    this.#sender.interrupt();
    this.#receiver.interrupt();
    this.#heartbeat.stop();
  }

  /**
   * Logs in again by the token after a reconnect, and tells each failure. One that says nothing about the token is
   * tried again a few times; an unanswered login is not, since it may still succeed.
   */
  async #restore(connection: Connection2, { name, token }: Identity): Promise<void> {
    const intent = this.#intent;
    const asks = this.#resuming?.takeover === false;
    if (asks && !this.#features.includes('resume-asks')) {
      // It would put out whoever holds the account by the same login.
      return this.#notRestored(name, { code: null, isTried: false, reason: TOO_OLD, retryInMs: null });
    }
    const obsolete = () => intent !== this.#intent || connection !== this.#transport.connection;
    for (let attempt = 0; token !== null && !obsolete(); attempt++) {
      try {
        const how = asks ? { takeover: false } : {};
        await ask(connection, { type: 'login', username: name, token, ...how, deliver: 'all' });
        return;
      } catch (error) {
        if (obsolete() || !(error instanceof ClientError)) return;
        const { relogin } = this.#options;
        const code = error.refusal?.code ?? null;
        const passes = isPassing(error.refusal?.code) && !(asks && code === 'ALREADY_LOGGED_IN');
        const more = passes && attempt + 1 < relogin.tries;
        const retryInMs = more ? retryMs(attempt, relogin, error.refusal?.retryAfterMs) : null;
        if (code === 'BAD_CREDENTIALS') this.#options.logins?.forget(name, token);
        this.#notRestored(name, { code, isTried: true, reason: error.message, retryInMs });
        if (retryInMs === null) return;
        await this.#transport.sleep(retryInMs);
      }
    }
  }

  #notRestored(
    name: string,
    why: Omit<Extract<ClientEvent, { type: 'login-not-restored' }>, 'type' | 'name'>,
  ): void {
    if (why.retryInMs === null) {
      this.#giveUpLogin();
      this.#setState(null);
    }
    this.#listener({ type: 'login-not-restored', name, ...why });
  }

  #setState(account: string | null): void {
    this.#state = { link: this.#transport.link, account, wanted: this.#wanted };
    this.#listener({ type: 'state', state: this.#state });
  }
}

const TOO_OLD =
  'This server is too old to say whether another program goes on with the login that is kept on this machine.';

/** However a keyboard composes its letters, the same password is the same bytes. */
function secretOf(password: string | null): { password?: string } {
  return password === null ? {} : { password: password.normalize('NFC') };
}
