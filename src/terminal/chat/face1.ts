import { randomBytes } from 'node:crypto';
import { brief, ClientError } from '../../client/errors.ts';
import type { ClientOptions } from '../../client/state.ts';
import { Client, type ClientEvent } from '../../client/v1/client.ts';
import type { EntryState } from '../../client/v2/outbox.ts';
import { isUsername } from '../../protocol/names.ts';
import type { Entry } from '../../protocol/v1/entries.ts';
import type { Peer } from '../history/types.ts';
import { isYes } from '../yes.ts';
import type { FaceCommand } from './commands.ts';
import type { Display } from './display.ts';
import { type Face, yesOrNo } from './face.ts';
import { LinkWords } from './link-words.ts';
import { NO_ANSWERS, NOT_LOGGED_IN, wordsForNames, wordsForRetrieved } from './words.ts';

/** Version 1: no passwords, no ids, and a retrieve for what came while one was away. */
export class Face1 implements Face {
  readonly protocol = 1;
  readonly #client: Client;
  readonly #display: Display;
  readonly #link: LinkWords;

  constructor(options: ClientOptions, display: Display) {
    this.#display = display;
    this.#link = new LinkWords(display, options.servers);
    this.#client = new Client(options, (event) => this.#told(event));
  }

  start(): void {
    this.#client.start();
  }

  read(isReading: boolean): void {
    this.#client.read(isReading);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  greet(): void {
    this.#display.say('info', '/create NAME makes an account, /login NAME enters one. /help shows all.');
  }

  takeBack(name: string): Promise<void> {
    return this.carryOut({ type: 'login', name });
  }

  async list(pattern: string): Promise<{ readonly names: readonly string[]; readonly more: boolean }> {
    // A long reply is cut, and nobody knows.
    return { names: await this.#client.list(pattern), more: true };
  }

  async carryOut(command: FaceCommand): Promise<void> {
    const display = this.#display;
    switch (command.type) {
      case 'quit':
        return display.quit();
      case 'create':
        await this.#client.create(command.name);
        return display.say('info', `Account ${command.name} is made; you are logged in.`);
      case 'login':
        await this.#client.login(command.name);
        return display.say(
          'info',
          `Logged in as ${command.name}. /retrieve fetches what came while you were away.`,
        );
      case 'logout':
        return this.#logout();
      case 'delete':
        return this.#askBeforeDelete();
      case 'list':
        return display.say('info', wordsForNames(await this.#client.list(command.pattern)));
      case 'retrieve':
        return this.#show(await this.#client.retrieve());
      case 'message':
        this.#requireAccount();
        display.turnTo({ kind: 'user', name: command.to });
        return command.text === '' ? undefined : this.#send(command.to, command.text);
      case 'say': {
        const { to } = display.state;
        if (to === null) throw new ClientError('INVALID', 'To whom? /msg NAME opens a conversation.');
        if (to.kind === 'external') throw new ClientError('INVALID', NO_ANSWERS);
        return this.#send(to.name, command.text);
      }
      case 'passwd':
      case 'who':
      case 'block':
      case 'unblock':
        throw new ClientError('INVALID', `/${command.type} needs version 2 of the protocol.`);
    }
  }

  async #send(to: string, body: string): Promise<void> {
    this.#requireAccount();
    // The protocol knows no ids: this one is for the history alone.
    const messageId = randomBytes(16).toString('hex');
    this.#display.sent({ messageId, to, at: this.#display.now(), body, fate: { kind: 'on-its-way' } });
    try {
      this.#fate(messageId, fateOf(await this.#client.send(to, body)));
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      const unsure = error.code === 'TIMEOUT' || error.code === 'DISCONNECTED';
      const fate: EntryState = unsure ? { kind: 'unsure' } : { kind: 'refused', reason: error.message };
      this.#fate(messageId, fate);
      if (error.code !== 'REFUSED') throw error;
    }
  }

  #fate(id: string, state: EntryState): void {
    this.#display.fate({ id, state, receipt: null, mayBeStored: state.kind !== 'refused' });
  }

  async #logout(): Promise<void> {
    this.#requireAccount();
    await this.#client.logout();
    this.#display.turnTo(null);
    this.#display.say('info', 'Logged out.');
  }

  #askBeforeDelete(): void {
    const { account } = this.#display.state;
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

  /** Offline it is for the client to say so. */
  #requireAccount(): void {
    const { link, account } = this.#display.state;
    if (link.kind === 'online' && account === null) throw new ClientError('INVALID', NOT_LOGGED_IN);
  }

  #told(event: ClientEvent): void {
    const display = this.#display;
    switch (event.type) {
      case 'state':
        display.linkChanged(event.state);
        break;
      case 'message':
        this.#received(event.sender, event.body, this.#display.now());
        break;
      case 'disconnected':
        this.#link.disconnected(event);
        break;
      case 'connected':
        this.#link.connected(event.again);
        break;
      case 'login-restored':
        display.say('info', `Logged in again as ${event.name}. /retrieve fetches what came in between.`);
        break;
      case 'login-not-restored':
        this.#link.notRestored(event);
        break;
      case 'late-reply':
        this.#late(event);
        break;
      case 'server-text':
        display.say('error', `The server says: ${event.text}`);
        break;
    }
  }

  #late({ request, reply }: Extract<ClientEvent, { type: 'late-reply' }>): void {
    const what = request.type === 'send' ? `message to ${request.to}` : `${request.type} request`;
    if (reply.type === 'retrieved') {
      // They count as delivered: this is the only time they are ever seen.
      this.#display.say('info', `The answer to the ${what} came late:`);
      this.#show(reply.entries);
      return;
    }
    if (reply.type === 'listed') {
      this.#display.say('info', `Late answer: ${wordsForNames(reply.names)}`);
      return;
    }
    const text = reply.type === 'sent' || reply.type === 'failure' ? brief(reply.text) : 'done.';
    const kind = reply.type === 'failure' ? 'error' : 'info';
    this.#display.say(kind, `The answer to the ${what} came late: ${text}`);
  }

  #show(entries: readonly Entry[]): void {
    // Nobody knows when they were sent.
    for (const { sender, body } of entries) this.#received(sender, body, null);
    this.#display.say('info', wordsForRetrieved(entries));
  }

  #received(sender: string, body: string, at: number | null): void {
    this.#display.received({ peer: peerOf(sender), at, body, key: null }, () => undefined);
  }
}

/** A user, or `[external NAME]`, which no user can be called. */
function peerOf(sender: string): Peer {
  if (isUsername(sender)) return { kind: 'user', name: sender };
  return { kind: 'external', name: /^\[external ?(.*)\]$/su.exec(sender)?.[1] ?? sender };
}

/** What the server's words about a sent message mean. */
function fateOf(text: string): EntryState {
  return { kind: /^delivered\b/i.test(text) ? 'delivered' : 'stored' };
}
