import { pause } from '../../bench/load/clock.ts';
import {
  ClientError,
  type ConnectOptions,
  connect,
  type Milena,
  type ReceivedMessage,
} from '../../src/client/index.ts';
import type { Random } from '../protocol/random.ts';
import { COUNT_STEP, type Entrance, letterOf, now, type Recorder, seatOf, textOf } from './history.ts';

/**
 * How somebody reads: at once; with acknowledgements in bunches and out of order; what comes from now on, asking for the rest;
 * slowly; or not at all until they are told to.
 */
export type Manner = 'prompt' | 'lazy' | 'live' | 'slow' | 'mute';

export interface Role {
  readonly person: string;
  /** Which life of the name, from 1. */
  readonly life: number;
  /** Which client of that person, from 1. */
  readonly ordinal: number;
  /** Absent: the main one. */
  readonly device?: string | undefined;
  readonly how: Exclude<Entrance, 'token'>;
  readonly manner: Manner;
  /** With its `#`: whoever makes the account comes into it, and the first one makes it. */
  readonly room?: string | undefined;
  /** `HOST:PORT` each, the first one first. */
  readonly servers: readonly string[];
  readonly times?: ConnectOptions['times'];
  /** How long it waits for a lease to end that somebody else has; milliseconds. */
  readonly patienceMs?: number;
}

/** Who reads lazily acknowledges when this many are open. */
const BUNCH = 20;
const RETRIEVE_MS = 400;
/** Somewhat longer than any lease in these rows. */
const LEASES_END_MS = 40_000;

/** What the client of a role is called. */
export function clientOf({
  person,
  device,
  life,
  ordinal,
}: Pick<Role, 'person' | 'device' | 'life' | 'ordinal'>): string {
  return `${seatOf(person, device)}/${life}/${ordinal}`;
}

/** One client of one person, who writes down all they do and all they see. */
export class Actor {
  readonly role: Role;
  readonly client: string;
  readonly #recorder: Recorder;
  readonly #random: Random;
  readonly #counts = new Map<string, number>();
  /** Shown and not acknowledged. */
  #open: ReceivedMessage[] = [];
  /** What was shown to somebody who also asks: that is on each page again until it is acknowledged. */
  readonly #asked = new Set<string>();
  #milena: Milena | undefined;
  #isHurried = false;
  #isOver = false;
  #mayBeMade = false;
  #isMade = false;
  #lostAt = 0;

  constructor(role: Role, recorder: Recorder, random: Random) {
    this.role = role;
    this.client = clientOf(role);
    this.#recorder = recorder;
    this.#random = random;
  }

  /** Logs in, as the role says, and reads from then on. @throws ClientError */
  async enter(): Promise<void> {
    const { person, life, how, manner, room } = this.role;
    const { milena, asked } = await this.#connect();
    this.#milena = milena;
    if (how === 'create') this.#recorder.note({ kind: 'created', person, life });
    this.#noteLogin(how, asked, milena.undelivered);
    void this.#read(milena);
    if (how === 'create' && room !== undefined) await this.#join(milena, room);
    if (manner === 'live') void this.#retrieve(milena);
    void milena.closed.then((error) => {
      this.#isOver = true;
      const code = error?.refusal?.code ?? error?.code;
      if (code !== undefined) this.#recorder.note({ kind: 'ended', client: this.client, code });
    });
  }

  /** No more can be sent. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Waits for a lease to end that somebody else has who is gone, and asks again where there was no answer. */
  async #connect(): Promise<{ milena: Milena; asked: number }> {
    const deadline = Date.now() + (this.role.patienceMs ?? LEASES_END_MS);
    for (;;) {
      const asked = now();
      try {
        return { milena: await this.#login(), asked };
      } catch (error) {
        if (!(error instanceof ClientError) || Date.now() >= deadline || !this.#isPassing(error)) throw error;
      }
      await pause(300);
    }
  }

  #isPassing({ nothingSent, refusal }: ClientError): boolean {
    if (refusal?.code === 'ALREADY_LOGGED_IN') return true;
    if (this.role.how !== 'create') return false;
    if (refusal?.code !== 'USERNAME_TAKEN') {
      this.#mayBeMade ||= !nothingSent;
      return !nothingSent;
    }
    // Made by the request that had no answer, or an earlier life of the name is still there for this frontend.
    this.#isMade = this.#mayBeMade;
    return this.#isMade || this.role.life > 1;
  }

  #login(): Promise<Milena> {
    const { person, how, manner, servers, times, device, room } = this.role;
    return connect({
      server: servers,
      user: person,
      device,
      rooms: room !== undefined,
      create: how === 'create' && !this.#isMade,
      takeover: how === 'takeover',
      deliver: manner === 'live' ? 'live' : 'all',
      waitForServer: true,
      loginTimeoutMs: 60_000,
      times,
      onEvent: (event) => {
        if (event.type === 'disconnected') {
          this.#lostAt = this.#recorder.note({ kind: 'cut', client: this.client });
        }
        const isAgain = event.type === 'logged-in' && this.#milena !== undefined;
        if (isAgain || event.type === 'login-restored') this.#noteLogin('token', this.#lostAt, null);
      },
    });
  }

  /** Into a room that others come into at the same moment, and make if it is not there. */
  async #join(milena: Milena, room: string): Promise<void> {
    const asked = now();
    for (let isThere = true; ; isThere = !isThere) {
      try {
        await (isThere ? milena.rooms.join(room) : milena.rooms.create(room));
        this.#recorder.note({ kind: 'joined', room, person: this.role.person, asked });
        return;
      } catch (error) {
        const code = error instanceof ClientError ? (error.refusal?.code ?? '') : '';
        // Of those who make it at the same moment all but one begin with a log that is taken away again.
        if (!['NO_SUCH_ROOM', 'ROOM_TAKEN', 'BUSY', 'UNAVAILABLE'].includes(code)) throw error;
        await pause(100);
      }
    }
  }

  get undelivered(): number {
    return this.#milena?.undelivered ?? 0;
  }

  /** Resolves when it was answered, however. */
  async send(to: string): Promise<void> {
    const milena = this.#milena;
    if (milena === undefined) return;
    const from = this.role.person;
    const first = ((this.role.life - 1) * 100 + this.role.ordinal - 1) * COUNT_STEP;
    const n = (this.#counts.get(to) ?? first) + 1;
    this.#counts.set(to, n);
    const letter = { from, to, n };
    this.#recorder.note({ kind: 'sent', ...letter });
    try {
      const { delivered } = await milena.send(to, textOf(letter));
      this.#recorder.note({ kind: 'accepted', ...letter });
      void delivered.then((fate) => this.#recorder.note({ kind: 'fate', fate, ...letter }));
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      const { code, refusal, nothingSent: isSure } = error;
      this.#recorder.note({ kind: 'refused', code: refusal?.code ?? code, isSure, ...letter });
    }
  }

  /** Reads and acknowledges all that there is, from now on at once. */
  hurry(): void {
    this.#isHurried = true;
    this.#acknowledge(this.#open.length);
  }

  /** `close` leaves the login good for whoever has its token. */
  async leave(how: 'logout' | 'close'): Promise<void> {
    this.#isOver = true;
    await (how === 'logout' ? this.#milena?.logout() : this.#milena?.close());
  }

  /** Deletes the account, whatever waits in it. @throws ClientError */
  async remove(): Promise<void> {
    const { person, life } = this.role;
    this.#recorder.note({ kind: 'deleting', person, life });
    await this.#milena?.deleteAccount(null, { force: true });
    this.#recorder.note({ kind: 'deleted', person, life });
  }

  #noteLogin(how: Entrance, asked: number, undelivered: number | null): void {
    const { person, life } = this.role;
    this.#recorder.note({ kind: 'login', person, life, client: this.client, how, asked, undelivered });
  }

  async #read(milena: Milena): Promise<void> {
    try {
      while (this.role.manner === 'mute' && !this.#isHurried) await pause(100);
      for await (const message of milena.messages()) {
        this.#show(message, true);
        if (this.role.manner === 'slow' && !this.#isHurried) await pause(30);
      }
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
    }
  }

  async #retrieve(milena: Milena): Promise<void> {
    while (!this.#isOver) {
      try {
        const { messages } = await milena.retrieve(100);
        for (const message of messages) this.#show(message, false);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
      }
      await pause(RETRIEVE_MS);
    }
  }

  #show(message: ReceivedMessage, isPushed: boolean): void {
    const { person, life, manner } = this.role;
    const { body: text, inbox, key } = message;
    if (manner === 'live' && this.#asked.has(key)) return;
    if (manner === 'live') this.#asked.add(key);
    const sender = message.verified ? message.from : null;
    this.#recorder.note({ kind: 'shown', client: this.client, person, life, sender, text, inbox, isPushed });
    this.#open.push(message);
    const isLazy = manner === 'lazy' && !this.#isHurried;
    if (!isLazy) this.#acknowledge(this.#open.length);
    else if (this.#open.length >= BUNCH) this.#acknowledge(BUNCH / 2);
  }

  /** So many of those that are open, in any order. */
  #acknowledge(count: number): void {
    for (let i = 0; i < count; i++) {
      const [message] = this.#open.splice(this.#random.below(this.#open.length), 1);
      if (message === undefined) return;
      const letter = message.verified ? letterOf(message.body) : undefined;
      if (letter !== undefined) this.#recorder.note({ kind: 'acked', client: this.client, ...letter });
      message.ack();
    }
  }
}
