import type { Version } from '../adapters/version.ts';
import { audited } from '../commands/audited.ts';
import type { AnyCommand } from '../commands/command.ts';
import type { Caller, Services } from '../commands/context.ts';
import type { Admitted } from '../commands/send.ts';
import type { TickQuota } from '../net/tick-quota.ts';
import type { ActiveSession } from './active-session.ts';
import type { PendingRequest } from './reply-queue.ts';
import type { SessionEvent } from './session-state.ts';

export type Sequential = Extract<AnyCommand, { run: unknown }>;
type Immediate = Extract<AnyCommand, { answer: unknown }>;
type Overlapping = Extract<AnyCommand, { admit: unknown }>;

/** What requests are carried out for: a session. */
export interface RunnerOptions {
  readonly services: Services;
  readonly quota: TickQuota;
  readonly caller: (version: Version, active: ActiveSession | null) => Caller;
  /** Called when a request is begun that may mean something to the session, see the table of commands. */
  readonly begins: (command: Sequential, active: ActiveSession | null) => void;
  /** Takes what comes of requests. */
  readonly dispatch: (event: SessionEvent) => void;
}

/**
 * Carries requests out, one after the other, but for those that overlap, with each other: such a one is *admitted* before the
 * next request is looked at, and completes in its own time; what does not overlap waits for all that were admitted.
 */
export class RequestRunner {
  readonly #options: RunnerOptions;
  /** The one that waits, or is being carried out. */
  #pending: PendingRequest | null = null;
  #isStarted = false;
  /** Requests that were admitted and are not complete. */
  #outstanding = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Whether the next request may be looked at. */
  get isFree(): boolean {
    return this.#pending === null && this.#outstanding < this.#options.services.limits.outstandingSends;
  }

  get isIdle(): boolean {
    return this.#pending === null && this.#outstanding === 0;
  }

  /** The next request, while the runner `isFree`. @returns whether it is one that was admitted at once */
  push(pending: PendingRequest): boolean {
    this.#pending = pending;
    this.#isStarted = false;
    return this.#start(pending);
  }

  /** It has its place: the next request may begin while this one is being stored. */
  admitted(pending: PendingRequest, { completion }: Admitted): void {
    if (this.#pending === pending) this.#pending = null;
    this.#outstanding += 1;
    const { dispatch } = this.#options;
    completion.then(
      (sent) => dispatch({ type: 'sent', pending, sent }),
      (error) => dispatch({ type: 'send failed', pending, error }),
    );
  }

  /** One that was admitted is complete, and answered. */
  completed(): void {
    this.#outstanding -= 1;
    if (this.#pending !== null && !this.#isStarted) this.#start(this.#pending);
  }

  /** It is carried out, or has failed. @returns false for one that was dropped meanwhile */
  done(pending: PendingRequest): boolean {
    if (this.#pending !== pending) return false;
    this.#pending = null;
    return true;
  }

  /** Whatever comes of the one that is being carried out, nobody wants to know. */
  drop(): void {
    this.#pending = null;
  }

  /** @returns whether it was admitted at once */
  #start(pending: PendingRequest): boolean {
    const { command } = pending;
    if ('run' in command) {
      if (this.#outstanding > 0) return false;
      this.#isStarted = true;
      this.#run(pending, command);
      return false;
    }
    this.#isStarted = true;
    try {
      if ('admit' in command) return this.#admit(pending, command);
      this.#answer(pending, command);
    } catch (error) {
      this.#options.dispatch({ type: 'failed', pending, error });
    }
    return false;
  }

  #answer({ active, request, version, slot }: PendingRequest, { answer }: Immediate): void {
    const result = answer(this.#options.services, active, request);
    slot.fill(result && version.encodeResult(result));
    this.#pending = null;
  }

  /** At once where nothing has to be waited for, which is the usual case: whoever called this goes on by itself. */
  #admit(pending: PendingRequest, { admit }: Overlapping): boolean {
    const { services, dispatch } = this.#options;
    const admission = admit(services, pending.active, pending.request);
    if (!(admission instanceof Promise)) {
      this.admitted(pending, admission);
      return true;
    }
    admission.then(
      (admitted) => dispatch({ type: 'admitted', pending, admitted }),
      (error) => dispatch({ type: 'failed', pending, error }),
    );
    return false;
  }

  #run(pending: PendingRequest, command: Sequential): void {
    const { services, quota, dispatch } = this.#options;
    const { active, request, version } = pending;
    const { brings, run } = command;
    if (brings !== undefined) this.#options.begins(command, active);
    const caller = this.#options.caller(version, active);
    const result = audited(services, caller, request, run(services, caller, request));
    if (brings === 'logout' && active !== null) services.presence.leaving(active, result);
    // Hundreds may have waited for the same: their answers are not all given in the same tick. But for who is in now: what
    // the inbox has does not wait.
    const answer = (event: SessionEvent) => quota.whenFree(() => dispatch(event));
    result.then(
      (value) => {
        const event: SessionEvent = { type: 'done', pending, result: value };
        if ('held' in value) dispatch(event);
        else answer(event);
      },
      (error) => answer({ type: 'failed', pending, error }),
    );
  }
}
