import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError } from '../../client/errors.ts';
import type { Route } from '../../client/route.ts';
import { hex } from '../../client/seen.ts';
import type { ServerFrame, ServerFrameOf } from '../../protocol/v2/replies.ts';
import { retryMs } from '../../util/backoff.ts';
import type { Settings } from '../settings.ts';
import { demandLength } from './body.ts';
import type { Context } from './context.ts';
import type { Deadline } from './deadline.ts';
import { Entrance } from './entrance.ts';
import { EXIT, Failure } from './exit.ts';
import type { Journal } from './journal.ts';
import { isLost, Link, routeOf } from './link.ts';
import { isFinal, isStuck, isUnstored, NOT_HERE, resendAll, resendTo } from './resend.ts';

const RETRIES = { firstMs: 500, maxMs: 5_000 };
/** Between questions for a message's fate, where no push tells of it. */
const QUESTIONS = { firstMs: 500, maxMs: 5_000 };
/** What became of it that can be waited for. */
export type Fate = 'delivered' | 'undeliverable';

export interface Parcel {
  /** The message's id, in hex. */
  readonly id: string;
  readonly to: string;
  readonly body: string;
  /** Whether to wait until the recipient has it. */
  readonly waitDelivered: boolean;
  readonly takeover: boolean;
}

/** Whose message it is. */
export interface Sender {
  readonly name: string;
  readonly settings: Settings;
}

/**
 * Brings one message to the server, over as many connections as that takes in its time, under one id. Before the first
 * try it fails at once; after it, whatever may pass is waited for.
 */
export class Courier {
  readonly #parcel: Parcel;
  readonly #sender: Sender;
  readonly #journal: Journal;
  readonly #context: Context;
  readonly #deadline: Deadline;
  readonly #route: Route;
  readonly #entrance: Entrance;
  /** A login was lost with its connection before the answer: the account may be logged in for this very command. */
  #mayBeIn = false;
  #wasSent = false;
  #mayBeStored = false;
  #sent: ServerFrameOf<'sent'> | null = null;
  #tellFate: (fate: Fate) => void = () => undefined;
  readonly #fate = new Promise<Fate>((resolve) => {
    this.#tellFate = resolve;
  });

  /** @param deadline of everything together */
  constructor(parcel: Parcel, sender: Sender, journal: Journal, context: Context, deadline: Deadline) {
    this.#parcel = parcel;
    this.#sender = sender;
    this.#journal = journal;
    this.#context = context;
    this.#deadline = deadline;
    this.#route = routeOf(sender.settings);
    this.#entrance = new Entrance(sender.name, sender.settings, context, deadline);
  }

  get id(): string {
    return this.#parcel.id;
  }

  /** Whether it went out without a definite answer. */
  get mayBeStored(): boolean {
    return this.#mayBeStored;
  }

  /** Whether it went out at all. */
  get wasSent(): boolean {
    return this.#wasSent;
  }

  /** The server's confirmation; null until it has come. */
  get sent(): ServerFrameOf<'sent'> | null {
    return this.#sent;
  }

  /**
   * Resolves when Kafka has the message, or to what became of it if that was to be waited for; null when the time was
   * over before that was known.
   * @throws ClientError for what will not pass, or did not in time; Failure; Interrupted
   */
  async carry(): Promise<Fate | null> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#overOneConnection();
      } catch (error) {
        this.#context.interrupted.throwIfAborted();
        // Another server of the list is asked at once.
        const moves = this.#route.hasMore && isLost(error);
        const askedMs = error instanceof ClientError ? error.refusal?.retryAfterMs : undefined;
        const waitMs = moves ? 0 : Math.max(retryMs(attempt, RETRIES, askedMs), this.#route.heldMs);
        const isLate = waitMs >= this.#deadline.leftMs;
        if (isLate && this.#sent !== null) return null;
        // The lease of a server that died with our login ends soon.
        const isOurs = this.#mayBeIn && error instanceof Failure && error.code === EXIT.TRY_LATER;
        const goesOn = isOurs || ((moves || this.#wasSent) && passes(error));
        if (isLate || !goesOn) throw error;
        await sleep(waitMs, undefined, { signal: this.#context.interrupted });
      }
    }
  }

  async #overOneConnection(): Promise<Fate | null> {
    const { settings } = this.#sender;
    const link = await Link.open(settings, {
      deadline: this.#deadline,
      route: this.#route,
      signal: this.#context.interrupted,
      onPush: (frame) => this.#pushed(frame),
    });
    let comesBack = false;
    try {
      demandLength(Buffer.byteLength(this.#parcel.body), link.welcome.limits.bodyBytes);
      await this.#logIn(link);
      const isFromEarlier = this.#sent !== null;
      if (!isFromEarlier) await this.#send(link);
      resendAll(link, this.#journal);
      if (!this.#parcel.waitDelivered) return null;
      return await this.#settled(link, isFromEarlier);
    } catch (error) {
      comesBack = passes(error);
      this.#route.failed(link.stop, 'the connection was lost');
      throw error;
    } finally {
      await link.close(comesBack);
    }
  }

  async #logIn(link: Link): Promise<void> {
    const { name } = this.#sender;
    const { to, takeover } = this.#parcel;
    // Beside the person's own login, where the server can.
    const deliver = link.takesSenders ? 'none' : 'live';
    const session = await this.#entrance.logIn(link, { deliver, takeover }).catch((error: unknown) => {
      this.#mayBeIn ||= isLost(error);
      throw error;
    });
    this.#journal.begin({ name, incarnation: hex(session.incarnation) });
    if (!this.#wasSent) await resendTo(link, this.#journal, to);
  }

  async #send(link: Link): Promise<void> {
    const { to, body } = this.#parcel;
    const id = Buffer.from(this.id, 'hex');
    for (let attempt = 0; ; attempt++) {
      if (!this.#wasSent) this.#journal.goesOut(this.id, to, body, this.#deadline.leftMs);
      this.#wasSent = true;
      try {
        const sent = await link.connection.ask({ type: 'send', id, to, body });
        this.#sent = sent;
        this.#mayBeStored = false;
        this.#journal.fate({ id: this.id, state: { kind: 'stored' }, receipt: sent.receipt });
        return;
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        const code = error.refusal?.code;
        this.#mayBeStored ||= !isUnstored(error);
        const waitMs = retryMs(attempt, RETRIES, error.refusal?.retryAfterMs);
        const again = code !== undefined && !isFinal(error) && !isStuck(error) && !NOT_HERE.has(code);
        if (!again || waitMs >= this.#deadline.leftMs) throw error;
        await Promise.race([sleep(waitMs), link.ended]);
      }
    }
  }

  /** What became of it; null when the time is over. @throws ClientError when the connection ends */
  async #settled(link: Link, isFromEarlier: boolean): Promise<Fate | null> {
    const stop = new AbortController();
    const { signal } = stop;
    const late = sleep(this.#deadline.leftMs, null, { signal });
    const lost = link.ended.then((reason) => {
      throw new ClientError('DISCONNECTED', reason);
    });
    // Of a message that an earlier connection has sent no push tells.
    if (isFromEarlier) void this.#ask(link, signal).catch(() => undefined);
    try {
      return await Promise.race([this.#fate, late, lost]);
    } finally {
      late.catch(() => undefined);
      lost.catch(() => undefined);
      stop.abort();
    }
  }

  async #ask(link: Link, signal: AbortSignal): Promise<void> {
    if (this.#sent === null) return;
    for (let round = 0; !signal.aborted; round++) {
      const { fates } = await link.connection.ask({ type: 'receipts', receipts: [this.#sent.receipt] });
      const [fate] = fates;
      if (fate === 'delivered' || fate === 'undeliverable') return this.#settle(fate);
      await sleep(retryMs(round, QUESTIONS), undefined, { signal });
    }
  }

  #pushed(frame: ServerFrame): void {
    if (frame.type !== 'delivered') return;
    if (frame.ids.some((id) => hex(id) === this.id)) this.#settle('delivered');
    if (frame.undeliverable?.some((id) => hex(id) === this.id)) this.#settle('undeliverable');
  }

  #settle(fate: Fate): void {
    this.#journal.fate({ id: this.id, state: { kind: fate }, receipt: null });
    this.#tellFate(fate);
  }
}

/** Whether another connection may bring it further. */
function passes(error: unknown): boolean {
  if (error instanceof Failure) return error.code === EXIT.UNAVAILABLE;
  return error instanceof ClientError && error.code !== 'INVALID' && !isFinal(error) && !isStuck(error);
}
