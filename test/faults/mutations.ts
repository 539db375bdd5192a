/** Safeguards, how each is switched off in a copy of the source, and what notices. */

export interface Patch {
  /** In src/. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutation {
  /** What is switched off. */
  readonly name: string;
  readonly patches: readonly Patch[];
  /** The row, or the test file, that has to fail. */
  readonly row?: string;
  readonly test?: string;
  /** What it has to say then. */
  readonly says: string;
}

const KAFKA = 'storage/kafka';

const LATE_TURNS: Patch = {
  file: `${KAFKA}/groups/doubt.ts`,
  find: 'return askedAt <= this.#since;',
  replace: 'return askedAt === Number.NaN;',
};

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'acks=all: one copy is enough',
    patches: [
      {
        file: `${KAFKA}/wire/produce.ts`,
        find: 'const ALL_IN_SYNC = -1;',
        replace: 'const ALL_IN_SYNC = 1;',
      },
    ],
    row: 'a leader killed while its followers stand still',
    says: 'lost: ',
  },
  {
    name: 'acknowledged before delivered: what was pushed counts',
    patches: [
      {
        file: `${KAFKA}/inbox/cursor.ts`,
        find: 'this.progress.handOut(message.offset);',
        replace: 'this.progress.handOut(message.offset); this.acknowledge(message.offset, message.offset);',
      },
    ],
    row: 'clients killed',
    says: 'falselyDelivered: ',
  },
  {
    name: 'ranges: everything in front of an acknowledgement counts',
    patches: [
      {
        file: `${KAFKA}/inbox/progress.ts`,
        find: 'return this.#deliver(first, Math.min(last, this.#handedOut));',
        replace: 'return this.#deliver(0 * first, Math.min(last, this.#handedOut));',
      },
    ],
    row: 'clients killed',
    says: 'falselyDelivered: ',
  },
  {
    name: 'ranges: commits do not keep them',
    patches: [
      {
        file: `${KAFKA}/groups/delivered-offsets.ts`,
        find: 'return head + ranges + tail;',
        replace: 'return head + tail;',
      },
    ],
    row: 'clients killed',
    says: 'cameAgain: ',
  },
  {
    name: 'fencing: that the inbox is another one’s is not heard',
    patches: [
      {
        file: `${KAFKA}/inbox/inbox-lease.ts`,
        find: "if (error instanceof EngineError && error.code === 'LOST') this.#unknown();",
        replace: "if (error instanceof EngineError && error.code === 'LOST') return;",
      },
    ],
    row: 'a frontend stopped for less than its lease',
    says: 'never came: the superseded one is told',
  },
  {
    name: 'the look at the lease after a late turn',
    patches: [LATE_TURNS],
    row: 'a frontend stopped for less than its lease',
    says: 'heldTwice: ',
  },
  {
    name: '✓✓ only of what the holder has acknowledged',
    patches: [
      {
        file: `${KAFKA}/inbox/inbox.ts`,
        find: 'this.cursor.acknowledge(first, last);\n    return this.#lease.isKnownHeld;',
        replace: 'this.cursor.acknowledge(first, last);\n    return true;',
      },
    ],
    row: 'a frontend stopped for less than its lease',
    says: 'falselyDelivered: ',
  },
  {
    name: 'the frontend’s own lease, and the look after a late turn',
    patches: [
      LATE_TURNS,
      {
        file: `${KAFKA}/groups/frontend-lease.ts`,
        find: 'return now() < this.#validUntil;',
        replace: 'return this.#validUntil >= 0;',
      },
    ],
    row: 'a frontend stopped for longer than its lease',
    says: 'heldTwice: ',
  },
  {
    name: 'one holder: whoever logs in is let in',
    patches: [
      {
        file: `${KAFKA}/groups/lease.ts`,
        find: 'holder !== null && !takeover && !(await',
        replace: 'holder !== holder && !takeover && !(await',
      },
    ],
    row: 'logins beside another one',
    says: 'were let in',
  },
  {
    name: 'epochs: a login believes the commit',
    patches: [
      {
        file: `${KAFKA}/inbox/starting-point.ts`,
        find: 'const isSure = position.epoch === UNKNOWN_EPOCH ||',
        replace: 'const isSure = top >= 0 || position.epoch === UNKNOWN_EPOCH ||',
      },
    ],
    row: 'a log that lost its tail',
    says: 'lost: ',
  },
  {
    name: 'a commit that is missing: the log’s end counts',
    patches: [
      {
        file: `${KAFKA}/inbox/starting-point.ts`,
        find: 'new Position(new DeliveredOffsets(start));',
        replace: 'new Position(new DeliveredOffsets(end));',
      },
    ],
    row: 'positions deleted and reset',
    says: 'lost: ',
  },
  {
    name: 'holes: what is gone unread counts as delivered',
    patches: [{ file: `${KAFKA}/groups/position.ts`, find: 'gone.add(from, to);', replace: '' }],
    row: 'records deleted unread',
    says: 'falselyDelivered: ',
  },
  {
    name: 'topics by their ids: the name is enough',
    patches: [
      {
        file: `${KAFKA}/produce/rounds.ts`,
        find: 'partition.idBytes ?? knownId(cluster, partition.topic);',
        replace: 'knownId(cluster, partition.topic);',
      },
    ],
    row: 'the topic of an inbox deleted, and made again',
    says: 'lost: ',
  },
  {
    name: 'signatures: any is good',
    patches: [
      {
        file: `${KAFKA}/inbox/signature.ts`,
        find: 'return key !== undefined && isSame(text, digest(key, fields));',
        replace: 'return key !== undefined && digest(key, fields) !== text + text;',
      },
    ],
    row: 'signed records replayed and forged',
    says: 'no forged record was shown as external',
  },
  {
    name: 'transactions: what was aborted counts',
    patches: [
      {
        file: `${KAFKA}/inbox/progress.ts`,
        find: "return standing === 'counts';",
        replace: "return standing !== 'open';",
      },
    ],
    row: 'transactions aborted, open and committed',
    says: 'shown as external: ',
  },
  {
    name: 'the client shows a message once',
    patches: [
      {
        file: 'client/receiver.ts',
        find: 'const isNew = seen.add(key) && !this.#options.store?.hasSeen(key);',
        replace: 'const isNew = seen.add(key) || !this.#options.store?.hasSeen(key);',
      },
    ],
    row: 'a frontend killed',
    says: 'doubled: ',
  },
  {
    name: 'a frontend stores an id once',
    patches: [
      {
        file: 'server/session/send-dedupe.ts',
        find: 'return found?.completion;',
        replace: 'return undefined;',
      },
    ],
    test: 'test/server/sends.test.ts',
    says: 'FAIL',
  },
];
