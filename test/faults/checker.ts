/** Judges a history: what was promised and not kept. Pure: no clocks, no sockets. */
import { COUNT_STEP, type HistoryEvent, isRoom, type Letter, letterOf, seatOfClient } from './history.ts';

type EventOf<Kind extends HistoryEvent['kind']> = HistoryEvent & { readonly kind: Kind };
type Login = EventOf<'login'>;
type Shown = EventOf<'shown'>;

/** What can be broken; each a list of sentences, empty in a good history. */
export const PROMISES = {
  lost: 'accepted, and not shown at each seat that it was for',
  doubled: 'shown twice by one client',
  reordered: 'shown behind a later one of its sender',
  wrong: 'shown to somebody else, or as from somebody else, or never sent',
  heldTwice: 'pushed to a client whose inbox another one had',
  falselyDelivered: 'called delivered before its recipient had acknowledged it',
  cameAgain: 'called delivered, and then given to a later client once more',
  falselyGone: 'called undeliverable without a reason',
} as const;
export type PromiseName = keyof typeof PROMISES;

export interface Verdict {
  readonly broken: Readonly<Record<PromiseName, readonly string[]>>;
  /** Requests of clients: logins, messages, acknowledgements, accounts. */
  readonly operations: number;
  readonly accepted: number;
  /** Of the accepted ones. */
  readonly shown: number;
  /** Accepted, not shown, and nobody's fault but that of whoever deleted the account or took it from Kafka. */
  readonly excused: number;
  /** Neither accepted nor refused by the end. */
  readonly unanswered: number;
  readonly external: number;
  /** How long after a takeover its loser still got something new, in milliseconds; the longest. */
  readonly superseded: number;
}

export interface CheckOptions {
  /** How long whoever was taken over from may still be pushed something, and acknowledge it, in milliseconds. */
  readonly graceMs: number;
  /** What was told as delivered may come to a later client: its frontend was killed or stopped before it had committed that. */
  readonly mayComeAgain?: boolean;
}

/** @param history in the order of time */
export function check(history: readonly HistoryEvent[], options: CheckOptions): Verdict {
  return new Checker(history, options).verdict();
}

const OPERATIONS: ReadonlySet<string> = new Set(['created', 'deleted', 'login', 'sent', 'acked']);

class Checker {
  readonly #history: readonly HistoryEvent[];
  readonly #graceMs: number;
  readonly #mayComeAgain: boolean;
  readonly #sent = new Map<string, number>();
  readonly #accepted = new Map<string, EventOf<'accepted'>>();
  readonly #answered = new Set<string>();
  /** First acknowledgement by its recipient. */
  readonly #acked = new Map<string, number>();
  readonly #delivered = new Map<string, number>();
  /** The seats that have shown it. */
  readonly #shown = new Map<string, Set<string>>();
  /** At each seat, in the order of time. */
  readonly #logins = new Map<string, Login[]>();
  /** The seats of each person, and since when each is there for sure. */
  readonly #seats = new Map<string, Map<string, number>>();
  /** Who came into a room, and left it, in the order of time; by room, then by person. */
  readonly #moves = new Map<string, Map<string, Move[]>>();
  readonly #firstAsked = new Map<string, number>();
  readonly #forgotten = new Map<string, EventOf<'forgotten'>[]>();
  readonly #deletions = new Map<string, { life: number; begun: number }[]>();
  readonly #broken: Record<PromiseName, string[]> = {
    lost: [],
    doubled: [],
    reordered: [],
    wrong: [],
    heldTwice: [],
    falselyDelivered: [],
    cameAgain: [],
    falselyGone: [],
  };
  #external = 0;
  #supersededUs = 0;

  constructor(history: readonly HistoryEvent[], { graceMs, mayComeAgain = false }: CheckOptions) {
    this.#history = history;
    this.#graceMs = graceMs;
    this.#mayComeAgain = mayComeAgain;
    for (const event of history) this.#index(event);
    for (const event of history) if (event.kind === 'acked') this.#indexAck(event);
  }

  verdict(): Verdict {
    this.#judgeShown();
    for (const event of this.#history) if (event.kind === 'fate') this.#judgeFate(event);
    const missing = [...this.#accepted].filter(([key, letter]) => this.#whereMissing(key, letter) !== null);
    const excused = missing.filter(([, letter]) => this.#isExcused(letter));
    for (const [key, letter] of missing)
      if (!this.#isExcused(letter)) this.#broken.lost.push(`${key} at ${this.#whereMissing(key, letter)}`);
    return {
      broken: this.#broken,
      operations: this.#history.filter(({ kind }) => OPERATIONS.has(kind)).length,
      accepted: this.#accepted.size,
      shown: this.#accepted.size - missing.length,
      excused: excused.length,
      unanswered: [...this.#sent.keys()].filter((key) => !this.#answered.has(key)).length,
      external: this.#external,
      superseded: Math.round(this.#supersededUs / 1_000),
    };
  }

  /** What has to be known of the whole history before any of it can be judged. */
  #index(event: HistoryEvent): void {
    switch (event.kind) {
      case 'sent':
        this.#sent.set(keyOf(event), event.at);
        return;
      case 'accepted':
        this.#accepted.set(keyOf(event), event);
        this.#answered.add(keyOf(event));
        return;
      case 'refused':
        this.#answered.add(keyOf(event));
        return;
      case 'fate':
        if (event.fate === 'delivered') setOnce(this.#delivered, keyOf(event), event.at);
        return;
      case 'login': {
        const seat = seatOfClient(event.client);
        listOf(this.#logins, seat).push(event);
        setOnce(this.#firstAsked, event.client, event.asked);
        setOnce(mapOf(this.#seats, event.person), seat, event.at);
        return;
      }
      case 'joined':
      case 'left':
        listOf(mapOf(this.#moves, event.room), event.person).push(event);
        return;
      case 'forgotten':
        listOf(this.#forgotten, event.person).push(event);
        return;
      case 'deleting':
        listOf(this.#deletions, event.person).push({ life: event.life, begun: event.at });
        return;
      case 'shown': {
        const letter = letterOf(event.text);
        const isTheirs = letter?.to === event.person || isRoom(letter?.to ?? '');
        if (letter === undefined || event.sender === null || !isTheirs) return;
        const seats = this.#shown.get(keyOf(letter)) ?? new Set();
        this.#shown.set(keyOf(letter), seats.add(seatOfClient(event.client)));
        return;
      }
    }
  }

  /** Whoever was superseded acknowledges nothing any more. */
  #indexAck(event: EventOf<'acked'>): void {
    const other = this.#successor(event.client, event.at);
    if (other !== undefined && event.at - other.at > this.#graceMs * 1_000) return;
    setOnce(this.#acked, keyOf(event), event.at);
  }

  /** Who was let in after that client's last login before then, and before `by`. */
  #successor(client: string, at: number, by = at): Login | undefined {
    const logins = this.#logins.get(seatOfClient(client)) ?? [];
    const own = logins.findLast((login) => login.client === client && login.at <= at);
    if (own === undefined) return undefined;
    return logins.find((login) => login.client !== client && login.asked > own.at && login.at < by);
  }

  /** A seat that it was for and that has not shown it; null: there is none. */
  #whereMissing(key: string, letter: EventOf<'accepted'>): string | null {
    const shown = this.#shown.get(key);
    const sent = this.#sent.get(key) ?? letter.at;
    const people = isRoom(letter.to) ? this.#membersAt(letter.to, sent, letter.at) : [letter.to];
    for (const person of people) {
      for (const [seat, since] of this.#seats.get(person) ?? [])
        if (since < sent && shown?.has(seat) !== true) return seat;
    }
    return shown === undefined && !isRoom(letter.to) ? letter.to : null;
  }

  /** Who was in a room for sure, all that time. */
  #membersAt(room: string, from: number, to: number): string[] {
    return [...(this.#moves.get(room) ?? [])].flatMap(([person, moves]) => {
      const isThere = moves.findLast(({ at }) => at < from)?.kind === 'joined';
      return isThere && !moves.some(({ asked, at }) => asked < to && at >= from) ? [person] : [];
    });
  }

  /** Whether somebody had left a room for sure when that was sent, and has not come in since. */
  #isOutside(room: string, person: string, sent: number, shown: number): boolean {
    const moves = this.#moves.get(room)?.get(person) ?? [];
    const isIn = moves.findLast(({ at }) => at < sent)?.kind === 'joined';
    return !isIn && !moves.some(({ kind, asked, at }) => kind === 'joined' && asked < shown && at >= sent);
  }

  #judgeShown(): void {
    /** The inbox that each client had it from. */
    const seen = new Map<string, string>();
    const last = new Map<string, number>();
    for (const event of this.#history) {
      if (event.kind !== 'shown') continue;
      if (event.sender === null) {
        this.#external += 1;
        continue;
      }
      const letter = letterOf(event.text);
      const complaint = this.#whyWrong(event, letter);
      if (complaint !== null || letter === undefined) {
        this.#broken.wrong.push(`${event.text.slice(0, 80)} at ${event.client}: ${complaint}`);
        continue;
      }
      const key = keyOf(letter);
      const before = seen.get(`${event.client} ${key}`);
      seen.set(`${event.client} ${key}`, event.inbox);
      if (before !== undefined) {
        const isAgain = before !== event.inbox && this.#forgotten.has(event.person);
        if (!isAgain) this.#broken.doubled.push(`${key} at ${event.client}`);
        continue;
      }
      this.#judgeOrder(event, letter, last);
      this.#judgeHolder(event, key);
      this.#judgeAgain(event, key);
    }
  }

  #whyWrong(event: Shown, letter: Letter | undefined): string | null {
    if (letter === undefined) return 'no text of ours';
    const sent = this.#sent.get(keyOf(letter));
    if (letter.from !== event.sender) return `is called ${event.sender}'s`;
    if (sent === undefined) return 'was never sent';
    const isOther = isRoom(letter.to)
      ? this.#isOutside(letter.to, event.person, sent, event.at)
      : letter.to !== event.person;
    if (isOther) return `is for ${letter.to}`;
    const accepted = this.#accepted.get(keyOf(letter))?.at ?? Number.POSITIVE_INFINITY;
    const earlier = this.#deletions
      .get(event.person)
      ?.find(({ life, begun }) => life < event.life && accepted < begun);
    return earlier === undefined ? null : `was for life ${earlier.life} of the account`;
  }

  #judgeOrder({ client, inbox, isPushed }: Shown, { from, to, n }: Letter, last: Map<string, number>): void {
    const how = `${inbox} ${isPushed ? 'pushed' : 'asked for'}`;
    const line = `${client} ${how} ${from} ${to} ${Math.floor(n / COUNT_STEP)}`;
    const before = last.get(line) ?? 0;
    if (n < before) this.#broken.reordered.push(`${from} ${n} behind ${before} at ${client}`);
    last.set(line, Math.max(n, before));
  }

  /** Something new was pushed to a client after another one had been let in. */
  #judgeHolder({ at, client, isPushed }: Shown, key: string): void {
    const other = this.#successor(client, at, this.#sent.get(key) ?? 0);
    if (other === undefined || !isPushed) return;
    const lateUs = at - other.at;
    this.#supersededUs = Math.max(this.#supersededUs, lateUs);
    if (other.how === 'plain' || lateUs > this.#graceMs * 1_000) {
      const late = Math.round(lateUs / 1_000);
      this.#broken.heldTwice.push(`${key} at ${client}, ${late} ms after ${other.client} (${other.how})`);
    }
  }

  #judgeAgain({ client, person }: Shown, key: string): void {
    const delivered = this.#delivered.get(key);
    const asked = this.#firstAsked.get(client) ?? 0;
    if (delivered === undefined || asked <= delivered) return;
    // It is delivered where one of several devices has it, and comes to the others all the same.
    const isOne = this.#seats.get(person)?.size === 1;
    if (!isOne || this.#mayComeAgain || this.#forgotten.has(person)) return;
    this.#broken.cameAgain.push(`${key} at ${client}`);
  }

  #judgeFate(event: EventOf<'fate'>): void {
    const key = keyOf(event);
    const acked = this.#acked.get(key);
    if (event.fate === 'delivered' && (acked === undefined || acked > event.at))
      this.#broken.falselyDelivered.push(key);
    const hasReason = this.#forgotten.has(event.to) || this.#deletions.has(event.to);
    if (event.fate === 'undeliverable' && !hasReason) this.#broken.falselyGone.push(key);
  }

  /** Deleted with its account, or taken away from Kafka itself. */
  #isExcused({ to, at }: EventOf<'accepted'>): boolean {
    const isTaken = this.#forgotten.get(to)?.some((event) => event.what === 'records' && event.at > at);
    // While an account is being deleted its inbox takes messages to the end.
    const isDeleted = this.#history.some(
      (event) => event.kind === 'deleted' && event.person === to && event.at > at,
    );
    return isTaken === true || isDeleted;
  }
}

type Move = EventOf<'joined' | 'left'>;

function keyOf({ from, to, n }: Letter): string {
  return `${from} ${to} ${n}`;
}

function setOnce<Value>(map: Map<string, Value>, key: string, value: Value): void {
  if (!map.has(key)) map.set(key, value);
}

function mapOf<Value>(maps: Map<string, Map<string, Value>>, key: string): Map<string, Value> {
  const map = maps.get(key) ?? new Map<string, Value>();
  maps.set(key, map);
  return map;
}

function listOf<Item>(map: Map<string, Item[]>, key: string): Item[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}
