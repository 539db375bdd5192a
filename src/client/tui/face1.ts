import { ClientError } from '../errors.ts';
import { sanitiseName, sanitiseText } from '../sanitise.ts';
import type { ClientOptions } from '../state.ts';
import { Client, type ClientEvent } from '../v1/client.ts';
import type { Command } from './commands.ts';
import { type Display, type Face, isYes, yesOrNo } from './face.ts';
import { LinkWords } from './link-words.ts';
import { type Said, wordsForEntries, wordsForNames, wordsForSent } from './words.ts';

/** Version 1: no passwords, no ids, and a retrieve for what came while one was away. */
export class Face1 implements Face {
  readonly protocol = 1;
  readonly #client: Client;
  readonly #display: Display;
  readonly #link: LinkWords;

  constructor(options: ClientOptions, display: Display) {
    this.#display = display;
    this.#link = new LinkWords(display);
    this.#client = new Client(options, (event) => this.#told(event));
  }

  start(): void {
    this.#client.start();
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async carryOut(command: Command): Promise<void> {
    switch (command.type) {
      case 'quit':
        return this.#display.quit();
      case 'create':
        await this.#client.create(command.name);
        this.#display.turnTo(null);
        return this.#display.say('info', `Account ${command.name} is made; you are logged in.`);
      case 'login':
        await this.#client.login(command.name);
        this.#display.turnTo(null);
        return this.#display.say(
          'info',
          `Logged in as ${command.name}. /retrieve fetches what came while you were away.`,
        );
      case 'logout':
        return this.#logout();
      case 'delete':
        return this.#askBeforeDelete();
      case 'list':
        return this.#display.say('info', wordsForNames(await this.#client.list(command.pattern)));
      case 'retrieve':
        return this.#show(wordsForEntries(await this.#client.retrieve()));
      case 'message':
        return this.#turnTo(command.to, command.text);
      case 'say':
        return this.#sayToCurrent(command.text);
      case 'passwd':
      case 'who':
      case 'block':
      case 'unblock':
        throw new ClientError('INVALID', `/${command.type} needs version 2 of the protocol.`);
    }
  }

  /** Turns to somebody at once, and back if the server has refused the text. */
  async #turnTo(to: string, text: string): Promise<void> {
    const before = this.#display.screen.to;
    this.#display.turnTo(to);
    if (text === '') return;
    try {
      await this.#send(to, text);
    } catch (error) {
      const refused = error instanceof ClientError && error.code === 'REFUSED';
      if (refused && this.#display.screen.to === to) this.#display.turnTo(before);
      throw error;
    }
  }

  async #sayToCurrent(text: string): Promise<void> {
    const { to } = this.#display.screen;
    if (to !== null) return this.#send(to, text);
    throw new ClientError('INVALID', 'To whom? /msg NAME turns to somebody; ↑ brings the line back.');
  }

  async #send(to: string, body: string): Promise<void> {
    if (this.#isOnline && this.#display.screen.account === null) {
      throw new ClientError(
        'INVALID',
        'Not logged in: /login NAME, or /create NAME for a new account. ↑ brings the line back.',
      );
    }
    const line = { at: Date.now(), kind: 'outgoing', who: to, text: sanitiseText(body), fate: '…' } as const;
    const id = this.#display.append(line);
    try {
      const text = await this.#client.send(to, body);
      this.#display.fate(id, wordsForSent(text));
    } catch (error) {
      const unsure =
        error instanceof ClientError && (error.code === 'TIMEOUT' || error.code === 'DISCONNECTED');
      this.#display.fate(id, unsure ? '? not confirmed' : '✗ not sent');
      throw error;
    }
  }

  async #logout(): Promise<void> {
    if (this.#isOnline && this.#display.screen.account === null) {
      throw new ClientError('INVALID', 'You are not logged in.');
    }
    await this.#client.logout();
    this.#display.turnTo(null);
    this.#display.say('info', 'Logged out.');
  }

  #askBeforeDelete(): void {
    const { account } = this.#display.screen;
    if (account === null) {
      throw new ClientError('INVALID', 'You are not logged in: there is nothing to delete.');
    }
    this.#display.say(
      'info',
      `Delete the account ${account}? Type yes to delete it; anything else keeps it.`,
    );
    this.#display.ask(yesOrNo(`delete ${account}?`, 'deletes it', 'keeps it'), (answer) => {
      if (isYes(answer)) return this.#delete(account);
      return this.#display.say('info', `${account} is kept.`);
    });
  }

  async #delete(account: string): Promise<void> {
    await this.#client.delete();
    this.#display.turnTo(null);
    this.#display.say('info', `The account ${account} is deleted.`);
  }

  get #isOnline(): boolean {
    return this.#display.screen.link.kind === 'online';
  }

  #told(event: ClientEvent): void {
    switch (event.type) {
      case 'state':
        this.#display.state(event.state);
        break;
      case 'message':
        this.#display.append({
          at: Date.now(),
          kind: 'incoming',
          who: sanitiseName(event.sender),
          text: sanitiseText(event.body),
          fate: '',
        });
        break;
      case 'disconnected':
        this.#link.disconnected(event.reason);
        break;
      case 'connected':
        this.#link.connected(event.again);
        break;
      case 'login-restored':
        this.#display.say(
          'info',
          `Logged in again as ${event.name}. /retrieve fetches what came in between.`,
        );
        break;
      case 'login-not-restored':
        this.#link.notRestored(event);
        break;
      case 'late-reply':
        this.#late(event);
        break;
      case 'server-text':
        this.#display.say('error', `The server says: ${event.text}`);
        break;
    }
  }

  #late({ request, reply }: Extract<ClientEvent, { type: 'late-reply' }>): void {
    const what = request.type === 'send' ? `message to ${request.to}` : `${request.type} request`;
    if (reply.type === 'retrieved') {
      // They count as delivered: this is the only time they are ever seen.
      this.#display.say('info', `The answer to the ${what} came late:`);
      this.#show(wordsForEntries(reply.entries));
      return;
    }
    if (reply.type === 'listed') {
      this.#display.say('info', `Late answer: ${wordsForNames(reply.names)}`);
      return;
    }
    const text = reply.type === 'sent' || reply.type === 'failure' ? reply.text : 'done.';
    const kind = reply.type === 'failure' ? 'error' : 'info';
    this.#display.say(kind, `The answer to the ${what} came late: ${text}`);
  }

  #show(said: readonly Said[]): void {
    for (const { kind, who, text } of said) this.#display.append({ at: null, kind, who, text, fate: '' });
  }
}
