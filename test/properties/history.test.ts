/* The client's history, in SQLite on the disk and in memory, against arrays. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EntryState } from '../../src/client/index.ts';
import type { History } from '../../src/terminal/history/history.ts';
import type { NotifyLevel, Peer, StoredMessage } from '../../src/terminal/history/types.ts';
import { newDirectory, open } from '../terminal/history/harness.ts';
import { holds } from './checking.ts';

const PEERS: readonly Peer[] = [
  { kind: 'user', name: 'bob' },
  { kind: 'user', name: 'carol' },
  { kind: 'external', name: 'bob' },
];
const FATES = ['on-its-way', 'waiting', 'stored', 'delivered', 'undeliverable', 'unsure', 'refused'] as const;
/** What comes late does not go back. */
const RANK = {
  'on-its-way': 0,
  waiting: 0,
  refused: 1,
  unsure: 1,
  stored: 2,
  delivered: 3,
  undeliverable: 3,
};
const RECEIPT = Uint8Array.of(1, 2);
/** So many messages are kept, and at each sixteenth id at most 32 old ones go. */
const MOST = 20;

const peer = fc.nat(PEERS.length - 1);
const steps = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('receive' as const),
      peer,
      /** Some come again. */
      key: fc.option(fc.nat(12)),
      highlight: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('send' as const), peer: fc.nat(1), id: fc.nat(5) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('fate' as const),
      id: fc.nat(5),
      fate: fc.constantFrom(...FATES),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('read' as const), peer, upTo: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('forget' as const), peer, upTo: fc.nat(50) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant('draft' as const), peer, text: fc.constantFrom('', 'dear') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('notify' as const),
      peer,
      level: fc.constantFrom<NotifyLevel>('all', 'highlights', 'nothing'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reopen' as const) }) },
);
type Step = typeof steps extends fc.Arbitrary<infer One> ? One : never;

interface Kept extends StoredMessage {
  readonly key: string | null;
  readonly messageId: string | null;
  hasReceipt: boolean;
}

interface Row {
  lastId: number;
  readUpTo: number;
  notify: NotifyLevel;
  activity: number;
  draft: string;
}

/** What a history should say, by the plainest code. */
class Model {
  messages: Kept[] = [];
  readonly #rows = new Map<number, Row>();
  #lastId = 0;

  get nextId(): number {
    return this.#lastId + 1;
  }

  receive(at: number, key: string | null, highlight: boolean): boolean {
    if (key !== null && this.messages.some((message) => message.key === key)) return false;
    this.#insert(at, { direction: 'in', fate: null, highlight, key, messageId: null });
    return true;
  }

  send(at: number, messageId: string): boolean {
    if (this.messages.some((message) => message.messageId === messageId)) return false;
    const fate: EntryState = { kind: 'on-its-way' };
    this.#insert(at, { direction: 'out', fate, highlight: false, key: null, messageId });
    return true;
  }

  fate(messageId: string, fate: EntryState): void {
    this.messages = this.messages.map((message) => {
      if (message.messageId !== messageId || message.fate === null) return message;
      if (RANK[fate.kind] < RANK[message.fate.kind]) return message;
      return { ...message, fate, hasReceipt: fate.kind === 'stored' };
    });
  }

  read(at: number, upTo: number): void {
    const row = this.#rows.get(at);
    if (row !== undefined) row.readUpTo = Math.max(row.readUpTo, Math.min(upTo, row.lastId));
  }

  forget(at: number, upTo: number): number {
    this.read(at, upTo);
    this.row(at);
    const isGone = (message: Kept) =>
      this.#isWith(message, at) &&
      message.id <= upTo &&
      !['on-its-way', 'waiting'].includes(message.fate?.kind ?? 'in');
    const gone = this.messages.filter(isGone).length;
    this.messages = this.messages.filter((message) => !isGone(message));
    this.#dropIfEmpty(at);
    return gone;
  }

  row(at: number): Row {
    const row = this.#rows.get(at) ?? {
      ...{ lastId: 0, readUpTo: 0, notify: 'all', activity: this.#lastId, draft: '' },
    };
    this.#rows.set(at, row);
    return row;
  }

  with(at: number): Kept[] {
    return this.messages.filter((message) => this.#isWith(message, at));
  }

  /** As `History.conversation`, but for the time. */
  conversation(at: number) {
    const row = this.#rows.get(at);
    if (row === undefined) return null;
    const { lastId, readUpTo, notify, activity, draft } = row;
    const unread = this.with(at).filter(({ id, direction }) => direction === 'in' && id > readUpTo);
    return {
      ...{ peer: PEERS[at], lastId, notify, activity, draft },
      ...{ unread: unread.length, firstUnread: unread[0]?.id ?? null },
      highlights: unread.filter(({ highlight }) => highlight).length,
    };
  }

  /** Those that are listed. */
  get conversations(): number[] {
    return [...this.#rows.keys()].filter(
      (at) => this.with(at).length > 0 || this.#rows.get(at)?.draft !== '',
    );
  }

  #isWith(message: StoredMessage, at: number): boolean {
    return message.peer.kind === PEERS[at]?.kind && message.peer.name === PEERS[at]?.name;
  }

  #insert(at: number, message: Pick<Kept, 'direction' | 'fate' | 'highlight' | 'key' | 'messageId'>): void {
    const row = this.row(at);
    this.#lastId += 1;
    const id = this.#lastId;
    const who = PEERS[at] ?? { kind: 'user', name: '' };
    this.messages.push({ ...message, id, peer: who, at: 7, body: `body ${id}`, hasReceipt: false });
    row.lastId = row.activity = id;
    if (id % 16 !== 0) return;
    const old = this.messages.filter((one) => one.id <= id - MOST).slice(0, 32);
    this.messages = this.messages.filter((one) => !old.includes(one));
    for (const [other] of [...this.#rows]) {
      if (old.some((one) => this.#isWith(one, other))) this.#dropIfEmpty(other);
    }
  }

  #dropIfEmpty(at: number): void {
    const row = this.#rows.get(at);
    if (row?.notify === 'all' && row.draft === '' && this.with(at).length === 0) this.#rows.delete(at);
  }
}

const stateOf = (kind: (typeof FATES)[number]): EntryState =>
  kind === 'refused' ? { kind, reason: 'No.' } : { kind };

function take(step: Step, history: History, model: Model, nextBody: string): void {
  switch (step.type) {
    case 'receive': {
      const key = step.key === null ? null : `key ${step.key}`;
      const { highlight } = step;
      const stored = history.received({ peer: peerAt(step.peer), at: 7, body: nextBody, key, highlight });
      expect(stored !== null).toBe(model.receive(step.peer, key, highlight));
      return;
    }
    case 'send': {
      const messageId = `m${step.id}`;
      const out = {
        messageId,
        to: peerAt(step.peer).name,
        at: 7,
        body: nextBody,
        fate: stateOf('on-its-way'),
      };
      const stored = history.sent(out);
      model.send(step.peer, messageId);
      expect(stored.id).toBe(model.messages.find((message) => message.messageId === messageId)?.id);
      return;
    }
    case 'fate': {
      const fate = stateOf(step.fate);
      history.fate(`m${step.id}`, fate, fate.kind === 'stored' ? RECEIPT : null);
      model.fate(`m${step.id}`, fate);
      return;
    }
    case 'read':
      history.read(peerAt(step.peer), step.upTo);
      model.read(step.peer, step.upTo);
      return;
    case 'forget':
      expect(history.forget(peerAt(step.peer), step.upTo)).toBe(model.forget(step.peer, step.upTo));
      return;
    case 'draft':
      history.draft(peerAt(step.peer), step.text);
      model.row(step.peer).draft = step.text;
      return;
    case 'notify':
      history.notify(peerAt(step.peer), step.level);
      model.row(step.peer).notify = step.level;
  }
}

function peerAt(at: number): Peer {
  return PEERS[at] ?? { kind: 'user', name: '' };
}

function expectSame(history: History, model: Model): void {
  const shown = ({ id, peer, direction, at, body, fate, highlight }: StoredMessage) => ({
    ...{ id, peer, direction, at, body, fate, highlight },
  });
  for (const [at, one] of PEERS.entries()) {
    const messages = model.with(at).map(shown);
    expect([...history.all(one)]).toEqual(messages);
    expect(history.before(one, null, 5)).toEqual(messages.slice(-5));
    expect(history.size(one)).toBe(messages.length);
    const conversation = model.conversation(at);
    if (conversation === null) expect(history.conversation(one)).toBeNull();
    else expect(history.conversation(one)).toMatchObject(conversation);
  }
  const listed = model.conversations.map((at) => model.conversation(at)?.activity ?? 0);
  expect(history.conversations().map(({ activity }) => activity)).toEqual(listed.sort((a, b) => b - a));
  const highlighted = model.messages.filter(({ highlight }) => highlight).map(({ id }) => id);
  expect(history.highlighted(50).map(({ id }) => id)).toEqual(highlighted.reverse());
  for (let key = 0; key <= 12; key++) {
    expect(history.hasSeen(`key ${key}`)).toBe(
      model.messages.some((message) => message.key === `key ${key}`),
    );
  }
  const due = (isDue: (message: Kept) => boolean) =>
    model.messages.filter(isDue).map(({ messageId }) => messageId);
  expect(history.unsettled().map(({ id }) => id)).toEqual([
    ...due(({ fate }) => fate?.kind === 'on-its-way' || fate?.kind === 'waiting'),
    ...due(({ hasReceipt }) => hasReceipt),
  ]);
}

test.each([
  ['on the disk, closed and opened again', 4, () => newDirectory()],
  ['in memory', 15, () => null],
])('%s, it has all that was said, and what of it is read', (_, quick, where) => {
  holds(steps, quick, 60, (all) => {
    const directory = where();
    const opened = () => {
      const history = open(directory, { maxMessages: MOST });
      history.begin('life');
      return history;
    };
    let history = opened();
    const model = new Model();
    try {
      for (const step of all) {
        if (step.type !== 'reopen') take(step, history, model, `body ${model.nextId}`);
        else if (directory !== null) {
          history.close();
          history = opened();
        }
      }
      expectSame(history, model);
    } finally {
      history.close();
    }
  });
});
