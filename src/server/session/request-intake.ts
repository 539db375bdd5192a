import { ProtocolError } from '../../protocol/errors.ts';
import type { Frame } from '../../protocol/frame.ts';
import type { FailedRequest } from '../../protocol/v2/replies.ts';
import { cutShortError, toProtocolError } from '../adapters/failures.ts';
import { versionOf } from '../adapters/versions.ts';
import { demandRight } from '../commands/command.ts';
import type { Services } from '../commands/context.ts';
import { commandFor } from '../commands/table.ts';
import type { Connection } from '../net/connection.ts';
import type { TickQuota } from '../net/tick-quota.ts';
import type { ActiveSession } from './active-session.ts';
import type { PendingRequest, ReplyQueue } from './reply-queue.ts';
import type { RequestRunner } from './request-runner.ts';

/** What an intake needs of its session. */
export interface IntakeOptions {
  readonly connection: Connection;
  readonly services: Services;
  readonly replies: ReplyQueue;
  readonly quota: TickQuota;
  readonly runner: RequestRunner;
  /** Called when the other end has said all it has to say. */
  readonly over: (farewell: ProtocolError | null) => void;
  /** Called, later, for a stranger that has sent too much that could not be read. */
  readonly refuse: (farewell: ProtocolError) => void;
}

/** Frames into requests: when one may be taken, in whose time, and what is said of one that is none. */
export class RequestIntake {
  readonly #options: IntakeOptions;
  /** Requests that could not be read, before the login. */
  #unreadable = 0;
  /** Nothing more is taken of a stranger that has sent too much that could not be read. */
  #isDeaf = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /**
   * Takes as many requests as may be begun now; the connection, the quota or the runner tells when there may be more.
   * @param active who asks; null while nobody is logged in
   */
  takeAll(active: ActiveSession | null): void {
    const { connection, quota, over } = this.#options;
    // Looked at first: after most events there is no further request, and nobody waits in line for nothing.
    while (connection.hasUnread) {
      if (!this.#isReady() || !quota.mayBegin()) return;
      let frame: Frame | undefined;
      try {
        frame = connection.take();
      } catch (error) {
        over(this.#inWords(error));
        return;
      }
      if (frame !== undefined) this.#begin(frame, active);
    }
    if (connection.hasEnded && this.#isReady()) over(connection.isCutShort ? cutShortError() : null);
  }

  #isReady(): boolean {
    const { connection, services, replies, runner } = this.#options;
    return (
      runner.isFree && !connection.isFull && !this.#isDeaf && replies.waiting < services.limits.waitingReplies
    );
  }

  /** Its time counts as the client's. A send that is stored is in the lane's bounds only: how many there may be is bounded by itself. */
  #begin(frame: Frame, active: ActiveSession | null): void {
    const { connection, quota, runner } = this.#options;
    quota.use();
    quota.begin();
    const pending = this.#read(frame, active);
    let isStored = false;
    if (pending !== null) {
      if (active === null) connection.requestBegun();
      else active.asked();
      // Nobody is there to hear the answer.
      if (pending.command.asks && connection.isGone) pending.slot.fill(null);
      else isStored = runner.push(pending);
    }
    quota.end(isStored ? 'stored' : 'asked');
  }

  /** @returns null for what was answered with a failure */
  #read(frame: Frame, active: ActiveSession | null): PendingRequest | null {
    const version = versionOf(frame.version);
    const slot = this.#options.replies.reserve();
    let asked: FailedRequest = { opcode: frame.opcode };
    try {
      const request = version.decodeRequest(frame);
      if (request.type === 'send') asked = { opcode: frame.opcode, id: request.id };
      const command = commandFor(request);
      demandRight(command.by, active);
      return { active, request, command, version, asked, slot };
    } catch (error) {
      const failure = this.#inWords(error);
      slot.fill(version.encodeFailure(failure, asked));
      if (active === null && failure.code === 'BAD_REQUEST') this.#countUnreadable();
      return null;
    }
  }

  /** A client that errs is told so; a stranger that does nothing else is not listened to for ever. */
  #countUnreadable(): void {
    const { quota, refuse, services } = this.#options;
    this.#unreadable += 1;
    if (this.#isDeaf || this.#unreadable < services.limits.unreadableRequests) return;
    this.#isDeaf = true;
    // Not at once: whoever does nothing else would be back in the same moment, which costs more than to let it wait. And
    // not all in the same moment: hundreds may have begun together.
    const tooMany = new ProtocolError('BAD_REQUEST', 'Too many requests that could not be read.');
    const leave = (): void => quota.whenFree(() => refuse(tooMany));
    setTimeout(leave, services.limits.lingerMs).unref();
  }

  #inWords(error: unknown): ProtocolError {
    const { connection, services } = this.#options;
    return toProtocolError(error, services.log, { peer: connection.peer });
  }
}
