import type { Entry } from '../../protocol/v1/entries.ts';
import type { ServerFrame } from '../../protocol/v1/replies.ts';
import type { Request } from '../../protocol/v1/requests.ts';
import { backoffMs } from '../../util/backoff.ts';
import type { Connection } from '../connection.ts';
import { brief, ClientError } from '../errors.ts';
import type { ClientOptions, ClientState } from '../state.ts';
import { Transport } from '../transport.ts';
import { dialect1 } from './dialect.ts';

export type Reply = Exclude<ServerFrame, { type: 'message' }>;

/** What the client has to tell. Texts and names are as they came: not safe for a terminal. */
export type ClientEvent =
  | { readonly type: 'state'; readonly state: ClientState }
  | { readonly type: 'message'; readonly sender: string; readonly body: string }
  /** A connection stands; `again` after an earlier one was lost. */
  | { readonly type: 'connected'; readonly again: boolean }
  /** The connection ended, or none could be made; the next attempt follows, at once (0) if there is another server. */
  | { readonly type: 'disconnected'; readonly reason: string; readonly retryInMs: number }
  /** Logged in again after a reconnect. */
  | { readonly type: 'login-restored'; readonly name: string }
  | {
      readonly type: 'login-not-restored';
      readonly name: string;
      readonly reason: string;
      readonly retryInMs: number | null;
    }
  /** The answer to a request that its caller was told had timed out. */
  | { readonly type: 'late-reply'; readonly request: Request; readonly reply: Reply }
  | { readonly type: 'server-text'; readonly text: string };

/**
 * A person's client without a face: keeps one connection to a server, makes it anew when it is lost (told by events),
 * logs in again to the same account, and never sends a request twice on its own.
 */
export class Client {
  readonly #options: ClientOptions;
  readonly #listener: (event: ClientEvent) => void;
  readonly #transport: Transport<Request, ServerFrame>;
  #state: ClientState = { link: { kind: 'connecting' }, account: null, wanted: null };
  /** The account to log in to again after a reconnect. */
  #wanted: string | null = null;
  /** Counts the person's own logins and logouts: one ends all tries to restore an earlier login. */
  #intent = 0;

  /** @param listener gets each event, in order; it must not throw. */
  constructor(options: ClientOptions, listener: (event: ClientEvent) => void) {
    this.#options = options;
    this.#listener = listener;
    this.#transport = new Transport(options, dialect1, {
      onLink: () => this.#setState(null),
      onOnline: (connection, { again, quiet }) => {
        if (!quiet) this.#listener({ type: 'connected', again });
        if (this.#wanted !== null) void this.#restoreLogin(connection, this.#wanted);
      },
      onPush: (frame) => this.#pushed(frame),
      onReply: (request, reply, late) => this.#took(request, reply, late),
      onOffline: () => undefined,
      onLost: (reason, retryInMs) => this.#listener({ type: 'disconnected', reason, retryInMs }),
    });
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Whether to take more from the server: false lets it wait; on the next connection it has to be said again. */
  read(isReading: boolean): void {
    this.#transport.read(isReading);
  }

  /** Begins to connect, and goes on until `close`. */
  start(): void {
    this.#transport.start();
  }

  /** Ends everything; the server logs the account out when the socket closes. Idempotent. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  /** Makes an account and logs in to it. @throws ClientError */
  async create(name: string): Promise<void> {
    this.#intent += 1;
    await this.#transport.online().request({ type: 'create', name });
  }

  /** @throws ClientError */
  async login(name: string): Promise<void> {
    this.#intent += 1;
    await this.#transport.online().request({ type: 'login', name });
  }

  /** Logs out, which in version 1 ends the connection; a new one is made at once. @throws ClientError `OFFLINE` */
  async logout(): Promise<void> {
    const connection = this.#transport.online();
    this.#forgetLogin();
    this.#transport.expectEnd(true);
    await connection.leave({ type: 'logout' }, 'logged out');
  }

  /**
   * Deletes the account one is logged in to. Version 1 confirms it only by closing the connection, and a killed server
   * closes it just so: therefore the name is looked up afterwards on a new connection.
   * @throws ClientError `REFUSED` and the others; `DISCONNECTED` if it cannot be said
   */
  async delete(): Promise<void> {
    const connection = this.#transport.online();
    const name = this.#state.account;
    if (name === null) throw new ClientError('INVALID', 'You are not logged in: there is nothing to delete.');
    this.#transport.expectEnd(true);
    try {
      await connection.request({ type: 'delete' });
      throw new ClientError('REFUSED', 'An unexpected reply came.');
    } catch (error) {
      const ended = error instanceof ClientError && error.code === 'DISCONNECTED';
      if (!ended) {
        this.#transport.expectEnd(false);
        throw error;
      }
    }
    this.#forgetLogin();
    await this.#verifyDeleted(name);
  }

  /** Names that match; `*` any run, `?` any one character, empty = all. @throws ClientError */
  async list(pattern: string): Promise<readonly string[]> {
    const reply = await this.#transport.online().request({ type: 'list', pattern });
    return reply.type === 'listed' ? reply.names : [];
  }

  /** Takes the undelivered messages out of the inbox, up to 1 MiB of them. @throws ClientError */
  async retrieve(): Promise<readonly Entry[]> {
    const reply = await this.#transport.online().request({ type: 'retrieve' });
    return reply.type === 'retrieved' ? reply.entries : [];
  }

  /** Sends a message; resolves to the server's word that it was delivered or queued. @throws ClientError */
  async send(to: string, body: string): Promise<string> {
    const reply = await this.#transport.online().request({ type: 'send', to, body });
    return reply.type === 'sent' ? reply.text : '';
  }

  #forgetLogin(): void {
    this.#intent += 1;
    this.#giveUpLogin();
  }

  #giveUpLogin(): void {
    this.#wanted = null;
    this.#setState(this.#state.account);
  }

  async #verifyDeleted(name: string): Promise<void> {
    let names: readonly string[];
    try {
      await this.#transport.nextConnection();
      names = await this.list(name);
    } catch (cause) {
      const text = `The connection ended without an answer: ${name} may be deleted or not. Look with /list ${name}`;
      throw new ClientError('DISCONNECTED', text, { cause });
    }
    if (names.includes(name)) {
      throw new ClientError('DISCONNECTED', `The connection ended without an answer: ${name} still exists.`);
    }
  }

  #pushed(frame: ServerFrame): void {
    if (frame.type === 'message') {
      this.#listener({ type: 'message', sender: frame.sender, body: frame.body });
    } else if (frame.type === 'failure' && this.#transport.mayTell()) {
      this.#listener({ type: 'server-text', text: brief(frame.text) });
    }
  }

  /** What the server did counts when its reply comes, even if nobody waits for it any more. */
  #took(request: Request, reply: ServerFrame, late: boolean): void {
    if ((request.type === 'create' || request.type === 'login') && reply.type !== 'failure') {
      // As the server spells it; the codec has seen to it that the name is ASCII.
      const name = request.name.toLowerCase();
      this.#wanted = name;
      this.#setState(name);
    }
    if (late && reply.type !== 'message') this.#listener({ type: 'late-reply', request, reply });
  }

  /**
   * Logs in again after a reconnect, and tells each failure. A refusal is tried again a few times, since a server that
   * was killed holds the account for some seconds more; an unanswered login is not, since it may still succeed.
   */
  async #restoreLogin(connection: Connection<Request, ServerFrame>, name: string): Promise<void> {
    const intent = this.#intent;
    const obsolete = () => intent !== this.#intent || connection !== this.#transport.connection;
    for (let attempt = 0; !obsolete(); attempt++) {
      try {
        await connection.request({ type: 'login', name });
        this.#listener({ type: 'login-restored', name });
        return;
      } catch (error) {
        if (obsolete() || !(error instanceof ClientError)) return;
        const more = error.code === 'REFUSED' && attempt + 1 < this.#options.relogin.tries;
        const retryInMs = more ? backoffMs(attempt, this.#options.relogin) : null;
        if (!more) this.#giveUpLogin();
        this.#listener({ type: 'login-not-restored', name, reason: error.message, retryInMs });
        if (retryInMs === null) return;
        await this.#transport.sleep(retryInMs);
      }
    }
  }

  #setState(account: string | null): void {
    this.#state = { link: this.#transport.link, account, wanted: this.#wanted };
    this.#listener({ type: 'state', state: this.#state });
  }
}
