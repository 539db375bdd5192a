import type { Message, ServerFrame, ServerFrameOf } from '../protocol/v2/replies.ts';
import type { Deliver, Request } from '../protocol/v2/requests.ts';
import type { ServerConnection } from './connection.ts';
import { brief, ClientError } from './errors.ts';
import type { ClientEvent, ClientOptions, ClientState } from './events.ts';
import { Heartbeat } from './heartbeat.ts';
import { deliverOf, deviceOf } from './how-to-login.ts';
import type { Identity } from './identity.ts';
import { Login } from './login.ts';
import type { Entry } from './outbox.ts';
import { Receiver } from './receiver.ts';
import { Reconnector, type Welcome } from './reconnector.ts';
import { Requests, secretOf } from './requests.ts';
import { OutboxSender } from './sender.ts';
import { withSignal } from './with-signal.ts';

/** A password, the token of an earlier login, or null: the account has no password. */
export type Proof = string | Uint8Array | null;

/** Requests of the client itself: nobody waits to hear that an answer came late. */
const OWN_REQUESTS: ReadonlySet<Request['type']> = new Set(['hello', 'ping', 'receipts', 'send']);
const MESSAGES_AT_ONCE = 100;

/**
 * A person's client without a screen. It keeps one connection, logs in again by its token, takes each
 * message once, acknowledges what was shown, and carries an outbox over lost connections.
 */
export class Client extends Requests {
  readonly #options: ClientOptions;
  readonly #listener: (event: ClientEvent) => void;
  readonly #transport: Reconnector;
  readonly #sender: OutboxSender;
  readonly #receiver: Receiver;
  readonly #heartbeat: Heartbeat;
  readonly #login: Login;
  #state: ClientState = { link: { kind: 'connecting' }, account: null, wanted: null };
  #welcome: Welcome | null = null;
  /** The messages of a retrieve reply that wait to be shown. */
  readonly #openIn = new WeakMap<ServerFrame, readonly Message[]>();
  /** @param listener gets each event, in order; it must not throw. */
  constructor(options: ClientOptions, listener: (event: ClientEvent) => void) {
    super();
    this.#options = options;
    this.#listener = listener;
    this.#sender = new OutboxSender(options, listener);
    this.#receiver = new Receiver(options, listener);
    this.#heartbeat = new Heartbeat(options.minHeartbeatMs);
    this.#transport = new Reconnector(options, {
      onLink: () => this.#setState(null),
      onOnline: (connection, how) => {
        this.#welcome = how.greeting;
        this.#heartbeat.begin(connection, how.greeting.limits.pingAfterMs);
        listener({ type: 'server-time', time: how.greeting.time });
        if (!how.quiet) listener({ type: 'connected', again: how.again, welcome: how.greeting });
        this.#login.connected(connection);
      },
      onPush: (frame) => {
        if (!this.#receiver.pushed(frame)) this.#pushed(frame);
      },
      onReply: (request, reply, late) => this.#took(request, reply, late),
      onOffline: () => this.#interrupt(),
      onLost: (reason, retryInMs) => listener({ type: 'disconnected', reason, retryInMs }),
    });
    this.#login = new Login({
      options,
      transport: this.#transport,
      sender: this.#sender,
      receiver: this.#receiver,
      tell: listener,
      setAccount: (name) => this.#setState(name),
      welcome: () => this.#welcome,
      how: () => ({ deliver: this.deliver, ...deviceOf(options, this.#welcome) }),
    });
  }

  get state(): ClientState {
    return this.#state;
  }

  /** What the server of the last connection has said of itself; null before the first. */
  get welcome(): Welcome | null {
    return this.#welcome;
  }

  /** Whether another server of the list is tried before there is a pause. */
  get hasMoreServers(): boolean {
    return this.#transport.hasMoreServers;
  }

  /** Who is logged in, or was last. */
  get identity(): Identity | null {
    return this.#login.identity;
  }

  /** Whether the account that one is or was logged in to has no password. */
  get isOpen(): boolean {
    return this.identity?.isOpen ?? false;
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

  /**
   * Resolves when there is a connection; `patient`: also when that takes longer than to try each server once.
   * @throws ClientError `OFFLINE` when each server was tried in vain, `ABORTED`, `CLOSED`
   */
  connected(
    how: { readonly signal?: AbortSignal | undefined; readonly patient?: boolean } = {},
  ): Promise<void> {
    return this.#transport.connected(how);
  }

  /** Leaves a server that does not do, for the next one. */
  tryNext(reason: string): void {
    this.#transport.hangUp(reason);
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
    this.#login.intended();
    await this.#transport.nextConnection();
    await this.online().ask({
      type: 'create',
      username,
      ...secretOf(password),
      ...(invite === null ? {} : { invite }),
      // The usual way is for servers that know no other, too.
      ...(this.deliver === 'none' && { deliver: 'none' }),
    });
  }

  /**
   * Logs in; with `deliver: 'all'` everything undelivered is pushed then. Resolves to its number.
   * @param proof the password, the token of an earlier login, or null for an open account
   * @param takeover true ends another login of the account; of a token false asks first, where it would end it otherwise
   * @throws ClientError `REFUSED` with ALREADY_LOGGED_IN unless `takeover`, and any other
   */
  async login(username: string, proof: Proof, takeover?: boolean): Promise<number> {
    this.#login.intended();
    await this.#transport.nextConnection();
    const byToken = proof instanceof Uint8Array;
    const ask = () =>
      this.online().ask({
        type: 'login',
        username,
        ...(byToken ? { token: proof } : secretOf(proof)),
        ...((byToken ? takeover !== undefined : takeover) && { takeover }),
        deliver: this.deliver,
        ...deviceOf(this.#options, this.#welcome),
      });
    const reply = await (byToken ? this.#login.byToken(takeover ?? false, ask) : ask());
    return reply.undelivered ?? 0;
  }

  /**
   * Goes on with a login that an earlier process had, now or when there is a connection; how that went is told as
   * `logged-in` or `login-not-restored`. Messages may be written meanwhile.
   * @param takeover ends the login that holds the account; otherwise it is refused with ALREADY_LOGGED_IN
   */
  resume(identity: Identity, takeover = false): void {
    this.#login.resume(identity, takeover);
  }

  /** Logs out, and connects anew. @throws ClientError */
  async logout(): Promise<void> {
    this.#receiver.flush();
    await this.online().ask({ type: 'logout' });
  }

  /** Logs out, waiting for the server up to so long, and ends everything. Never throws. */
  async leave(patienceMs: number): Promise<void> {
    this.#login.leaving();
    if (this.#state.account !== null) {
      await withSignal<void>(AbortSignal.timeout(patienceMs), ({ resolve }) => {
        this.logout().then(resolve, () => resolve());
        return () => undefined;
      }).catch(() => undefined);
    }
    await this.close();
  }

  /**
   * Deletes the account one is logged in to; resolves to the number of messages that nobody will read.
   * @throws ClientError `REFUSED` with HAS_UNDELIVERED and their number unless `force`, and any other
   */
  async delete(password: string | null, force = false): Promise<number> {
    this.#receiver.flush();
    const reply = await this.online().ask({
      type: 'delete',
      ...secretOf(password),
      ...(force ? { force } : {}),
    });
    return reply.undelivered;
  }

  /**
   * Fetches undelivered messages that have not come by themselves, oldest first: those of the page that were not shown. What is
   * new among them is told as an event, too, as pushed ones are. @param limit of messages, at most 1,000. @throws ClientError
   */
  async retrieve(
    limit = MESSAGES_AT_ONCE,
  ): Promise<{ readonly messages: readonly Message[]; readonly more: boolean }> {
    this.#receiver.flush();
    const reply = await this.online().ask({ type: 'retrieve', limit });
    return { messages: this.#openIn.get(reply) ?? [], more: reply.more };
  }

  /**
   * Sends a message to a person or a room, now or when there is a connection again: it is told as `entered` before this returns, and what becomes
   * of it as `outgoing`.
   * @param id 16 bytes in hex, where the caller has chosen it: sent again under it, once there was an answer, it is the same message
   * @throws ClientError `INVALID`, `BUSY`; nothing was sent
   */
  send(to: string, body: string, id?: string): Entry {
    if (this.identity === null) throw new ClientError('INVALID', 'Not logged in.');
    return this.#sender.add({ to, body, id, welcome: this.#welcome });
  }

  /** Takes a message back that has not gone out; false: it has, and may be stored. Of one that is not known: false. */
  withdraw(id: string): boolean {
    return this.#sender.withdraw(id);
  }

  /** Sends what an earlier process has left, behind what is being sent already. */
  resend(entries: readonly Entry[]): void {
    this.#sender.restore(entries);
    this.#sender.pump();
  }

  /** A message was shown to the person: it counts as delivered now. @param message as it came */
  shown(inbox: string, message: Pick<Message, 'seq' | 'room' | 'roomIncarnation'>): void {
    this.#receiver.shown(inbox, message);
  }

  protected override online(): ServerConnection {
    return this.#transport.online();
  }

  get deliver(): Deliver {
    return deliverOf(this.#options, this.#welcome);
  }

  #pushed(frame: ServerFrame): void {
    switch (frame.type) {
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
        if (frame.code !== 'NOT_A_MEMBER' && this.#transport.mayTell())
          this.#listener({ type: 'server-text', text: brief(frame.message) });
        break;
    }
  }

  #goodbye({ code, reason: sentence, retryAfterMs = 0 }: ServerFrameOf<'goodbye'>): void {
    const reason = brief(sentence);
    const name = this.#state.account;
    if (code === 'REPLACED' && name !== null) {
      // The token would take it back at once, and the other one's token from us again.
      this.#login.giveUp();
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
      this.#login.began(request, reply);
    } else if (reply.type === 'logged-out' || reply.type === 'deleted') {
      this.#login.ended(reply.type === 'deleted');
    } else if (reply.type === 'password-changed') {
      this.#login.passwordChanged(reply);
    } else if (reply.type === 'pong') {
      this.#heartbeat.answered();
      this.#listener({ type: 'server-time', time: reply.time });
    } else if (reply.type === 'retrieved') {
      this.#openIn.set(reply, this.#receiver.retrieved(reply.messages));
    } else if (reply.type === 'left' || reply.type === 'room-deleted') {
      this.#receiver.left(reply.room);
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

  #interrupt(): void {
    this.#sender.interrupt();
    this.#receiver.interrupt();
    this.#heartbeat.stop();
  }

  #setState(account: string | null): void {
    this.#state = { link: this.#transport.link, account, wanted: this.#login.wanted };
    this.#listener({ type: 'state', state: this.#state });
  }
}
