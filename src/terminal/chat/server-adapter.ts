import {
  Client,
  ClientError,
  type ClientEvent,
  type ClientOptions,
  type Message,
  messageKey,
} from '../../client/index.ts';
import { incomingFrom, peerTo } from '../history/types.ts';
import { isYes } from '../yes.ts';
import { type AccountOptions, AccountQuestions } from './account-questions.ts';
import type { ServerCommand } from './commands.ts';
import type { Display } from './display.ts';
import type { NamesPort } from './known-names.ts';
import { yesOrNo } from './questions.ts';
import { RoomCommands } from './room-commands.ts';
import {
  countOf,
  type LateReply,
  LinkWords,
  NO_ANSWERS,
  NOT_LOGGED_IN,
  wordsForDevices,
  wordsForLate,
  wordsForNames,
  wordsForPresence,
} from './words.ts';

/** What the chat controller has of one. */
export type ServerPort = Pick<ServerAdapter, keyof ServerAdapter>;
export type MakeServerAdapter = (display: Display) => ServerPort;

/** Between the person and the server: carries out what has to do with it, and tells what comes from it. */
export class ServerAdapter {
  readonly #client: Client;
  readonly #display: Display;
  readonly #link: LinkWords;
  readonly #account: AccountQuestions;
  readonly #rooms: RoomCommands;

  constructor(options: ClientOptions, display: Display, account: AccountOptions = {}) {
    this.#display = display;
    this.#link = new LinkWords(display, options.servers);
    this.#client = new Client(options, (event) => this.#told(event));
    this.#account = new AccountQuestions(this.#client, display, account);
    this.#rooms = new RoomCommands(this.#client, display);
  }

  start(): void {
    this.#client.start();
  }

  /** False lets the server wait; said again for each message that comes all the same. */
  read(isReading: boolean): void {
    this.#client.read(isReading);
  }

  close(): Promise<void> {
    this.#account.logins.close();
    return this.#client.close();
  }

  /** Asks who the person is; a name that is known already is not asked for. */
  greet(name: string | null): void {
    this.#account.greet(name);
  }

  /** Logs in to an account that somebody else took over, which ends it there. */
  takeBack(name: string): void {
    this.#account.login(name, true);
  }

  /** Accounts of the server that match; `more` if there are others. @throws ClientError */
  list(pattern: string): Promise<{ readonly names: readonly string[]; readonly more: boolean }> {
    return this.#client.list(pattern);
  }

  /** For Tab. */
  get rooms(): NamesPort['rooms'] {
    return this.#rooms;
  }

  /** Whether other devices can be told what is read here. */
  get takesMarks(): boolean {
    return (
      this.#display.state.account !== null && this.#client.welcome?.features.includes('devices') === true
    );
  }

  /** @throws ClientError */
  markRead(conversation: string, upTo: number): Promise<void> {
    return this.#client.markRead(conversation, upTo);
  }

  /** @throws ClientError, which is told to the person */
  async carryOut(command: ServerCommand): Promise<void> {
    const display = this.#display;
    switch (command.type) {
      case 'quit':
        return this.#quit();
      case 'create':
        return this.#account.create(command.name);
      case 'login':
        return this.#account.login(command.name);
      case 'passwd':
        return this.#account.changePassword();
      case 'delete':
        return this.#account.delete();
      case 'logout':
        await this.#client.logout();
        display.turnTo(null);
        return display.say('info', 'Logged out. /login NAME logs in again.');
      case 'list': {
        const { names, more } = await this.#client.list(command.pattern);
        return display.say('info', wordsForNames(names, more));
      }
      case 'who':
        return this.#who(command.names);
      case 'block':
        return this.#block(command.name);
      case 'unblock':
        await this.#client.block(command.name, false);
        return display.say('info', `${command.name} can write to you again.`);
      case 'devices':
        return this.#devices(command.forget);
      case 'retrieve':
        return this.#retrieve();
      case 'message':
        if (command.text !== '') this.#send(command.to, command.text);
        else this.#requireIdentity();
        return display.turnTo(peerTo(command.to));
      case 'say': {
        const { to } = display.state;
        if (to === null) throw new ClientError('INVALID', 'To whom? /msg NAME opens a conversation.');
        if (to.kind === 'external') throw new ClientError('INVALID', NO_ANSWERS);
        return this.#send(to.name, command.text);
      }
      default:
        return this.#rooms.carryOut(command);
    }
  }

  /** Asks first if that loses messages: there is no file from which the next start would send them. */
  #quit(): void {
    const waiting = this.#client.unanswered;
    if (waiting === 0 || this.#display.isKept) {
      this.#display.quit();
      return;
    }
    const what = waiting === 1 ? '1 message is' : `${waiting} messages are`;
    this.#display.say('error', `${what} not sent yet and would be lost. Type yes to leave all the same.`);
    this.#display.ask(yesOrNo('leave?', 'leaves', 'stays'), (answer) => {
      if (isYes(answer)) this.#display.quit();
    });
  }

  #requireIdentity(): void {
    const { account, wanted } = this.#display.state;
    if (account === null && wanted === null) throw new ClientError('INVALID', NOT_LOGGED_IN);
  }

  #send(to: string, body: string): void {
    this.#requireIdentity();
    this.#rooms.topics.demandTalk(to);
    this.#client.send(to, body);
  }

  async #who(names: readonly string[]): Promise<void> {
    if (names.length === 0) {
      throw new ClientError('INVALID', 'About whom? /who NAME, or several names.');
    }
    const presence = await this.#client.whoIsThere(names);
    this.#display.say(
      'info',
      wordsForPresence(presence, (name) => this.#display.unread(name)),
    );
  }

  async #block(name: string | null): Promise<void> {
    if (name === null) {
      const blocked = await this.#client.blocked();
      const text = blocked.length === 0 ? 'You have blocked nobody.' : `Blocked: ${blocked.join('; ')}`;
      return this.#display.say('info', text);
    }
    await this.#client.block(name, true);
    this.#display.say('info', `${name} cannot write to you any more. /unblock ${name} takes it back.`);
  }

  async #devices(forget: string | null): Promise<void> {
    if (forget === null) {
      return this.#display.say('info', wordsForDevices(await this.#client.devices()));
    }
    const hint = 'ends its login; what only it has is undelivered again';
    this.#display.ask(yesOrNo(`forget ${forget}?`, hint, 'keeps it'), async (answer) => {
      if (!isYes(answer)) return this.#display.say('info', `${forget} is kept.`);
      await this.#client.forgetDevice(forget);
      this.#display.say('info', `${forget} is no device any more. Its next login makes it anew.`);
    });
  }

  async #retrieve(): Promise<void> {
    const { messages, more } = await this.#client.retrieve();
    const count = messages.length;
    const text = count === 0 ? 'No undelivered messages.' : `${countOf(count, 'message')} that waited.`;
    this.#display.say('info', more ? `${text} There are more: /retrieve again.` : text);
  }

  #told(event: ClientEvent): void {
    const display = this.#display;
    switch (event.type) {
      case 'state':
        display.linkChanged(event.state);
        void this.#account.logins.lookAgain();
        break;
      case 'message':
        this.#received(event.inbox, event.message);
        break;
      case 'entered': {
        const { id, to, body, state, mayBeStored } = event.entry;
        display.sent({ messageId: id, to, at: display.now(), body, fate: state, mayBeStored });
        break;
      }
      case 'outgoing':
        display.fate({ ...event.entry, acceptedAt: event.acceptedAt });
        if (event.entry.state.kind === 'refused') this.#rooms.refused(event.entry.to);
        break;
      case 'sent-elsewhere': {
        const { id: messageId, to, body, sentAt: at } = event;
        display.sentElsewhere({ messageId, to, at, body });
        break;
      }
      case 'read-elsewhere':
        display.readElsewhere(event.conversation, event.upTo);
        break;
      case 'gap':
        display.saidIn(
          peerTo(event.room),
          `${countOf(event.messages, 'message')} had expired before you got here.`,
        );
        break;
      case 'server-time':
        display.serverTime(event.time);
        break;
      case 'held':
        // The ticks show that they still wait.
        if (!event.again) display.say('info', `${event.reason} Your messages wait (⧖) and go by themselves.`);
        break;
      case 'unheard': {
        const waits = `The message to ${event.entry.to} waits (⧖) and cannot arrive twice`;
        display.say('error', `${event.reason} ${waits}. What next?`);
        break;
      }
      case 'disconnected':
        this.#link.disconnected(event);
        break;
      case 'connected':
        this.#link.connected(event.again);
        break;
      case 'logged-in': {
        this.#account.logins.entered();
        const { name, undelivered } = event;
        const waited = undelivered === 0 ? '' : ` ${countOf(undelivered, 'message')} waited for you.`;
        const what = event.isNew ? `Account ${name} is made; you are logged in.` : `Logged in as ${name}.`;
        display.say('info', `${what}${waited}`);
        void this.#rooms.look();
        break;
      }
      case 'login-restored':
        display.say('info', `Logged in again as ${event.name}.`);
        void this.#rooms.look();
        break;
      case 'login-not-restored':
        if (this.#account.logins.notResumed(event)) break;
        this.#link.notRestored(event);
        if (event.retryInMs === null) void this.#account.logins.tellIfGone(event.name);
        break;
      case 'replaced':
        display.say('error', `${event.reason} You are logged out here. /login ${event.name} takes it back.`);
        display.replaced(event.name);
        break;
      case 'late-reply':
        if (isOwn(event.request)) break;
        display.say(event.reply.type === 'failure' ? 'error' : 'info', wordsForLate(event));
        break;
      case 'notice':
        display.saidIn(peerTo(event.room), event.text);
        break;
      case 'server-text':
        display.say('error', `The server says: ${event.text}`);
        break;
    }
  }

  #received(inbox: string, message: Message): void {
    if (message.room !== undefined) this.#rooms.heard(message.room);
    const incoming = incomingFrom(message, messageKey(inbox, message));
    this.#display.received(incoming, () => this.#client.shown(inbox, message));
  }
}

/** Nobody has asked for it but the client itself. */
function isOwn(request: LateReply['request']): boolean {
  return request.type === 'mark-read' || (request.type === 'rooms' && request.mine === true);
}
