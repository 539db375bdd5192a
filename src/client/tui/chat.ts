import { ClientError } from '../errors.ts';
import { sanitiseName, sanitiseText } from '../sanitise.ts';
import type { ClientOptions } from '../state.ts';
import { Client, type ClientEvent } from '../v1/client.ts';
import { COMMANDS, type Command, parseCommand } from './commands.ts';
import type { KeyAction } from './keys.ts';
import { emptyScreen, type NewLine, type Screen, type ScreenEvent, updateScreen } from './screen.ts';
import { type Said, wordsFor, wordsForEntries, wordsForNames, wordsForSent } from './words.ts';

/**
 * A person at a client: what they type goes to the client, what the client tells goes onto the screen. It holds the
 * screen's state and tells whoever draws it of each change.
 */
export class Chat {
  readonly #client: Client;
  readonly #quit: () => void;
  readonly #listeners = new Set<() => void>();
  #screen: Screen;
  #lastComplaint = '';
  #wasOnline = false;

  /** @param quit the person wants to leave */
  constructor(options: ClientOptions, size: { columns: number; rows: number }, quit: () => void) {
    const { host, port } = options.address;
    const server = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    this.#screen = emptyScreen(server, size.columns, size.rows);
    this.#client = new Client(options, (event) => this.#told(event));
    this.#quit = quit;
  }

  start(): void {
    this.#client.start();
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  readonly getScreen = (): Screen => this.#screen;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  resize(columns: number, rows: number): void {
    if (columns === this.#screen.columns && rows === this.#screen.rows) return;
    this.#update({ type: 'resize', columns, rows });
  }

  /** Carries out key presses, in order. */
  press(actions: readonly KeyAction[]): void {
    for (const action of actions) {
      switch (action.type) {
        case 'quit':
          this.#quit();
          break;
        case 'end-of-input':
          if (this.#screen.input.text === '') this.#quit();
          else this.#update({ type: 'edit', action: { type: 'delete' } });
          break;
        case 'page-up':
        case 'page-down':
          this.#update(action);
          break;
        case 'submit':
          this.#enter();
          break;
        default:
          this.#update({ type: 'edit', action });
      }
    }
  }

  #enter(): void {
    const { text } = this.#screen.input;
    this.#update({ type: 'edit', action: { type: 'submit' } });
    const doomed = this.#screen.confirming;
    if (doomed !== null) {
      this.#update({ type: 'confirm', account: null });
      if (text.trim().toLowerCase() === 'yes') this.#attempt(this.#delete(doomed));
      else this.#say('info', `${doomed} is kept.`);
      return;
    }
    this.#attempt(this.#carryOut(parseCommand(text)));
  }

  async #carryOut(command: Command): Promise<void> {
    switch (command.type) {
      case 'nothing':
        return;
      case 'mistake':
        return this.#say('error', command.text);
      case 'help':
        return this.#help();
      case 'quit':
        return this.#quit();
      case 'create':
        await this.#client.create(command.name);
        this.#update({ type: 'turn-to', to: null });
        return this.#say('info', `Account ${command.name} is made; you are logged in.`);
      case 'login':
        await this.#client.login(command.name);
        this.#update({ type: 'turn-to', to: null });
        return this.#say(
          'info',
          `Logged in as ${command.name}. /retrieve fetches what came while you were away.`,
        );
      case 'logout':
        return this.#logout();
      case 'delete':
        return this.#askBeforeDelete();
      case 'list':
        return this.#say('info', wordsForNames(await this.#client.list(command.pattern)));
      case 'retrieve':
        return this.#show(wordsForEntries(await this.#client.retrieve()));
      case 'message':
        return this.#turnTo(command.to, command.text);
      case 'say':
        return this.#sayToCurrent(command.text);
    }
  }

  /** Turns to somebody at once, and back if the server has refused the text. */
  async #turnTo(to: string, text: string): Promise<void> {
    const before = this.#screen.to;
    this.#update({ type: 'turn-to', to });
    if (text === '') return;
    try {
      await this.#send(to, text);
    } catch (error) {
      const refused = error instanceof ClientError && error.code === 'REFUSED';
      if (refused && this.#screen.to === to) this.#update({ type: 'turn-to', to: before });
      throw error;
    }
  }

  async #sayToCurrent(text: string): Promise<void> {
    if (this.#screen.to !== null) return this.#send(this.#screen.to, text);
    throw new ClientError('INVALID', 'To whom? /msg NAME turns to somebody; ↑ brings the line back.');
  }

  async #send(to: string, body: string): Promise<void> {
    if (this.#isOnline && this.#screen.account === null) {
      throw new ClientError(
        'INVALID',
        'Not logged in: /login NAME, or /create NAME for a new account. ↑ brings the line back.',
      );
    }
    const id = this.#screen.nextId;
    this.#append({ at: Date.now(), kind: 'outgoing', who: to, text: sanitiseText(body), fate: '…' });
    try {
      const text = await this.#client.send(to, body);
      this.#update({ type: 'fate', id, fate: wordsForSent(text) });
    } catch (error) {
      const unsure =
        error instanceof ClientError && (error.code === 'TIMEOUT' || error.code === 'DISCONNECTED');
      this.#update({ type: 'fate', id, fate: unsure ? '? not confirmed' : '✗ not sent' });
      throw error;
    }
  }

  async #logout(): Promise<void> {
    if (this.#isOnline && this.#screen.account === null) {
      throw new ClientError('INVALID', 'You are not logged in.');
    }
    await this.#client.logout();
    this.#update({ type: 'turn-to', to: null });
    this.#say('info', 'Logged out.');
  }

  #askBeforeDelete(): void {
    const { account } = this.#screen;
    if (account === null)
      throw new ClientError('INVALID', 'You are not logged in: there is nothing to delete.');
    this.#update({ type: 'confirm', account });
    this.#say('info', `Delete the account ${account}? Type yes to delete it; anything else keeps it.`);
  }

  async #delete(account: string): Promise<void> {
    await this.#client.delete();
    this.#update({ type: 'turn-to', to: null });
    this.#say('info', `The account ${account} is deleted.`);
  }

  #help(): void {
    const width = Math.max(...COMMANDS.map(([usage]) => usage.length));
    const wide = this.#screen.columns >= width + 64;
    const lines = COMMANDS.map(([usage, does]) =>
      wide ? `${usage.padEnd(width)}  ${does}` : `${usage}: ${does}`,
    );
    this.#say('info', ['What you can type:', ...lines].join('\n'));
  }

  #attempt(doing: Promise<void>): void {
    doing.catch((error: unknown) => {
      if (!(error instanceof ClientError)) throw error;
      this.#say('error', wordsFor(error));
    });
  }

  #told(event: ClientEvent): void {
    switch (event.type) {
      case 'state':
        this.#update({ type: 'state', state: event.state });
        break;
      case 'message':
        this.#append({
          at: Date.now(),
          kind: 'incoming',
          who: sanitiseName(event.sender),
          text: sanitiseText(event.body),
          fate: '',
        });
        break;
      case 'disconnected':
        this.#complain(event.reason);
        break;
      case 'connected':
        this.#connected(event.again);
        break;
      case 'login-restored':
        this.#say('info', `Logged in again as ${event.name}. /retrieve fetches what came in between.`);
        break;
      case 'login-not-restored': {
        const next = event.retryInMs === null ? `/login ${event.name} tries again.` : 'Trying again shortly.';
        this.#say('error', `Not logged in again as ${event.name}: ${event.reason} ${next}`);
        break;
      }
      case 'late-reply':
        this.#late(event);
        break;
      case 'server-text':
        this.#say('error', `The server says: ${event.text}`);
        break;
    }
  }

  #connected(again: boolean): void {
    this.#lastComplaint = '';
    this.#wasOnline = true;
    this.#say('info', again ? 'Connected again.' : `Connected to ${this.#screen.server}.`);
    if (!again)
      this.#say('info', 'Type /create NAME for a new account, or /login NAME. /help shows all commands.');
  }

  /** Tells each reason once, not once for each attempt; the header shows that the client goes on trying. */
  #complain(reason: string): void {
    if (reason === this.#lastComplaint) return;
    this.#lastComplaint = reason;
    const { server } = this.#screen;
    const what = this.#wasOnline ? `The connection to ${server} is lost` : `No connection to ${server}`;
    this.#wasOnline = false;
    this.#say('error', `${what}: ${reason}. Trying again until it works.`);
  }

  get #isOnline(): boolean {
    return this.#screen.link.kind === 'online';
  }

  #late({ request, reply }: Extract<ClientEvent, { type: 'late-reply' }>): void {
    const what = request.type === 'send' ? `message to ${request.to}` : `${request.type} request`;
    if (reply.type === 'retrieved') {
      // They count as delivered: this is the only time they are ever seen.
      this.#say('info', `The answer to the ${what} came late:`);
      this.#show(wordsForEntries(reply.entries));
      return;
    }
    if (reply.type === 'listed') {
      this.#say('info', `Late answer: ${wordsForNames(reply.names)}`);
      return;
    }
    const text = reply.type === 'sent' || reply.type === 'failure' ? reply.text : 'done.';
    this.#say(reply.type === 'failure' ? 'error' : 'info', `The answer to the ${what} came late: ${text}`);
  }

  #show(said: readonly Said[]): void {
    for (const { kind, who, text } of said) this.#append({ at: null, kind, who, text, fate: '' });
  }

  /** The client's own words. They may quote the server, so they are made safe here as well. */
  #say(kind: 'info' | 'error', text: string): void {
    this.#append({ at: Date.now(), kind, who: '', text: sanitiseText(text), fate: '' });
  }

  #append(line: NewLine): void {
    this.#update({ type: 'append', line });
  }

  #update(event: ScreenEvent): void {
    this.#screen = updateScreen(this.#screen, event);
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
