import { type Admin, Kafka, logLevel } from 'kafkajs';
import { pause } from '../../bench/load/clock.ts';
import type { Random } from '../protocol/random.ts';
import { clientOf, type Manner, type Role } from './actor.ts';
import type { Verdict } from './checker.ts';
import type { Company } from './company.ts';
import {
  type HistoryEvent,
  HistoryReader,
  type Letter,
  type Recorder,
  readHistory,
  seatOf,
  textOf,
} from './history.ts';
import type { World, WorldKind } from './world.ts';

const PAUSE_MS = 60;
/** Only a row that fails waits that long. */
const PATIENCE_MS = 60_000;

/** One fault, and what must be seen besides the checker's promises. */
export interface Row {
  readonly name: string;
  readonly world: WorldKind;
  /** How it is made, for the table. */
  readonly fault: string;
  /** What must be seen besides, for the table. */
  readonly seen: string;
  readonly people?: number;
  /** That everybody has beside the main one. */
  readonly devices?: readonly string[];
  /** Whether everybody is in one room, and writes there as well. */
  readonly hasRoom?: boolean;
  /** Between the messages of one person, milliseconds on average; 60 unless it is given. */
  readonly pauseMs?: number;
  /** How somebody reads, by their number. */
  readonly manner?: (i: number) => Manner;
  /** As for `connect`. */
  readonly times?: Role['times'];
  /** By which server somebody comes in first; in turn unless it is given. */
  readonly server?: (i: number) => number;
  /** For what a client may end by itself; none unless it is given. */
  readonly ends?: readonly string[];
  /** How long whoever was taken over from may still be pushed something; milliseconds. */
  readonly graceMs?: number;
  /** What was told as delivered may come to later clients, since a frontend is killed or stopped before it has committed that. */
  readonly mayComeAgain?: boolean;
  /** Whose longest time without an accepted message is told: senders' unless it is given. */
  readonly by?: 'from' | 'to';
  /** Why it cannot be run here; undefined if it can. */
  readonly why?: () => string | undefined;
  /** Makes the fault while people talk. */
  act(stage: Stage): Promise<void>;
  /** Complaints about what had to be seen. */
  see?(run: Seen): readonly string[];
}

export interface Seen {
  readonly history: readonly HistoryEvent[];
  readonly verdict: Verdict;
  readonly stage: Stage;
}

/** What a row has to act on. */
export class Stage {
  readonly world: World;
  readonly company: Company;
  readonly recorder: Recorder;
  readonly random: Random;
  readonly people: readonly string[];
  /** Of the history. */
  readonly folder: string;
  /** Complaints of the row's own, made while it acted. */
  readonly complaints: string[] = [];
  faults = 0;
  readonly #ordinals = new Map<string, number>();
  /** The last client at each seat. */
  readonly #clients = new Map<string, string>();
  readonly #lives = new Map<string, number>();
  readonly #manner: (i: number) => Manner;
  readonly #times: Role['times'];
  readonly #pauseMs: number;
  readonly #room: string | undefined;

  constructor(
    parts: Pick<Stage, 'world' | 'company' | 'recorder' | 'random' | 'people' | 'folder'>,
    { manner, times, pauseMs, hasRoom = false }: Pick<Row, 'manner' | 'times' | 'pauseMs' | 'hasRoom'>,
  ) {
    this.world = parts.world;
    this.company = parts.company;
    this.recorder = parts.recorder;
    this.random = parts.random;
    this.people = parts.people;
    this.folder = parts.folder;
    this.#manner = manner ?? usualManner;
    this.#times = times;
    this.#pauseMs = pauseMs ?? PAUSE_MS;
    this.#room = hasRoom ? `#r-${this.people[0]}` : undefined;
  }

  /** The next client of somebody. @param server by which it comes in first */
  role(person: string, how: Role['how'], server: number, more: Partial<Role> = {}): Role {
    const life = (this.#lives.get(person) ?? 0) + (how === 'create' ? 1 : 0);
    const ordinal = how === 'create' ? 1 : (this.#ordinals.get(person) ?? 0) + 1;
    this.#lives.set(person, life);
    this.#ordinals.set(person, ordinal);
    const manner = this.#manner(this.people.indexOf(person));
    const servers = this.world.serversFrom(server);
    const times = this.#times === undefined ? {} : { times: this.#times };
    const role = { person, life, ordinal, how, manner, room: this.#room, servers, ...times, ...more };
    this.#clients.set(seatOf(person, role.device), clientOf(role));
    return role;
  }

  /** The client that somebody has had last. */
  clientOf(person: string, device?: string): string {
    return this.#clients.get(seatOf(person, device)) ?? '';
  }

  person(i: number): string {
    const person = this.people[i];
    if (person === undefined) throw new RangeError(`there are ${this.people.length} people`);
    return person;
  }

  /** From now on something is broken. */
  fault(name: string): void {
    this.faults += 1;
    this.recorder.note({ kind: 'fault', name });
  }

  mended(name: string): void {
    this.recorder.note({ kind: 'mended', name });
  }

  forgotten(person: string, what: 'records' | 'position'): void {
    this.recorder.note({ kind: 'forgotten', person, what });
  }

  demand(isSo: boolean, complaint: string): void {
    if (!isSo) this.complaints.push(complaint);
  }

  pause(milliseconds: number): Promise<void> {
    return pause(milliseconds);
  }

  /** @throws Error when it does not come true */
  async until(what: string, isSo: (history: readonly HistoryEvent[]) => boolean): Promise<void> {
    const reader = new HistoryReader(this.folder);
    for (const deadline = Date.now() + PATIENCE_MS; !isSo(reader.read()); await pause(100))
      if (Date.now() > deadline) throw new Error(`never came: ${what}`);
  }

  /** How many messages to somebody were shown by any of their clients, once each. */
  static shownTo(history: readonly HistoryEvent[], person: string): number {
    const shown = history.filter((event) => event.kind === 'shown' && event.person === person);
    return new Set(shown.map((event) => event.kind === 'shown' && event.text)).size;
  }

  /** Somebody who is none of those who talk: made, and logged in. */
  async extra(name: string, server = 0, manner: Manner = 'prompt'): Promise<string> {
    const person = `${name}-${this.people[0]}`;
    await this.company.enter([this.role(person, 'create', server, { manner })]);
    return person;
  }

  /** So many messages of one of those who talk, one after the other. */
  async write(to: string, count: number, from = this.person(0)): Promise<void> {
    const client = this.clientOf(from);
    await this.company.troupeOf(client).call('send', { client, to, count });
  }

  /** What was sent by clients that were killed, and had no answer, gets none. */
  giveUp(people: readonly string[]): void {
    const open = new Map<string, Letter>();
    for (const event of readHistory(this.folder)) {
      if (event.kind === 'sent' && people.includes(event.from)) open.set(textOf(event), event);
      if (event.kind === 'accepted' || event.kind === 'refused') open.delete(textOf(event));
    }
    for (const { from, to, n } of open.values())
      this.recorder.note({ kind: 'refused', from, to, n, code: 'KILLED', isSure: false });
  }

  leave(person: string, how: 'logout' | 'close' = 'logout'): Promise<void> {
    return this.company.leave(how, [this.clientOf(person)]);
  }

  /** Clients that have come in since begin to write as well. */
  talkOn(): Promise<void> {
    return this.company.talk({ to: this.people, room: this.#room, pauseMs: this.#pauseMs });
  }

  topicOf(person: string): string {
    return `milena.inbox.${person}`;
  }

  /** Another client of Kafka. */
  kafka(): Kafka {
    return new Kafka({
      clientId: 'rows',
      brokers: this.world.brokers.split(','),
      logLevel: logLevel.NOTHING,
    });
  }

  async asOperator<Result>(act: (admin: Admin) => Promise<Result>): Promise<Result> {
    const admin = this.kafka().admin();
    await admin.connect();
    try {
      return await act(admin);
    } finally {
      await admin.disconnect();
    }
  }
}

/** Most at once, some in bunches, some by asking. */
function usualManner(i: number): Manner {
  return i % 5 === 3 ? 'lazy' : i % 7 === 5 ? 'live' : 'prompt';
}
