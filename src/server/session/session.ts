import type { Logger } from 'pino';
import type { InboxMessage, LossReason } from '../../core/inboxes.ts';
import type { InboxNote } from '../../core/notes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { lossError, toProtocolError } from '../adapters/failures.ts';
import { versionOf } from '../adapters/versions.ts';
import { addressOf } from '../commands/audited.ts';
import type { Result } from '../commands/command.ts';
import type { Services } from '../commands/context.ts';
import type { LoginResult } from '../commands/entry.ts';
import { giveBack } from '../commands/logout.ts';
import type { Retrieved } from '../commands/retrieve.ts';
import type { Connection } from '../net/connection.ts';
import { TickQuota } from '../net/tick-quota.ts';
import { ActiveSession } from './active-session.ts';
import { type PendingRequest, ReplyQueue } from './reply-queue.ts';
import { RequestIntake } from './request-intake.ts';
import { RequestRunner, type Sequential } from './request-runner.ts';
import { SessionCaller } from './session-caller.ts';
import { demandTransition, EventQueue, type State } from './session-state.ts';

/**
 * One client, from its connection to its end. Requests are carried out one after the other (`RequestRunner` says which
 * overlap); replies keep the order of the requests.
 *
 * A session ends when the other end has, when it logs out or is deleted, loses its inbox, or the frontend shuts
 * down; always after the requests under way, and after the frames that came before the end of the connection.
 */
export class Session {
  readonly #connection: Connection;
  readonly #services: Services;
  readonly #isStrangers: (isStranger: boolean) => void;
  readonly #closed = Promise.withResolvers<void>();
  readonly #replies: ReplyQueue;
  readonly #quota: TickQuota;
  readonly #intake: RequestIntake;
  readonly #runner: RequestRunner;
  readonly #caller: SessionCaller;
  #state: State = { name: 'anonymous' };
  /** While it is logged in. */
  #active: ActiveSession | null = null;
  /** Set when the session is to end; `farewell` goes out last. */
  #ending: { readonly farewell: ProtocolError | null } | null = null;
  readonly #events = new EventQueue((event) => {
    try {
      switch (event.type) {
        case 'connection':
          this.#goOn();
          break;
        case 'writable':
          this.#active?.balance();
          this.#goOn();
          break;
        case 'over':
          this.#end(event.farewell);
          break;
        case 'admitted':
          this.#runner.admitted(event.pending, event.admitted);
          this.#goOn();
          break;
        case 'sent':
          this.#completed(event.pending, event.pending.version.encodeResult(event.sent));
          break;
        case 'send failed':
          this.#completed(event.pending, this.#failure(event.pending, event.error));
          break;
        case 'done':
          this.#done(event.pending, event.result);
          break;
        case 'failed':
          this.#failed(event.pending, event.error);
          break;
        case 'message':
          this.#arrived(event.message);
          break;
        case 'lost':
          this.#lost(event.reason);
          break;
        case 'flushed':
          event.active.delivered([event.range]);
          break;
        case 'rooms':
          if ('active' in this.#state && this.#state.active === event.active) event.act();
          break;
        case 'receipts':
          if ('active' in this.#state) this.#state.active.tell(event.delivered, event.undeliverable);
          break;
        case 'left':
          this.#left();
      }
    } catch (error) {
      this.#break(error);
    }
  });

  /** @param isStrangers called with true when a login is asked for, and with false when somebody is logged in */
  constructor(connection: Connection, services: Services, isStrangers: (isStranger: boolean) => void) {
    this.#connection = connection;
    this.#services = services;
    this.#isStrangers = isStrangers;
    this.#replies = new ReplyQueue(connection);
    const dispatch = this.#events.push;
    const touched = () => dispatch({ type: 'connection' });
    const end = (farewell: ProtocolError) => this.end(farewell);
    this.#quota = new TickQuota(services.quotas, connection.caller, touched);
    this.#caller = new SessionCaller(connection, () => this.#ending !== null, {
      onMessage: (message) => dispatch({ type: 'message', message }),
      onNote: (message) => dispatch({ type: 'message', message }),
      onLost: (reason) => dispatch({ type: 'lost', reason }),
    });
    this.#runner = new RequestRunner({
      services,
      quota: this.#quota,
      dispatch,
      caller: (version, principal) => this.#caller.as(version, principal),
      begins: (command, principal) => this.#begins(command, principal),
    });
    this.#intake = new RequestIntake({
      connection,
      services,
      replies: this.#replies,
      quota: this.#quota,
      runner: this.#runner,
      over: (farewell) => this.#end(farewell),
      refuse: end,
    });
    connection.listen({
      readable: touched,
      ended: touched,
      writable: () => dispatch({ type: 'writable' }),
      gone: () => {
        this.#caller.leave();
        touched();
      },
      expired: end,
    });
  }

  /** Resolves when the inbox is given back and the last words are written. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Ends the session after the requests under way. */
  async shutdown(): Promise<void> {
    this.end(new ProtocolError('SHUTTING_DOWN'));
    await this.closed;
  }

  /** Ends the session after the requests under way, with these last words. */
  end(farewell: ProtocolError): void {
    this.#events.push({ type: 'over', farewell });
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.#connection.destroy();
  }

  // Requests

  #begins({ brings }: Sequential, active: ActiveSession | null): void {
    if (brings === 'login') {
      this.#become({ name: 'entering', early: [], trouble: null });
      // Whoever does nothing makes room first; but to ask for a login is no login yet.
      this.#isStrangers(true);
    } else if (active !== null) {
      active.delivery?.stop();
      if (brings === 'removal') this.#become({ name: 'deleting', active, loss: null });
      else this.#log.debug({ user: active.account.name }, 'logging out');
    }
  }

  // What came of them

  #completed(pending: PendingRequest, frame: Buffer | null): void {
    pending.slot.fill(frame);
    this.#active?.tellAlong();
    this.#runner.completed();
    this.#goOn();
  }

  #done(pending: PendingRequest, result: Result): void {
    if (!this.#runner.done(pending)) {
      // The session broke meanwhile; an inbox that comes too late is given back.
      if ('held' in result && result.held !== null) {
        void giveBack(this.#services, { account: result.account, inbox: result.held.inbox });
      }
      return;
    }
    if ('held' in result) this.#entered(pending, result);
    else if (result.type === 'retrieved') this.#retrieved(pending, result);
    else pending.slot.fill(pending.version.encodeResult(result));
    if (result.type === 'logged-out' || result.type === 'deleted') this.#ending = { farewell: null };
    this.#goOn();
  }

  #entered(pending: PendingRequest, result: LoginResult): void {
    const state = this.#state;
    if (state.name !== 'entering') throw new Error(`entered while ${state.name}`);
    const { push } = this.#events;
    const active = new ActiveSession(this.#services, this.#connection, pending.version, result, push);
    this.#become({ name: 'loggedIn', active });
    if (state.trouble === 'too much') {
      pending.slot.fill(this.#failure(pending, new ProtocolError('BUSY')));
      this.#end(null);
      return;
    }
    this.#quota.loggedIn();
    this.#isStrangers(false);
    this.#connection.loggedIn();
    pending.slot.fill(pending.version.encodeResult(result));
    for (const message of state.early) active.delivery?.push(message);
    active.delivery?.balance();
    active.begin();
    if (state.trouble !== null) this.#lost(state.trouble);
  }

  #retrieved({ slot, version }: PendingRequest, result: Retrieved): void {
    const delivery = this.#active?.delivery ?? null;
    if (delivery === null) throw new Error('retrieved without an inbox');
    const messages = delivery.retrieve(result.messages);
    slot.fill(version.encodeResult({ ...result, messages }), () => delivery.retrievedFlushed(messages));
  }

  #failed(pending: PendingRequest, error: unknown): void {
    if (!this.#runner.done(pending)) return;
    pending.slot.fill(this.#failure(pending, error));
    this.#caller.failed(error);
    const state = this.#state;
    if (state.name === 'entering') this.#become({ name: 'anonymous' });
    if (state.name === 'deleting') {
      this.#become({ name: 'loggedIn', active: state.active });
      state.active.delivery?.restart();
      if (state.loss !== null) this.#lost(state.loss);
    }
    this.#goOn();
  }

  #failure({ version, asked }: PendingRequest, error: unknown): Buffer {
    const inWords = toProtocolError(error, this.#services.log, { peer: this.#connection.peer });
    return version.encodeFailure(inWords, asked);
  }

  // The inbox

  #arrived(message: InboxMessage | InboxNote): void {
    const state = this.#state;
    if (state.name === 'loggedIn') state.active.delivery?.push(message);
    if (state.name !== 'entering') return;
    if (state.early.length >= this.#services.limits.earlyMessages) state.trouble = 'too much';
    // A copy: a body is a view of all that was fetched with it, and this one stays for a while.
    else if ('note' in message) state.early.push(message);
    else state.early.push({ ...message, body: new Uint8Array(message.body) });
  }

  #lost(reason: LossReason): void {
    const state = this.#state;
    if (state.name === 'entering') state.trouble = reason;
    if (state.name === 'deleting') state.loss = reason;
    if (state.name !== 'loggedIn') return;
    const user = state.active.account.name;
    if (reason === 'fenced') {
      const address = addressOf(this.#connection.peer);
      this.#services.audit.record({ audit: 'takeover', outcome: 'ok', user, address });
    } else this.#log.warn({ user, reason }, 'inbox lost');
    this.#end(lossError(reason));
  }

  // The end

  /** The session ends as soon as nothing is under way. */
  #end(farewell: ProtocolError | null): void {
    this.#ending ??= { farewell };
    this.#caller.leave();
    this.#goOn();
  }

  /** After everything that may have made room: the next request, or the end. */
  #goOn(): void {
    if (this.#ending !== null) {
      if (this.#runner.isIdle) this.#leave(this.#ending.farewell);
    } else if (this.#state.name === 'anonymous' && this.#connection.isGone) {
      // Whoever was nobody has asked for nothing that would be missed.
      this.#quota.begin();
      this.#end(null);
      this.#quota.end('asked');
    } else this.#intake.takeAll(this.#active);
  }

  #leave(farewell: ProtocolError | null): void {
    const state = this.#state;
    if (state.name === 'leaving' || state.name === 'closed') return;
    this.#become({ name: 'leaving' });
    this.#quota.close();
    const version = versionOf(this.#connection.version);
    if (farewell !== null) this.#replies.reserve().fill(version.encodeFarewell(farewell));
    let left = Promise.resolve();
    if ('active' in state) {
      left = state.active.end();
      this.#log.debug({ user: state.active.account.name }, 'left');
    }
    const over = () => this.#events.push({ type: 'left' });
    left.then(over, (error) => {
      this.#log.error({ err: error }, 'an inbox was not given back');
      over();
    });
  }

  #left(): void {
    this.#become({ name: 'closed' });
    this.#connection.finish();
    this.#closed.resolve();
  }

  /** A fault of ours: the end of this session, and of no other. What is under way finds its request gone. */
  #break(error: unknown): void {
    this.#log.error({ err: error }, 'a session failed');
    this.#connection.destroy();
    this.#runner.drop();
    this.#ending = { farewell: null };
    if (this.#state.name === 'entering') this.#become({ name: 'anonymous' });
    this.#leave(null);
  }

  // State

  /** Made where something is said: most sessions say nothing. */
  get #log(): Logger {
    return this.#services.log.child({ peer: this.#connection.peer });
  }

  #become(state: State): void {
    demandTransition(this.#state, state);
    this.#state = state;
    this.#active = state.name === 'loggedIn' ? state.active : null;
  }
}
