import type { Logger } from 'pino';
import type { InboxMessage, LossReason } from '../../core/inboxes.ts';
import { ProtocolError, type ProtocolErrorCode } from '../../protocol/errors.ts';
import type { Frame } from '../../protocol/frame.ts';
import { cutShortError, lossError, toProtocolError } from '../adapters/failures.ts';
import type { Answered, Version } from '../adapters/version.ts';
import { versionOf } from '../adapters/versions.ts';
import { addressOf } from '../commands/audited.ts';
import { carryOut } from '../commands/carry-out.ts';
import type { Caller, Services } from '../commands/context.ts';
import { giveBack } from '../commands/logout.ts';
import type { Entered, Request, Result, SendRequest } from '../commands/requests.ts';
import { type Admitted, admitSend } from '../commands/send.ts';
import type { Connection } from '../net/connection.ts';
import { TickQuota } from '../net/tick-quota.ts';
import { ActiveSession } from './active-session.ts';
import { ReplyQueue } from './reply-queue.ts';
import type { PendingRequest, SessionEvent } from './session-events.ts';
import { demandAllowed, demandTransition, type State } from './session-state.ts';

/** Requests that change nothing: only their answer matters. */
const QUESTIONS: ReadonlySet<Request['type']> = new Set([
  'hello',
  'ping',
  'list',
  'status',
  'receipts',
  'retrieve',
]);

/** Failures by which a client shows that it may be guessing. */
const ERRORS: ReadonlySet<ProtocolErrorCode> = new Set(['BAD_CREDENTIALS']);

/**
 * One client, from its connection to its end. Requests are carried out one after the other; only sends
 * overlap, with each other: each is *admitted* (given its place in the recipient's inbox) before the next request
 * is looked at, and completes in its own time. Replies keep the order of the requests.
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
  /**
   * Empty but for what one event brings about while it is handled. Its sources are bounded themselves: the inbox
   * is paused when the connection is full, requests are taken one at a time.
   */
  readonly #events: SessionEvent[] = [];
  #handling = false;
  #state: State = { name: 'anonymous' };
  /** The request that waits for the sends before it, or is being carried out. */
  #pending: PendingRequest | null = null;
  /** Sends that were admitted and not answered. */
  #outstanding = 0;
  /** Set when the session is to end; `farewell` goes out last. */
  #ending: { readonly farewell: ProtocolError | null } | null = null;
  readonly #quota: TickQuota;
  /** Requests that could not be read, before the login. */
  #unreadable = 0;
  /** Logins and other proofs that failed here. */
  #errors = 0;
  /** Takes the request that is being carried out, out of the line that it waits in, if it does. */
  #leaveLine: (() => void) | null = null;

  /** @param isStrangers called with true when a login is asked for, and with false when somebody is logged in */
  constructor(connection: Connection, services: Services, isStrangers: (isStranger: boolean) => void) {
    this.#connection = connection;
    this.#services = services;
    this.#isStrangers = isStrangers;
    this.#replies = new ReplyQueue((frame, flushed) => connection.write(frame, flushed));
    const touched = () => this.#dispatch({ type: 'connection' });
    this.#quota = new TickQuota(services.quotas, connection.caller, touched);
    connection.listen({
      readable: touched,
      ended: touched,
      writable: touched,
      gone: () => {
        this.#leaveLine?.();
        touched();
      },
      expired: (error) => this.end(error),
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
    this.#dispatch({ type: 'over', farewell });
  }

  /** Closes the connection at once. */
  destroy(): void {
    this.#connection.destroy();
  }

  #dispatch(event: SessionEvent): void {
    this.#events.push(event);
    if (this.#handling) return;
    this.#handling = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      try {
        this.#handle(next);
        if (this.#state.name === 'loggedIn') this.#state.active.delivery?.balance();
      } catch (error) {
        this.#break(error);
      }
    }
    this.#handling = false;
  }

  #handle(event: SessionEvent): void {
    switch (event.type) {
      case 'connection':
        this.#goOn();
        break;
      case 'over':
        this.#end(event.farewell);
        break;
      case 'admitted':
        this.#admitted(event.pending, event.admitted);
        break;
      case 'sent':
        this.#settled(event.pending, event.pending.version.encodeResult(event.sent));
        break;
      case 'send failed':
        this.#settled(event.pending, this.#failure(event.pending, event.error));
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
      case 'receipts':
        if ('active' in this.#state) this.#state.active.tell(event.delivered, event.undeliverable);
        break;
      case 'left':
        this.#left();
    }
  }

  // Requests

  #takeRequests(): void {
    // Whoever was nobody has asked for nothing that would be missed.
    if (this.#state.name === 'anonymous' && this.#connection.isGone) {
      this.#quota.begin();
      this.#end(null);
      this.#quota.end('asked');
      return;
    }
    while (this.#mayTake()) {
      const frame = this.#take();
      if (frame !== undefined) {
        this.#begin(frame);
        continue;
      }
      if (this.#connection.hasEnded) this.#end(this.#connection.isCutShort ? cutShortError() : null);
      return;
    }
  }

  /** Nothing more is taken of a stranger that has sent too much that could not be read. */
  get #isDeaf(): boolean {
    return this.#unreadable >= this.#services.limits.unreadableRequests;
  }

  #mayTake(): boolean {
    if (this.#state.name !== 'anonymous' && this.#state.name !== 'loggedIn') return false;
    if (this.#pending !== null || this.#ending !== null || this.#connection.isFull || this.#isDeaf)
      return false;
    const { outstandingSends, waitingReplies } = this.#services.limits;
    if (this.#outstanding >= outstandingSends || this.#replies.waiting >= waitingReplies) return false;
    // Nobody waits in line for nothing: after most events there is no further request.
    return !this.#connection.hasUnread || this.#quota.mayBegin();
  }

  #take(): Frame | undefined {
    try {
      return this.#connection.take();
    } catch (error) {
      this.#end(this.#inWords(error));
      return undefined;
    }
  }

  /** Its time counts as the client's. A send that is stored is in the lane's bounds only: how many there may be is bounded by itself. */
  #begin(frame: Frame): void {
    this.#quota.use();
    this.#quota.begin();
    const before = this.#outstanding;
    this.#beginRequest(frame);
    this.#quota.end(this.#outstanding > before ? 'stored' : 'asked');
  }

  #beginRequest(frame: Frame): void {
    const version = versionOf(frame.version);
    const slot = this.#replies.reserve();
    let answered: Answered = { opcode: frame.opcode };
    try {
      const request = version.decodeRequest(frame);
      if (request.type === 'send') answered = { opcode: frame.opcode, id: request.id };
      demandAllowed(this.#state, request);
      if (this.#state.name === 'loggedIn') this.#state.active.asked();
      if (request.type === 'ack') {
        this.#loggedIn().active.acknowledge(request.ranges);
        slot.fill(null);
        return;
      }
      // Nobody is there to hear the answer.
      if (this.#connection.isGone && QUESTIONS.has(request.type)) {
        slot.fill(null);
        return;
      }
      if (request.type === 'ping') {
        this.#connection.requestBegun();
        slot.fill(version.encodeResult({ type: 'pong', time: Date.now() }));
        return;
      }
      this.#pending = { request, version, answered, slot, started: false };
    } catch (error) {
      slot.fill(this.#failure({ version, answered }, error));
      if (this.#state.name === 'anonymous') this.#countUnreadable(error);
      return;
    }
    this.#startPending();
  }

  /** A client that errs is told so; a stranger that does nothing else is not listened to for ever. */
  #countUnreadable(error: unknown): void {
    if (!(error instanceof ProtocolError) || error.code !== 'BAD_REQUEST') return;
    this.#unreadable += 1;
    if (!this.#isDeaf) return;
    // Not at once: whoever does nothing else would be back in the same moment, which costs more than to let it wait. And
    // not all in the same moment: hundreds may have begun together.
    const tooMany = new ProtocolError('BAD_REQUEST', 'Too many requests that could not be read.');
    const leave = (): void => this.#quota.whenFree(() => this.end(tooMany));
    setTimeout(leave, this.#services.limits.lingerMs).unref();
  }

  /** A send may overlap with sends before it; everything else waits until they are answered. */
  #startPending(): void {
    const pending = this.#pending;
    if (pending === null || pending.started) return;
    const { request } = pending;
    if (request.type !== 'send' && this.#outstanding > 0) return;
    pending.started = true;
    this.#connection.requestBegun();
    if (request.type === 'send') {
      this.#startSend(pending, request);
      return;
    }
    const state = this.#state;
    const principal = state.name === 'loggedIn' ? state.active.principal : null;
    if (request.type === 'create' || request.type === 'login') {
      this.#become({ name: 'entering', early: [], trouble: null });
      // Whoever does nothing makes room first; but to ask for a login is no login yet.
      this.#isStrangers(true);
    } else if (state.name === 'loggedIn' && request.type === 'delete') {
      state.active.delivery?.stop();
      this.#become({ name: 'deleting', active: state.active, loss: null });
    } else if (state.name === 'loggedIn' && request.type === 'logout') {
      this.#log.debug({ user: state.active.principal.account.name }, 'logging out');
      state.active.delivery?.stop();
    }
    const result = carryOut(this.#services, this.#caller(pending.version), principal, request);
    if (principal !== null && request.type === 'logout') this.#services.presence.leaving(principal, result);
    // Hundreds may have waited for the same: their answers are not all given in the same tick. But for who is in now: what
    // the inbox has does not wait.
    const answer = (event: SessionEvent) => this.#quota.whenFree(() => this.#dispatch(event));
    result.then(
      (value) => {
        const event: SessionEvent = { type: 'done', pending, result: value };
        if ('held' in value) this.#dispatch(event);
        else answer(event);
      },
      (error) => answer({ type: 'failed', pending, error }),
    );
  }

  /** Admitted at once where nothing has to be waited for, which is the usual case. */
  #startSend(pending: PendingRequest, request: SendRequest): void {
    const failed = (error: unknown) => this.#dispatch({ type: 'failed', pending, error });
    try {
      const admission = admitSend(this.#services, this.#loggedIn().active.principal, request);
      if (!(admission instanceof Promise)) {
        // Whoever called this goes on by itself.
        this.#overlap(pending, admission);
        return;
      }
      admission.then((admitted) => this.#dispatch({ type: 'admitted', pending, admitted }), failed);
    } catch (error) {
      failed(error);
    }
  }

  // What came of them

  #admitted(pending: PendingRequest, admitted: Admitted): void {
    this.#overlap(pending, admitted);
    this.#goOn();
  }

  /** The next request may begin while this one is being stored. */
  #overlap(pending: PendingRequest, { completion }: Admitted): void {
    if (this.#pending === pending) this.#pending = null;
    this.#outstanding += 1;
    completion.then(
      (sent) => this.#dispatch({ type: 'sent', pending, sent }),
      (error) => this.#dispatch({ type: 'send failed', pending, error }),
    );
  }

  #settled(pending: PendingRequest, frame: Buffer | null): void {
    this.#outstanding -= 1;
    pending.slot.fill(frame);
    if (this.#state.name === 'loggedIn') this.#state.active.tellAlong();
    this.#startPending();
    this.#goOn();
  }

  #done(pending: PendingRequest, result: Result): void {
    if (this.#pending !== pending) {
      // The session broke meanwhile; an inbox that comes too late is given back.
      if ('held' in result && result.held !== null) {
        void giveBack(this.#services, { account: result.account, inbox: result.held.inbox });
      }
      return;
    }
    this.#pending = null;
    switch (result.type) {
      case 'created':
      case 'logged-in':
        this.#entered(pending, result);
        break;
      case 'logged-out':
      case 'deleted':
        pending.slot.fill(pending.version.encodeResult(result));
        this.#ending = { farewell: null };
        break;
      case 'retrieved':
        this.#retrieved(pending, result);
        break;
      default:
        pending.slot.fill(pending.version.encodeResult(result));
    }
    this.#goOn();
  }

  #entered(pending: PendingRequest, result: Entered): void {
    const state = this.#state;
    if (state.name !== 'entering') throw new Error(`entered while ${state.name}`);
    const active = new ActiveSession(this.#services, this.#connection, pending.version, result, (event) =>
      this.#dispatch(event),
    );
    this.#become({ name: 'loggedIn', active });
    // Who only sends is not there for others: nothing would reach them.
    if (result.held !== null) this.#services.presence.entered(active.principal);
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
    active.listenForSilence();
    if (state.trouble !== null) this.#lost(state.trouble);
  }

  #retrieved(pending: PendingRequest, result: Extract<Result, { type: 'retrieved' }>): void {
    const { delivery } = this.#loggedIn().active;
    if (delivery === null) throw new Error('retrieved without an inbox');
    const messages = delivery.retrieve(result.messages);
    pending.slot.fill(pending.version.encodeResult({ ...result, messages }), () =>
      delivery.retrievedFlushed(messages),
    );
  }

  #failed(pending: PendingRequest, error: unknown): void {
    if (this.#pending !== pending) return;
    this.#pending = null;
    pending.slot.fill(this.#failure(pending, error));
    if (error instanceof ProtocolError && ERRORS.has(error.code)) this.#errors += 1;
    const state = this.#state;
    if (state.name === 'entering') this.#become({ name: 'anonymous' });
    if (state.name === 'deleting') {
      this.#become({ name: 'loggedIn', active: state.active });
      state.active.delivery?.restart();
      if (state.loss !== null) this.#lost(state.loss);
    }
    this.#goOn();
  }

  #failure({ version, answered }: Pick<PendingRequest, 'version' | 'answered'>, error: unknown): Buffer {
    return version.encodeFailure(this.#inWords(error), answered);
  }

  #inWords(error: unknown): ProtocolError {
    return toProtocolError(error, this.#services.log, { peer: this.#connection.peer });
  }

  // The inbox

  #arrived(message: InboxMessage): void {
    const state = this.#state;
    if (state.name === 'loggedIn') state.active.delivery?.push(message);
    if (state.name !== 'entering') return;
    if (state.early.length < this.#services.limits.earlyMessages) state.early.push(message);
    else state.trouble = 'too much';
  }

  #lost(reason: LossReason): void {
    const state = this.#state;
    if (state.name === 'entering') state.trouble = reason;
    if (state.name === 'deleting') state.loss = reason;
    if (state.name !== 'loggedIn') return;
    const user = state.active.principal.account.name;
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
    this.#leaveLine?.();
    this.#goOn();
  }

  /** After everything that may have made room: the next request, or the end. */
  #goOn(): void {
    if (this.#ending === null) this.#takeRequests();
    else if (this.#pending === null && this.#outstanding === 0) this.#leave(this.#ending.farewell);
  }

  #leave(farewell: ProtocolError | null): void {
    const state = this.#state;
    if (state.name === 'leaving' || state.name === 'closed') return;
    this.#become({ name: 'leaving' });
    this.#quota.close();
    const version = versionOf(this.#connection.version);
    if (farewell !== null) this.#replies.reserve().fill(version.encodeFarewell(farewell));
    let left: Promise<unknown> = Promise.resolve();
    if (state.name === 'loggedIn' || state.name === 'deleting') {
      // After a logout or a deletion the inbox is given back already, and closing it again does nothing.
      const { principal } = state.active;
      state.active.end();
      const { account, inbox } = principal;
      if (inbox !== null) left = giveBack(this.#services, { account, inbox });
      this.#services.presence.leaving(principal, left);
      this.#log.debug({ user: principal.account.name }, 'left');
    }
    const over = () => this.#dispatch({ type: 'left' });
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
    this.#pending = null;
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
  }

  #caller(version: Version): Caller {
    return {
      version,
      peer: this.#connection.peer,
      address: this.#connection.caller,
      isGone: () => this.#connection.isGone || this.#ending !== null,
      whenGone: (leave) => {
        this.#leaveLine = leave;
      },
      hasEnded: () => this.#connection.hasEnded,
      // Once may happen to everybody: a typing error, a token that has run out.
      hasErred: () => this.#errors > 1,
      delivery: {
        onMessage: (message) => this.#dispatch({ type: 'message', message }),
        onLost: (reason) => this.#dispatch({ type: 'lost', reason }),
      },
    };
  }

  #loggedIn(): Extract<State, { name: 'loggedIn' }> {
    if (this.#state.name !== 'loggedIn') throw new Error(`not logged in but ${this.#state.name}`);
    return this.#state;
  }
}
