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
  /** What the row has to say then, or which of the file's tests fails. */
  readonly says: string;
}

const KAFKA = 'storage/kafka';

const LATE_TURNS: Patch = {
  file: `${KAFKA}/groups/doubt.ts`,
  find: 'return askedAt <= this.#since;',
  replace: 'return askedAt === Number.NaN;',
};

/** Where the topic is compared: with what is known of it, with what is found, and by the broker itself. */
const TOPIC_IDS: readonly Patch[] = [
  {
    file: `${KAFKA}/produce/partition-leaders.ts`,
    find: 'return topicId === null || leader?.topicId === topicId ? leader : undefined;',
    replace: 'return topicId === undefined ? undefined : leader;',
  },
  {
    file: `${KAFKA}/produce/partition-leaders.ts`,
    find: 'if (topicId === null || found === topicId) return;',
    replace: 'if (found !== null) return;',
  },
  {
    file: `${KAFKA}/produce/rounds.ts`,
    find: 'partition.idBytes ?? knownId(cluster, partition.topic);',
    replace: 'knownId(cluster, partition.topic);',
  },
];

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
    // Whoever is killed with a gap behind them is a matter of luck.
    test: 'test/kafka/contracts.test.ts',
    says: 'knows acknowledgements out of order, and knows them after the inbox was given back',
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
    // One behind the other: whoever wakes up looks at its clocks first, and hears by its heartbeat that it counts as dead.
    name: 'the frontend’s own lease, the word that it is lost, and the look after a late turn',
    patches: [
      LATE_TURNS,
      {
        file: `${KAFKA}/inbox/kafka-inboxes.ts`,
        find: "onLost: () => this.#local.each((inbox) => inbox.lose('lost')),",
        replace: 'onLost: () => {},',
      },
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
    // What a sender asks is answered by where the log begins as well, until its recipient has gone on behind the hole.
    test: 'test/kafka/holes.test.ts',
    says: 'are undeliverable at once, and after the recipient has gone on behind them',
  },
  {
    name: 'topics by their ids: the name is enough',
    patches: TOPIC_IDS,
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
    name: 'transactions: what was held back is brought, however its transaction ends',
    patches: [
      {
        file: `${KAFKA}/inbox/progress.ts`,
        find: 'if (!marker.isCommit) this.#deliver(first, last);',
        replace: 'if (first > last) this.#deliver(first, last);',
      },
    ],
    row: 'transactions aborted, open and committed',
    says: 'shown as external: ',
  },
  {
    name: 'transactions: what had been aborted before it is read counts',
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
    test: 'test/server/limits2.test.ts',
    says: 'is answered alike and stored once',
  },
  {
    name: 'a later owner of a name: neither the topic nor the record says whose it is',
    patches: [
      ...TOPIC_IDS,
      {
        file: `${KAFKA}/inbox/record.ts`,
        find: 'if (headers.to !== undefined && headers.to !== life) {',
        replace: 'if (headers.to === noteAddress(life)) {',
      },
    ],
    test: 'test/kafka/contracts.test.ts',
    says: 'never shows the new owner of a name what the old one had',
  },
  {
    name: 'a later owner of a name: is in the rooms of the former one',
    patches: [
      {
        file: `${KAFKA}/rooms/kafka-members.ts`,
        find: 'return isSameLife(membership.room, room) && isSameLife(membership.person, person);',
        replace: 'return isSameLife(membership.room, room);',
      },
    ],
    test: 'test/kafka/contracts.test.ts',
    says: 'knows no membership of another life of the person',
  },
  {
    name: 'rooms: whoever was in a former one of that name is in it',
    patches: [
      {
        file: `${KAFKA}/rooms/kafka-members.ts`,
        find: 'return isSameLife(membership.room, room) && isSameLife(membership.person, person);',
        replace: 'return isSameLife(membership.person, person);',
      },
    ],
    test: 'test/kafka/contracts.test.ts',
    says: 'removes a room with its memberships, and its name may be taken again as another life',
  },
  {
    name: 'rooms: who has left goes on to get what is said there',
    patches: [
      {
        file: 'server/session/room-deliveries.ts',
        find: 'if (known !== undefined && !isSame(known, wanted)) this.#drop(name);',
        replace: 'if (known !== undefined && isSame(known, wanted)) this.#drop(name);',
      },
    ],
    test: 'test/server/rooms.test.ts',
    says: 'gets what is said while they are in it, and nothing else',
  },
  {
    name: 'rooms: who is not in one may say something there',
    patches: [
      {
        file: 'server/commands/rooms/asked.ts',
        find: "if (membership?.role !== 'member') throw new ProtocolError('NOT_A_MEMBER');",
        replace: "if (membership?.role === 'invited') throw new ProtocolError('NOT_A_MEMBER');",
      },
    ],
    test: 'test/server/rooms.test.ts',
    says: 'is for members alone, and is confirmed once it is stored',
  },
  {
    name: 'devices: what one of them has not got yet is trimmed',
    patches: [
      {
        file: `${KAFKA}/inbox/history.ts`,
        find: 'slowest = Math.min(slowest, position?.delivered.low ?? 0);',
        replace: 'slowest = Math.max(slowest, position?.delivered.low ?? 0);',
      },
    ],
    test: 'test/kafka/limits.test.ts',
    says: 'keeps what another device has still to get',
  },
];
