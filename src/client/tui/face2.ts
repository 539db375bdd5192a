import type { Message } from '../../protocol/v2/replies.ts';
import { ClientError } from '../errors.ts';
import { sanitiseName, sanitiseText } from '../sanitise.ts';
import { Client } from '../v2/client.ts';
import type { Client2Options, ClientEvent } from '../v2/events.ts';
import type { Entry } from '../v2/outbox.ts';
import { AccountQuestions } from './account-questions.ts';
import type { Command } from './commands.ts';
import { type Display, type Face, isYes, yesOrNo } from './face.ts';
import { LinkWords } from './link-words.ts';
import { wordsForDay, wordsForFate, wordsForLate, wordsForNames, wordsForPresence } from './words.ts';

/** Sent lines whose fate may still change on the screen; the oldest is not followed any longer when one more comes. */
const MAX_FOLLOWED = 2_000;

interface Followed {
  readonly line: number;
  /** Whom the person talked to before this message turned to somebody. */
  readonly before: string | null;
}

/** Version 2: passwords, ticks, and messages that come by themselves. */
export class Face2 implements Face {
  readonly protocol = 2;
  readonly #client: Client;
  readonly #display: Display;
  readonly #link: LinkWords;
  readonly #account: AccountQuestions;
  /** By the message's id. */
  readonly #followed = new Map<string, Followed>();
  #lastDay = wordsForDay(Date.now());

  constructor(options: Client2Options, display: Display) {
    this.#display = display;
    this.#link = new LinkWords(display);
    this.#client = new Client(options, (event) => this.#told(event));
    this.#account = new AccountQuestions(this.#client, display);
  }

  start(): void {
    this.#client.start();
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async carryOut(command: Command): Promise<void> {
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
        return display.say('info', 'Logged out.');
      case 'list': {
        const { names, more } = await this.#client.list(command.pattern);
        return display.say('info', wordsForNames(names, more));
      }
      case 'who': {
        const present = await this.#client.whoIsThere(command.names);
        return display.say('info', wordsForPresence(command.names, present));
      }
      case 'block':
        return this.#block(command.name);
      case 'unblock':
        await this.#client.block(command.name, false);
        return display.say('info', `${command.name} can write to you again.`);
      case 'retrieve':
        return this.#retrieve();
      case 'message': {
        const before = display.screen.to;
        display.turnTo(command.to);
        if (command.text !== '') this.#send(command.to, command.text, before);
        return;
      }
      case 'say': {
        const { to } = display.screen;
        if (to !== null) return this.#send(to, command.text, to);
        throw new ClientError('INVALID', 'To whom? /msg NAME turns to somebody; ↑ brings the line back.');
      }
    }
  }

  #quit(): void {
    const waiting = this.#client.unanswered;
    if (waiting === 0) {
      this.#display.quit();
      return;
    }
    const what = waiting === 1 ? '1 message is' : `${waiting} messages are`;
    this.#display.say('error', `${what} not sent yet and would be lost. Type yes to leave all the same.`);
    this.#display.ask(yesOrNo('leave?', 'leaves', 'stays'), (answer) => {
      if (isYes(answer)) this.#display.quit();
    });
  }

  #send(to: string, body: string, before: string | null): void {
    const { account, wanted } = this.#display.screen;
    let entry: Entry;
    try {
      entry = this.#client.send(to, body);
    } catch (error) {
      if (account !== null || wanted !== null || !(error instanceof ClientError)) throw error;
      throw new ClientError(
        'INVALID',
        'Not logged in: /login NAME, or /create NAME for a new account. ↑ brings the line back.',
      );
    }
    const fate = wordsForFate(entry.state);
    const line = { at: Date.now(), kind: 'outgoing', who: to, text: sanitiseText(body), fate } as const;
    this.#followed.set(entry.id, { line: this.#display.append(line), before });
    for (const oldest of this.#followed.keys()) {
      if (this.#followed.size <= MAX_FOLLOWED) break;
      this.#followed.delete(oldest);
    }
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

  async #retrieve(): Promise<void> {
    const { count, more } = await this.#client.retrieve();
    const what = count === 1 ? '1 message that waited.' : `${count} messages that waited.`;
    const text = count === 0 ? 'No undelivered messages.' : what;
    this.#display.say('info', more ? `${text} There are more: /retrieve again.` : text);
  }

  #told(event: ClientEvent): void {
    const display = this.#display;
    switch (event.type) {
      case 'state':
        display.state(event.state);
        break;
      case 'message':
        this.#show(event.message);
        this.#client.shown(event.inbox, event.message.seq);
        break;
      case 'outgoing':
        this.#follow(event.entry);
        break;
      case 'held':
        display.say('info', `${event.reason} Your messages wait (⧖) and go by themselves.`);
        break;
      case 'unheard': {
        const waits = `The message to ${event.entry.to} waits (⧖) and cannot arrive twice`;
        display.say('error', `${event.reason} ${waits}. What next?`);
        break;
      }
      case 'disconnected':
        this.#link.disconnected(event.reason);
        break;
      case 'connected':
        this.#link.connected(event.again);
        break;
      case 'logged-in': {
        display.turnTo(null);
        const { name, undelivered } = event;
        const count = undelivered === 1 ? '1 message waited' : `${undelivered} messages waited`;
        const waited = undelivered === 0 ? '' : ` ${count} for you.`;
        const what = event.isNew ? `Account ${name} is made; you are logged in.` : `Logged in as ${name}.`;
        display.say('info', `${what}${waited}`);
        break;
      }
      case 'login-restored':
        display.say('info', `Logged in again as ${event.name}.`);
        break;
      case 'login-not-restored':
        this.#link.notRestored(event);
        break;
      case 'replaced':
        display.say('error', `${event.reason} You are logged out here; /login ${event.name} takes it back.`);
        break;
      case 'late-reply':
        display.say(
          event.reply.type === 'failure' ? 'error' : 'info',
          wordsForLate(event.request, event.reply),
        );
        break;
      case 'server-text':
        display.say('error', `The server says: ${event.text}`);
        break;
    }
  }

  #show(message: Message): void {
    const time = new Date(message.sentAt);
    // A program may write any number for a time.
    const at = Number.isNaN(time.getTime()) ? null : message.sentAt;
    const day = at === null ? this.#lastDay : wordsForDay(at);
    if (day !== this.#lastDay) this.#display.append({ at: null, kind: 'info', who: '', text: day, fate: '' });
    this.#lastDay = day;
    const external = message.verified ? '' : message.external;
    this.#display.append({
      at,
      kind: message.verified ? 'incoming' : 'external',
      who: message.verified ? message.from : external === '' ? '(no name)' : sanitiseName(external),
      text: sanitiseText(message.body),
      fate: '',
    });
  }

  #follow({ id, to, state }: Entry): void {
    const followed = this.#followed.get(id);
    if (followed === undefined) return;
    this.#display.fate(followed.line, wordsForFate(state));
    if (state.kind === 'on-its-way' || state.kind === 'waiting' || state.kind === 'stored') return;
    this.#followed.delete(id);
    // Who cannot be written to is not turned to.
    if (state.kind === 'refused' && this.#display.screen.to === to) this.#display.turnTo(followed.before);
  }
}
