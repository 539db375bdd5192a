import { AccountRequests } from './account-requests.ts';
import { Authenticator, type AuthenticatorOptions } from './authenticator.ts';
import type { Client } from './client.ts';
import { ClientError, noPassword } from './errors.ts';
import type { ClientEvent, ClientOptions, ClientState } from './events.ts';
import type { Identity } from './identity.ts';
import type { Entry } from './outbox.ts';
import { Received, type ReceivedMessage } from './received.ts';
import { type SentMessage, SentMessages } from './sent.ts';
import { type Abortable, aborted, type Settle, whileWanted, withSignal } from './with-signal.ts';

/** How long an orderly end may take, if any request may: without it the server finds out by itself. */
const LOGOUT_MS = 5_000;

export interface MilenaOptions extends ClientOptions, AuthenticatorOptions {
  /** Gets everything that happens, in order; must not throw. */
  readonly onEvent?: ((event: ClientEvent) => void) | undefined;
}

/**
 * One account that is logged in, over as many connections as that takes: what is sent waits for the next one, what came and was
 * not acknowledged comes again, and the login is renewed by its token or the password. `connect` makes it.
 */
export class Milena extends AccountRequests implements AsyncDisposable {
  readonly user: string;
  readonly #options: MilenaOptions;
  readonly #received: Received;
  readonly #sent = new SentMessages();
  readonly #stop = new AbortController();
  readonly #authenticator: Authenticator;
  #hasBegun = false;
  /** Who waits for the login, or for the end of the connection. */
  readonly #waiting = new Set<Settle<void>>();
  #isEntering = false;
  #undelivered = 0;
  #tellEnd: (error: ClientError | null) => void = () => undefined;
  readonly #closed = new Promise<ClientError | null>((resolve) => {
    this.#tellEnd = resolve;
  });

  private constructor(options: MilenaOptions) {
    super(options);
    this.#options = options;
    this.user = options.user.toLowerCase();
    const tell = (event: ClientEvent) => options.onEvent?.(event);
    this.#authenticator = new Authenticator(this.client, options, this.#stop.signal, tell);
    this.#received = new Received(
      (isReading) => this.client.read(isReading),
      (message, inbox, key) => {
        options.store?.received?.(message, key);
        this.client.shown(inbox, message);
      },
    );
  }

  /** As `connect`, of which it is the half that knows the defaults. @throws ClientError */
  static async open(options: MilenaOptions, signal?: AbortSignal): Promise<Milena> {
    if (signal?.aborted) throw aborted(signal);
    const milena = new Milena(options);
    const stop = () => milena.#stop.abort(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      milena.client.start();
      await milena.#authenticator.enter(false);
      if (signal?.aborted) throw aborted(signal, false);
      milena.#stop.signal.throwIfAborted();
      milena.#hasBegun = true;
      return milena;
    } catch (error) {
      await milena.client.close();
      const { aborted: hasEnded, reason } = milena.#stop.signal;
      // Somebody else was let in as soon as this one was: that is why, and not that it was given up.
      throw hasEnded && !signal?.aborted ? reason : error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** The connection, and whether the account is logged in on it just now. */
  get state(): ClientState {
    return this.client.state;
  }

  /** Who is logged in, with the token by which a later process can go on. */
  get login(): Identity | null {
    return this.client.identity;
  }

  /** How many messages waited for the account when it was logged in to. */
  get undelivered(): number {
    return this.#undelivered;
  }

  /** Resolves when it has ended: to null as it should be, or to why it cannot go on, such as another login (`REPLACED`). */
  get closed(): Promise<ClientError | null> {
    return this.#closed;
  }

  /**
   * Sends a message; resolves when Kafka has it. Without a connection, or where the server has no room, it waits and goes by
   * itself, once: nothing that is sent again arrives twice. To each recipient messages go in their order.
   * `id` names the message, 16 bytes in hex: sent again under the same id it is the same one, once there was an answer. `signal` takes it back; if it is
   * on its way already, the error's `nothingSent` is false, and it may arrive.
   * @throws ClientError `REFUSED` for what the server does not take, `INVALID`, `BUSY` for too many that wait, `ABORTED`,
   *   `CLOSED`, `DISCONNECTED`
   */
  send(
    to: string,
    body: string,
    { id, signal }: Abortable & { readonly id?: string } = {},
  ): Promise<SentMessage> {
    return this.attempt(() => {
      if (signal?.aborted) throw aborted(signal);
      const entry = this.client.send(to, body, id);
      return this.#sent.follow(entry, () => this.#withdraw(entry), signal);
    });
  }

  /**
   * Messages as they come, oldest first, each once. What is not acknowledged comes again with a later login. Who does not read
   * lets the server wait, once some thousand are there. Ends when it is closed.
   * @throws ClientError `ABORTED`; why it cannot go on
   */
  async *messages({ signal }: Abortable = {}): AsyncGenerator<ReceivedMessage, void> {
    for (;;) {
      const message = await this.#received.next(signal);
      if (message === null) return;
      yield message;
    }
  }

  /**
   * Undelivered messages that have not come by themselves, oldest first, a page of them: for a login with `deliver: 'live'`.
   * What is not acknowledged is on the next page again: a loop on `more` comes to its end by acknowledging.
   * @param limit of messages, at most 1,000
   * @throws ClientError
   */
  async retrieve(
    limit: number,
    { signal }: Abortable = {},
  ): Promise<{ readonly messages: readonly ReceivedMessage[]; readonly more: boolean }> {
    const { messages, more } = await this.attempt(() => this.client.retrieve(limit), signal);
    const inbox = this.client.identity?.inbox ?? '';
    return { messages: this.#received.openOf(messages, inbox), more };
  }

  /** @param old null for an account without one. @throws ClientError */
  async changePassword(old: string | null, password: string, { signal }: Abortable = {}): Promise<void> {
    await this.attempt(() => this.client.changePassword(old, password), signal);
    this.#authenticator.password = password;
  }

  /**
   * Deletes the account, its inbox and everything in it, and closes; resolves to the number of messages that nobody will read.
   * @throws ClientError `REFUSED` with HAS_UNDELIVERED and their number unless `force`, and any other
   */
  async deleteAccount(
    password: string | null,
    { force = false, signal }: Abortable & { readonly force?: boolean } = {},
  ): Promise<number> {
    const lost = await this.attempt(() => this.client.delete(password, force), signal);
    await this.#end(null);
    return lost;
  }

  /**
   * Resolves when it is logged in, as it is again after a connection that was lost. `elsewhere` leaves the server first, if
   * there is another one to try.
   * @throws ClientError `OFFLINE` when each server was tried in vain, `ABORTED`; why it cannot go on
   */
  async ready({
    signal,
    elsewhere = false,
  }: Abortable & { readonly elsewhere?: boolean } = {}): Promise<void> {
    if (elsewhere && this.client.hasMoreServers) this.client.tryNext('it does not answer');
    while (this.client.state.account === null) {
      await this.attempt(() => this.client.connected({ signal }));
      if (this.client.state.account !== null) return;
      await withSignal<void>(signal, (settle) => {
        this.#waiting.add(settle);
        return () => this.#waiting.delete(settle);
      });
    }
  }

  /** Sends what an earlier process has left in the outbox, behind what is being sent. */
  resend(entries: Parameters<Client['resend']>[0]): void {
    this.client.resend(entries);
  }

  /**
   * Acknowledges what is to be, ends the login, and closes: who logs in next need not wait, and a login that was kept is good
   * no more, if there is a connection to say so. Idempotent; never throws.
   */
  async logout(): Promise<void> {
    this.#hasEnded(null);
    await this.client.leave(Math.min(LOGOUT_MS, this.#options.requestTimeoutMs));
    this.#tellEnd(null);
  }

  /** Acknowledges what is to be, and closes; the login stays good for who has its token. Idempotent. */
  close(): Promise<void> {
    return this.#end(null);
  }

  /** As `logout`; as `close` where the login was kept from an earlier process, or is kept for later ones. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { login, logins } = this.#options;
    await (login || logins ? this.close() : this.logout());
  }

  /** Rejects instead of throwing, and with why it has ended if it has. @param signal whoever has it waits no longer */
  protected override async attempt<Value>(
    asking: () => Promise<Value>,
    signal?: AbortSignal,
  ): Promise<Value> {
    if (this.#stop.signal.aborted) throw (await this.#closed) ?? new ClientError('CLOSED', 'It was closed.');
    return whileWanted(signal, asking);
  }

  async #end(error: ClientError | null): Promise<void> {
    this.#hasEnded(error);
    await this.client.close();
    this.#tellEnd(error);
  }

  /** False: it may be stored. */
  #withdraw(entry: Entry): boolean {
    if (!this.client.withdraw(entry.id)) return false;
    const state = { kind: 'refused', reason: 'It was taken back.' } as const;
    this.#options.store?.changed?.({ ...entry, state, mayBeStored: false });
    return true;
  }

  /** From now on nothing can be asked. */
  #hasEnded(error: ClientError | null): void {
    this.#stop.abort(error);
    this.#received.close(error);
    const ended = error ?? new ClientError('CLOSED', 'It was closed.');
    // What a store has goes with the next login.
    this.#sent.close(ended, this.#options.store === undefined);
    for (const { reject } of this.#waiting) reject(ended);
  }

  protected override told(event: ClientEvent): void {
    const { store, onEvent } = this.#options;
    switch (event.type) {
      case 'state':
        this.#tellWaiting(event.state);
        break;
      case 'message':
        this.#received.add(event.message, event.inbox, event.isPushed);
        break;
      case 'unheard':
        // Another server may answer.
        if (this.client.hasMoreServers) this.client.tryNext('it does not answer');
        break;
      case 'entered':
        store?.sent?.(event.entry);
        break;
      case 'outgoing': {
        const { entry, acceptedAt, recipientLoggedIn = null } = event;
        store?.changed?.(entry);
        this.#sent.changed(entry, acceptedAt === undefined ? undefined : { acceptedAt, recipientLoggedIn });
        break;
      }
      case 'logged-in':
      case 'login-restored':
        if (event.type === 'logged-in') this.#undelivered = event.undelivered;
        // A login that only sends has none, and takes none away.
        if (this.client.identity?.token) this.#authenticator.token = this.client.identity.token;
        break;
      case 'login-not-restored':
        if (event.code === 'BAD_CREDENTIALS') this.#authenticator.token = null;
        if (event.retryInMs !== null || !this.#hasBegun) break;
        // Without an answer it may still be carried out, and another one on the same connection would be refused for that.
        if (event.isTried && event.code === null) this.client.tryNext('it does not answer');
        void this.#enterAgain();
        break;
      case 'replaced':
        void this.#end(new ClientError('REFUSED', event.reason, { refusal: { code: 'REPLACED' } }));
        break;
    }
    onEvent?.(event);
  }

  #tellWaiting({ account, link }: ClientState): void {
    if (account === null && link.kind === 'online') return;
    for (const { resolve } of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /** The token is of no use any more, or there was none; the password may be. */
  async #enterAgain(): Promise<void> {
    if (this.#isEntering) return;
    this.#isEntering = true;
    try {
      await this.#authenticator.enter(true);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      await this.#end(error instanceof ClientError ? error : noPassword(error));
    } finally {
      this.#isEntering = false;
    }
  }
}
